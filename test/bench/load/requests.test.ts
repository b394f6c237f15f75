/** The frames of a load, decoded by the server's own codec. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTape, deleteTape, type FrameTape, mixTape } from '../../../bench/load/frame-tape.ts';
import { KeySpace } from '../../../bench/load/key-space.ts';
import { fitsTape, type MixLoad, MixRequests } from '../../../bench/load/mix-requests.ts';
import type { MixEntry, TreePlan } from '../../../bench/plan/plan.ts';
import { JuteReader } from '../../../src/wire/jute-reader.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { type Request, readRequest } from '../../../src/wire/request-values.ts';
import { readRequestHeader } from '../../support/wire/server-values.ts';

const tree: TreePlan = { root: '/t', keyCount: 100, directories: 1, values: { kind: 'fixed', bytes: 4000 } };
const space = new KeySpace(tree);

function loadOf(...entries: MixEntry[]): MixLoad {
  return {
    kind: 'mix',
    entries,
    keys: { kind: 'uniform' },
    values: tree.values,
    arrival: { kind: 'closed', thinkTimeMs: 0 },
  };
}

const mixed = loadOf({ op: 'get', weight: 70, label: 'get' }, { op: 'set', weight: 30, label: 'set' });

/** The frame of a slot. */
function decode(tape: FrameTape, slot: number): { xid: number; request: Request } {
  const bytes = tape.bytes.subarray(tape.offsets[slot]!, tape.offsets[slot + 1]!);
  const reader = new JuteReader(bytes);
  assert.equal(reader.readInt(), bytes.length - 4);
  const { xid, op } = readRequestHeader(reader);
  return { xid, request: readRequest(reader, op) };
}

test('a tape holds the mix exactly, xids by slot, and repeats its first frames at the end', () => {
  const lead = 100;
  const tape = mixTape(mixed, space, lead, 5);
  let sets = 0;
  for (let slot = 0; slot < tape.slotCount; slot++) {
    const { xid, request } = decode(tape, slot);
    assert.equal(xid, slot + 1);
    if (request.op === OpCode.setData) sets++;
    assert.equal(tape.entries[slot], request.op === OpCode.setData ? 1 : 0);
  }
  assert.equal(sets, tape.slotCount - Math.round(tape.slotCount * 0.7));
  for (let slot = 0; slot < lead; slot++) {
    assert.deepEqual(decode(tape, tape.slotCount + slot), decode(tape, slot));
  }
});

test('set-up creates each key once and tear-down deletes the same', () => {
  const created = createTape(tree, space, 90, 10, false);
  const tagged = createTape(tree, space, 90, 10, true);
  const deleted = deleteTape(space, 90, 10);
  for (let slot = 0; slot < 10; slot++) {
    const path = `/t/00000${90 + slot}`;
    const create = decode(created, slot).request;
    assert.ok(create.op === OpCode.create && create.path === path && create.data?.length === 4000);
    const marked = decode(tagged, slot).request;
    assert.ok(marked.op === OpCode.create && marked.data!.subarray(0, 8).every((byte) => byte === 0));
    const remove = decode(deleted, slot).request;
    assert.ok(remove.op === OpCode.delete && remove.path === path);
  }
});

test('every stateless entry becomes its request', () => {
  const requests = new MixRequests(mixed, space, 1, 's');
  const made = (entry: MixEntry): Request => requests.make(entry);
  const base = { weight: 1, label: 'x' } as const;
  assert.equal(made({ ...base, op: 'get' }).op, OpCode.getData);
  assert.equal(made({ ...base, op: 'exists' }).op, OpCode.exists);
  assert.equal(made({ ...base, op: 'sync' }).op, OpCode.sync);
  assert.equal(made({ ...base, op: 'set' }).op, OpCode.setData);
  const list = made({ ...base, op: 'getChildren' });
  assert.ok(list.op === OpCode.getChildren2 && list.path === '/t' && !list.watch);
  for (const [on, op] of [
    ['data', OpCode.getData],
    ['exists', OpCode.exists],
    ['children', OpCode.getChildren2],
  ] as const) {
    const watch = made({ ...base, op: 'watch', on });
    assert.ok(watch.op === op && 'watch' in watch && watch.watch, on);
  }
});

test('a multi has its count, no key twice, and leaves nothing behind', () => {
  const small = new KeySpace({ ...tree, keyCount: 4 });
  const requests = new MixRequests(mixed, small, 1, 's');
  const base = { weight: 1, label: 'x', op: 'multi' } as const;
  for (let i = 0; i < 200; i++) {
    const sets = requests.make({ ...base, of: 'set', count: { min: 2, max: 4 } });
    assert.ok(sets.op === OpCode.multi && sets.subs.length >= 2 && sets.subs.length <= 4);
    assert.equal(new Set(sets.subs.map(({ path }) => path)).size, sets.subs.length);
    assert.deepEqual(
      requests.targets.map((key) => small.keyPath(key)),
      sets.subs.map(({ path }) => path),
    );
  }
  const pairs = requests.make({ ...base, of: 'createDelete', count: { min: 3, max: 3 } });
  assert.ok(pairs.op === OpCode.multi);
  assert.deepEqual(
    pairs.subs.map(({ op }) => op),
    [OpCode.create, OpCode.delete, OpCode.create, OpCode.delete],
  );
  assert.equal(pairs.subs[0]!.path, pairs.subs[1]!.path);
  const reads = requests.make({ ...base, op: 'multiRead', of: 'getChildren', count: { min: 5, max: 5 } });
  assert.ok(reads.op === OpCode.multiRead && reads.subs.every(({ op }) => op === OpCode.getChildren));
});

test('only what depends on no reply fits a tape', () => {
  const base = { weight: 1, label: 'x' } as const;
  assert.ok(fitsTape(mixed));
  assert.ok(fitsTape(loadOf({ ...base, op: 'getChildren' }, { ...base, op: 'sync' })));
  assert.ok(!fitsTape(loadOf({ ...base, op: 'create', mode: 'persistent', ttlMs: 0 })));
  assert.ok(!fitsTape(loadOf({ ...base, op: 'watch', on: 'data' })));
});

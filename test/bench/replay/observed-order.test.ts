/** Order between recorded connections: kept where a client could have known, and nowhere else. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ObservedOrder, type OrderPoint } from '../../../bench/replay/observed-order.ts';
import { createRequest, deleteRequest, getRequest, requestFrame } from '../../../bench/session/frames.ts';
import { OPEN_ACL } from '../../../src/wire/acl.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { CreateFlags, OpCode } from '../../../src/wire/opcodes.ts';
import type { Request } from '../../../src/wire/request-values.ts';
import { RawClient } from '../../support/raw-client.ts';
import * as bodies from '../../support/request-bodies.ts';
import { FakeServer } from './fake-server.ts';
import { recordWith, replay } from './recordings.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringkeeper-order-'));
after(() => rmSync(dir, { recursive: true }));

const NO_DATA = new Uint8Array(0);
const create = (path: string): Request => createRequest(path, NO_DATA);
const sequential = (path: string): Request =>
  ({
    op: OpCode.create,
    path,
    data: NO_DATA,
    acl: OPEN_ACL,
    flags: CreateFlags.persistentSequential,
  }) as Request;

/** Who waits for a write that was replied to in the recording and is not in the replay. */
function waiting(write: Request, next: Request, connection = 2): boolean {
  const order = new ObservedOrder();
  const first = order.onRequest(1, requestFrame(1, write));
  order.onReply(1, 1);
  const second = order.onRequest(connection, requestFrame(1, next));
  const waits = second?.blocker() != null;
  first?.finish();
  assert.equal(second?.blocker() ?? null, null, 'free behind its reply');
  assert.equal(order.onRequest(3, requestFrame(1, next))?.blocker() ?? null, null, 'and forgotten');
  return waits;
}

test('requests wait for observed writes to the znodes they meet', () => {
  assert.ok(waiting(create('/lock'), create('/lock')));
  assert.ok(waiting(deleteRequest('/lock'), create('/lock')));
  assert.ok(waiting(create('/a'), create('/a/b')), 'the parent must exist');
  assert.ok(waiting(deleteRequest('/a/b'), deleteRequest('/a')), 'and be empty');
  assert.ok(waiting(create('/a/b'), { op: OpCode.getChildren, path: '/a', watch: false }));
  assert.ok(waiting(sequential('/q/n-'), sequential('/q/n-')), 'numbers in their order');
  assert.ok(waiting({ op: OpCode.closeSession }, create('/anything')), 'ephemerals that are gone');
  assert.ok(waiting({ op: OpCode.setData, path: '/k', data: NO_DATA, version: 3 }, getRequest('/k')));
  const multi: Request = { op: OpCode.multi, subs: [{ op: OpCode.delete, path: '/lock', version: -1 }] };
  assert.ok(waiting(multi, create('/lock')));
  assert.ok(waiting(create('/lock'), multi));
});

test('what is unrelated, on one connection, or only read does not wait', () => {
  assert.ok(!waiting(create('/a/x'), create('/a/y')));
  assert.ok(!waiting(create('/lock'), create('/lock'), 1));
  assert.ok(!waiting(getRequest('/k'), getRequest('/k')));
});

test('what was under way at the same time has no order', () => {
  const order = new ObservedOrder();
  order.onRequest(1, requestFrame(1, create('/lock')));
  const second: OrderPoint | null = order.onRequest(2, requestFrame(1, create('/lock')));
  assert.equal(second?.blocker() ?? null, null);
});

for (const speed of [1, 'max'] as const) {
  test(`a create that was refused is refused again, however slow the first one is here (speed ${speed})`, async () => {
    const taken = new Set<string>();
    const source = await FakeServer.start();
    /** A lock: the first create gets it. */
    const errorOf: FakeServer['errorOf'] = ({ op, frame }) => {
      if (op !== OpCode.create) return 0;
      const lock = frame.toString('latin1').includes('/lock');
      if (lock && taken.has('/lock')) return ErrorCode.nodeExists;
      if (lock) taken.add('/lock');
      return 0;
    };
    source.errorOf = errorOf;
    const file = await recordWith(dir, source.address, async (port) => {
      const first = await RawClient.open(port);
      const second = await RawClient.open(port);
      for (const client of [first, second]) {
        client.send(OpCode.create, bodies.create({ path: '/lock', data: NO_DATA, acls: [], flags: 0 }));
        await client.reply();
      }
      first.destroy();
      second.destroy();
    });
    await source.stop();
    taken.clear();
    const target = await FakeServer.start();
    target.errorOf = errorOf;
    const order: number[] = [];
    // The first create is answered late: the other one must not overtake it.
    target.holds = (request) => request.op === OpCode.create && order.length === 1;
    target.onRequest = ({ connection, op }) => {
      if (op !== OpCode.create) return;
      order.push(connection);
      if (order.length === 1) setTimeout(() => target.release(), 100);
    };
    const outcome = await replay(file, [target.address], { speed });
    await target.stop();
    assert.equal(order.length, 2);
    assert.deepEqual([outcome.tally.sameResults, outcome.tally.differing], [4, 0]);
  });
}

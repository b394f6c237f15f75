import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PairIndex } from '../../../src/core/collections/pair-index.ts';
import { EMPTY_RING, RingLinks } from '../../../src/core/collections/ring-links.ts';
import { negotiateTimeoutMs, SessionIds } from '../../../src/core/session/session-id.ts';
import { NO_CONNECTION, NO_SESSION, SessionTable } from '../../../src/core/session/session-table.ts';
import { HASH } from '../support/hash.ts';

test('a session is found by both halves of its id, signed', () => {
  const table = new SessionTable(HASH);
  const slot = table.create(-1, 5, 4000, 100);
  const other = table.create(5, -1, 6000, 100);
  assert.equal(table.find(-1, 5), slot);
  assert.equal(table.find(5, -1), other);
  assert.equal(table.find(-1, -1), NO_SESSION);
  assert.equal(table.timeoutMs[slot], 4000);
  assert.equal(table.touchTimeoutMs[slot], 4000);
  assert.equal(table.touchedMs[slot], 100);
  assert.equal(table.conn[slot], NO_CONNECTION);
  assert.throws(() => table.create(-1, 5, 1, 1), /in use/);
});

test('open, closing, gone', () => {
  const table = new SessionTable(HASH);
  const slot = table.create(1, 2, 4000, 0);
  table.touch(slot, 50);
  assert.equal(table.touchedMs[slot], 50);
  assert.equal(table.isClosing(slot), false);
  table.setClosing(slot);
  assert.equal(table.isClosing(slot), true);
  assert.equal(table.find(1, 2), slot, 'exists until the transaction is applied');
  assert.equal(table.size, 1);
  table.remove(slot);
  assert.equal(table.exists(slot), false);
  assert.equal(table.isClosing(slot), false);
  assert.equal(table.find(1, 2), NO_SESSION);
  assert.throws(() => table.remove(slot), /no session/);
  assert.throws(() => table.setClosing(slot), /no session/);
  assert.equal(table.exists(NO_SESSION), false);
  const again = table.create(1, 3, 1000, 0);
  assert.equal(again, slot, 'slots are used again');
  assert.equal(table.isClosing(again), false);
});

test('the table behaves like a Map, whatever comes and goes', () => {
  const step = fc.tuple(fc.nat(400), fc.boolean());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const table = new SessionTable(HASH);
      const model = new Map<number, number>();
      for (const [id, remove] of steps) {
        const high = id % 3;
        const slot = model.get(id);
        assert.equal(table.find(high, id), slot ?? NO_SESSION);
        if (slot === undefined) {
          model.set(id, table.create(high, id, 1000 + id, id));
        } else if (remove) {
          table.remove(slot);
          model.delete(id);
        }
      }
      assert.equal(table.size, model.size);
      const seen: number[] = [];
      for (let slot = table.next(0); slot !== NO_SESSION; slot = table.next(slot + 1)) {
        seen.push(slot);
        assert.equal(model.get(table.idLow[slot]!), slot);
        assert.equal(table.timeoutMs[slot], 1000 + table.idLow[slot]!);
      }
      assert.deepEqual(
        seen,
        [...model.values()].sort((a, b) => a - b),
      );
    }),
  );
});

test('a pair index survives removal in the middle of long runs', () => {
  const key = fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -12, max: 12 }));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 300 }), (keys) => {
      const index = new PairIndex(HASH);
      const model = new Map<string, number>();
      let value = 0;
      for (const [a, b] of keys) {
        const name = `${a},${b}`;
        if (model.delete(name)) {
          assert.equal(index.remove(a, b), true);
        } else {
          assert.equal(index.remove(a, b), false);
          index.insert(a, b, value);
          model.set(name, value++);
        }
        assert.equal(index.size, model.size);
        for (const [each, expected] of model) {
          const [x, y] = each.split(',').map(Number);
          assert.equal(index.find(x!, y!), expected);
        }
        if (!model.has(name)) assert.equal(index.find(a, b), -1);
      }
    }),
    { numRuns: 50 },
  );
});

test('ring links keep the order of arrival', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { maxLength: 60 }), (rows) => {
      const links = new RingLinks();
      links.reserve(10);
      let head = EMPTY_RING;
      const model: number[] = [];
      for (const row of rows) {
        const at = model.indexOf(row);
        if (at < 0) {
          head = links.append(head, row);
          model.push(row);
        } else {
          head = links.remove(head, row);
          model.splice(at, 1);
        }
        const forth: number[] = [];
        const back: number[] = [];
        for (let i = 0, f = head, b = head; i < model.length; i++, f = links.after[f]!) {
          forth.push(f);
          b = links.before[b]!;
          back.unshift(b);
        }
        assert.deepEqual(forth, model);
        assert.deepEqual(back, model);
      }
      assert.equal(head === EMPTY_RING, model.length === 0);
    }),
  );
});

test('session ids: server, time, counter', () => {
  const sessions = new SessionTable(HASH);
  const startMs = 0x9abcdef012;
  const ids = new SessionIds(1, startMs);
  const given = (): bigint => {
    ids.advance(sessions);
    return BigInt.asUintN(64, (BigInt(ids.high) << 32n) | BigInt(ids.low >>> 0));
  };
  const first = (1n << 56n) | (BigInt(startMs) << 16n);
  assert.equal(given(), first);
  assert.equal(given(), first + 1n);
  for (let i = 2; i < 0x10000; i++) ids.advance(sessions);
  assert.equal(given(), first + 0x10000n, 'the counter carries into the time');
});

test('session ids above 2^40 ms and of server 255 keep to their fields', () => {
  const ids = new SessionIds(255, 2 ** 40 + 0xffff);
  ids.advance(new SessionTable(HASH));
  assert.equal(ids.high >>> 0, 0xff000000);
  assert.equal(ids.low >>> 0, 0xffff0000);
});

test('session ids that are reserved or taken are passed over', () => {
  const sessions = new SessionTable(HASH);
  const zero = new SessionIds(0, 0);
  zero.advance(sessions);
  assert.deepEqual([zero.high, zero.low], [0, 1]);
  sessions.create(0, 2, 1, 1);
  zero.advance(sessions);
  assert.deepEqual([zero.high, zero.low], [0, 3]);
  const container = new SessionIds(128, 0);
  container.advance(sessions);
  assert.deepEqual([container.high, container.low], [-0x80000000, 1]);
});

test('timeouts are clamped', () => {
  const cases: [number, number][] = [
    [0, 4000],
    [-1, 4000],
    [3999, 4000],
    [5000, 5000],
    [40_001, 40_000],
    [2 ** 31 - 1, 40_000],
  ];
  for (const [requested, got] of cases) assert.equal(negotiateTimeoutMs(requested, 4000, 40_000), got);
});

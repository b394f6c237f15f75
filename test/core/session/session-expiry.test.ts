import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SessionExpiry } from '../../../src/core/session/session-expiry.ts';
import { NO_SESSION, SessionTable } from '../../../src/core/session/session-table.ts';
import { HASH } from '../support/hash.ts';

interface World {
  sessions: SessionTable;
  expiry: SessionExpiry;
  open(idLow: number, timeoutMs: number, nowMs: number): number;
  expired(nowMs: number): number[];
}

function world(tickMs: number, nowMs = 0): World {
  const sessions = new SessionTable(HASH);
  const expiry = new SessionExpiry(sessions, tickMs, nowMs);
  return {
    sessions,
    expiry,
    open(idLow, timeoutMs, atMs) {
      const slot = sessions.create(0, idLow, timeoutMs, atMs);
      expiry.add(slot);
      return slot;
    },
    expired(atMs) {
      const ids: number[] = [];
      expiry.expire(atMs, Number.POSITIVE_INFINITY, (slot) => ids.push(sessions.idLow[slot]!) > 0);
      return ids.sort((a, b) => a - b);
    },
  };
}

test('a session lives between its timeout and a tick more', () => {
  const w = world(2000);
  w.open(1, 4000, 0);
  w.open(2, 4000, 1999);
  w.open(3, 4000, 2000);
  assert.deepEqual(w.expired(5999), []);
  assert.deepEqual(w.expired(6000), [1, 2], '(floor(4000 / 2000) + 1) × 2000, and the same for 5999');
  assert.deepEqual(w.expired(7999), []);
  assert.deepEqual(w.expired(8000), [3]);
  assert.deepEqual(w.expired(100_000), [], 'each once');
});

test('touches put expiry off', () => {
  const w = world(2000);
  const slot = w.open(1, 4000, 0);
  w.sessions.touch(slot, 3000);
  assert.deepEqual(w.expired(7999), []);
  w.sessions.touch(slot, 7999);
  assert.deepEqual(w.expired(11_999), []);
  assert.deepEqual(w.expired(12_000), [1]);
});

test('a reconnect with a shorter timeout takes effect, but not on the stored one', () => {
  const w = world(1000);
  const slot = w.open(1, 30_000, 0);
  w.expiry.renegotiate(slot, 2000, 100);
  assert.equal(w.sessions.timeoutMs[slot], 30_000);
  assert.deepEqual(w.expired(2999), []);
  assert.deepEqual(w.expired(3000), [1]);
});

test('a closing session does not expire, a removed one neither', () => {
  const w = world(1000);
  const closing = w.open(1, 2000, 0);
  const removed = w.open(2, 2000, 0);
  w.open(3, 2000, 0);
  w.sessions.setClosing(closing);
  w.expiry.remove(removed);
  w.expiry.remove(removed);
  w.sessions.remove(removed);
  assert.deepEqual(w.expired(10_000), [3]);
  w.expiry.remove(closing);
});

test('a restarted server gives every session its original timeout again', () => {
  const w = world(1000);
  const slot = w.open(1, 10_000, 0);
  w.open(2, 5000, 0);
  w.expiry.renegotiate(slot, 2000, 0);
  w.expiry.restart(2500);
  assert.deepEqual(w.expired(7999), []);
  assert.deepEqual(w.expired(8000), [2]);
  assert.deepEqual(w.expired(12_999), []);
  assert.deepEqual(w.expired(13_000), [1]);
});

test('sessions that were only loaded come under watch at the restart', () => {
  const w = world(1000);
  for (let i = 1; i <= 200; i++) w.sessions.create(0, i, i <= 100 ? 2000 : -5, 0);
  w.expiry.restart(10_500);
  assert.equal(w.expired(11_000).length, 100, 'a negative timeout in a file is over at once');
  assert.equal(w.expired(13_000).length, 100);
});

test('the receiver may remove and create sessions', () => {
  const w = world(1000);
  const first = w.open(1, 2000, 0);
  w.open(2, 2000, 0);
  const third = w.open(3, 2000, 0);
  const expired: number[] = [];
  w.expiry.expire(3000, 100, (slot) => {
    expired.push(w.sessions.idLow[slot]!);
    if (slot === first) {
      w.expiry.remove(third);
      w.sessions.remove(third);
      w.open(4, 500, 3000);
    }
    w.sessions.remove(slot);
    return true;
  });
  assert.deepEqual(expired, [1, 2]);
  assert.deepEqual(w.expired(4000), [4]);
});

test('very many that are due together: as many at a time as are asked for, and a touch in between still counts', () => {
  const w = world(1000);
  const slots = Array.from({ length: 10 }, (_, i) => w.open(i + 1, 2000, 0));
  const expired: number[] = [];
  const note = (slot: number): boolean => expired.push(slot) > 0;
  assert.equal(w.expiry.expire(3000, 4, note), false);
  assert.equal(expired.length, 4);
  w.sessions.touch(slots[9]!, 3000);
  assert.equal(w.expiry.expire(3000, 100, note), true);
  assert.deepEqual(expired, slots.slice(0, 9));
  assert.deepEqual(w.expired(6000), [10]);
});

test('a receiver that takes no more ends the slice; the rest is asked for again', () => {
  const w = world(1000);
  for (let i = 1; i <= 5; i++) w.open(i, 2000, 0);
  const expired: number[] = [];
  const takeTwo = (slot: number): boolean => expired.push(slot) < 2;
  assert.equal(w.expiry.expire(9000, 100, takeTwo), false);
  assert.equal(expired.length, 2);
  assert.equal(w.expired(9000).length, 3);
});

test('deadline: the next tick while there are sessions', () => {
  const w = world(2000, 500);
  assert.equal(w.expiry.deadlineMs, Number.POSITIVE_INFINITY);
  const slot = w.open(1, 4000, 1_000_500);
  assert.equal(w.expiry.deadlineMs, 1_002_000);
  assert.deepEqual(w.expired(1_002_000), []);
  assert.equal(w.expiry.deadlineMs, 1_004_000);
  w.expiry.remove(slot);
  assert.equal(w.expiry.deadlineMs, Number.POSITIVE_INFINITY);
});

/** As the `dump` word has it: sessions under their true time, and buckets that they left. */
function dump({ expiry, sessions }: World): { timeMs: number; slots: number[] }[] {
  const slots = new Map<number, number[]>([...expiry.bucketTimes()].map((timeMs) => [timeMs, []]));
  for (let slot = sessions.next(0); slot !== NO_SESSION; slot = sessions.next(slot + 1)) {
    if (!expiry.isWatched(slot)) continue;
    const timeMs = expiry.expiryTimeMs(slot);
    slots.set(timeMs, [...(slots.get(timeMs) ?? []), slot]);
  }
  return [...slots.keys()].sort((a, b) => a - b).map((timeMs) => ({ timeMs, slots: slots.get(timeMs)! }));
}

test('the dump groups sessions by true expiry time and shows the buckets they left', () => {
  const w = world(2000);
  const a = w.open(1, 4000, 0);
  const b = w.open(2, 4000, 0);
  const c = w.open(3, 10_000, 0);
  w.sessions.touch(a, 2500);
  w.sessions.touch(b, 2500);
  assert.deepEqual(dump(w), [
    { timeMs: 6000, slots: [] },
    { timeMs: 8000, slots: [a, b] },
    { timeMs: 12_000, slots: [c] },
  ]);
  assert.deepEqual(w.expired(6000), []);
  assert.deepEqual(
    dump(w).map((bucket) => bucket.timeMs),
    [8000, 12_000],
  );
});

test('expiry agrees with a model that looks at every session', () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant('open' as const), id: fc.nat(20), ms: fc.integer({ min: 1, max: 9000 }) }),
    fc.record({ kind: fc.constant('touch' as const), id: fc.nat(20), ms: fc.constant(0) }),
    fc.record({ kind: fc.constant('close' as const), id: fc.nat(20), ms: fc.constant(0) }),
    fc.record({ kind: fc.constant('renew' as const), id: fc.nat(20), ms: fc.integer({ min: 1, max: 9000 }) }),
    fc.record({ kind: fc.constant('wait' as const), id: fc.constant(0), ms: fc.nat(5000) }),
  );
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 150 }),
      fc.integer({ min: 1, max: 3000 }),
      (actions, tickMs) => {
        const w = world(tickMs);
        const model = new Map<number, { timeoutMs: number; expiryMs: number }>();
        const bucket = (ms: number): number => (Math.floor(ms / tickMs) + 1) * tickMs;
        let nowMs = 0;
        for (const { kind, id, ms } of actions) {
          const slot = w.sessions.find(0, id);
          const known = model.get(id);
          assert.equal(slot !== NO_SESSION, known !== undefined);
          if (kind === 'wait') {
            nowMs += ms;
            const due = [...model].filter(([, session]) => session.expiryMs <= nowMs).map(([each]) => each);
            assert.deepEqual(
              w.expired(nowMs),
              due.sort((a, b) => a - b),
            );
            for (const each of due) {
              w.sessions.remove(w.sessions.find(0, each));
              model.delete(each);
            }
          } else if (kind === 'open' && known === undefined) {
            w.open(id, ms, nowMs);
            model.set(id, { timeoutMs: ms, expiryMs: bucket(nowMs + ms) });
          } else if (kind === 'touch' && known !== undefined) {
            w.sessions.touch(slot, nowMs);
            known.expiryMs = bucket(nowMs + known.timeoutMs);
          } else if (kind === 'renew' && known !== undefined) {
            w.expiry.renegotiate(slot, ms, nowMs);
            model.set(id, { timeoutMs: ms, expiryMs: bucket(nowMs + ms) });
          } else if (kind === 'close' && known !== undefined) {
            w.expiry.remove(slot);
            w.sessions.remove(slot);
            model.delete(id);
          }
          const dumped = new Map(
            dump(w).flatMap((b) => b.slots.map((s) => [w.sessions.idLow[s]!, b.timeMs])),
          );
          for (const [each, session] of model) assert.equal(dumped.get(each), session.expiryMs);
          assert.equal(dumped.size, model.size);
        }
      },
    ),
  );
});

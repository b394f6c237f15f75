/** What the recorder keeps, what a full one refuses, and that tags survive their eight bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  BAD_TAG,
  HistoryRecorder,
  NO_MZXID,
  NO_SLOT,
  NO_TAG,
  OpKind,
  readTag,
  TAG_BYTES,
  writeTag,
} from '../../../bench/check/history.ts';
import { type CheckContext, History, Outcome } from '../../../bench/check/merged-history.ts';
import { EventType } from '../../../src/wire/watch-event.ts';
import { Script } from './support/script.ts';

const CONTEXT: CheckContext = {
  initial: null,
  final: null,
  foreignWrites: false,
  watchesBefore: false,
  clockSlackUs: 0,
};

function recorder(capacity: number): { recorder: HistoryRecorder; history: () => History } {
  const memory = HistoryRecorder.allocate(capacity);
  return { recorder: new HistoryRecorder(memory), history: () => new History([memory], CONTEXT) };
}

test('a record holds what was said, in full precision', () => {
  const { recorder: worker, history } = recorder(4);
  const zxid = 2 ** 52 + 1;
  const slot = worker.invoke(7, OpKind.read, 1_000_000, NO_TAG, 5_000_000_000_000.25);
  worker.complete(slot, 5_000_000_000_100.75, zxid, 2 ** 53 - 1, 41, zxid - 1, 0);
  const { kind, session, key, tag, invokeUs, returnUs, version, mzxid, ...rest } = history();
  assert.deepEqual([kind[0], session[0], key[0], tag[0]], [OpKind.read, 7, 1_000_000, 2 ** 53 - 1]);
  assert.deepEqual([invokeUs[0], returnUs[0]], [0, 100.5], 'instants count from the first request');
  assert.deepEqual([rest.zxid[0], version[0], mzxid[0]], [zxid, 41, zxid - 1]);
  assert.equal(rest.truncated, false);
});

test('a write keeps the tag it was invoked with; without a reply its outcome is unknown', () => {
  const { recorder: worker, history } = recorder(4);
  worker.complete(worker.invoke(1, OpKind.write, 0, 5, 10), 20, 3, NO_TAG, 1, 3, 0);
  worker.invoke(1, OpKind.write, 0, 6, 30);
  const { tag, outcome, returnUs } = history();
  assert.deepEqual([tag[0], tag[1]], [5, 6]);
  assert.deepEqual([outcome[0], outcome[1]], [Outcome.ok, Outcome.unknown]);
  assert.equal(returnUs[1], Number.POSITIVE_INFINITY);
});

test('errors that leave the outcome open are unknown, the others are refusals', () => {
  const outcomeOf = (error: number): number | undefined => {
    const { recorder: worker, history } = recorder(1);
    worker.complete(worker.invoke(1, OpKind.write, 0, 5, 10), 20, 3, NO_TAG, -1, 0, error);
    return history().outcome[0];
  };
  for (const open of [-1, -4, -7, -122]) assert.equal(outcomeOf(open), Outcome.unknown);
  for (const refusal of [-5, -8, -101, -103, -110, -112, -125])
    assert.equal(outcomeOf(refusal), Outcome.refused);
});

test('a reply with an error carries no data, whatever else was said', () => {
  const { recorder: worker, history } = recorder(2);
  worker.complete(worker.invoke(1, OpKind.read, 0, NO_TAG, 10), 20, 3, 9, 8, 7, -101);
  worker.complete(worker.invoke(1, OpKind.write, 0, 5, 30), 40, 3, NO_TAG, 8, 7, -103);
  const { tag, mzxid } = history();
  assert.deepEqual([tag[0], mzxid[0]], [NO_TAG, NO_MZXID]);
  assert.deepEqual([tag[1], mzxid[1]], [5, NO_MZXID]);
});

test('the stream of a session is the order of arrival, not of sending, over several workers', () => {
  const script = new Script()
    .write(2, 1, 0, 30, { zxid: 1, worker: 1 })
    .write(2, 2, 1, 40, { zxid: 2, worker: 1 })
    .event(2, 35, EventType.nodeDataChanged, { worker: 1 })
    .write(1, 3, 5, 50, { zxid: 3 })
    .write(2, 4, 60, null, { worker: 1 });
  const history = new History(script.record(), CONTEXT);
  const stream = [...history.byStream].map((row) => [history.session[row], history.returnUs[row]]);
  assert.deepEqual(stream, [
    [1, 50],
    [2, 30],
    [2, 35],
    [2, 40],
    [2, Number.POSITIVE_INFINITY],
  ]);
});

test('a full recorder refuses, and its completions go nowhere', () => {
  const { recorder: worker, history } = recorder(2);
  const first = worker.invoke(1, OpKind.write, 0, 1, 10);
  const second = worker.invoke(1, OpKind.write, 0, 2, 20);
  const third = worker.invoke(1, OpKind.write, 0, 3, 30);
  assert.equal(third, NO_SLOT);
  worker.complete(first, 40, 1, NO_TAG, 1, 1, 0);
  worker.complete(third, 41, 3, NO_TAG, 3, 3, 0);
  assert.notEqual(second, NO_SLOT);
  const { rowCount, tag, truncated } = history();
  assert.deepEqual([...tag.subarray(0, rowCount)], [1, 2]);
  assert.equal(truncated, true);
});

test('the cut is the earliest refused instant of all workers; a reply after it leaves a write unknown', () => {
  const memories = [2, 10].map((capacity) => HistoryRecorder.allocate(capacity));
  const [small, large] = memories.map((memory) => new HistoryRecorder(memory));
  const done = (worker: HistoryRecorder, kind: OpKind, tag: number, fromUs: number, toUs: number): void => {
    worker.complete(worker.invoke(1, kind, 0, tag, fromUs), toUs, 1, NO_TAG, 1, 1, 0);
  };
  done(small!, OpKind.write, 1, 0, 10);
  const crossing = small!.invoke(1, OpKind.write, 0, 2, 20);
  done(small!, OpKind.write, 3, 60, 70); // refused
  done(small!, OpKind.write, 4, 50, 70); // refused: of a batch whose instant was read before
  small!.complete(crossing, 55, 2, NO_TAG, 2, 2, 0);
  done(large!, OpKind.read, 5, 30, 49);
  done(large!, OpKind.read, 6, 30, 50);
  done(large!, OpKind.write, 7, 45, 80);
  done(large!, OpKind.write, 8, 50, 80);
  const history = new History(memories, CONTEXT);
  const kept = Array.from({ length: history.rowCount }, (_, row) => [history.tag[row], history.outcome[row]]);
  assert.deepEqual(kept, [
    [1, Outcome.ok],
    [2, Outcome.unknown],
    [5, Outcome.ok],
    [7, Outcome.unknown],
  ]);
});

test('the cut lies earlier by as much as the clocks of two workers may differ', () => {
  const kept = (clockSlackUs: number): number => {
    const memories = [1, 10].map((capacity) => HistoryRecorder.allocate(capacity));
    const [small, large] = memories.map((memory) => new HistoryRecorder(memory));
    small!.invoke(1, OpKind.write, 0, 1, 0);
    small!.invoke(1, OpKind.write, 0, 2, 50); // refused, and seen by the other worker 5 us "earlier"
    large!.complete(large!.invoke(2, OpKind.read, 0, NO_TAG, 20), 45, 1, 2, 1, 1, 0);
    return new History(memories, { ...CONTEXT, clockSlackUs }).rowCount;
  };
  assert.deepEqual([kept(4), kept(5)], [2, 1]);
});

test('tags survive their bytes; anything else is a bad tag', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat({ max: 9 }), (tag, offset) => {
      const bytes = new Uint8Array(offset + TAG_BYTES + 3);
      writeTag(bytes, offset, tag);
      assert.equal(readTag(bytes, offset, TAG_BYTES + 3), tag);
    }),
  );
  assert.equal(readTag(new Uint8Array(7), 0, 7), BAD_TAG, 'too short');
  assert.equal(readTag(new Uint8Array(8).fill(0xff), 0, 8), BAD_TAG, 'not a safe integer');
  assert.equal(readTag(new Uint8Array(8), 0, 8), 0, 'zeros are the value before the first write');
});

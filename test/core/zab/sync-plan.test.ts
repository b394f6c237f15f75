/** sync-plan.ts: Apache's answers to the same questions (zab.md, LearnerHandler.syncFollower), as a table. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { makeZxid } from '../../../src/base/zxid.ts';
import { type HistoryView, planFromLog, planSync, type SyncPlan } from '../../../src/core/zab/sync-plan.ts';

const z = makeZxid;

function history(floor: number, ...zxids: number[]): HistoryView {
  return {
    reachesBackTo: (zxid) => zxid >= floor,
    floorOf: (zxid) => zxids.findLast((each) => each <= zxid) ?? floor,
    nextZxid: (zxid) => zxids.find((each) => each > zxid) ?? -1,
  };
}

/** Committed: 1:5 1:6 1:7 2:1 2:2 2:3, remembered from behind 1:5. */
const KNOWN = history(z(1, 5), z(1, 6), z(1, 7), z(2, 1), z(2, 2), z(2, 3));
const LAST = z(2, 3);
const RINGKEEPER = { trusts: true, readsLog: true };
const APACHE = { trusts: false, readsLog: true };
const SNAP = { kind: 'snap' };

const TABLE: readonly [string, number, SyncPlan | typeof SNAP, SyncPlan | typeof SNAP][] = [
  ['it has the same', LAST, { kind: 'diff', from: LAST }, { kind: 'diff', from: LAST }],
  ['it is behind', z(2, 1), { kind: 'diff', from: z(2, 1) }, { kind: 'diff', from: z(2, 1) }],
  [
    'the oldest that is remembered',
    z(1, 5),
    { kind: 'diff', from: z(1, 5) },
    { kind: 'diff', from: z(1, 5) },
  ],
  ['an epoch back', z(1, 7), { kind: 'diff', from: z(1, 7) }, { kind: 'diff', from: z(1, 7) }],
  ['older than that', z(1, 4), { kind: 'log' }, { kind: 'log' }],
  ['it is ahead in this epoch', z(2, 9), { kind: 'trunc', to: LAST }, SNAP],
  ['it is ahead in an epoch of its own', z(3, 1), { kind: 'trunc', to: LAST }, SNAP],
  [
    'an epoch has begun there, and nothing in it',
    z(3, 0),
    { kind: 'diff', from: LAST },
    { kind: 'diff', from: LAST },
  ],
  [
    'an epoch of ours has begun there',
    z(2, 0),
    { kind: 'diff', from: z(2, 0) },
    { kind: 'diff', from: z(2, 0) },
  ],
  ['it has one of the old epoch that nobody committed', z(1, 8), SNAP, SNAP],
];

suite('planSync', () => {
  for (const [what, peer, ours, apaches] of TABLE) {
    test(what, () => {
      assert.deepEqual(planSync(peer, LAST, KNOWN, RINGKEEPER), ours);
      assert.deepEqual(planSync(peer, LAST, KNOWN, APACHE), apaches);
    });
  }

  test('one that nobody committed, within an epoch, is cut', () => {
    const gap = history(z(1, 1), z(1, 2), z(1, 5));
    assert.deepEqual(planSync(z(1, 3), z(1, 5), gap, RINGKEEPER), { kind: 'trunc', to: z(1, 2) });
    assert.deepEqual(planSync(z(1, 3), z(1, 5), gap, APACHE), SNAP);
  });

  test('the log on the disk is asked only where that is allowed, and answers the same', () => {
    assert.deepEqual(planSync(z(1, 4), LAST, KNOWN, { trusts: true, readsLog: false }), SNAP);
    assert.deepEqual(planFromLog(z(1, 6), KNOWN, RINGKEEPER), { kind: 'diff', from: z(1, 6) });
    assert.deepEqual(planFromLog(z(1, 4), KNOWN, RINGKEEPER), SNAP);
  });
});

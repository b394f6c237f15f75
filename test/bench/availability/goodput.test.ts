/** The arithmetic of a load under a fault, and what logs say of elections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElectionLog } from '../../../bench/availability/election-log.ts';
import { longestElectionMs } from '../../../bench/availability/fault-figures.ts';
import { type GoodputSeries, loadCostOf } from '../../../bench/availability/goodput.ts';

const many = (count: number, good: number): number[] => Array.from({ length: count }, () => good);

function series(good: readonly number[], more: Partial<GoodputSeries> = {}): GoodputSeries {
  const none = { connectionsLostAtMs: [], sessionsExpiredAtMs: [] };
  return { bucketMs: 100, startMs: 50, duePerBucket: 50, good, ...none, ...more };
}

test('a fault that nobody feels costs nothing; small noise is none', () => {
  const load = series([...many(30, 50), 48, ...many(30, 50)]);
  const cost = loadCostOf({ fromMs: 2_950, toMs: 5_000 }, load);
  assert.deepEqual(cost, { to95Ms: 0, lostSeconds: 0.004, connectionsLost: 0, sessionsExpired: 0 });
});

test('time to 95 %, lost load: of the load before, ended by a second that is good on the mean, blips do not end it', () => {
  // 3 s of 40 a bucket, the fault in the middle of bucket 30, 20 empty, a blip of two, 5 empty, then whole
  const good = [...many(30, 40), 20, ...many(20, 0), 40, 40, ...many(5, 0), ...many(40, 40)];
  const load = series(good, { connectionsLostAtMs: [3_099, 3_100, 9_000], sessionsExpiredAtMs: [4_000] });
  const cost = loadCostOf({ fromMs: 3_100, toMs: 8_000 }, load)!;
  assert.deepEqual(
    { ...cost, lostSeconds: Number(cost.lostSeconds.toFixed(9)) },
    {
      // Bucket 58 begins at 5,850.
      to95Ms: 2_750,
      lostSeconds: 2.55,
      connectionsLost: 1,
      sessionsExpired: 1,
    },
  );
});

test('a load that does not come back says so; one that was down before has nothing to be measured by', () => {
  const never = series([...many(20, 50), ...many(20, 30)]);
  assert.equal(loadCostOf({ fromMs: 2_050, toMs: 4_050 }, never)?.to95Ms, null);
  assert.equal(loadCostOf({ fromMs: 2_050, toMs: 4_050 }, series(many(40, 0))), null);
});

test('elections by the lines of both kinds of servers; only those that make a leader count for a fault', () => {
  let nowMs = -5_000;
  const log = new ElectionLog(() => nowMs);
  const ours = (sid: number, time: string, msg: string, more = ''): void =>
    log.onLine(sid, `{"level":30,"time":"2026-11-30T21:26:${time}Z",${more}"msg":"${msg}"}`);
  ours(2, '54.264', 'looking for a leader', '"zxid":"1000002a7","epoch":1,');
  ours(1, '54.262', 'looking for a leader');
  nowMs = 100;
  ours(2, '54.490', 'leading', '"round":2,"voters":"2 1",');
  ours(1, '54.476', 'following server 2 at 127.0.0.1:37087', '"round":2,');
  ours(2, '54.579', 'leading', '"epoch":2,');
  nowMs = 200;
  log.onLine(3, '[QuorumPeer] INFO Leader - LEADING - LEADER ELECTION TOOK - 31 MS');
  log.onLine(3, 'INFO Follower - FOLLOWING - LEADER ELECTION TOOK - 900 MS');
  log.onLine(3, 'INFO Leader - LEADING - LEADER ELECTION TOOK - 85526024 MS');
  ours(3, '59.000', 'database restored');
  assert.deepEqual(log.elections, [
    { atMs: 100, role: 'leading', tookMs: 226 },
    { atMs: 100, role: 'following', tookMs: 214 },
    { atMs: 200, role: 'leading', tookMs: 31 },
    { atMs: 200, role: 'following', tookMs: 900 },
  ]);
  assert.equal(longestElectionMs({ fromMs: 50, toMs: 201 }, log.elections), 226);
  assert.equal(longestElectionMs({ fromMs: 101, toMs: 201 }, log.elections), 31);
  assert.equal(longestElectionMs({ fromMs: 201, toMs: 300 }, log.elections), null);
});

/** Replays of recordings that were written for the test, record by record: times and names are known. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bucketLowUs, latencyBucket } from '../../../bench/latency/latency-recorder.ts';
import type { RecordingRecord } from '../../../bench/replay/recording-format.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { frame, requestFrame } from '../../support/raw-client.ts';
import * as bodies from '../../support/request-bodies.ts';
import { FakeServer } from './fake-server.ts';
import { counts, replay, writeRecording } from './recordings.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringkeeper-replay-'));
after(() => rmSync(dir, { recursive: true }));

/** A session that is opened at 0 and then asks what is in `requests`, each at its time. */
function session(requests: readonly RecordingRecord[], timeoutMs = 30_000): RecordingRecord[] {
  const connect = frame(bodies.connectRequest({ timeoutMs }));
  return [
    { kind: 'opened', connection: 1, timeUs: 0, upstream: 0 },
    { kind: 'request', connection: 1, timeUs: 0, frame: connect },
    { kind: 'connected', connection: 1, timeUs: 500, sessionId: 5n, timeoutMs },
    ...requests,
  ];
}

function request(timeUs: number, xid: number): RecordingRecord {
  const read = requestFrame(xid, OpCode.getData, bodies.pathAndBool('/n', false));
  return { kind: 'request', connection: 1, timeUs, frame: read };
}

function replyTo(xid: number, timeUs: number): RecordingRecord {
  return { kind: 'reply', connection: 1, timeUs, xid, zxid: 1, err: 0, frameBytes: 20, names: [] };
}

test('the original latencies are those between the recorded instants', async () => {
  const file = await writeRecording(dir, [
    ...session([request(1_000, 1), request(2_000, 2), replyTo(1, 4_000), replyTo(2, 9_000)]),
    { kind: 'closed', connection: 1, timeUs: 10_000, by: 'client' },
  ]);
  const target = await FakeServer.start();
  const { tally, recordedMs } = await replay(file, [target.address]);
  await target.stop();
  const recorded = (op: number): number[] =>
    [...tally.op(op).original.entries()].flatMap(([us, n]) => Array<number>(n).fill(bucketLowUs(us)));
  assert.deepEqual(recorded(OpCode.createSession), [500]);
  assert.deepEqual(
    recorded(OpCode.getData),
    [3_000, 7_000].map((us) => bucketLowUs(latencyBucket(us))),
  );
  assert.equal(recordedMs, 10);
});

test('a slow replay keeps its sessions with pings of its own, which count as nothing', async () => {
  const file = await writeRecording(
    dir,
    session([request(1_000, 1), replyTo(1, 2_000), request(700_000, 2), replyTo(2, 701_000)], 300),
  );
  const target = await FakeServer.start();
  const outcome = await replay(file, [target.address], { speed: 1 });
  await target.stop();
  assert.ok(target.requests.some(({ op }) => op === OpCode.ping));
  assert.deepEqual(
    [counts(outcome)['recorded'], counts(outcome)['sent'], counts(outcome)['replies']],
    [3, 3, 3],
  );
  assert.deepEqual([outcome.tally.sameResults, outcome.tally.disorder], [3, 0]);
});

test('how late a busy machine handed requests over is told, apart from their latencies', async () => {
  const reads = [request(1_000, 1), replyTo(1, 2_000), request(200_000, 2), replyTo(2, 201_000)];
  const file = await writeRecording(dir, session(reads));
  const target = await FakeServer.start();
  target.onRequest = () => {
    // Target and replay share this thread: nothing else happens meanwhile.
    for (const endMs = performance.now() + 300; performance.now() < endMs; );
    target.onRequest = () => {};
  };
  const { tally } = await replay(file, [target.address], { speed: 1 });
  await target.stop();
  const lags = [...tally.lag.entries()].flatMap(([bucket, count]) =>
    Array<number>(count).fill(bucketLowUs(bucket)),
  );
  assert.equal(lags.length, 3);
  assert.ok(lags.at(-1)! > 50_000);
});

test('a request that the recording has no reply to is answered, and compared with nothing', async () => {
  const file = await writeRecording(dir, [...session([request(1_000, 1)])]);
  const target = await FakeServer.start();
  const { tally } = await replay(file, [target.address]);
  await target.stop();
  assert.deepEqual([tally.uncompared, tally.sameResults], [1, 1]);
});

test('at full speed, a request for a name that another connection has not got yet waits for it', async () => {
  const create = bodies.create({ path: '/q/n-', data: null, acls: bodies.OPEN_ACL, flags: 2 });
  const connect = frame(bodies.connectRequest({ timeoutMs: 30_000 }));
  const remove = requestFrame(2, OpCode.delete, bodies.pathAndInt('/q/n-0000000001', -1));
  const head = { frameBytes: 20, zxid: 1, err: 0, names: [] };
  const file = await writeRecording(dir, [
    ...[1, 2].flatMap((connection): RecordingRecord[] => [
      { kind: 'opened', connection, timeUs: 0, upstream: 0 },
      { kind: 'request', connection, timeUs: 0, frame: connect },
      { kind: 'connected', connection, timeUs: 0, sessionId: BigInt(connection), timeoutMs: 30_000 },
    ]),
    { kind: 'request', connection: 1, timeUs: 1, frame: requestFrame(1, OpCode.create, create) },
    { kind: 'reply', connection: 1, timeUs: 2, xid: 1, ...head, names: ['/q/n-0000000001'] },
    {
      kind: 'request',
      connection: 2,
      timeUs: 3,
      frame: requestFrame(1, OpCode.getData, bodies.pathAndBool('/q', false)),
    },
    { kind: 'reply', connection: 2, timeUs: 4, xid: 1, ...head },
    { kind: 'request', connection: 2, timeUs: 5, frame: remove },
    { kind: 'reply', connection: 2, timeUs: 6, xid: 2, ...head },
  ]);
  const target = await FakeServer.start();
  target.bodyOf = ({ op }) => (op === OpCode.create ? bodies.path('/q/n-0000000042') : new Uint8Array(0));
  target.holds = ({ op }) => op === OpCode.create;
  let released = false;
  target.onRequest = ({ op, frame: bytes }) => {
    if (op === OpCode.delete) assert.equal(released, true);
    if (op === OpCode.delete) assert.equal(bytes.subarray(16, 31).toString(), '/q/n-0000000042');
  };
  const outcome = replay(file, [target.address]);
  while (target.heldCount === 0 || !target.requests.some(({ op }) => op === OpCode.getData)) await nextTurn();
  released = true;
  target.release();
  const { tally } = await outcome;
  await target.stop();
  assert.equal(target.requests.filter(({ op }) => op === OpCode.delete).length, 1);
  assert.deepEqual([tally.namesMapped, tally.differing], [1, 0]);
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

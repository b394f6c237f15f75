/** How a replay sends: in order, so many in flight, when it is due; and what it counts. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { replayFindings, replayNotes } from '../../../bench/replay/replay-findings.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { OpCode, SpecialXid } from '../../../src/wire/opcodes.ts';
import { RawClient, RawConnection, requestFrame } from '../../support/raw-client.ts';
import * as bodies from '../../support/request-bodies.ts';
import { FakeServer } from './fake-server.ts';
import { closeSession, counts, reads, recordWith, replay } from './recordings.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringkeeper-replay-'));
after(() => rmSync(dir, { recursive: true }));

/** The frames that a server got, connection by connection; pings of the replay's own left out. */
function framesByConnection(server: FakeServer): string[][] {
  const all = new Map<number, string[]>();
  for (const { connection, frame } of server.requests) {
    const list = all.get(connection) ?? [];
    all.set(connection, list);
    list.push(frame.toString('hex'));
  }
  return [...all.values()].map((list) => list).sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
}

test('every connection sends its frames again, in its order, at any speed', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.open(port)));
    await Promise.all(clients.map((client, i) => reads(client, 10 + i)));
    for (const client of clients) await closeSession(client);
  });
  for (const options of [
    { speed: 'max' },
    { speed: 'max', order: 'all' },
    { speed: 1000 },
    { speed: 1 },
  ] as const) {
    const target = await FakeServer.start();
    const outcome = await replay(file, [target.address], options);
    await target.stop();
    assert.deepEqual(framesByConnection(target), framesByConnection(source));
    const { recorded, sent, replies } = counts(outcome);
    assert.deepEqual([recorded, sent, replies], [39, 39, 39]);
    assert.deepEqual([outcome.tally.sameResults, outcome.tally.differing], [39, 0]);
    assert.equal(outcome.complete, true);
    // Whether this machine kept up is no matter of this test.
    assert.deepEqual(
      replayFindings(outcome).filter(({ rule }) => rule !== 'lag'),
      [],
    );
  }
  await source.stop();
});

test('at full speed a connection has as many requests in flight as its client had', async () => {
  const source = await FakeServer.start();
  const closed = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    await reads(client, 30);
    client.destroy();
  });
  const batches = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    for (let batch = 0; batch < 5; batch++) {
      for (let i = 0; i < 6; i++) client.send(OpCode.sync, bodies.path('/'));
      for (let i = 0; i < 6; i++) await client.reply();
    }
    client.destroy();
  });
  await source.stop();
  for (const [file, most] of [
    [closed, 1],
    [batches, 6],
  ] as const) {
    const target = await FakeServer.start();
    target.holding = true;
    target.onRequest = () => setImmediate(() => target.release(1));
    await replay(file, [target.address]);
    await target.stop();
    assert.ok(target.inFlightMax <= most, `${target.inFlightMax} in flight, ${most} recorded`);
    assert.equal(target.requests.length, 30);
  }
});

test('a timed replay keeps a late backlog per connection, with at most so many requests in flight', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    for (let i = 0; i < 100; i++) client.send(OpCode.sync, bodies.path('/'));
    for (let i = 0; i < 100; i++) await client.reply();
    client.destroy();
  });
  await source.stop();
  const target = await FakeServer.start();
  target.holding = true;
  let answering = false;
  target.onRequest = () => {
    // The first answer comes when the window is full, each further one for each further request.
    if (target.heldCount + 1 === 4 || answering) {
      answering = true;
      setImmediate(() => target.release(target.requests.length === 100 ? 100 : 1));
    }
  };
  const outcome = await replay(file, [target.address], { speed: 1, outstandingMax: 4 });
  await target.stop();
  assert.equal(target.inFlightMax, 4);
  assert.equal(counts(outcome)['replies'], 100 + 1);
  const sync = outcome.tally.op(OpCode.sync);
  const late = (buckets: Uint32Array): number =>
    buckets.reduce((sum, count, bucket) => sum + count * bucket, 0);
  assert.ok(
    late(sync.corrected) > late(sync.uncorrected),
    'latency from the intended instant holds the wait',
  );
});

test('what waits is bounded: when it is too much, the file is not read on', async () => {
  const source = await FakeServer.start();
  const value = Buffer.alloc(2_000, 'v');
  const count = 500;
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    for (let i = 0; i < count; i++) client.send(OpCode.setData, bodies.setData('/x', value, -1));
    for (let i = 0; i < count; i++) await client.reply();
    client.destroy();
  });
  await source.stop();
  const backlogBytesMax = 20_000;
  for (const speed of ['max', 1000] as const) {
    const target = await FakeServer.start();
    const outcome = await replay(file, [target.address], { speed, outstandingMax: 1, backlogBytesMax });
    await target.stop();
    assert.equal(target.requests.length, count);
    assert.ok(outcome.backlogBytesPeak > 10_000, 'there was something to bound');
    assert.ok(outcome.backlogBytesPeak <= backlogBytesMax + 2_500, `${outcome.backlogBytesPeak}`);
  }
});

test('results that differ are counted by operation and pair of codes, with the first places', async () => {
  const source = await FakeServer.start();
  source.errorOf = ({ op }) => (op === OpCode.exists ? ErrorCode.noNode : 0);
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    await reads(client, 6);
    await client.request(OpCode.exists, bodies.pathAndBool('/gone', false));
    await client.request(OpCode.exists, bodies.pathAndBool('/gone', false));
    client.destroy();
  });
  await source.stop();
  const target = await FakeServer.start();
  target.errorOf = ({ op }) => (op === OpCode.getData ? ErrorCode.noNode : 0);
  const { tally } = await replay(file, [target.address]);
  await target.stop();
  assert.deepEqual(
    tally.differenceList.map(({ op, recorded, replayed, count }) => [op, recorded, replayed, count]),
    [
      ['getData', 'OK', 'NONODE', 6],
      ['exists', 'NONODE', 'OK', 2],
    ],
  );
  const { examples } = tally.differenceList[0]!;
  assert.deepEqual(
    examples.map(({ path }) => path),
    ['/n0', '/n1', '/n2'],
  );
  assert.deepEqual([tally.sameResults, tally.differing], [1, 8]);
  assert.deepEqual([...tally.errors], [[ErrorCode.noNode, 6]]);
});

test('auth requests without their credential are left out and counted; with it they are sent', async () => {
  const source = await FakeServer.start();
  const work = async (port: number): Promise<void> => {
    const client = await RawClient.open(port);
    const body = bodies.auth('digest', Buffer.from('user:secret'));
    client.connection.write(requestFrame(SpecialXid.auth, OpCode.auth, body));
    await client.reply();
    await reads(client, 2);
    client.destroy();
  };
  const files = [
    await recordWith(dir, source.address, work),
    await recordWith(dir, source.address, work, { keepCredentials: true }),
  ] as const;
  await source.stop();
  for (const [file, skipped] of [
    [files[0], 1],
    [files[1], 0],
  ] as const) {
    const target = await FakeServer.start();
    const outcome = await replay(file, [target.address]);
    await target.stop();
    assert.equal(counts(outcome)['skipped'], skipped);
    assert.equal(target.requests.filter(({ op }) => op === OpCode.auth).length, 1 - skipped);
    assert.equal(outcome.tally.differing, 0);
  }
});

test('a client that left without waiting for its reply does so again', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    source.holding = true;
    const seen = Promise.withResolvers<void>();
    source.onRequest = () => seen.resolve();
    client.send(OpCode.getData, bodies.pathAndBool('/n', false));
    await seen.promise;
    client.destroy();
  });
  await source.stop();
  const target = await FakeServer.start();
  target.holding = true;
  const outcome = await replay(file, [target.address]);
  await target.stop();
  assert.deepEqual([counts(outcome)['abandoned'], counts(outcome)['unanswered']], [1, 0]);
  assert.deepEqual(replayFindings(outcome), []);
});

test('sessions that the recording leaves open are closed at the end, or left alone', async () => {
  const source = await FakeServer.start();
  const open: RawClient[] = [];
  const work = async (port: number): Promise<void> => {
    open.push(await RawClient.open(port));
    await reads(open[0]!, 2);
  };
  const file = await recordWith(dir, source.address, work, { left: 1 });
  await source.stop();
  for (const keepSessions of [false, true]) {
    const target = await FakeServer.start();
    const outcome = await replay(file, [target.address], { keepSessions });
    await target.stop();
    const closes = target.requests.filter(({ op }) => op === OpCode.closeSession).length;
    assert.equal(closes, keepSessions ? 0 : 1);
    assert.equal(counts(outcome)['sent'], 3, 'the close is the replay’s own');
  }
});

test('four-letter words and foreign traffic are told, not replayed', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    for (const text of ['ruok', 'ruok', 'GET / HTTP/1.1\r\n\r\n']) {
      const connection = await RawConnection.open(port);
      connection.write(Buffer.from(text));
      await connection.serverClose();
    }
    const client = await RawClient.open(port);
    await reads(client, 1);
    client.destroy();
  });
  await source.stop();
  const target = await FakeServer.start();
  const outcome = await replay(file, [target.address]);
  await target.stop();
  assert.equal(target.sessions.length, 1);
  assert.equal(counts(outcome)['replies'], 2);
  assert.deepEqual([...outcome.tally.words], [['ruok', 2]]);
  assert.deepEqual(replayNotes(outcome), [
    'four-letter words are not replayed: 2 ruok',
    '1 connection could not be recorded to the end: no plain ZooKeeper traffic',
  ]);
});

test('progress comes while it runs, and at the end all of the file has been read', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    await reads(client, 5);
    client.destroy();
  });
  await source.stop();
  const target = await FakeServer.start();
  const shares: number[] = [];
  let replies = 0;
  await replay(file, [target.address], {
    progress: (progress) => {
      shares.push(progress.share);
      replies = progress.replies;
    },
  });
  await target.stop();
  assert.equal(shares.at(-1), 1);
  assert.equal(replies, 6);
});

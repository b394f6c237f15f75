/** A replay whose target does not play along, and recordings that are not whole. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { replayFindings } from '../../../bench/replay/replay-findings.ts';
import { replayRun } from '../../../bench/replay/replay-result.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { OpCode, SpecialXid } from '../../../src/wire/opcodes.ts';
import { RawClient, requestFrame } from '../../support/raw-client.ts';
import * as bodies from '../../support/request-bodies.ts';
import { FakeServer } from './fake-server.ts';
import { closeSession, counts, reads, recordWith, replay } from './recordings.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringkeeper-replay-'));
after(() => rmSync(dir, { recursive: true }));

const SOMEWHERE = {
  command: 'ringkeeper bench replay 1.rec',
  target: { name: 'external', description: 'a test server', failure: null },
  environment: {
    cpuModel: 'some cpu',
    cpuCount: 2,
    memoryBytes: 1,
    kernel: 'Linux',
    nodeVersion: process.version,
    commit: null,
    dirty: false,
    dataFilesystem: null,
  },
};

test('a connection that resumed a session resumes the corresponding one, with its own id and password', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const first = await RawClient.open(port);
    await reads(first, 3);
    first.destroy();
    const { sessionId, password } = first.session;
    const again = await RawClient.open(port, { timeoutMs: 30_000, sessionId, password, lastZxidSeen: 3n });
    const lists = { data: ['/n0'], exist: [], child: [] };
    again.connection.write(
      requestFrame(
        SpecialXid.setWatches,
        OpCode.setWatches,
        bodies.setWatches({ relativeZxid: 3n, ...lists }),
      ),
    );
    await again.reply();
    await closeSession(again);
  });
  await source.stop();
  const target = await FakeServer.start();
  const other = await RawClient.open(target.port);
  await reads(other, 5);
  other.destroy();
  const outcome = await replay(file, [target.address]);
  await target.stop();
  const [, first, again] = target.sessions;
  assert.deepEqual([first!.sessionId, first!.lastZxid], [0n, 0n]);
  assert.equal(again!.sessionId, 1002n, 'the id that the target gave to its second connection');
  assert.equal(again!.password, '02'.repeat(16));
  assert.equal(again!.lastZxid, 8n, 'what the session has seen here: 5 + 3 replies');
  const setWatches = target.requests.find(({ op }) => op === OpCode.setWatches)!;
  assert.equal(setWatches.frame.readBigInt64BE(12), 8n);
  assert.equal(outcome.tally.differing, 0);
  assert.equal(outcome.tally.sessionsReplaced, 0);
});

test('a session from before the recording is replaced by a new one, and that is told', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port, {
      timeoutMs: 30_000,
      sessionId: 99n,
      password: Buffer.alloc(16, 1),
    });
    await reads(client, 2);
    client.destroy();
  });
  await source.stop();
  const target = await FakeServer.start();
  const outcome = await replay(file, [target.address]);
  await target.stop();
  assert.equal(target.sessions[0]!.sessionId, 0n);
  assert.equal(outcome.tally.sessionsReplaced, 1);
  assert.equal(counts(outcome)['replies'], 3);
});

test('a broken connection is opened again for the same session; what was in flight is lost, the rest goes on', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    await reads(client, 20);
    client.destroy();
  });
  await source.stop();
  const target = await FakeServer.start();
  target.onRequest = () => {
    if (target.requests.length !== 8) return;
    target.holding = true;
    setImmediate(() => {
      target.dropConnections();
      target.holding = false;
    });
  };
  const outcome = await replay(file, [target.address]);
  await target.stop();
  assert.deepEqual(
    target.sessions.map(({ sessionId }) => sessionId),
    [0n, 1001n],
  );
  const { lost, replies, unsent } = counts(outcome);
  assert.deepEqual([lost, replies, unsent], [1, 20, 0]);
  assert.equal(outcome.tally.reconnects, 1);
  assert.deepEqual(
    replayFindings(outcome).map(({ rule }) => rule),
    ['allReplies'],
  );
});

test('a target that dies leaves the rest unsent, and the replay ends', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    await reads(client, 20);
    client.destroy();
  });
  await source.stop();
  for (const speed of ['max', 1] as const) {
    const target = await FakeServer.start();
    target.onRequest = () => {
      if (target.requests.length === 8) void target.stop();
    };
    const outcome = await replay(file, [target.address], { speed, outstandingMax: 2, reconnectMsMax: 100 });
    const { recorded, lost, replies, unsent } = counts(outcome);
    assert.equal(recorded, 21);
    assert.equal(replies! + lost! + unsent!, 21);
    assert.ok(unsent! > 0);
    assert.equal(outcome.complete, true);
    assert.ok(replayFindings(outcome).some(({ text }) => /were not sent/.test(text)));
  }
});

test('a target that is not there at all is found out', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    await reads(client, 5);
    client.destroy();
  });
  await source.stop();
  const outcome = await replay(file, [source.address], { reconnectMsMax: 50 });
  const { lost, unsent, replies } = counts(outcome);
  assert.deepEqual([lost, unsent, replies], [1, 5, 0]);
  assert.ok(outcome.tally.connectFailures > 0);
  assert.match(replayFindings(outcome)[0]!.text, /no request was answered/);
});

test('the other servers of the list are tried when one is not there', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    for (let i = 0; i < 2; i++) {
      const client = await RawClient.open(port);
      await reads(client, 2);
      await closeSession(client);
    }
  });
  await source.stop();
  const target = await FakeServer.start();
  const outcome = await replay(file, [source.address, target.address]);
  await target.stop();
  assert.equal(counts(outcome)['replies'], 8);
  assert.equal(outcome.tally.connectFailures, 1);
});

test('a target that answers nothing any more is given up', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    await reads(client, 5);
    client.destroy();
  });
  await source.stop();
  const target = await FakeServer.start();
  target.onRequest = ({ op }) => {
    target.holding = target.requests.length >= 3 && op !== OpCode.closeSession;
  };
  const outcome = await replay(file, [target.address], { stallMsMax: 50 });
  await target.stop();
  const { replies, unanswered, unsent } = counts(outcome);
  assert.deepEqual([replies, unanswered, unsent], [3, 1, 2]);
  assert.equal(outcome.stalled, true);
  assert.match(replayFindings(outcome)[0]!.text, /answered nothing any more/);
  const phase = replayRun(outcome, SOMEWHERE).phases[0]!;
  const waited = phase.waited!;
  assert.deepEqual([phase.requests, waited.count], [2, 1], 'rates count replies only');
  assert.equal(phase.latency!.count, 3, 'two replies, and what waited until the replay gave up');
  assert.ok(waited.longestMs >= 50 && phase.latency!.maxMs >= 50);
  assert.equal(phase.ops.find(({ label }) => label === 'getData')!.latency.count, 3);
});

test('on time, what was due and never sent waited too; what the client itself left counts nothing', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    await reads(client, 8);
    client.destroy();
  });
  await source.stop();
  const target = await FakeServer.start();
  target.onRequest = ({ op }) => {
    target.holding = target.requests.length >= 3 && op !== OpCode.closeSession;
  };
  const options = { speed: 1, outstandingMax: 2, stallMsMax: 50 } as const;
  const outcome = await replay(file, [target.address], options);
  await target.stop();
  const { unanswered, unsent } = counts(outcome);
  assert.ok(unanswered! > 0 && unsent! > 0, JSON.stringify(counts(outcome)));
  const { waited, latency, uncorrected } = replayRun(outcome, SOMEWHERE).phases[0]!;
  assert.equal(waited!.count, unanswered! + unsent!);
  assert.equal(latency!.count, 8);
  assert.equal(uncorrected!.count, 8 - unsent!, 'what was not sent has no time of sending');
});

test('an abort ends the replay where it is', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    await reads(client, 20);
    client.destroy();
  });
  await source.stop();
  const target = await FakeServer.start();
  const abort = new AbortController();
  target.onRequest = ({ op }) => {
    target.holding = op !== OpCode.closeSession;
    abort.abort();
  };
  const outcome = await replay(file, [target.address], { abort: abort.signal });
  assert.equal(outcome.complete, false);
  assert.deepEqual([counts(outcome)['replies'], counts(outcome)['unanswered']], [1, 1]);
  const before = await replay(file, [target.address], { abort: AbortSignal.abort() });
  assert.equal(before.tally.sentCount, 0);
  await target.stop();
});

test('a recording that was cut is replayed up to there, and the outcome says so', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    await reads(client, 10);
    client.destroy();
  });
  await source.stop();
  truncateSync(file, 600);
  const target = await FakeServer.start();
  const outcome = await replay(file, [target.address]);
  await target.stop();
  assert.equal(outcome.ending?.kind, 'cut');
  assert.match(outcome.ending.text, /the recording ends inside a record, at byte \d+/);
  assert.equal(
    target.requests.filter(({ op }) => op === OpCode.getData).length,
    counts(outcome)['sent']! - 1,
  );
  assert.ok(target.requests.length > 0 && target.requests.length < 10);
  assert.equal(outcome.complete, true);
});

test('what cannot be replayed says why', async () => {
  const plain = join(dir, 'plain.txt');
  writeFileSync(plain, 'hello');
  await assert.rejects(replay(plain, [{ host: '127.0.0.1', port: 1 }]), ConfigFailure);
  await assert.rejects(replay(plain, []), /^ConfigFailure: --target: no server/);
  await assert.rejects(
    replay(plain, [{ host: '127.0.0.1', port: 1 }], { speed: 0 }),
    /^ConfigFailure: --speed: 0 - /,
  );
});

test('a session that the target has forgotten is a difference; a new one carries on', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const first = await RawClient.open(port);
    await reads(first, 2);
    first.destroy();
    const { sessionId, password } = first.session;
    const again = await RawClient.open(port, { timeoutMs: 30_000, sessionId, password });
    await reads(again, 3);
    again.destroy();
  });
  await source.stop();
  const target = await FakeServer.start();
  target.refuses = (sessionId) => sessionId !== 0n;
  const outcome = await replay(file, [target.address]);
  await target.stop();
  assert.deepEqual(
    outcome.tally.differenceList.map(({ op, recorded, replayed, count }) => [op, recorded, replayed, count]),
    [['createSession', 'OK', 'SESSIONEXPIRED', 1]],
  );
  assert.equal(outcome.tally.sessionsReplaced, 1);
  assert.equal(target.sessions.at(-1)!.sessionId, 0n);
  assert.equal(target.requests.length, 5, 'all reads were made');
});

test('a target that refuses every session ends the connection, not the replay', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    await reads(client, 3);
    client.destroy();
  });
  await source.stop();
  const target = await FakeServer.start();
  target.refuses = () => true;
  const outcome = await replay(file, [target.address]);
  await target.stop();
  assert.deepEqual([counts(outcome)['replies'], counts(outcome)['unsent']], [1, 3]);
  assert.equal(outcome.complete, true);
});

test('a target that speaks something else is no target', async () => {
  const source = await FakeServer.start();
  const file = await recordWith(dir, source.address, async (port) => {
    const client = await RawClient.open(port);
    await reads(client, 1);
    client.destroy();
  });
  await source.stop();
  const answers = [
    'HTTP/1.1 400 Bad Request\r\n\r\n',
    Buffer.concat([Buffer.from([0, 0, 0, 30]), Buffer.alloc(30)]),
  ];
  for (const answer of answers) {
    const web = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(answer));
    });
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    const { port } = web.address() as AddressInfo;
    const outcome = await replay(file, [{ host: '127.0.0.1', port }], { reconnectMsMax: 30 });
    web.close();
    assert.deepEqual(
      [counts(outcome)['replies'], counts(outcome)['lost'], counts(outcome)['unsent']],
      [0, 1, 1],
    );
    assert.ok(outcome.tally.connectFailures > 0);
  }
});

/** The proxy on real sockets: transparent, bounded, and never in the way of the clients. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Address } from '../../../bench/base/address.ts';
import type { RecordingRecord } from '../../../bench/replay/recording-format.ts';
import {
  type RecordingProxy,
  type RecordingProxyOptions,
  startRecordingProxy,
} from '../../../bench/replay/recording-proxy.ts';
import { RecordingReader } from '../../../bench/replay/recording-reader.ts';
import { BindFailure, ConfigFailure } from '../../../src/base/failure.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { frame, RawClient, requestFrame } from '../../support/raw-client.ts';
import * as bodies from '../../support/request-bodies.ts';
import { FakeServer } from './fake-server.ts';
import { GatedSink } from './gated-sink.ts';
import { readRecords } from './recordings.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringkeeper-replay-'));
after(() => rmSync(dir, { recursive: true }));
let fileCount = 0;

const LOOPBACK = { host: '127.0.0.1', port: 0 };

function newFile(): string {
  return join(dir, `${++fileCount}.rec`);
}

function start(
  upstream: readonly Address[],
  options: Partial<RecordingProxyOptions> = {},
): Promise<RecordingProxy> {
  return startRecordingProxy({ listen: LOOPBACK, upstream, outFile: newFile(), ...options });
}

async function listen(server: Server): Promise<Address> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

/** A port where nothing listens. */
async function deadAddress(): Promise<Address> {
  const server = createServer();
  const address = await listen(server);
  server.close();
  await once(server, 'close');
  return address;
}

async function recordsOf(file: string): Promise<RecordingRecord[]> {
  const reader = await RecordingReader.open(file);
  const list: RecordingRecord[] = [];
  for await (const record of readRecords(reader)) list.push(record);
  await reader.close();
  assert.equal(reader.ending?.kind, 'whole');
  return list;
}

function kinds(list: readonly RecordingRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of list) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

test('bytes, half-closes and ends pass through unchanged, whatever they are', async () => {
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    const seen = createHash('sha256');
    socket.on('data', (chunk: Buffer) => {
      seen.update(chunk);
      if (!socket.write(chunk)) socket.pause();
    });
    socket.on('drain', () => socket.resume());
    // Only after the client's FIN: the answer must still find its way.
    socket.on('end', () => socket.end(`|${seen.digest('hex')}`));
  });
  const proxy = await start([await listen(echo)]);
  const sent = Buffer.alloc(8 * 1024 * 1024);
  for (let i = 0; i < sent.length; i += 4) sent.writeInt32BE(Math.imul(i, 0x9e3779b9), i);
  const client = connect({ ...proxy.address, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  client.end(sent);
  await once(client, 'end');
  const received = Buffer.concat(chunks);
  assert.ok(received.subarray(0, sent.length).equals(sent));
  const digest = createHash('sha256').update(sent).digest('hex');
  assert.equal(received.subarray(sent.length).toString(), `|${digest}`);
  const summary = await proxy.stop();
  echo.close();
  assert.equal(summary.counts.malformed, 1);
  const list = await recordsOf(summary.file);
  assert.deepEqual(kinds(list), { opened: 1, note: 1, closed: 1 });
  assert.ok(list.some((record) => record.kind === 'closed' && record.by === 'client'));
});

test('a session is recorded as it was, and answered as without the proxy', async () => {
  const fake = await FakeServer.start();
  const proxy = await start([fake.address]);
  const client = await RawClient.open(proxy.address.port);
  for (let i = 0; i < 10; i++) {
    assert.equal((await client.request(OpCode.getData, bodies.pathAndBool(`/n${i}`, false))).err, 0);
  }
  await client.request(OpCode.closeSession);
  await client.connection.serverClose();
  const summary = await proxy.stop();
  await fake.stop();
  assert.deepEqual(
    {
      requests: summary.counts.requests,
      replies: summary.counts.replies,
      connections: summary.counts.connections,
    },
    { requests: 11, replies: 11, connections: 1 },
  );
  const list = await recordsOf(summary.file);
  assert.deepEqual(kinds(list), { opened: 1, request: 12, connected: 1, reply: 11, closed: 1 });
  assert.equal(list.length, summary.records);
  const frames = list.flatMap((record) => (record.kind === 'request' ? [Buffer.from(record.frame)] : []));
  assert.deepEqual(
    frames.slice(1),
    fake.requests.map((request) => request.frame),
  );
  assert.ok(list.some((record) => record.kind === 'closed' && record.by === 'server'));
  assert.equal(readFileSync(summary.file).length, summary.fileBytes);
});

test('a server that cannot be reached is passed over; without any, the client is closed and counted', async () => {
  const fake = await FakeServer.start();
  const dead = await deadAddress();
  const proxy = await start([dead, fake.address]);
  for (let i = 0; i < 2; i++) {
    const client = await RawClient.open(proxy.address.port);
    await client.request(OpCode.closeSession);
    await client.connection.serverClose();
  }
  const summary = await proxy.stop();
  // The first connection starts with the dead one, the second with the other.
  assert.deepEqual([summary.counts.failedAttempts, summary.counts.unreachable], [1, 0]);
  const opened = (await recordsOf(summary.file)).flatMap((record) =>
    record.kind === 'opened' ? [record.upstream] : [],
  );
  assert.deepEqual(opened, [1, 1]);
  await fake.stop();

  const lonely = await start([dead, dead]);
  const client = connect(lonely.address);
  client.on('error', () => {}); // refused by a reset or by an end: both will do
  client.resume();
  await once(client, 'close');
  const { counts, file } = await lonely.stop();
  assert.deepEqual([counts.failedAttempts, counts.unreachable], [2, 1]);
  const list = await recordsOf(file);
  assert.deepEqual(
    list.map((record) =>
      record.kind === 'opened' ? record.upstream : record.kind === 'closed' ? record.by : '?',
    ),
    [null, 'proxy'],
  );
});

test('a slow disk makes clients wait: the memory stays bounded and every record is kept', async () => {
  const fake = await FakeServer.start();
  const sink = new GatedSink();
  const queueBytesMax = 256 * 1024;
  const proxy = await start([fake.address], { sink, queueBytesMax });
  const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.open(proxy.address.port)));
  const perClient = 2_000;
  const value = Buffer.alloc(1_000, 'v');
  for (const client of clients) {
    for (let i = 0; i < perClient; i++) client.send(OpCode.setData, bodies.setData('/x', value, -1));
  }
  while (proxy.queuedBytes <= queueBytesMax) await nextTurn();
  const total = clients.length * perClient;
  // Who comes now has to wait too.
  const late = RawClient.open(proxy.address.port);
  while (fake.connectionCount <= clients.length) await nextTurn();
  for (let i = 0; i < 20; i++) await nextTurn();
  assert.equal(fake.sessions.length, clients.length);
  // What was in the sockets' hands when the queue became full: one read of each, frames and replies.
  const slack = 2 * (clients.length + 1) * 4 * 64 * 1024;
  assert.ok(fake.requests.length < total, 'the rest waits in the sockets');
  sink.open();
  for (const client of clients)
    for (let i = 0; i < perClient; i++) assert.equal((await client.reply()).err, 0);
  for (const client of [...clients, await late]) client.destroy();
  const summary = await proxy.stop();
  await fake.stop();
  assert.ok(summary.queuedBytesPeak <= queueBytesMax + slack, `${summary.queuedBytesPeak}`);
  assert.deepEqual([summary.counts.requests, summary.counts.replies], [total, total]);
  const file = newFile();
  sink.saveTo(file);
  const list = await recordsOf(file);
  assert.deepEqual([kinds(list)['request'], kinds(list)['reply']], [total + clients.length + 1, total]);
  assert.equal(summary.recordsLost, 0);
});

test('a full disk ends the recording, not the clients, and the file is good up to there', async () => {
  const fake = await FakeServer.start();
  const sink = new GatedSink();
  const failures: string[] = [];
  const proxy = await start([fake.address], { sink, onFailure: (message) => failures.push(message) });
  const client = await RawClient.open(proxy.address.port);
  await sink.firstWrite;
  await sink.failNext(new Error('ENOSPC: no space left on device'));
  assert.match(proxy.failure!, /the recording ended early: ENOSPC/);
  assert.equal((await client.request(OpCode.getData, bodies.pathAndBool('/x', false))).err, 0);
  client.destroy();
  const summary = await proxy.stop();
  await fake.stop();
  assert.deepEqual(failures, [summary.failure]);
  assert.ok(summary.recordsLost > 0);
});

test('the secrets of clients are not in the file, unless they are wanted', async () => {
  const fake = await FakeServer.start();
  const password = Buffer.from('0123456789abcdef');
  const contents: Buffer[] = [];
  for (const keepCredentials of [false, true]) {
    const proxy = await start([fake.address], { keepCredentials });
    const client = await RawClient.open(proxy.address.port, { timeoutMs: 9_000, sessionId: 77n, password });
    await client.request(OpCode.auth, bodies.auth('digest', Buffer.from('user:hunter2')));
    client.destroy();
    const { file, counts } = await proxy.stop();
    assert.deepEqual([counts.requests, counts.replies], [1, 1]);
    contents.push(readFileSync(file));
  }
  await fake.stop();
  for (const secret of [Buffer.from('hunter2'), password]) {
    assert.equal(contents[0]!.indexOf(secret), -1);
    assert.notEqual(contents[1]!.indexOf(secret), -1);
  }
});

test('a client that reads late gets everything, in order', async () => {
  const total = 32 * 1024 * 1024;
  const pieceBytes = 64 * 1024;
  const blocked = Promise.withResolvers<void>();
  const source = createServer((socket) => {
    socket.on('error', () => {});
    const piece = Buffer.alloc(pieceBytes);
    let sent = 0;
    const send = (): void => {
      while (sent < total) {
        piece.writeUInt32BE(sent, 0);
        sent += pieceBytes;
        if (!socket.write(Buffer.from(piece))) {
          blocked.resolve();
          socket.once('drain', send);
          return;
        }
      }
      socket.end();
    };
    send();
  });
  const proxy = await start([await listen(source)]);
  const client = connect(proxy.address);
  client.pause();
  await blocked.promise;
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  client.resume();
  await once(client, 'end');
  const received = Buffer.concat(chunks);
  assert.equal(received.length, total);
  for (let at = 0; at < total; at += pieceBytes) assert.equal(received.readUInt32BE(at), at);
  await proxy.stop();
  source.close();
});

test('stopping closes what is open and finishes the file; stopping again gives the same', async () => {
  const fake = await FakeServer.start();
  const proxy = await start([fake.address]);
  const client = await RawClient.open(proxy.address.port);
  client.connection.write(requestFrame(1, OpCode.getData, bodies.pathAndBool('/x', false)));
  await client.reply();
  const stopped = proxy.stop();
  await client.connection.serverClose();
  const summary = await stopped;
  assert.equal(await proxy.stop(), summary);
  await fake.stop();
  const list = await recordsOf(summary.file);
  assert.ok(list.some((record) => record.kind === 'closed' && record.by === 'proxy'));
  const socket = connect(proxy.address);
  await assert.rejects(once(socket, 'connect'), /ECONNREFUSED/);
});

test('what cannot be started says what to change, and leaves no file behind', async () => {
  const fake = await FakeServer.start();
  await assert.rejects(start([]), (error: Error) => {
    assert.ok(error instanceof ConfigFailure);
    assert.match(error.message, /^--upstream: 0 servers - allowed: 1 to /);
    return true;
  });
  const outFile = newFile();
  await assert.rejects(start([fake.address], { listen: fake.address, outFile }), (error: Error) => {
    assert.ok(error instanceof BindFailure);
    assert.match(error.message, /^--listen: 127\.0\.0\.1:\d+: .*EADDRINUSE.* - choose an address and port/);
    return true;
  });
  const proxy = await start([fake.address], { outFile });
  const port = proxy.address.port;
  await assert.rejects(start([fake.address], { outFile }), /^ConfigFailure: --out: .* exists/);
  await proxy.stop();
  await fake.stop();
  assert.ok(port > 0);
});

test('a frame may come in many pieces and many frames in one', async () => {
  const fake = await FakeServer.start();
  const proxy = await start([fake.address]);
  const socket = connect({ ...proxy.address, noDelay: true });
  const bytes = Buffer.concat([
    frame(bodies.connectRequest({ timeoutMs: 5_000 })),
    ...Array.from({ length: 50 }, (_, i) => requestFrame(i, OpCode.sync, bodies.path('/p'))),
  ]);
  const replies = once(socket, 'end');
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    // Greeting and replies to all: the client leaves.
    if (received === 41 + 50 * 20) socket.end();
  });
  for (let at = 0; at < bytes.length; at += 7) socket.write(bytes.subarray(at, at + 7));
  await replies;
  const { counts, file } = await proxy.stop();
  await fake.stop();
  assert.equal(counts.requests, 50);
  assert.equal(kinds(await recordsOf(file))['reply'], 50);
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

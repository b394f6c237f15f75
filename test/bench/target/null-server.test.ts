/** The null server answers whatever the load may send, counts it, and keeps its delay. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseMonitor } from '../../../bench/measure/mntr.ts';
import { RequestSplitter } from '../../../bench/null-server/request-splitter.ts';
import { createRequest, getRequest, requestFrame, setRequest } from '../../../bench/session/frames.ts';
import { askWord } from '../../../bench/target/four-letter-word.ts';
import type { Target } from '../../../bench/target/target.ts';
import { OPEN_ACL } from '../../../src/wire/acl.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { JuteReader } from '../../../src/wire/jute-reader.ts';
import { AddWatchMode, CreateFlags, OpCode, WatcherType } from '../../../src/wire/opcodes.ts';
import type { MultiSubRequest, Request } from '../../../src/wire/request-values.ts';
import { type Response, readResponse } from '../../../src/wire/responses.ts';
import { RawClient } from '../../support/raw-client.ts';
import { startTestTarget } from '../support/test-target.ts';

const VALUE_BYTES = 300;
const PATH = '/bench/a-path-with-ümlaut';
const tempDir = mkdtempSync(join(tmpdir(), 'null-server-test-'));
let target: Target;
let session: Pipelined;

/** Requests one after another, replies in their order. */
class Pipelined {
  private readonly client: RawClient;
  private last: Promise<unknown> = Promise.resolve();

  private constructor(client: RawClient) {
    this.client = client;
  }

  static async connect(port: number): Promise<Pipelined> {
    return new Pipelined(await RawClient.open(port));
  }

  request(request: Request): Promise<{ readonly error: number; readonly body: Uint8Array }> {
    this.client.connection.write(requestFrame(1, request));
    const reply = this.last.then(async () => {
      const frame = Buffer.from((await this.client.connection.nextFrame())!);
      return { error: frame.readInt32BE(12), body: new Uint8Array(frame.subarray(16)) };
    });
    this.last = reply;
    return reply;
  }

  close(): void {
    this.client.destroy();
  }
}

function startNull(text: string): Promise<Target> {
  return startTestTarget(text, tempDir, { valueBytes: VALUE_BYTES });
}

before(async () => {
  target = await startNull('null');
  session = await Pipelined.connect(target.addresses[0]!.port);
});
after(async () => {
  session.close();
  await target.stop();
  rmSync(tempDir, { recursive: true });
});

/** The decoded reply; fails when it holds more or less than it should. */
async function ask(request: Request): Promise<Response> {
  const { error, body } = await session.request(request);
  assert.equal(error, ErrorCode.ok);
  const reader = new JuteReader(body);
  const response = readResponse(reader, request.op as Response['op']) as Response;
  assert.equal(reader.remaining, 0, 'nothing behind the body');
  return response;
}

const data = Buffer.alloc(40, 'x');
const create = { path: PATH, data, acl: OPEN_ACL, flags: CreateFlags.persistent };

test('requests that name a path get it back', async () => {
  const plain: Request = { op: OpCode.create, ...create };
  assert.deepEqual(await ask(plain), { op: OpCode.create, path: PATH });
  assert.deepEqual(await ask({ op: OpCode.sync, path: PATH }), { op: OpCode.sync, path: PATH });
  const withStat: readonly Request[] = [
    { op: OpCode.create2, ...create },
    { op: OpCode.createContainer, ...create, flags: CreateFlags.container },
    { op: OpCode.createTtl, ...create, flags: CreateFlags.persistentTtl, ttl: 1_000 },
  ];
  for (const request of withStat) {
    const response = await ask(request);
    assert.ok('path' in response && response.path === PATH && 'stat' in response);
  }
});

test('reads get a value, a stat or an empty list', async () => {
  const got = await ask(getRequest(PATH));
  assert.ok('data' in got && got.data?.length === VALUE_BYTES);
  assert.deepEqual(await ask({ op: OpCode.getChildren, path: PATH, watch: true }), {
    op: OpCode.getChildren,
    children: [],
  });
  const listed = await ask({ op: OpCode.getChildren2, path: PATH, watch: false });
  assert.ok('children' in listed && listed.children.length === 0 && 'stat' in listed);
  const acl = await ask({ op: OpCode.getAcl, path: PATH });
  assert.ok('acl' in acl && acl.acl.length === 1);
  for (const op of [OpCode.getEphemerals, OpCode.getAllChildrenNumber] as const)
    await ask({ op, path: PATH });
  await ask({ op: OpCode.whoAmI });
});

test('everything else of the protocol gets its reply too', async () => {
  const requests: readonly Request[] = [
    setRequest(PATH, data),
    { op: OpCode.exists, path: PATH, watch: true },
    { op: OpCode.setAcl, path: PATH, acl: OPEN_ACL, version: 0 },
    { op: OpCode.delete, path: PATH, version: -1 },
    { op: OpCode.addWatch, path: PATH, mode: AddWatchMode.persistent },
    { op: OpCode.checkWatches, path: PATH, mode: WatcherType.any },
    { op: OpCode.removeWatches, path: PATH, mode: WatcherType.any },
    { op: OpCode.setWatches, relativeZxid: 1, data: [PATH], exist: [], child: [] },
    { op: OpCode.auth, scheme: 'digest', auth: Buffer.from('u:p') },
  ];
  for (const request of requests) await ask(request);
  const { error } = await session.request({
    op: OpCode.reconfig,
    joining: null,
    leaving: null,
    members: null,
    configId: -1,
  });
  assert.equal(error, ErrorCode.unimplemented);
});

test('a multi gets as many results as it has operations, each of its kind', async () => {
  const subs: readonly MultiSubRequest[] = [
    { op: OpCode.create, ...create },
    { op: OpCode.create2, ...create },
    { op: OpCode.createTtl, ...create, flags: CreateFlags.persistentTtl, ttl: 1_000 },
    { op: OpCode.setData, path: PATH, data, version: -1 },
    { op: OpCode.check, path: PATH, version: 3 },
    { op: OpCode.delete, path: PATH, version: -1 },
  ];
  const response = await ask({ op: OpCode.multi, subs });
  assert.ok('results' in response);
  assert.deepEqual(
    response.results.map(({ op }) => op),
    [OpCode.create, OpCode.create2, OpCode.create2, OpCode.setData, OpCode.check, OpCode.delete],
  );
  assert.ok(response.results.every((result) => !('path' in result) || result.path === PATH));
  const reads: readonly MultiSubRequest[] = [
    { op: OpCode.getData, path: PATH, watch: false },
    { op: OpCode.getChildren, path: PATH, watch: false },
  ];
  const read = await ask({ op: OpCode.multiRead, subs: reads });
  assert.ok('results' in read && read.results.length === 2);
  const [first] = read.results;
  assert.ok(first!.op === OpCode.getData && first.data?.length === VALUE_BYTES);
});

test('requests that are cut anywhere, or come many at a time, are answered in order', async () => {
  const burst = Array.from({ length: 3_000 }, (_, i) => createRequest(`/bench/${i}`, Buffer.alloc(i % 700)));
  const replies = await Promise.all(burst.map((request) => session.request(request)));
  replies.forEach(({ body }, i) => {
    assert.equal(new JuteReader(body).readString(), `/bench/${i}`);
  });
  const big = await session.request(setRequest(PATH, Buffer.alloc(900_000)));
  assert.equal(big.error, ErrorCode.ok);
});

test('it counts what it received and sent, for whoever wants to check the meter', async () => {
  const address = target.addresses[0]!;
  const count = async (): Promise<number> =>
    parseMonitor((await askWord(address, 'mntr', 5_000))!).get('packets_received')!;
  const before = await count();
  const gets = Array.from({ length: 1_000 }, () => session.request(getRequest(PATH)));
  await Promise.all(gets);
  assert.equal((await count()) - before, 1_000);
  assert.equal(await askWord(address, 'ruok', 5_000), 'imok');
  assert.match((await askWord(address, 'srvr', 5_000))!, new RegExp(`^Received: ${before + 1_000}$`, 'm'));
});

test('with a delay every reply comes that much later, none earlier, in order', async () => {
  const slow = await startNull('null:delayMs=30');
  try {
    const startMs = performance.now();
    const delayed = await Pipelined.connect(slow.addresses[0]!.port);
    const handshakeMs = performance.now() - startMs;
    const order: number[] = [];
    const requests = Array.from({ length: 100 }, async (_, i) => {
      const sentMs = performance.now();
      await delayed.request(getRequest(PATH));
      order.push(i);
      return performance.now() - sentMs;
    });
    const times = await Promise.all(requests);
    assert.ok(handshakeMs >= 30 && Math.min(...times) >= 30, 'never earlier');
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
    delayed.close();
  } finally {
    await slow.stop();
  }
});

test('what is no ZooKeeper client is closed, and others go on', async () => {
  await new Promise<void>((resolve) => {
    const { host, port } = target.addresses[0]!;
    const socket = connect({ host, port }, () => socket.write('GET / HTTP/1.1\r\n\r\n'));
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
  await ask(getRequest(PATH));
});

test('a stream is cut into the same frames however it arrives', () => {
  const frames = [10, 0, 300, 2_000].map((bytes) =>
    requestFrame(bytes, setRequest('/x', Buffer.alloc(bytes))),
  );
  const stream = Buffer.concat(frames);
  for (let step = 1; step <= stream.length; step = step < 40 ? step + 1 : step * 2) {
    const splitter = new RequestSplitter();
    const seen: Buffer[] = [];
    for (let at = 0; at < stream.length; at += step) {
      splitter.begin(stream.subarray(at, at + step));
      while (splitter.next()) seen.push(Buffer.from(splitter.bytes.subarray(splitter.start, splitter.end)));
    }
    assert.deepEqual(
      seen,
      frames.map((frame) => Buffer.from(frame.subarray(4))),
      `chunks of ${step}`,
    );
  }
});

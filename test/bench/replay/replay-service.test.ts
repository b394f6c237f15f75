/** Real clients recorded in front of a real service, and replayed against another one. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { RecordingRecord } from '../../../bench/replay/recording-format.ts';
import { RecordingReader } from '../../../bench/replay/recording-reader.ts';
import { type ReplayOptions, type ReplayOutcome, replayRecording } from '../../../bench/replay/replay.ts';
import { replayFindings, replayNotes } from '../../../bench/replay/replay-findings.ts';
import { replayRun } from '../../../bench/replay/replay-result.ts';
import { renderReplay } from '../../../bench/replay/replay-table.ts';
import { parseRun } from '../../../bench/result/older-results.ts';
import { CreateFlags, OpCode, opName, SpecialXid } from '../../../src/wire/opcodes.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { RawClient, type Reply, requestFrame } from '../../support/raw-client.ts';
import * as bodies from '../../support/request-bodies.ts';
import { RingkeeperServer } from '../../support/ringkeeper.ts';
import { type RecordOptions, readRecords, recordWith } from './recordings.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringkeeper-replay-'));
const source = new RingkeeperServer();
const target = new RingkeeperServer();

before(() => Promise.all([source.start(), target.start()]));
after(async () => {
  await Promise.all([source.dispose(), target.dispose()]);
  rmSync(dir, { recursive: true });
});

const SECRET = 'bob:correct-horse';
const CREATOR_ALL = [{ perms: 31, scheme: 'auth', id: '' }];

/** The requests that tests make, with their replies. */
class Client {
  readonly raw: RawClient;

  private constructor(raw: RawClient) {
    this.raw = raw;
  }

  static async open(port: number): Promise<Client> {
    return new Client(await RawClient.open(port));
  }

  /** Resolves with the path that the server gave it. */
  async create(
    path: string,
    flags: number = CreateFlags.persistent,
    acls = bodies.OPEN_ACL,
  ): Promise<string> {
    const reply = await this.raw.request(
      OpCode.create,
      bodies.create({ path, data: Buffer.from(`data of ${path}`), acls, flags }),
    );
    return reply.err === 0 ? reply.body.string()! : '';
  }

  get(path: string, watch = false): Promise<Reply> {
    return this.raw.request(OpCode.getData, bodies.pathAndBool(path, watch));
  }

  set(path: string, text: string, version = -1): Promise<Reply> {
    return this.raw.request(OpCode.setData, bodies.setData(path, Buffer.from(text), version));
  }

  remove(path: string): Promise<Reply> {
    return this.raw.request(OpCode.delete, bodies.pathAndInt(path, -1));
  }

  exists(path: string, watch = false): Promise<Reply> {
    return this.raw.request(OpCode.exists, bodies.pathAndBool(path, watch));
  }

  children(path: string, watch = false): Promise<Reply> {
    return this.raw.request(OpCode.getChildren2, bodies.pathAndBool(path, watch));
  }

  multi(...subs: readonly { readonly op: number; readonly body: Uint8Array }[]): Promise<Reply> {
    return this.raw.request(OpCode.multi, bodies.multi(subs));
  }

  async auth(credential: string): Promise<Reply> {
    const body = bodies.auth('digest', Buffer.from(credential));
    this.raw.connection.write(requestFrame(SpecialXid.auth, OpCode.auth, body));
    return await this.raw.reply();
  }

  async close(): Promise<void> {
    await this.raw.request(OpCode.closeSession);
    await this.raw.connection.serverClose();
  }
}

/** A recording of `work` through a proxy in front of the source. */
function record(work: (port: number) => Promise<void>, options: RecordOptions = {}): Promise<string> {
  return recordWith(dir, { host: source.host, port: source.port }, work, options);
}

function replay(file: string, options: Partial<ReplayOptions> = {}): Promise<ReplayOutcome> {
  return replayRecording(file, {
    target: [{ host: target.host, port: target.port }],
    speed: 'max',
    ...options,
  });
}

/** Everything below `root` but what depends on when it was made: data, ACL, versions, whether it is ephemeral. */
async function treeOf(server: RingkeeperServer, root: string): Promise<Record<string, unknown>> {
  const client = await Client.open(server.port);
  await client.auth(SECRET);
  const tree: Record<string, unknown> = {};
  const pending = [root];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const { body } = await client.get(path);
    const data = Buffer.from(body.buffer() ?? []).toString();
    for (let i = 0; i < 4; i++) body.long();
    const versions = [body.int(), body.int(), body.int()];
    const ephemeral = body.long() !== 0n;
    const acl = (await client.raw.request(OpCode.getAcl, bodies.path(path))).body;
    const acls = Array.from({ length: acl.int() }, () => [acl.int(), acl.string(), acl.string()]);
    tree[path] = { data, versions, ephemeral, acls };
    for (const name of (await client.children(path)).body.strings()) pending.push(`${path}/${name}`);
  }
  await client.close();
  return tree;
}

/** Requests of a recording by operation; the first of a connection opens its session. */
async function requestsOf(file: string): Promise<Record<string, number>> {
  const reader = await RecordingReader.open(file);
  const seen = new Set<number>();
  const counts: Record<string, number> = {};
  for await (const record of readRecords(reader)) {
    if (record.kind !== 'request') continue;
    const { connection, frame }: Extract<RecordingRecord, { kind: 'request' }> = record;
    const op = seen.has(connection) ? Buffer.from(frame).readInt32BE(8) : OpCode.createSession;
    seen.add(connection);
    counts[opName(op)] = (counts[opName(op)] ?? 0) + 1;
  }
  await reader.close();
  return counts;
}

/** Watches, multis that succeed and fail, ephemerals, sequential znodes, a resumed session, errors, a word. */
async function workload(port: number): Promise<void> {
  const [writer, watcher] = [await Client.open(port), await Client.open(port)];
  await writer.create('/w');
  await writer.create('/w/config');
  await watcher.get('/w/config', true);
  await watcher.exists('/w/not-yet', true);
  await watcher.children('/w', true);
  await writer.set('/w/config', 'second');
  await writer.create('/w/not-yet');
  assert.notEqual((await writer.set('/w/config', 'never', 99)).err, 0);
  assert.equal(await fourLetterWord(port, 'ruok'), 'imok');
  await watcher.get('/w/config');
  await writer.multi(
    { op: OpCode.check, body: bodies.pathAndInt('/w/config', 1) },
    { op: OpCode.setData, body: bodies.setData('/w/config', Buffer.from('third'), 1) },
    {
      op: OpCode.create,
      body: bodies.create({ path: '/w/m-', data: null, acls: bodies.OPEN_ACL, flags: 2 }),
    },
  );
  await writer.multi({ op: OpCode.check, body: bodies.pathAndInt('/w/config', 77) });
  for (let i = 0; i < 3; i++)
    await writer.set(await writer.create('/w/seq-', CreateFlags.persistentSequential), `n${i}`);
  await writer.remove('/w/not-yet');
  await writer.remove('/w/not-there');
  await watcher.create('/w/gone', CreateFlags.ephemeral);
  // The same session, on another connection.
  const { sessionId, password } = writer.raw.session;
  writer.raw.destroy();
  const again = await RawClient.open(port, { timeoutMs: 30_000, sessionId, password });
  assert.equal(again.session.sessionId, sessionId);
  await again.request(OpCode.setData, bodies.setData('/w', Buffer.from('resumed'), -1));
  await watcher.close();
  await again.request(
    OpCode.create,
    bodies.create({ path: '/w/mine', data: null, acls: bodies.OPEN_ACL, flags: 1 }),
  );
  await again.request(OpCode.sync, bodies.path('/w'));
}

test('several clients leave the same tree, with the same results, as when they were recorded', async () => {
  const file = await record(workload, { left: 1 });
  const before = await treeOf(source, '/w');
  const outcome = await replay(file, { order: 'all', keepSessions: true });
  assert.deepEqual(outcome.tally.differenceList, []);
  assert.deepEqual(await treeOf(target, '/w'), before);
  assert.deepEqual(
    Object.keys(before).filter((path) => (before[path] as { ephemeral: boolean }).ephemeral),
    ['/w/mine'],
  );
  const sent = Object.fromEntries([...outcome.tally.ops].map(([op, { replies }]) => [opName(op), replies]));
  assert.deepEqual(sent, await requestsOf(file));
  assert.deepEqual([outcome.tally.events, outcome.tally.recordedEvents], [3, 3]);
  assert.deepEqual(replayFindings(outcome), []);
  assert.deepEqual(replayNotes(outcome), ['four-letter words are not replayed: 1 ruok']);
});

test('sequential znodes get other names, and every client’s later requests follow them', async () => {
  // The same tree on both sides, but one of them has made and lost five znodes more.
  for (const [server, extra] of [
    [source, 0],
    [target, 5],
  ] as const) {
    const client = await Client.open(server.port);
    await client.create('/q');
    for (let i = 0; i < extra; i++)
      await client.remove(await client.create('/q/n-', CreateFlags.persistentSequential));
    await client.close();
  }
  const file = await record(async (port) => {
    const [producer, consumer] = [await Client.open(port), await Client.open(port)];
    const names: string[] = [];
    for (let i = 0; i < 4; i++) names.push(await producer.create('/q/n-', CreateFlags.persistentSequential));
    const inner = await producer.create(`${names[0]}/m-`, CreateFlags.persistentSequential);
    await consumer.set(inner, 'inner');
    await consumer.get(names[1]!, true);
    await consumer.remove(names[1]!);
    await consumer.multi(
      { op: OpCode.check, body: bodies.pathAndInt(names[2]!, 0) },
      { op: OpCode.delete, body: bodies.pathAndInt(names[2]!, -1) },
    );
    const lists = { relativeZxid: 0n, data: [names[3]!], exist: [names[1]!], child: [] };
    consumer.raw.connection.write(
      requestFrame(SpecialXid.setWatches, OpCode.setWatches, bodies.setWatches(lists)),
    );
    await consumer.raw.reply();
    await producer.close();
    await consumer.close();
  });
  const outcome = await replay(file, { order: 'all' });
  assert.deepEqual(outcome.tally.differenceList, []);
  assert.equal(outcome.tally.namesMapped, 5);
  const named = (tree: Record<string, unknown>): string[] => Object.keys(tree).sort();
  assert.deepEqual(named(await treeOf(source, '/q')), [
    '/q',
    '/q/n-0000000000',
    '/q/n-0000000000/m-0000000000',
    '/q/n-0000000003',
  ]);
  assert.deepEqual(named(await treeOf(target, '/q')), [
    '/q',
    '/q/n-0000000005',
    '/q/n-0000000005/m-0000000000',
    '/q/n-0000000008',
  ]);
  assert.match(replayNotes(outcome).join('\n'), /5 sequential znodes got other names/);
});

test('a target without the tree answers otherwise, and the replay says where', async () => {
  const owner = await Client.open(source.port);
  await owner.create('/only-here');
  await owner.close();
  const file = await record(async (port) => {
    const client = await Client.open(port);
    for (let i = 0; i < 5; i++) await client.get('/only-here');
    await client.set('/only-here', 'x');
    await client.get('/nowhere');
    await client.close();
  });
  const outcome = await replay(file);
  assert.deepEqual(
    outcome.tally.differenceList.map(({ op, recorded, replayed, count }) => [op, recorded, replayed, count]),
    [
      ['getData', 'OK', 'NONODE', 5],
      ['setData', 'OK', 'NONODE', 1],
    ],
  );
  assert.equal(outcome.tally.differenceList[0]!.examples[0]!.path, '/only-here');
  assert.equal(outcome.tally.sameResults, 3);
  assert.match(
    replayFindings(outcome)[0]!.text,
    /^6 of 9 results differ from the recorded ones: 5 getData NONODE in place of OK, 1 setData NONODE in place of OK$/,
  );
});

test('at recorded and at scaled speed a client gets the same results', async () => {
  const file = await record(async (port) => {
    const client = await Client.open(port);
    await client.create('/timed', CreateFlags.ephemeral);
    for (let i = 0; i < 10; i++) await client.set('/timed', String(i), i);
    await client.get('/timed');
    await client.close();
  });
  for (const speed of [1, 5, 0.5]) {
    const { tally, complete } = await replay(file, { speed });
    assert.deepEqual([tally.sameResults, tally.differing, complete], [14, 0, true], `speed ${speed}`);
  }
});

test('a password is not in the file; what needs it is told, and with it everything is the same', async () => {
  const work = async (port: number): Promise<void> => {
    const client = await Client.open(port);
    await client.auth(SECRET);
    await client.create('/guarded', CreateFlags.ephemeral, CREATOR_ALL);
    await client.set('/guarded', 'x');
    await client.close();
  };
  const blank = await record(work);
  assert.equal(readFileSync(blank).indexOf('correct-horse'), -1);
  const without = await replay(blank);
  assert.deepEqual(
    without.tally.differenceList.map(({ op, replayed }) => [op, replayed]),
    [
      ['create', 'INVALIDACL'],
      ['setData', 'NONODE'],
    ],
  );
  assert.match(
    replayNotes(without)[0]!,
    /^1 auth request could not be replayed, because credentials were not recorded/,
  );
  const kept = await record(work, { keepCredentials: true });
  assert.notEqual(readFileSync(kept).indexOf('correct-horse'), -1);
  const withIt = await replay(kept);
  assert.deepEqual(withIt.tally.differenceList, []);
  assert.equal(
    withIt.tally.sum((op) => op.skipped),
    0,
  );
});

test('the result is a run that every report reads, with the recorded latencies beside the replayed ones', async () => {
  const file = await record(async (port) => {
    const client = await Client.open(port);
    await client.create('/report', CreateFlags.ephemeral);
    for (let i = 0; i < 20; i++) await client.get('/report');
    await client.get('/missing');
    await client.close();
  });
  const outcome = await replay(file, { speed: 2 });
  const run = replayRun(outcome, {
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
  });
  const text = JSON.stringify(run);
  assert.deepEqual(parseRun(text), JSON.parse(text));
  assert.equal(text.includes(dir), false, 'no place of this machine');
  const phase = run.phases[0]!;
  assert.equal(phase.requests, 22);
  assert.equal(phase.latency!.count, 22);
  assert.equal(phase.uncorrected!.count, 22);
  assert.equal(
    phase.series.reduce((a, b) => a + b, 0),
    22,
  );
  assert.equal(
    phase.latencySeries.reduce((sum, { count }) => sum + count, 0),
    22,
  );
  assert.deepEqual(phase.errors, {}, 'an error that was recorded too is no error');
  const get = phase.ops.find(({ label }) => label === 'getData')!;
  assert.deepEqual([get.kind, get.latency.count], ['get', 21]);
  assert.ok(phase.ops.some(({ label, kind }) => label === 'createSession' && kind === 'step'));
  assert.equal(phase.availability.classes['requests']!.outcomes.failed, 0);
  const { replay: report } = run;
  assert.equal(report.recordedLatency!.count, 22);
  assert.equal(report.ops.find(({ label }) => label === 'getData')!.recordedLatency!.count, 21);
  assert.deepEqual(
    run.plan.references.map(({ metric }) => metric),
    ['throughput', 'latencyMeanMs', 'p99Ms'],
  );
  assert.equal(run.plan.name, `replay-${basename(file, '.rec')}`);
  const table = renderReplay(run);
  assert.match(table, /recorded, replayed at 2 x its speed in .*, 24 same results, 0 other ones/);
  assert.match(table, /getData +│ +21 │ +21 │ +- │/);
});

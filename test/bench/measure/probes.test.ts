/** Probes against servers that fail in known ways, and the track that their outcomes are kept in. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { monotonicMs } from '../../../bench/base/phase-clock.ts';
import { ProbeTrack } from '../../../bench/measure/probe-track.ts';
import { AvailabilityProbes } from '../../../bench/measure/probes.ts';
import type { AvailabilitySummary } from '../../../bench/result/run-json.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { StubServer, StubTree } from './support/stub-service.ts';

const PATH = '/bench/probe';
/** So long that a busy machine never makes an answer late. */
const patient = { periodMs: 5, deadlineMs: 20_000 };

const servers: StubServer[] = [];
after(() => Promise.all(servers.map((server) => server.stop())));

async function startServers(count: number): Promise<StubServer[]> {
  const tree = new StubTree();
  const started = await Promise.all(Array.from({ length: count }, () => new StubServer(tree).start()));
  servers.push(...started);
  return started;
}

/** Probes that run, and what to ask of them. */
async function startProbes(plan: typeof patient, all: readonly StubServer[]) {
  const probes = new AvailabilityProbes(
    all.map(({ address, port }) => ({ name: `127.0.0.1:${port}`, address })),
    plan,
    PATH,
  );
  const fromMs = monotonicMs();
  await probes.start();
  const classOf = (name: string): AvailabilitySummary => probes.result(fromMs, monotonicMs()).classes[name]!;
  return { probes, fromMs, classOf };
}

/** Not each turn: a test that is given up would keep a core busy until its file is ended. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(patient.periodMs);
}

/** Until the server has made and answered so many more writes. */
async function writesOf(server: StubServer, count: number): Promise<void> {
  while (count > 0) {
    const [op, err] = await once(server.events, 'answered');
    if (op === OpCode.setData && err === ErrorCode.ok) count--;
  }
}

test('a service that works is up in every class, and its znode is gone at the end', async () => {
  const [server] = await startServers(1);
  const { probes, fromMs } = await startProbes(patient, [server!]);
  await writesOf(server!, 20);
  await probes.stop();
  const { byTime, classes } = probes.result(fromMs, monotonicMs());
  assert.equal(byTime, 1);
  assert.deepEqual(Object.keys(classes), ['write', 'read', 'freshRead', 'session']);
  for (const [name, { outcomes }] of Object.entries(classes)) {
    assert.ok(outcomes.ok >= 20, `${name}: ${outcomes.ok} ok`);
    assert.deepEqual({ ...outcomes, ok: 0 }, { ok: 0, late: 0, failed: 0, unknown: 0 }, name);
  }
  assert.equal(server!.tree.node, null);
});

test('a server that has not yet seen the znode when the probes begin is not down for that', async () => {
  const [server] = await startServers(1);
  server!.behind = true;
  const { probes, classOf } = await startProbes(patient, [server!]);
  await writesOf(server!, 5);
  await probes.stop();
  for (const name of ['write', 'read', 'freshRead']) assert.equal(classOf(name).outcomes.failed, 0, name);
});

test('a service that is gone is down in every class, from its first failed probe until it is back', async () => {
  const [server] = await startServers(1);
  const { probes, classOf } = await startProbes(patient, [server!]);
  await writesOf(server!, 5);
  await server!.stop();
  const names = ['write', 'read', 'freshRead', 'session'];
  await until(() => names.every((name) => classOf(name).outcomes.failed >= 3));
  await server!.start();
  const okBefore = names.map((name) => classOf(name).outcomes.ok);
  await until(() => names.every((name, i) => classOf(name).outcomes.ok >= okBefore[i]! + 5));
  await probes.stop();
  for (const name of names) {
    const { outages, byTime, outcomes } = classOf(name);
    assert.equal(outages.length, 1, name);
    assert.ok(byTime < 1 && outages[0]!.toMs - outages[0]!.fromMs >= 3 * patient.periodMs, name);
    assert.equal(outcomes.unknown, 0, name);
  }
});

test('a write whose connection ended after it was made is late: found in the tree later, never ok', async () => {
  const [server] = await startServers(1);
  const { probes, classOf } = await startProbes(patient, [server!]);
  await writesOf(server!, 5);
  const died = once(server!.events, 'died');
  server!.dieAtWrite = 'after';
  await died;
  await writesOf(server!, 5);
  await probes.stop();
  const { late, unknown } = classOf('write').outcomes;
  assert.deepEqual({ late, unknown }, { late: 1, unknown: 0 });
});

test('a write whose connection ended before it was made has failed', async () => {
  const [server] = await startServers(1);
  const { probes, classOf } = await startProbes(patient, [server!]);
  await writesOf(server!, 5);
  const died = once(server!.events, 'died');
  server!.dieAtWrite = 'before';
  await died;
  await writesOf(server!, 5);
  await probes.stop();
  const { late, unknown, failed } = classOf('write').outcomes;
  assert.deepEqual({ late, unknown }, { late: 0, unknown: 0 });
  assert.ok(failed >= 1);
});

test('a lost write that nobody can be asked about stays unknown, neither up nor down', async () => {
  const [server] = await startServers(1);
  const { probes, classOf } = await startProbes(patient, [server!]);
  await writesOf(server!, 5);
  const died = once(server!.events, 'died');
  server!.dieAtWrite = 'after';
  await died;
  await server!.stop();
  await until(() => classOf('write').outcomes.failed >= 3);
  await probes.stop();
  assert.ok(classOf('write').outcomes.unknown >= 1);
  assert.equal(classOf('write').outcomes.late, 0);
});

test('a write that is answered with an error has failed, and the next session goes on from the tree', async () => {
  const [server] = await startServers(1);
  const { probes, classOf } = await startProbes(patient, [server!]);
  await writesOf(server!, 5);
  server!.writeError = ErrorCode.notReadOnly;
  await until(() => classOf('write').outcomes.failed >= 2);
  assert.equal(classOf('read').outcomes.failed, 0, 'reads are another class');
  server!.writeError = 0;
  await writesOf(server!, 5);
  await probes.stop();
  assert.ok(classOf('write').byTime < 1);
});

test('floating sessions move to another server; the pinned one tells which server is down', async () => {
  const all = await startServers(2);
  const [first, second] = all;
  const { probes, fromMs, classOf } = await startProbes(patient, all);
  const pinned = all.map(({ port }) => `read 127.0.0.1:${port}`);
  await until(() => pinned.every((name) => classOf(name).outcomes.ok >= 5));
  await first!.stop();
  await until(() => classOf(pinned[0]!).outcomes.failed >= 20);
  await writesOf(second!, 20);
  await probes.stop();
  const toMs = monotonicMs();
  const { outages } = probes.result(fromMs, toMs).classes[pinned[0]!]!;
  assert.deepEqual([outages.length, outages[0]!.toMs], [1, toMs - fromMs], 'to the end');
  assert.equal(classOf(pinned[1]!).byTime, 1);
  assert.equal(classOf('session').outcomes.failed, 0, 'a new session tries the next server');
  assert.ok(classOf('write').outcomes.ok > 20);
});

test('an answer beyond the deadline is late, and none at all has failed', async () => {
  const [server] = await startServers(1);
  const { probes, classOf } = await startProbes({ periodMs: 10, deadlineMs: 40 }, [server!]);
  await until(() => classOf('read').outcomes.ok >= 3);
  server!.hold();
  await until(() => classOf('read').outcomes.failed >= 3);
  const { late } = classOf('read').outcomes;
  server!.release();
  await until(() => classOf('read').outcomes.late >= late + 3);
  server!.hold();
  await probes.stop();
  assert.ok(classOf('read').outages.length >= 1);
});

test('while the engine itself stands still, it knows nothing of the target', async () => {
  const [server] = await startServers(1);
  const { probes, classOf } = await startProbes({ periodMs: 10, deadlineMs: 100 }, [server!]);
  await until(() => classOf('read').outcomes.ok >= 1);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  await turn();
  await until(() => classOf('read').outcomes.unknown >= 10);
  await probes.stop();
  assert.ok(probes.lagMsMax >= 100);
});

test('a target that nobody can write to is refused at the start', async () => {
  const [server] = await startServers(1);
  await server!.stop();
  const probes = new AvailabilityProbes([{ name: 'gone', address: server!.address }], patient, PATH);
  await assert.rejects(probes.start(), /ECONNREFUSED/);
});

test('a track judges by the due time, keeps a late word, and grows', () => {
  let nowMs = 1_000;
  const track = new ProbeTrack(1_000, 10, 200, () => nowMs);
  const indices = Array.from({ length: 5_000 }, () => track.open());
  assert.deepEqual([track.count, track.dueMsAt(indices[3]!)], [5_000, 1_030]);
  nowMs = 1_200;
  track.answer(0);
  nowMs = 1_215;
  track.answer(1);
  track.settle(2, 'unknown');
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => track.verdictAt(index)),
    ['ok', 'late', 'unknown', 'open'],
  );
  nowMs = 1_231;
  assert.equal(track.verdictAt(3), 'failed', 'no answer by its deadline');
  track.answer(3);
  assert.equal(track.verdictAt(3), 'late');
});

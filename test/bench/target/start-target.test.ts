/** Each kind of target as it is really started: ready, observable, and gone without a trace at the end. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../../../bench/base/phase-clock.ts';
import { captureEnvironment } from '../../../bench/measure/environment.ts';
import { AvailabilityProbes } from '../../../bench/measure/probes.ts';
import { ServerSampler } from '../../../bench/measure/server-sampler.ts';
import { withSession } from '../../../bench/session/session.ts';
import { versionIn } from '../../../bench/target/external.ts';
import { findFreePort } from '../../../bench/target/free-port.ts';
import { readMode, readNodeCount } from '../../../bench/target/leader.ts';
import { startTarget } from '../../../bench/target/start-target.ts';
import type { Target } from '../../../bench/target/target.ts';
import { parseTargetSpec } from '../../../bench/target/target-spec.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { apacheInstalled } from '../../support/apache.ts';
import { startTestTarget } from '../support/test-target.ts';

const tempDir = mkdtempSync(join(tmpdir(), 'start-target-test-'));
after(() => rmSync(tempDir, { recursive: true }));

function start(text: string, change: { readonly extendedTypes?: boolean } = {}): Promise<Target> {
  return startTestTarget(text, tempDir, change);
}

async function refusalOf(text: string): Promise<string> {
  let message = '';
  await assert.rejects(start(text), (error: Error) => {
    message = error.message;
    return error instanceof ConfigFailure;
  });
  assert.deepEqual(readdirSync(tempDir), [], 'nothing is left behind');
  return message;
}

function createTtl(target: Target): Promise<string | null> {
  return withSession(target.addresses[0]!, 10_000, (session) =>
    session.errorOf((zk) => zk.create('/ttl', null, { mode: 'persistent', ttlMs: 60_000 })),
  );
}

/** All classes of probes until each has been answered some times, with the sampler beside them. */
async function observe(target: Target) {
  const sampler = new ServerSampler(target, () => 1_000);
  const probes = new AvailabilityProbes(target.servers, { periodMs: 10, deadlineMs: 20_000 }, '/probe');
  const fromMs = monotonicMs();
  await sampler.sampleNow();
  await probes.start();
  const classes = () => Object.values(probes.result(fromMs, monotonicMs()).classes);
  while (!classes().every(({ outcomes }) => outcomes.ok >= 10)) await delay(10);
  await probes.stop();
  await sampler.sampleNow();
  sampler.stop();
  const toMs = monotonicMs();
  return { availability: probes.result(fromMs, toMs), metrics: sampler.metrics(fromMs, toMs)! };
}

test('ringkeeper of this checkout: settings, figures, and its death', async () => {
  const target = await start('embedded:ringkeeper.threadingMode=shared,tickTime=500', {
    extendedTypes: true,
  });
  assert.equal(target.name, 'embedded');
  assert.match(
    target.description,
    /^ringkeeper \S+ extendedTypesEnabled=true ringkeeper\.threadingMode=shared/,
  );
  assert.equal(target.settings['threading'], 'shared');
  assert.equal(await createTtl(target), null);
  assert.equal(await readMode(target.addresses[0]!), 'standalone');
  const environment = await captureEnvironment(target);
  assert.equal(environment.serverSettings!['tickTime'], '500');
  assert.equal(environment.javaVersion, null);

  const before = await readNodeCount(target.addresses);
  const { availability, metrics } = await observe(target);
  assert.equal(availability.byTime, 1);
  for (const { byCount } of Object.values(availability.classes)) assert.equal(byCount, 1);
  assert.ok(metrics.packetsReceived! >= 40 && metrics.fsyncMeanMs! > 0);
  assert.ok(metrics.gcPauseTotalMs !== null, 'its threads tell their collections');
  assert.ok(metrics.values['ringkeeper_log_records']! >= 20);
  assert.equal(await readNodeCount(target.addresses), before, 'the probe is gone');

  process.kill(target.servers[0]!.pid!, 'SIGKILL');
  while (target.failure === null) await delay(5);
  assert.equal(target.failure, 'embedded ended (SIGKILL)');
  assert.equal(await readNodeCount(target.addresses), null);
  await target.stop();
  await target.stop();
  assert.deepEqual(readdirSync(tempDir), []);
});

test('a setting that the server refuses is the answer, with what the server says', async () => {
  const message = await refusalOf('embedded:snapCount=many');
  assert.match(
    message,
    /^--target: "embedded:snapCount=many" - the server does not start: .*snapCount=many: allowed/s,
  );
});

test('of a list one server has to answer; when none does, each is named with its error', async () => {
  const server = await start('null');
  const { port } = server.addresses[0]!;
  const [dead, other] = [await findFreePort(), await findFreePort()];
  const target = await start(`127.0.0.1:${dead},127.0.0.1:${port}`);
  assert.equal(target.addresses.length, 2);
  assert.deepEqual([target.name, target.isOurs, target.dataDir], ['external', false, null]);
  assert.ok(target.description.startsWith(`127.0.0.1:${dead}, 127.0.0.1:${port} (`), target.description);
  assert.equal(
    versionIn('Zookeeper version: 3.8.0-5a02a05eddb59aee6ac762f7ea82e92a68eb9c0f, built on 2022'),
    'ZooKeeper 3.8.0',
  );
  assert.equal(versionIn('imok'), null);
  assert.equal(await readMode(server.addresses[0]!), 'standalone');
  await target.stop();
  await withSession(server.addresses[0]!, 10_000, async () => {}); // it runs on: it is not ours
  await server.stop();
  const message = await refusalOf(`127.0.0.1:${dead},127.0.0.1:${other}`);
  for (const gone of [dead, other])
    assert.match(message, new RegExp(`127\\.0\\.0\\.1:${gone}: .*ECONNREFUSED`));
  assert.equal(await readMode({ host: '127.0.0.1', port: dead }), null);
});

test('no temporary directory can be made where there is none', async () => {
  const options = {
    serverArgs: [],
    tempParent: join(tempDir, 'missing'),
    valueBytes: 1,
    extendedTypes: false,
  };
  await assert.rejects(startTarget(parseTargetSpec('null'), options), /cannot be kept in .*missing/);
});

test('Apache: settings of zoo.cfg and of the Java machine, collections', {
  skip: !apacheInstalled() && 'needs Apache ZooKeeper',
}, async () => {
  const target = await start('apache:tickTime=500,jute.maxbuffer=2000000', { extendedTypes: true });
  try {
    assert.equal(target.name, 'apache');
    assert.match(target.description, /^zookeeper-3\.\S+ .*tickTime=500 jute\.maxbuffer=2000000/);
    assert.match(target.javaVersion!, /^\d+/);
    assert.equal(await createTtl(target), null);
    const big = Buffer.alloc(1_500_000);
    const error = await withSession(target.addresses[0]!, 10_000, (session) => session.create('/big', big));
    assert.equal(error, null, 'jute.maxbuffer has reached the Java machine');
    assert.equal(await readMode(target.addresses[0]!), 'standalone');
    assert.equal((await captureEnvironment(target)).serverSettings!['tickTime'], '500');
    const { availability, metrics } = await observe(target);
    assert.equal(availability.byTime, 1);
    assert.ok(metrics.packetsReceived! >= 40 && metrics.values['cnt_fsynctime']! >= 10);
    assert.ok(metrics.gcPauseTotalMs! >= 0, 'from the log of its collections');
  } finally {
    await target.stop();
  }
  assert.deepEqual(readdirSync(tempDir), []);
});

test('Apache that is not there is explained', async () => {
  const { PATH, ZOOKEEPER_HOME } = process.env;
  try {
    process.env['ZOOKEEPER_HOME'] = tempDir;
    assert.match(await refusalOf('apache'), /^ZOOKEEPER_HOME: .* no lib\/zookeeper-<version>\.jar in it$/);
    if (!apacheInstalled()) return;
    delete process.env['ZOOKEEPER_HOME'];
    process.env['PATH'] = tempDir;
    assert.match(await refusalOf('apache'), /java does not run .*apt-get install default-jre-headless/);
  } finally {
    process.env['PATH'] = PATH;
    if (ZOOKEEPER_HOME !== undefined) process.env['ZOOKEEPER_HOME'] = ZOOKEEPER_HOME;
    else delete process.env['ZOOKEEPER_HOME'];
  }
});

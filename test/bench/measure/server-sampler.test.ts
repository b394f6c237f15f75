/** The sampler beside a real process that counts, and beside one that is gone. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../../../bench/base/phase-clock.ts';
import { readProcessUsage } from '../../../bench/measure/process-usage.ts';
import { ServerSampler } from '../../../bench/measure/server-sampler.ts';
import { withSession } from '../../../bench/session/session.ts';
import { startTarget } from '../../../bench/target/start-target.ts';
import { parseTargetSpec } from '../../../bench/target/target-spec.ts';

const tempDir = mkdtempSync(join(tmpdir(), 'sampler-test-'));
const options = { serverArgs: [], tempParent: tempDir, valueBytes: 100, extendedTypes: false };
after(() => rmSync(tempDir, { recursive: true }));

test('usage divides by the requests of the same instants, and the server counted the same ones', async () => {
  const target = await startTarget(parseTargetSpec('null'), options);
  let done = 0;
  const sampler = new ServerSampler(target, () => done);
  const cpuMicros = (): number => readProcessUsage(target.servers[0]!.pid!)!.cpuMicros;
  try {
    sampler.start();
    await withSession(target.addresses[0]!, 30_000, async (session) => {
      const ask = async (count: number): Promise<void> => {
        await Promise.all(Array.from({ length: count }, () => session.ask((zk) => zk.getData('/x'))));
        done += count;
      };
      await ask(500);
      const fromMs = monotonicMs();
      await sampler.sampleNow();
      const before = { done, cpuMicros: cpuMicros() };
      while (done - before.done < 10_000 || cpuMicros() - before.cpuMicros < 30_000) await ask(500);
      await sampler.sampleNow();
      const toMs = monotonicMs();
      const count = done - before.done;
      const usage = sampler.usage(fromMs, toMs)!;
      // Divided and multiplied again, it may be a hair less than it was.
      assert.ok(usage.cpuMicrosPerOp! * count > 29_999, `${usage.cpuMicrosPerOp} x ${count}`);
      assert.ok(usage.cpuCores > 0 && usage.contextSwitchesPerOp! > 0);
      assert.ok(usage.rssPeakBytes >= usage.rssBytes && usage.rssBytes > 1_000_000);
      const metrics = sampler.metrics(fromMs, toMs)!;
      assert.ok(
        Math.abs(metrics.packetsReceived! / count - 1) <= 0.05,
        `${metrics.packetsReceived} of ${count}`,
      );
      assert.equal(metrics.gcPauseMaxMs, null);
    });
  } finally {
    sampler.stop();
    await target.stop();
  }
});

test('samples come one a second; a server that has died leaves nulls, and nothing throws', async () => {
  const target = await startTarget(parseTargetSpec('null'), options);
  const sampler = new ServerSampler(target, () => 0);
  const fromMs = monotonicMs();
  sampler.start();
  await sampler.sampleNow();
  await delay(1_100);
  process.kill(target.servers[0]!.pid!, 'SIGKILL');
  while (target.failure === null) await delay(5);
  assert.match(target.failure, /null ended \(SIGKILL\)/);
  await delay(2_100);
  await sampler.sampleNow();
  sampler.stop();
  const samples = sampler.samples(fromMs, fromMs + 60_000);
  assert.deepEqual(
    samples.map(({ atMs }) => atMs),
    [1_000, 2_000, 3_000],
  );
  assert.ok(samples[0]!.cpuCores !== null && samples[0]!.rssBytes! > 0);
  assert.equal(samples[0]!.outstanding, 0);
  assert.deepEqual(samples[2], { atMs: 3_000, cpuCores: null, rssBytes: null, outstanding: null });
  assert.equal(sampler.usage(fromMs + 2_500, fromMs + 3_500), null);
  await target.stop();
});

test('a service that nobody here started has no process, and what it says still counts', async () => {
  const started = await startTarget(parseTargetSpec('null'), options);
  const { host, port } = started.addresses[0]!;
  const target = await startTarget(parseTargetSpec(`${host}:${port}`), options);
  const sampler = new ServerSampler(target, () => 0);
  const fromMs = monotonicMs();
  await sampler.sampleNow();
  await withSession(target.addresses[0]!, 10_000, (session) => session.ask((zk) => zk.getData('/x')));
  await sampler.sampleNow();
  const toMs = monotonicMs();
  assert.equal(sampler.usage(fromMs, toMs), null);
  assert.equal(sampler.metrics(fromMs, toMs)!.packetsReceived, 3, 'connect, get, close');
  await started.stop();
});

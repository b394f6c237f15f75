/** What got no reply is in the distribution, as long as it waited; never in the throughput. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressText } from '../../../bench/base/address.ts';
import { toLocalMs } from '../../../bench/base/phase-clock.ts';
import { IntervalCollector } from '../../../bench/load/interval-collector.ts';
import { LoadPhase } from '../../../bench/load/load-phase.ts';
import { PhaseCounters } from '../../../bench/load/phase-counters.ts';
import { planOf, runTiny, silent, tempDir } from '../run/support.ts';
import { startTestTarget } from '../support/test-target.ts';
import { startFreezingProxy } from './freezing-proxy.ts';

const START = 1_000_000;
const grid = {
  startMs: START,
  measureStartMs: START + 200,
  measureEndMs: START + 1200,
  intervalMs: 100,
};

test('requests that were never answered count as long as they waited, those of the warm-up do not', () => {
  const counters = PhaseCounters.allocate({ labelCount: 2, totalMs: 1200, openLoop: true });
  const phase = new LoadPhase(counters, grid);
  const collector = new IntervalCollector([counters], 2, true);
  const local = (atMs: number): number => toLocalMs(START + atMs);
  phase.onUnanswered(0, local(50), local(60), local(150)); // lost in the warm-up
  phase.onUnanswered(1, local(300), local(310), local(420)); // lost in the measured time
  phase.finish(local(6_200));
  phase.onUnanswered(0, local(1_000), local(1_010), local(6_200)); // waiting at the end
  phase.onUnanswered(0, local(1_100), null, local(6_200)); // due, and never sent
  collector.poll();
  collector.addUnanswered(phase.unanswered.counts);
  const corrected = collector.histogram([0, 1], grid.measureStartMs, 'corrected');
  assert.equal(corrected.totalCount, 3);
  assert.ok(Math.abs(corrected.maxValue / 1000 - 5_200) < 10);
  assert.equal(collector.histogram([0, 1], grid.measureStartMs, 'uncorrected').totalCount, 2);
  assert.equal(collector.waited([1], grid.measureStartMs).totalCount, 1);
  assert.equal(collector.waited([1], grid.measureStartMs + 500).totalCount, 0, 'cut with the rest');
  const counted = collector.counts([0, 1], grid.measureStartMs, grid.measureEndMs);
  assert.equal(
    counted.reduce((sum, count) => sum + count, 0),
    0,
    'no throughput',
  );
});

test('a server that freezes to the end of an open-loop run does not look fast', async () => {
  const target = await startTestTarget('embedded', tempDir);
  const proxy = await startFreezingProxy(target.addresses[0]!.port);
  try {
    let updates = 0;
    const progress = {
      ...silent,
      // The second one comes half a second after the phase has begun.
      update: () => {
        if (++updates === 2) proxy.freeze();
      },
    };
    const phases = { paced: { mix: { get: 1 }, arrival: { rate: 200 }, warmup: '0ms', measure: '1500ms' } };
    const plan = planOf(phases, { connections: 2, outstanding: 50 });
    const outcome = await runTiny(plan, addressText(proxy.address), { progress });
    const [phase] = outcome!.run.phases;
    assert.ok(phase!.unanswered > 100, String(phase!.unanswered));
    assert.ok(phase!.latency!.p99Ms > 1_000 && phase!.latency!.maxMs > 5_000, JSON.stringify(phase!.latency));
    assert.equal(phase!.latency!.count, phase!.requests + phase!.waited!.count);
    assert.ok(
      phase!.findings.some(({ text }) =>
        /never answered; they count as long as they waited, up to [56]\.\d s/.test(text),
      ),
    );
    assert.equal(phase!.valid, false);
  } finally {
    proxy.stop();
    await target.stop();
  }
});

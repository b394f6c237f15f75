/** What workers count and the main thread collects: nothing is lost between the two, whatever the timing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toLocalMs } from '../../../bench/base/phase-clock.ts';
import { LATENCY_BUCKETS } from '../../../bench/latency/latency-recorder.ts';
import { IntervalCollector } from '../../../bench/load/interval-collector.ts';
import { LoadPhase, type PhaseGrid } from '../../../bench/load/load-phase.ts';
import { OwnZnodes } from '../../../bench/load/own-znodes.ts';
import { PhaseCounters } from '../../../bench/load/phase-counters.ts';

const START = 1_000_000;
const grid: PhaseGrid = {
  startMs: START,
  measureStartMs: START + 200,
  measureEndMs: START + 1200,
  intervalMs: 100,
};

function parts(openLoop = false) {
  const counters = PhaseCounters.allocate({ labelCount: 2, totalMs: 1200, openLoop });
  const phase = new LoadPhase(counters, grid);
  return { counters, phase, collector: new IntervalCollector([counters], 2, openLoop) };
}

function reply(phase: LoadPhase, label: number, sinceMs: number, atMs: number, error = 0): void {
  const now = toLocalMs(START + atMs);
  phase.roll(now);
  phase.onReply(label, toLocalMs(START + sinceMs), toLocalMs(START + sinceMs), now, error);
  phase.onReplies(now);
}

const sum = (counts: Float64Array): number => counts.reduce((a, b) => a + b, 0);

test('what counts takes its shape from the message, whatever the grid rounds to; other memory is refused', () => {
  for (const openLoop of [false, true]) {
    const { handle } = PhaseCounters.allocate({ labelCount: 2, totalMs: 1200, openLoop });
    const worker = new PhaseCounters(structuredClone(handle));
    assert.equal(new LoadPhase(worker, grid).openLoop, openLoop);
    assert.equal(worker.current.length, (openLoop ? 4 : 2) * LATENCY_BUCKETS);
    const other = { ...handle.shape, totalMs: 1300 };
    assert.throws(
      () => new PhaseCounters({ memory: handle.memory, shape: other }),
      /bytes for a phase that needs/,
    );
  }
});

test('every reply is collected once, in order, however rarely the main thread looks', () => {
  const steps = fc.array(fc.record({ gap: fc.nat(250), label: fc.nat(1), poll: fc.boolean() }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, (plan) => {
      const { phase, collector } = parts();
      let at = 0;
      let total = 0;
      for (const { gap, label, poll } of plan) {
        at += gap;
        reply(phase, label, at, at);
        total++;
        if (poll) collector.poll();
      }
      phase.finish(toLocalMs(START + Math.max(at, 1200) + 1));
      collector.poll();
      const all = sum(collector.counts([0, 1], 0, Number.POSITIVE_INFINITY));
      assert.equal(all, total);
      const starts = collector.intervals.map(({ fromMs }) => fromMs);
      assert.deepEqual(
        starts,
        [...starts].sort((a, b) => a - b),
      );
    }),
  );
});

test('replies count by arrival, latencies by who was due before the end', () => {
  const { phase, collector, counters } = parts();
  reply(phase, 0, 100, 150); // warm-up
  collector.poll();
  reply(phase, 0, 150, 210); // arrives in the measured time
  collector.poll();
  reply(phase, 1, 1100, 1150);
  collector.poll();
  reply(phase, 0, 1190, 1700); // due before the end, answered after it
  phase.finish(toLocalMs(START + 1701));
  collector.poll();
  const from = grid.measureStartMs;
  assert.equal(sum(collector.counts([0, 1], from, grid.measureEndMs)), 2);
  const latency = collector.histogram([0, 1], from, 'corrected');
  assert.equal(latency.totalCount, 3);
  assert.ok(latency.maxValue >= 509_000, 'the late one counts in full');
  assert.equal(
    counters.series.reduce((a, b) => a + b, 0),
    3,
    'the series has what arrived until the end, warm-up included',
  );
  assert.equal(counters.done, 4);
});

test('errors are never throughput and have their own series', () => {
  const { phase, collector, counters } = parts();
  reply(phase, 0, 300, 301, -101);
  reply(phase, 0, 300, 302);
  phase.onLost(3, toLocalMs(START + 350));
  phase.finish(toLocalMs(START + 1300));
  collector.poll();
  assert.equal(sum(collector.counts([0, 1], grid.measureStartMs, grid.measureEndMs)), 1);
  assert.equal(counters.errorSeries[3], 4);
  assert.deepEqual([...phase.errors], [[-101, 1]]);
  assert.deepEqual([counters.done, counters.errors, phase.lostCount], [1, 1, 3]);
});

test('an open loop keeps both latencies: from the due time and from the sending', () => {
  const { phase, collector } = parts(true);
  const now = toLocalMs(START + 500);
  phase.roll(now);
  phase.onReply(0, toLocalMs(START + 300), toLocalMs(START + 490), now, 0);
  phase.onReplies(now);
  phase.finish(toLocalMs(START + 1300));
  collector.poll();
  const from = grid.measureStartMs;
  assert.ok(Math.abs(collector.histogram([0], from, 'corrected').maxValue - 200_000) < 500);
  assert.ok(Math.abs(collector.histogram([0], from, 'uncorrected').maxValue - 10_000) < 50);
});

test('a phase that is stopped early keeps what it has and ends there', () => {
  const { phase, collector } = parts();
  reply(phase, 0, 300, 310);
  collector.poll();
  phase.stop(toLocalMs(START + 400));
  assert.equal(phase.grant(5, toLocalMs(START + 401)), 0, 'no new requests');
  reply(phase, 0, 390, 450);
  phase.finish(toLocalMs(START + 460));
  collector.poll();
  assert.equal(sum(collector.counts([0], grid.measureStartMs, START + 400)), 1);
  assert.equal(collector.histogram([0], grid.measureStartMs, 'corrected').totalCount, 2);
});

test("a session's own znodes never outgrow their bound and lose only ephemerals with the session", () => {
  const commands = fc.array(fc.constantFrom('create', 'reply', 'ephemeral', 'fail', 'take', 'lose'), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(commands, (list) => {
      const own = new OwnZnodes(4);
      let model: { path: string; ephemeral: boolean }[] = [];
      let inFlight = 0;
      list.forEach((command, i) => {
        if (command === 'create' && !own.full) {
          own.onCreateSent();
          inFlight++;
        } else if (inFlight > 0 && (command === 'reply' || command === 'ephemeral')) {
          own.onCreateReply(`p${i}`, command === 'ephemeral');
          model.push({ path: `p${i}`, ephemeral: command === 'ephemeral' });
          inFlight--;
        } else if (inFlight > 0 && command === 'fail') {
          own.onCreateReply(null, false);
          inFlight--;
        } else if (command === 'take' && own.size > 0) {
          assert.equal(own.take(), model.shift()!.path);
        } else if (command === 'lose') {
          own.onSessionLost();
          model = model.filter(({ ephemeral }) => !ephemeral);
          inFlight = 0;
        }
        assert.equal(own.size, model.length);
        assert.equal(own.full, model.length + inFlight >= 4);
      });
    }),
  );
});

/**
 * Which change an event belongs to when it overtakes the change's acknowledgement: by arithmetic, and with real
 * servers whose acknowledgements are late.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { addressText } from '../../../bench/base/address.ts';
import { WatchDelays } from '../../../bench/load/watch-delays.ts';
import type { OpResult, PhaseResult } from '../../../bench/result/run-json.ts';
import type { Target } from '../../../bench/target/target.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { planOf, runTiny, tempDir } from '../run/support.ts';
import { startTestTarget } from '../support/test-target.ts';
import { LateAcks } from './late-acks.ts';

const TARGETS = 3;
const CLOSE_ENOUGH = 1e-6;

function shared(): [writer: WatchDelays, reader: WatchDelays] {
  const handle = WatchDelays.allocate(TARGETS);
  return [new WatchDelays(handle), new WatchDelays(handle)];
}

test('a counted change: the delay is from its own acknowledgement, never from the one before', () => {
  const [writer, reader] = shared();
  assert.equal(reader.sinceCountedAck(1, 1, 5), -1, 'nothing was written');
  writer.onCountedAck(1, 1, 12);
  // The found fault: write 1 acknowledged at 12, the event of write 2 at 1008, its acknowledgement at 1011.
  assert.equal(reader.sinceCountedAck(1, 2, 1008), -1);
  writer.onCountedAck(1, 2, 1011);
  assert.ok(Math.abs(reader.sinceCountedAck(1, 2, 1013) - 2) < CLOSE_ENOUGH);
  assert.ok(Math.abs(reader.sinceCountedAck(1, 1, 1013) - 1001) < CLOSE_ENOUGH);
  assert.equal(reader.sinceCountedAck(2, 1, 1013), -1, 'another znode');
  assert.equal(reader.sinceCountedAck(0, 1, 1013), -1, 'another znode');
});

test('number 0 is a change like any other', () => {
  const [writer, reader] = shared();
  assert.equal(reader.sinceCountedAck(0, 0, 5), -1);
  writer.onCountedAck(0, 0, 5);
  assert.ok(Math.abs(reader.sinceCountedAck(0, 0, 7) - 2) < CLOSE_ENOUGH);
});

test('acknowledgements in any order: each event finds its own', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8]), fc.integer({ min: 1, max: 8 }), (order, n) => {
      const [writer, reader] = shared();
      for (const [at, number] of order.entries()) writer.onCountedAck(0, number, 100 + at);
      const since = reader.sinceCountedAck(0, n, 200);
      const at = order.indexOf(n);
      if (at < 0) assert.equal(since, -1);
      else assert.ok(Math.abs(since - (100 - at)) < CLOSE_ENOUGH);
    }),
  );
});

test('an ordered change: the lowest one above what was seen', () => {
  const [writer, reader] = shared();
  writer.onOrderedAck(1, 0x100000005, 10);
  assert.equal(reader.sinceOrderedAck(1, 0x100000005, 20), -1, 'the watch was set behind it: not its cause');
  writer.onOrderedAck(1, 0x100000009, 30);
  writer.onOrderedAck(1, 0x100000007, 32);
  assert.ok(Math.abs(reader.sinceOrderedAck(1, 0x100000005, 40) - 8) < CLOSE_ENOUGH);
  assert.ok(Math.abs(reader.sinceOrderedAck(1, 0x100000007, 40) - 10) < CLOSE_ENOUGH);
});

test('a forgotten change counts from the oldest remembered one above it', () => {
  const [writer, reader] = shared();
  for (let number = 1; number <= 5_000; number++) writer.onCountedAck(0, number, number);
  const since = reader.sinceCountedAck(0, 10, 6_000);
  assert.ok(since >= 6_000 - 5_000 && since <= 6_000 - 10);
  assert.ok(Math.abs(reader.sinceCountedAck(0, 4_999, 6_000) - 1_001) < CLOSE_ENOUGH);
});

let target: Target;
before(async () => {
  target = await startTestTarget('embedded', tempDir, { extendedTypes: true });
});
after(() => target.stop());

/** One phase against the server behind late acknowledgements. */
async function runLate(load: object, opcodes: readonly number[], connections: number): Promise<PhaseResult> {
  const proxy = await LateAcks.start(target.addresses[0]!, opcodes, LATE_MS);
  try {
    const tree = { root: '/bench/late', znodes: 1, values: '100B' };
    const phases = { late: { ...load, warmup: '100ms', measure: '1500ms' } };
    const outcome = await runTiny(
      planOf(phases, { tree, workers: 2, connections, outstanding: 1 }),
      addressText(proxy.address),
    );
    return outcome!.run.phases[0]!;
  } finally {
    await proxy.stop();
  }
}

const LATE_MS = 60;

function opOf({ ops }: PhaseResult, label: string): OpResult {
  const op = ops.find((candidate) => candidate.label === label);
  assert.ok(op !== undefined, `${label} among ${ops.map((each) => each.label).join(', ')}`);
  return op;
}

test('watch fan-out with late acknowledgements: events have no delay, and are counted as early', async () => {
  const phase = await runLate({ recipe: { watchFanout: { znodes: 1, writes: 5 } } }, [OpCode.setData], 4);
  const event = opOf(phase, 'event');
  // Measured from the write before, it would be the period of the writes less what the acknowledgement was late.
  assert.equal(event.latency.p50Ms, 0);
  assert.ok(phase.eventsBeforeAck >= event.latency.count / 2);
  const all = opOf(phase, 'write to event');
  assert.ok(all.latency.p50Ms > 0, 'from the sending of the write it took some time all the same');
  assert.equal(all.latency.count, event.latency.count, 'each event has its write');
});

test('a mix with watches, sets alone and in multis: likewise', async () => {
  const mix = { set: 1, multi: { of: 'set', ops: [1, 1], weight: 1 }, watch: { on: 'data', weight: 18 } };
  const phase = await runLate({ mix, arrival: { rate: 100 } }, [OpCode.setData, OpCode.multi], 8);
  assert.equal(opOf(phase, 'watch event').latency.p90Ms, 0);
  assert.ok(phase.eventsBeforeAck > 0);
});

test('children: creates and deletes of others, acknowledged late', async () => {
  const mix = {
    create: { mode: 'persistent', weight: 1 },
    delete: 1,
    watch: { on: 'children', weight: 18 },
  };
  const phase = await runLate({ mix, arrival: { rate: 100 } }, [OpCode.create, OpCode.delete], 8);
  assert.equal(opOf(phase, 'watch event').latency.p90Ms, 0);
  assert.ok(phase.eventsBeforeAck > 0);
});

test('a lock handed over before its holder has heard so: no hand-over is left out or counts a whole turn', async () => {
  const phase = await runLate({ recipe: { lock: { locks: 1, hold: '20ms' } } }, [OpCode.delete], 8);
  const handOver = opOf(phase, 'hand over');
  assert.equal(handOver.latency.p50Ms, 0);
  assert.ok(handOver.latency.count >= opOf(phase, 'acquire').latency.count / 2);
  assert.ok(phase.eventsBeforeAck > 0);
});

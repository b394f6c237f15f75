/** Real threads at full speed: every record is checked by its number, length and checksum on every thread. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Prng } from '../../src/base/prng.ts';
import { Arena } from '../../src/shm/arena.ts';
import { Bell, createBell } from '../../src/shm/bell.ts';
import { Counters, createCounters } from '../../src/shm/counters.ts';
import { createEpochs, EpochWriter } from '../../src/shm/epochs.ts';
import { createRing, RingConsumer } from '../../src/shm/ring.ts';
import { GRAIN_SHIFT, SEGMENT_GRAIN_MASK, SEGMENT_GRAIN_SHIFT, Segments } from '../../src/shm/segments.ts';
import { COUNTER_STEP, StressChecker, type StressSetup } from './stress-thread.ts';

function start(setup: StressSetup): Worker {
  return new Worker(new URL('./stress-thread.ts', import.meta.url), { workerData: setup });
}

test('a broadcast ring between a producer, a blocking consumer and an event loop', async () => {
  const records = 1_000_000;
  // Small, so that it is full and empty all the time.
  const ring = createRing(16 * 1024, 2);
  const room = createBell();
  const bells = [createBell(), createBell()];
  const blocking = start({ role: 'consumer', ring, index: 0, room, bell: bells[0]! });
  const blockingReceived = once(blocking, 'message');
  const producer = start({ role: 'producer', ring, records, room, bells });
  const producerExit = once(producer, 'exit');

  const consumer = new RingConsumer(ring, 1);
  const checker = new StressChecker(consumer);
  const bell = new Bell(bells[1]!, setImmediate);
  const roomBell = new Bell(room);
  await new Promise<void>((resolve) => {
    const hasWork = (): boolean => !consumer.isEmpty;
    const onWake = (): void => {
      const closed = bell.isClosed;
      if (consumer.drain(checker, 100) > 0) roomBell.ring();
      if (closed && consumer.isEmpty) resolve();
      else bell.parkAsync(hasWork, onWake);
    };
    bell.parkAsync(hasWork, onWake);
  });

  assert.equal(checker.received, records);
  assert.deepEqual(await blockingReceived, [records]);
  assert.deepEqual(await producerExit, [0]);
});

test('records replaced and reclaimed, and a counter set, under two readers', async (context) => {
  const replacements = 500_000;
  const segments = new Segments();
  const arena = new Arena(segments, { bytesMax: 32 * 1024 * 1024 });
  const epochs = createEpochs(2);
  const writer = new EpochWriter(epochs, arena);
  const slots = new Int32Array(new SharedArrayBuffer(4 * 64));
  const random = new Prng(1);
  const build = (value: number): number => {
    const count = 1 + random.below(60);
    const offset = arena.allocate((count + 1) * 4);
    assert.ok(offset > 0, 'readers that leave again keep the memory bounded');
    const words = segments.list[offset >>> SEGMENT_GRAIN_SHIFT]!.words;
    const at = ((offset & SEGMENT_GRAIN_MASK) << GRAIN_SHIFT) >> 2;
    words[at] = count;
    words.fill(value, at + 1, at + 1 + count);
    return offset;
  };
  for (let slot = 0; slot < slots.length; slot++) slots[slot] = build(1);
  const handle = createCounters(['applied']);
  const applied = new Counters(handle);

  const readers = [0, 1].map((index) =>
    start({
      role: 'reader',
      epochs,
      index,
      segments: segments.buffers(),
      slots: slots.buffer as SharedArrayBuffer,
      counters: handle,
    }),
  );
  const finished = readers.map((reader) => once(reader, 'message'));
  await Promise.all(readers.map((reader) => once(reader, 'online')));
  for (let i = 1; i <= replacements; i++) {
    const slot = random.below(slots.length);
    const replaced = slots[slot]!;
    Atomics.store(slots, slot, build(i));
    writer.retire(replaced);
    applied.set(0, i * COUNTER_STEP);
    if (i % 16 === 0) writer.reclaim(1000);
  }
  applied.set(0, -1);
  const reads = (await Promise.all(finished)).map(([count]) => count as number);
  context.diagnostic(`${reads.join(' and ')} reads`);
  assert.ok(reads.every((count) => count > 0));
  writer.reclaim(Number.MAX_SAFE_INTEGER);
  assert.equal(writer.retiredCount, 0);
  let live = 0;
  for (let slot = 0; slot < slots.length; slot++) live += arena.sizeOf(slots[slot]!);
  assert.equal(arena.usedBytes, live, 'everything that was retired has been reclaimed');
});

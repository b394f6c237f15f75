/** The threads of the stress test, and the checks that both sides of it share. */
import assert from 'node:assert/strict';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { adler32 } from '../../src/base/checksum.ts';
import { Prng } from '../../src/base/prng.ts';
import { AgentLoop } from '../../src/shm/agent.ts';
import { Bell } from '../../src/shm/bell.ts';
import { Counters, type CountersHandle } from '../../src/shm/counters.ts';
import { EpochReader, type EpochsHandle } from '../../src/shm/epochs.ts';
import { type RecordHandler, RingConsumer, type RingHandle, RingProducer } from '../../src/shm/ring.ts';
import { GRAIN_SHIFT, SEGMENT_GRAIN_MASK, SEGMENT_GRAIN_SHIFT, Segments } from '../../src/shm/segments.ts';

export const RECORD_BYTES_MAX = 300;
const SEED = 42;

export type StressSetup =
  | {
      readonly role: 'producer';
      readonly ring: RingHandle;
      readonly records: number;
      readonly room: SharedArrayBuffer;
      readonly bells: readonly SharedArrayBuffer[];
    }
  | {
      readonly role: 'consumer';
      readonly ring: RingHandle;
      readonly index: number;
      readonly room: SharedArrayBuffer;
      readonly bell: SharedArrayBuffer;
    }
  | {
      readonly role: 'reader';
      readonly epochs: EpochsHandle;
      readonly index: number;
      readonly segments: readonly SharedArrayBuffer[];
      readonly slots: SharedArrayBuffer;
      readonly counters: CountersHandle;
    };

/** Checks kind, length and payload of every record against the producer's generator. */
export class StressChecker implements RecordHandler {
  received = 0;
  private readonly random = new Prng(SEED);
  private readonly consumer: RingConsumer;

  constructor(consumer: RingConsumer) {
    this.consumer = consumer;
  }

  onRecord(kind: number, offset: number, length: number): boolean {
    const expected = this.random.below(RECORD_BYTES_MAX);
    if (kind !== this.received % 1000 || length !== 4 + expected)
      assert.fail(`record ${this.received} is wrong`);
    const sum = adler32(this.consumer.bytes, offset + 4, offset + length, this.received);
    if (this.consumer.view.getUint32(offset) !== sum)
      assert.fail(`payload of record ${this.received} is wrong`);
    this.received++;
    return true;
  }
}

function produce(setup: StressSetup & { role: 'producer' }): void {
  const producer = new RingProducer(setup.ring);
  const bells = setup.bells.map((bell) => new Bell(bell));
  const room = new Bell(setup.room);
  const random = new Prng(SEED);
  const isHalfEmpty = (): boolean => producer.usedBytes <= setup.ring.capacity / 2;
  for (let record = 0; record < setup.records; record++) {
    const length = random.below(RECORD_BYTES_MAX);
    let offset = producer.claim(record % 1000, 4 + RECORD_BYTES_MAX);
    while (offset < 0) {
      producer.publish();
      for (const bell of bells) bell.ring();
      while (!isHalfEmpty()) room.parkBlocking(isHalfEmpty, 60_000);
      offset = producer.claim(record % 1000, 4 + RECORD_BYTES_MAX);
    }
    producer.bytes.fill(record, offset + 4, offset + 4 + length);
    producer.view.setUint32(offset, adler32(producer.bytes, offset + 4, offset + 4 + length, record));
    producer.commit(4 + length);
    if (record % 16 !== 15) continue;
    producer.publish();
    for (const bell of bells) bell.ring();
  }
  producer.publish();
  for (const bell of bells) bell.close();
}

function consume(setup: StressSetup & { role: 'consumer' }): void {
  const consumer = new RingConsumer(setup.ring, setup.index);
  const checker = new StressChecker(consumer);
  const room = new Bell(setup.room);
  new AgentLoop({
    agent: {
      role: 'stress-consumer',
      doWork: () => {
        const drained = consumer.drain(checker, 100);
        if (drained > 0) room.ring();
        return drained;
      },
    },
    bell: new Bell(setup.bell),
    hasWork: () => !consumer.isEmpty,
    nowMs: () => 0,
    parkMsMax: 60_000,
  }).run();
  parentPort!.postMessage(checker.received);
}

/** A record is its length in words, then that many words of one value, which is never 0. */
function read(setup: StressSetup & { role: 'reader' }): void {
  const section = new EpochReader(setup.epochs, setup.index);
  const { list } = new Segments(setup.segments);
  const slots = new Int32Array(setup.slots);
  const counters = new Counters(setup.counters);
  let newest = 0;
  let reads = 0;
  while (newest >= 0) {
    section.enter();
    for (let slot = 0; slot < slots.length; slot++) {
      const offset = Atomics.load(slots, slot);
      const words = list[offset >>> SEGMENT_GRAIN_SHIFT]!.words;
      const start = ((offset & SEGMENT_GRAIN_MASK) << GRAIN_SHIFT) >> 2;
      const count = words[start]!;
      const value = words[start + 1]!;
      for (let word = 1; word <= count; word++) {
        if (words[start + word] !== value || value === 0) assert.fail(`record in slot ${slot} changed`);
      }
      reads++;
    }
    section.leave();
    const value = counters.get(0);
    if (value >= 0 && value < newest) assert.fail('a counter went back');
    if (value >= 0 && value % COUNTER_STEP !== 0) assert.fail(`${value} is torn`);
    newest = value;
  }
  parentPort!.postMessage(reads);
}

/** Both halves of its multiples are equal. */
export const COUNTER_STEP = 2 ** 32 + 1;

if (!isMainThread) {
  const setup = workerData as StressSetup;
  if (setup.role === 'producer') produce(setup);
  else if (setup.role === 'consumer') consume(setup);
  else read(setup);
}

/**
 * The ring under the explorer: one producer, one or two consumers, records that wrap with padding, a ring that gets
 * full, positions that pass 2^31. Payload accesses are declared, so a record that is read while it is being written
 * shows as a wrong byte.
 */
import assert from 'node:assert/strict';
import { controlWords, LINE_WORDS } from '../../src/shm/region.ts';
import {
  createRing,
  type RecordHandler,
  RingConsumer,
  type RingHandle,
  RingProducer,
} from '../../src/shm/ring.ts';
import type { Model, Step } from './model.ts';

interface Shared {
  readonly ring: RingHandle;
  /** How many records were published, and how many each consumer got. */
  readonly counts: SharedArrayBuffer;
}

const CAPACITY = 64;
/** 24, 24 and 24 bytes with their headers: the third does not fit before the end. The last one fills half the ring. */
const LENGTHS = [16, 9, 12, 24];
const DATA = 0;
/** A multiple of the capacity, 48 before the positions overflow: the wrap and the overflow coincide. */
const START = 0x7fffffff - (CAPACITY - 1);

function ringModel(consumers: number, records: number, drains: number): Model<Shared> {
  return {
    createShared: () => ({
      ring: createRing(CAPACITY, consumers),
      counts: new SharedArrayBuffer(4 * (1 + consumers)),
    }),
    reset: ({ ring, counts }) => {
      new Uint8Array(ring.buffer).fill(0);
      new Int32Array(counts).fill(0);
      const control = controlWords(ring.buffer, 1 + consumers);
      for (let line = 0; line <= consumers; line++) control[line * LINE_WORDS] = START;
    },
    programs: [
      (shared, step) => produce(shared, step, records),
      ...Array.from({ length: consumers }, (_, index) => (shared: Shared, step: Step) => {
        const consumer = new RingConsumer(shared.ring, index);
        const checker = new Checker(consumer, step, 0);
        for (let turn = 0; turn < drains; turn++) consumer.drain(checker, 2);
        new Int32Array(shared.counts)[1 + index] = checker.received;
      }),
    ],
    check: ({ ring, counts }) => {
      const [published, ...received] = new Int32Array(counts);
      for (let index = 0; index < consumers; index++) {
        const consumer = new RingConsumer(ring, index);
        const checker = new Checker(consumer, null, received[index]!);
        consumer.drain(checker, 100);
        assert.equal(checker.received, published, 'every published record arrives once');
        assert.ok(consumer.isEmpty);
      }
    },
  };
}

/** Tries each record twice; a full ring ends the program. */
function produce({ ring, counts }: Shared, step: Step, records: number): void {
  const producer = new RingProducer(ring);
  for (let record = 0; record < records; record++) {
    const length = LENGTHS[record]!;
    let offset = producer.claim(record, length);
    if (offset < 0) offset = producer.claim(record, length);
    if (offset < 0) return;
    for (let half = 0; half < 2; half++) {
      step.access(DATA, true);
      producer.bytes.fill(record + 1, offset + (half * length) / 2, offset + ((half + 1) * length) / 2);
    }
    producer.commit(length);
    producer.publish();
    new Int32Array(counts)[0] = record + 1;
  }
}

class Checker implements RecordHandler {
  received: number;
  private readonly consumer: RingConsumer;
  private readonly step: Step | null;

  constructor(consumer: RingConsumer, step: Step | null, received: number) {
    this.consumer = consumer;
    this.step = step;
    this.received = received;
  }

  onRecord(kind: number, offset: number, length: number): boolean {
    assert.equal(kind, this.received, 'records arrive in order');
    assert.equal(length, LENGTHS[kind]);
    for (const at of [0, length - 1]) {
      this.step?.access(DATA, false);
      assert.equal(this.consumer.bytes[offset + at], kind + 1, 'payload of the record');
    }
    this.received++;
    return true;
  }
}

/** A consumer that gives the memory back before it has read it. */
function eagerConsumer({ ring }: Shared, step: Step): void {
  const control = controlWords(ring.buffer, 2);
  const consumer = new RingConsumer(ring);
  const checker = new Checker(consumer, step, 0);
  const tail = Atomics.load(control, 0);
  Atomics.store(control, LINE_WORDS, tail);
  consumer.drain(checker, 2);
}

export const models: Readonly<Record<string, Model<Shared>>> = {
  oneConsumer: ringModel(1, 4, 4),
  twoConsumers: ringModel(2, 3, 2),
  memoryGivenBackTooEarly: {
    ...ringModel(1, 4, 0),
    programs: [(shared, step) => produce(shared, step, 4), eagerConsumer],
    check: () => {},
  },
};

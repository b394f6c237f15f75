import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { controlWords, LINE_WORDS } from '../../src/shm/region.ts';
import {
  createRing,
  type RecordHandler,
  RingConsumer,
  type RingHandle,
  RingProducer,
} from '../../src/shm/ring.ts';

const CAPACITY = 256;

/** Moves a fresh ring to `position`, as if that many bytes had gone through it. */
function startAt(handle: RingHandle, position: number): void {
  const control = controlWords(handle.buffer, 1 + handle.consumers);
  for (let line = 0; line <= handle.consumers; line++) control[line * LINE_WORDS] = position;
}

function put(producer: RingProducer, kind: number, payload: Uint8Array): boolean {
  const offset = producer.claim(kind, payload.length);
  if (offset < 0) return false;
  producer.bytes.set(payload, offset);
  producer.commit(payload.length);
  return true;
}

class Collector implements RecordHandler {
  readonly records: { kind: number; payload: Uint8Array }[] = [];
  /** Refuses the record after this many. */
  refuseAfter = Number.POSITIVE_INFINITY;
  private readonly consumer: RingConsumer;

  constructor(consumer: RingConsumer) {
    this.consumer = consumer;
  }

  onRecord(kind: number, offset: number, length: number): boolean {
    if (this.records.length === this.refuseAfter) return false;
    assert.equal(offset % 8, 0);
    this.records.push({ kind, payload: this.consumer.bytes.slice(offset, offset + length) });
    return true;
  }
}

function text(...bytes: number[]): Uint8Array {
  return Uint8Array.from(bytes);
}

test('committed records are invisible until they are published, then arrive in order', () => {
  const handle = createRing(CAPACITY);
  const producer = new RingProducer(handle);
  const consumer = new RingConsumer(handle);
  const collector = new Collector(consumer);
  assert.ok(put(producer, 1, text(1, 2, 3)));
  assert.ok(put(producer, 2, text()));
  assert.ok(consumer.isEmpty);
  assert.equal(consumer.drain(collector, 10), 0);
  assert.ok(producer.publish());
  assert.equal(producer.publish(), false, 'nothing new');
  assert.ok(!consumer.isEmpty);
  assert.equal(consumer.usedBytes, 16 + 8);
  assert.equal(producer.usedBytes, 16 + 8);
  assert.equal(consumer.drain(collector, 10), 2);
  assert.deepEqual(collector.records, [
    { kind: 1, payload: text(1, 2, 3) },
    { kind: 2, payload: text() },
  ]);
  assert.ok(consumer.isEmpty);
  assert.equal(producer.usedBytes, 0);
});

test('a commit may keep less than was claimed and an abort keeps nothing', () => {
  const handle = createRing(CAPACITY);
  const producer = new RingProducer(handle);
  const consumer = new RingConsumer(handle);
  const collector = new Collector(consumer);
  producer.claim(1, 100);
  producer.abort();
  assert.equal(producer.publish(), false);
  const offset = producer.claim(2, 100);
  producer.bytes[offset] = 9;
  producer.commit(1);
  producer.publish();
  assert.equal(consumer.usedBytes, 16);
  consumer.drain(collector, 10);
  assert.deepEqual(collector.records, [{ kind: 2, payload: text(9) }]);
});

test('a refused record is delivered again, and the limit counts records', () => {
  const handle = createRing(CAPACITY);
  const producer = new RingProducer(handle);
  const consumer = new RingConsumer(handle);
  const collector = new Collector(consumer);
  for (let kind = 0; kind < 5; kind++) put(producer, kind, text(kind));
  producer.publish();
  collector.refuseAfter = 2;
  assert.equal(consumer.drain(collector, 10), 2);
  collector.refuseAfter = Number.POSITIVE_INFINITY;
  assert.equal(consumer.drain(collector, 1), 1);
  assert.equal(consumer.drain(collector, 10), 2);
  assert.deepEqual(
    collector.records.map((record) => record.kind),
    [0, 1, 2, 3, 4],
  );
});

test('a full ring says so, and a claim of the largest record succeeds once it is empty, wherever it stands', () => {
  const handle = createRing(CAPACITY);
  const producer = new RingProducer(handle);
  const consumer = new RingConsumer(handle);
  const collector = new Collector(consumer);
  const largest = new Uint8Array(producer.recordBytesMax);
  for (let turn = 0; turn < CAPACITY / 8; turn++) {
    let records = 0;
    while (put(producer, 1, largest)) records++;
    assert.ok(records >= 1 && records <= 2);
    producer.publish();
    assert.equal(consumer.drain(collector, 10), records);
    assert.ok(put(producer, 1, text()));
    producer.publish();
    assert.equal(consumer.drain(collector, 10), 1);
  }
});

test('misuse is an assertion', () => {
  const handle = createRing(CAPACITY);
  const producer = new RingProducer(handle);
  assert.throws(() => producer.commit(0), /without a claim/);
  assert.throws(() => producer.abort(), /without a claim/);
  assert.throws(() => producer.claim(-1, 8), /kinds are not negative/);
  assert.throws(() => producer.claim(1, producer.recordBytesMax + 1), /longer than half/);
  producer.claim(1, 8);
  assert.throws(() => producer.claim(1, 8), /while another is open/);
  assert.throws(() => producer.commit(9), /longer than it/);
  assert.throws(() => createRing(100), /power of two/);
  assert.throws(() => createRing(2 ** 31), /power of two/);
  assert.throws(() => new RingConsumer(handle, 1), /out of range/);
});

test('every consumer sees every record, and the slowest one decides what is free, also across int32 overflow', () => {
  const handle = createRing(CAPACITY, 2);
  startAt(handle, 0x7fffffff - 127);
  const producer = new RingProducer(handle);
  const fast = new RingConsumer(handle, 0);
  const slow = new RingConsumer(handle, 1);
  const fastCollector = new Collector(fast);
  const slowCollector = new Collector(slow);
  let sent = 0;
  for (let turn = 0; turn < 8; turn++) {
    while (put(producer, sent, text(sent))) {
      sent++;
      producer.publish();
      fast.drain(fastCollector, 1);
    }
    assert.equal(slow.usedBytes, CAPACITY, 'full for the slow one');
    assert.ok(fast.isEmpty);
    assert.equal(slow.drain(slowCollector, 4), 4);
    slow.drain(slowCollector, turn % 2 === 0 ? 1 : 0);
  }
  slow.drain(slowCollector, 100);
  assert.equal(slowCollector.records.length, sent);
  assert.deepEqual(fastCollector.records, slowCollector.records);
});

test('ends built later go on where the earlier ones were', () => {
  const handle = createRing(CAPACITY);
  const first = new RingProducer(handle);
  put(first, 1, text(1));
  first.publish();
  const second = new RingProducer(handle);
  put(second, 2, text(2));
  second.publish();
  const firstConsumer = new RingConsumer(handle);
  firstConsumer.drain(new Collector(firstConsumer), 1);
  const consumer = new RingConsumer(handle);
  const collector = new Collector(consumer);
  consumer.drain(collector, 10);
  assert.deepEqual(collector.records, [{ kind: 2, payload: text(2) }]);
});

type Command =
  | { readonly type: 'put'; readonly length: number; readonly keep: number }
  | { readonly type: 'publish' }
  | { readonly type: 'drain'; readonly consumer: number; readonly limit: number };

const COMMAND: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ type: fc.constant('put' as const), length: fc.nat(120), keep: fc.nat(120) }),
  fc.record({ type: fc.constant('publish' as const) }),
  fc.record({ type: fc.constant('drain' as const), consumer: fc.nat(1), limit: fc.nat(5) }),
);

test('any sequence of operations behaves like a queue, at any position', () => {
  fc.assert(
    fc.property(
      fc.array(COMMAND, { maxLength: 60 }),
      fc.nat(31),
      fc.boolean(),
      (commands, start, overflow) => {
        const handle = createRing(CAPACITY, 2);
        startAt(handle, ((overflow ? 0x7fffffff - 127 : 0) + start * 8) | 0);
        const producer = new RingProducer(handle);
        const consumers = [new RingConsumer(handle, 0), new RingConsumer(handle, 1)];
        const collectors = consumers.map((consumer) => new Collector(consumer));
        const sent: Uint8Array[] = [];
        let published = 0;
        for (const command of commands) {
          if (command.type === 'publish') {
            producer.publish();
            published = sent.length;
          } else if (command.type === 'drain') {
            const collector = collectors[command.consumer]!;
            const before = collector.records.length;
            const drained = consumers[command.consumer]!.drain(collector, command.limit);
            assert.equal(drained, Math.min(command.limit, published - before));
          } else {
            const offset = producer.claim(sent.length, command.length);
            if (offset < 0) continue;
            const payload = new Uint8Array(Math.min(command.keep, command.length)).fill(sent.length + 1);
            producer.bytes.fill(0xee, offset, offset + command.length);
            producer.bytes.set(payload, offset);
            producer.commit(payload.length);
            sent.push(payload);
          }
        }
        for (const collector of collectors) {
          const expected = sent
            .slice(0, collector.records.length)
            .map((payload, kind) => ({ kind, payload }));
          assert.deepEqual(collector.records, expected);
        }
      },
    ),
  );
});

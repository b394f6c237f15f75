import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecordQueue } from '../../../src/server/io/record-queue.ts';
import { createRing, RingConsumer, RingProducer } from '../../../src/shm/ring.ts';

const RECORD_BYTES_MAX = 120;

test('records leave in order and whole, however often the ring is full and emptied', () => {
  const step = fc.oneof(
    fc.record({ claim: fc.nat(RECORD_BYTES_MAX), keep: fc.float({ min: 0, max: 1, noNaN: true }) }),
    fc.constant('move' as const),
    fc.constant('drain' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const handle = createRing(256);
      const producer = new RingProducer(handle);
      const consumer = new RingConsumer(handle);
      const queue = new RecordQueue(RECORD_BYTES_MAX);
      const sent: string[] = [];
      const received: string[] = [];
      const handler = {
        onRecord(kind: number, offset: number, length: number): boolean {
          const bytes = Buffer.from(consumer.bytes.subarray(offset, offset + length));
          received.push(`${kind} ${bytes.toString('hex')}`);
          return true;
        },
      };
      const drain = (): void => {
        producer.publish();
        consumer.drain(handler, 1000);
      };
      steps.forEach((next, i) => {
        if (next === 'move') {
          queue.moveTo(producer);
        } else if (next === 'drain') {
          drain();
        } else {
          const length = Math.floor(next.claim * next.keep);
          const offset = queue.claim(i, next.claim);
          queue.bytes.fill(i & 0xff, offset, offset + length);
          queue.commit(length);
          sent.push(`${i} ${Buffer.alloc(length, i & 0xff).toString('hex')}`);
          assert.equal(queue.isEmpty, false);
        }
      });
      while (!queue.moveTo(producer)) drain();
      drain();
      assert.equal(queue.isEmpty, true);
      assert.deepEqual(received, sent);
    }),
  );
});

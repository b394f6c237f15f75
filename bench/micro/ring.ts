/**
 * The cost of a ring record: both ends on one thread (pure work, no cache misses), then producer and consumer on two
 * threads that wake each other by bells when the ring runs empty or full.
 */
import { Worker } from 'node:worker_threads';
import { Bell, createBell } from '../../src/shm/bell.ts';
import { createRing, RingConsumer, RingProducer } from '../../src/shm/ring.ts';
import { type MicroResult, measure, measureAcrossThreads, runIfMain } from './harness.ts';
import { DiscardHandler, RING_BYTES, type RingConsumerSetup } from './ring-consumer.ts';

const SIZES = [64, 1024];
const BATCHES = [1, 16, 128];

export async function benchRing(iterations: number): Promise<MicroResult[]> {
  const results: MicroResult[] = [];
  for (const size of SIZES) {
    for (const batch of BATCHES) {
      results.push(oneThread(size, batch, iterations));
      results.push(await twoThreads(size, batch, iterations));
    }
  }
  return results;
}

function oneThread(size: number, batch: number, iterations: number): MicroResult {
  const handle = createRing(RING_BYTES);
  const producer = new RingProducer(handle);
  const consumer = new RingConsumer(handle);
  const payload = new Uint8Array(size).fill(7);
  const handler = new DiscardHandler(consumer.bytes);
  return measure(`ring ${size} B, publish every ${batch}, one thread`, iterations, (count) => {
    for (let done = 0; done < count; done += batch) {
      for (let record = 0; record < batch; record++) put(producer, payload);
      producer.publish();
      consumer.drain(handler, batch);
    }
  });
}

async function twoThreads(size: number, batch: number, iterations: number): Promise<MicroResult> {
  const setup: RingConsumerSetup = { ring: createRing(RING_BYTES), work: createBell(), room: createBell() };
  const worker = new Worker(new URL('./ring-consumer.ts', import.meta.url), { workerData: setup });
  const producer = new RingProducer(setup.ring);
  const work = new Bell(setup.work);
  const room = new Bell(setup.room);
  const payload = new Uint8Array(size).fill(7);
  const isEmpty = (): boolean => producer.usedBytes === 0;
  const isHalfEmpty = (): boolean => producer.usedBytes <= RING_BYTES / 2;
  const result = await measureAcrossThreads(
    `ring ${size} B, publish every ${batch}, two threads`,
    iterations,
    async (count) => {
      for (let done = 0; done < count; ) {
        for (let record = 0; record < batch && put(producer, payload); record++) done++;
        if (producer.publish()) work.ring();
        else while (!isHalfEmpty()) room.parkBlocking(isHalfEmpty, 1000);
      }
      while (!isEmpty()) room.parkBlocking(isEmpty, 1000);
    },
  );
  work.close();
  await new Promise((resolve) => worker.once('exit', resolve));
  return result;
}

function put(producer: RingProducer, payload: Uint8Array): boolean {
  const offset = producer.claim(1, payload.length);
  if (offset < 0) return false;
  producer.bytes.set(payload, offset);
  producer.commit(payload.length);
  return true;
}

await runIfMain(import.meta.url, benchRing, 1_000_000);

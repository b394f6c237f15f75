/** The consuming thread of the ring benchmark, and the handler that both of its variants use. */
import { isMainThread, workerData } from 'node:worker_threads';
import { AgentLoop } from '../../src/shm/agent.ts';
import { Bell } from '../../src/shm/bell.ts';
import { type RecordHandler, RingConsumer, type RingHandle } from '../../src/shm/ring.ts';

export const RING_BYTES = 1 << 20;

export interface RingConsumerSetup {
  readonly ring: RingHandle;
  readonly work: SharedArrayBuffer;
  readonly room: SharedArrayBuffer;
}

/** Looks at one byte of each record, so that reading it cannot be optimised away. */
export class DiscardHandler implements RecordHandler {
  sum = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  onRecord(_kind: number, offset: number, length: number): boolean {
    this.sum = (this.sum + this.bytes[offset]! + length) | 0;
    return true;
  }
}

function consume(setup: RingConsumerSetup): void {
  const consumer = new RingConsumer(setup.ring);
  const handler = new DiscardHandler(consumer.bytes);
  const room = new Bell(setup.room);
  new AgentLoop({
    agent: {
      role: 'ring-consumer',
      doWork: () => {
        const drained = consumer.drain(handler, 1024);
        if (drained > 0) room.ring();
        return drained;
      },
    },
    bell: new Bell(setup.work),
    hasWork: () => !consumer.isEmpty,
    nowMs: () => 0,
    parkMsMax: 1000,
  }).run();
}

if (!isMainThread) consume(workerData as RingConsumerSetup);

/**
 * What an io thread counts: requests and their batches (one chunk of one socket each), and how often it had to stop
 * reading a socket. Counting is plain arithmetic; shared memory is written a few times a second and when a
 * four-letter word passes through, so that its answer knows everything up to it.
 */
import type { CountersHandle } from '../../shm/counters.ts';
import { createDistribution, type DistributionHandle, DistributionRecorder } from './shared-distribution.ts';
import { createThreadMeter, type ThreadMeterHandle } from './thread-meter.ts';
import { createTotals, Totals } from './totals.ts';

export const IoTotal = {
  /** Of frames handed to the core, without their lengths. */
  requestBytes: 0,
  /** Sockets paused because their connection had its window full, all connections together their limit, or the ring
   * to the core no room. */
  pausesWindow: 1,
  pausesOutstanding: 2,
  pausesRing: 3,
  /** Connections closed: at accept, for a bad length, without a session, for not reading (by its own bound, by that of
   * all together). */
  refused: 4,
  malformed: 5,
  sessionless: 6,
  slow: 7,
  /** Requests in flight; goes up and down. */
  outstanding: 8,
  greedy: 9,
  /** Memory of replies that have not been sent; goes up and down. */
  unreadBytes: 10,
} as const;
export type IoTotal = (typeof IoTotal)[keyof typeof IoTotal];

export interface IoMeterHandle {
  readonly thread: ThreadMeterHandle;
  readonly totals: CountersHandle;
  /** Requests per batch. */
  readonly batches: DistributionHandle;
}

export function createIoMeter(role: string): IoMeterHandle {
  return {
    thread: createThreadMeter(role),
    totals: createTotals(IoTotal),
    batches: createDistribution(),
  };
}

export class IoMeter {
  /** Brings `totals` and what the thread costs up to date, before they are published. */
  collect: (asked: boolean) => void = () => {};
  readonly totals: Totals;
  private readonly batches: DistributionRecorder;
  private requests = 0;
  private bytes = 0;

  constructor(handle: IoMeterHandle) {
    this.totals = new Totals(handle.totals);
    this.batches = new DistributionRecorder(handle.batches);
  }

  /** The core has taken a frame. */
  onRequest(bytes: number): void {
    this.requests++;
    this.bytes += bytes;
  }

  /** The end of a batch, if there was one. */
  onChunkEnd(): void {
    if (this.requests === 0) return;
    this.batches.add(this.requests);
    this.totals.add(IoTotal.requestBytes, this.bytes);
    this.requests = 0;
    this.bytes = 0;
  }

  /** `asked`: a four-letter word passes through. */
  publish(asked: boolean): void {
    this.collect(asked);
    this.totals.publish();
    this.batches.publish();
  }
}

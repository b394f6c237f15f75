/** What snapshots cost: each one's duration and size, written by whoever has written it, and the thread's own costs. */
import type { CountersHandle } from '../../shm/counters.ts';
import { createDistribution, type DistributionHandle, DistributionRecorder } from './shared-distribution.ts';
import { createThreadMeter, type ThreadMeterHandle } from './thread-meter.ts';
import { createTotals, Totals } from './totals.ts';

export const SnapshotTotal = { nodes: 0, bytes: 1 } as const;

export interface SnapshotMeterHandle {
  readonly thread: ThreadMeterHandle;
  readonly totals: CountersHandle;
  /** Microseconds from the begin to the file's rename. */
  readonly durations: DistributionHandle;
}

export function createSnapshotMeter(): SnapshotMeterHandle {
  return {
    thread: createThreadMeter('snapshot'),
    totals: createTotals(SnapshotTotal),
    durations: createDistribution(),
  };
}

export class SnapshotMeter {
  private readonly totals: Totals;
  private readonly durations: DistributionRecorder;

  constructor(handle: SnapshotMeterHandle) {
    this.totals = new Totals(handle.totals);
    this.durations = new DistributionRecorder(handle.durations);
  }

  onWritten(nodes: number, bytes: number, elapsedMs: number): void {
    this.totals.add(SnapshotTotal.nodes, nodes);
    this.totals.add(SnapshotTotal.bytes, bytes);
    this.durations.add(elapsedMs * 1000);
    this.totals.publish();
    this.durations.publish();
  }
}

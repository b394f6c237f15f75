/** Where a thread's meter has its figures from: the thread itself, or somebody who plays one. */
import type { GcPauses } from './gc-pauses.ts';

/** What a thread costs, since it began. */
export interface ThreadUsage {
  readonly gc: GcPauses;
  cpuMicros(): number;
}

export interface LoopUsage extends ThreadUsage {
  /** The time it did not wait for the kernel. */
  busyMs(): number;
}

/** What the kernel has charged to the calling thread; asking costs 1 to 5 microseconds. */
export function cpuMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

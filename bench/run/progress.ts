/** What a run tells while it goes on; who shows it is terminal/progress.ts. */
/** What a run tells about its progress. `start` and `stop` frame it; after `stop` it may start again. */
export interface Progress {
  start(totalMs: number): void;
  update(doneMs: number, state: ProgressState): void;
  stop(): void;
}

export interface ProgressState {
  /** The phase. */
  readonly label: string;
  /** Since the last update, as is `p99Ms`. */
  readonly ratePerSecond: number;
  /** Null when nothing was answered. */
  readonly p99Ms: number | null;
  /** Since the start of the phase. */
  readonly errors: number;
}

export function silentProgress(): Progress {
  return { start: () => {}, update: () => {}, stop: () => {} };
}

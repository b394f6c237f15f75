/**
 * What a run tells while it goes on; who shows it is terminal/progress.ts. `start` and `stop` frame it; after `stop` it may
 * start again, as in a series, which says but once that it starts.
 */
export interface Progress {
  /** Null: how long it will take is not known, and `update` is told the share that is done, 0 to 1. */
  /** `each`: of which run this is one, in words: `each of 16 runs`. */
  start(totalMs: number | null, each?: string): void;
  /** What goes on beside the phases' own time, in a few words. */
  stage(what: string): void;
  update(done: number, state: ProgressState): void;
  stop(): void;
}

export interface ProgressState {
  /** The phase. */
  readonly label: string;
  /** Since the last update, as is `p99Ms`. Null while nothing is counted. */
  readonly ratePerSecond: number | null;
  /** Null when nothing was answered. */
  readonly p99Ms: number | null;
  /** Since the start of the phase; null likewise. */
  readonly errors: number | null;
}

/** Whoever ends first stops it; later calls do nothing. */
export function stoppedOnce(progress: Progress): Progress {
  let stopped = false;
  return {
    start: (totalMs, each) => progress.start(totalMs, each),
    stage: (what) => progress.stage(what),
    update: (doneMs, state) => progress.update(doneMs, state),
    stop: () => {
      if (!stopped) progress.stop();
      stopped = true;
    },
  };
}

export function silentProgress(): Progress {
  return { start: () => {}, stage: () => {}, update: () => {}, stop: () => {} };
}

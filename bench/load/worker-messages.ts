/** What controller and generator workers say to each other. One command at a time, one answer to each but `stop`. */
import type { Scenario } from '../plan.ts';
import type { Address } from './load-connection.ts';

export interface WorkerSetting {
  readonly scenario: Scenario;
  readonly address: Address;
  readonly workerIndex: number;
}

export type Command =
  | { readonly kind: 'open' }
  | { readonly kind: 'createKeys' | 'deleteKeys' }
  | {
      readonly kind: 'phase';
      readonly phaseIndex: number;
      readonly counters: SharedArrayBuffer;
      /** Start on the machine's monotonic clock, the same for all workers. */
      readonly startMs: number;
    }
  /** Ends the running phase now; its answer then comes early. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'close' };

export interface WorkerPhaseReport {
  /** Measured time: shorter than planned after `stop`. */
  readonly measuredMs: number;
  readonly replies: number;
  readonly lost: number;
  readonly unanswered: number;
  readonly disorder: number;
  readonly dropped: number;
  /** Error code -> count. */
  readonly errors: ReadonlyMap<number, number>;
  /** CPU time of this thread over the measured time. */
  readonly cpuMicros: number;
}

export type Answer =
  | { readonly ok: true; readonly report: WorkerPhaseReport | null }
  | { readonly ok: false; readonly message: string };

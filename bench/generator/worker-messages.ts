/** What controller and generator workers say to each other. One command at a time, one answer to each but `stop`. */

import type { Address } from '../base/address.ts';
import type { PhaseGrid } from '../load/load-phase.ts';
import type { PhaseCountersHandle } from '../load/phase-counters.ts';
import type { UnansweredCount } from '../load/unanswered.ts';
import type { WatchDelaysHandle } from '../load/watch-delays.ts';
import type { Plan } from '../plan/plan.ts';

export interface WorkerSetting {
  readonly plan: Plan;
  /** Those the load connects to. */
  readonly addresses: readonly Address[];
  readonly workerIndex: number;
}

export type Command =
  | { readonly kind: 'open' }
  | { readonly kind: 'createKeys' | 'deleteKeys' }
  | {
      readonly kind: 'phase';
      readonly phaseIndex: number;
      /** The phase's load before the phase: nothing of it is measured. */
      readonly warmUp: boolean;
      readonly counters: PhaseCountersHandle;
      readonly delays: WatchDelaysHandle;
      /** Null without `check`. */
      readonly history: SharedArrayBuffer | null;
      readonly grid: PhaseGrid;
    }
  /** Ends the running phase now; its answer then comes early. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'close' };

/** What one server had of a worker's load. */
export interface ServerShare {
  /** At the end of the measured time. */
  readonly connections: number;
  /** Replies over the measured time, errors included; null for clients of a recipe, which count rounds. */
  readonly answered: number | null;
}

export interface WorkerPhaseReport {
  /** Measured time: shorter than planned after `stop`, or when a recipe's work was done. */
  readonly measuredMs: number;
  readonly lost: number;
  readonly unanswered: number;
  /** How long those and the lost ones of the measured time waited. */
  readonly unansweredCounts: readonly UnansweredCount[];
  readonly disorder: number;
  readonly dropped: number;
  readonly events: number;
  readonly eventsBeforeAck: number;
  /** Of each address of the load. */
  readonly servers: readonly ServerShare[];
  /** Error code -> count. */
  readonly errors: ReadonlyMap<number, number>;
  /** CPU time of this thread over the measured time. */
  readonly cpuMicros: number;
  readonly gcPauseMaxMs: number;
  /** Over the measured time. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export type Answer =
  | { readonly ok: true; readonly report: WorkerPhaseReport | null }
  | { readonly ok: false; readonly message: string; readonly trouble: Trouble };

/** What kept a worker from doing as it was told. */
export type Trouble =
  /** Not all sessions could be opened; `reason` of the first that was not. */
  | { readonly kind: 'sessions'; readonly opened: number; readonly reason: string }
  /** The connection ended under the requests of the set-up. */
  | { readonly kind: 'lost' }
  /** The service answered a request of the set-up with an error. */
  | { readonly kind: 'refused'; readonly code: number }
  /** A fault of the engine. */
  | { readonly kind: 'defect' };

/** A command was not done, for a reason that is not the engine's. */
export class GeneratorTrouble extends Error {
  override readonly name = 'GeneratorTrouble';
  readonly trouble: Exclude<Trouble, { kind: 'defect' }>;

  constructor(message: string, trouble: Exclude<Trouble, { kind: 'defect' }>) {
    super(message);
    this.trouble = trouble;
  }
}

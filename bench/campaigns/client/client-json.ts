/** The document of the campaign. */
import type { RatioEstimate } from '../../result/compare-json.ts';
import type { CampaignHead } from '../campaign.ts';

export const TASKS = ['gets', 'single', 'pair', 'tree', 'lock'] as const;
export type Task = (typeof TASKS)[number];

/** What one process measured, as it prints it. */
export interface Sample {
  readonly ops: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly p50Micros: number | null;
  readonly p99Micros: number | null;
  readonly allocatedBytes: number | null;
  /** Of a raw socket in the same process, in turn; only of the task `pair`. */
  readonly rawMicros?: number;
}

export interface RoundSample extends Sample {
  readonly round: number;
  readonly client: string;
  readonly task: Task;
}

/** Medians over the rounds. */
export interface ClientFigures {
  readonly client: string;
  readonly task: Task;
  readonly samples: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly cpuMicrosPerOp: number;
  readonly p50Micros: number | null;
  readonly p99Micros: number | null;
  readonly allocatedBytesPerOp: number | null;
}

export interface TargetLine {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  /** Null: who it is compared with is not here. */
  readonly met: boolean | null;
  readonly ratio: RatioEstimate | null;
}

export interface ClientCampaignResult extends CampaignHead {
  readonly server: string;
  readonly rounds: number;
  readonly secondsEach: number;
  readonly nodes: number;
  /** Who took part, with versions. */
  readonly clients: readonly { readonly name: string; readonly what: string }[];
  readonly absent: readonly { readonly name: string; readonly why: string }[];
  readonly samples: readonly RoundSample[];
  readonly figures: readonly ClientFigures[];
  readonly targets: readonly TargetLine[];
}

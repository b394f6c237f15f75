/**
 * A plan is data: what tree to build, who sends what for how long, how availability is probed, what is varied.
 * These are the checked and completed values; `schema.ts` makes them from YAML, and everything behind it may take
 * them as they are. The engine runs any plan against any target; nothing in here knows sockets or threads.
 * Durations are milliseconds, sizes bytes, rates requests per second over all connections.
 */

export const LOAD_OPS = [
  'get',
  'exists',
  'getChildren',
  'set',
  'create',
  'delete',
  'multi',
  'multiRead',
  'sync',
  'watch',
] as const;
export type LoadOp = (typeof LOAD_OPS)[number];

export const CREATE_MODES = [
  'persistent',
  'ephemeral',
  'persistentSequential',
  'ephemeralSequential',
  'ttl',
  'container',
] as const;
export type CreateMode = (typeof CREATE_MODES)[number];

export type KeyChoice =
  | { readonly kind: 'uniform' }
  | { readonly kind: 'sequential' }
  /** P(k) ~ 1 / (k + 1)^exponent over a seeded shuffle of the keys. */
  | { readonly kind: 'zipf'; readonly exponent: number }
  /** `requestShare` of the requests go to `keyShare` of the keys. */
  | { readonly kind: 'hotSet'; readonly keyShare: number; readonly requestShare: number };

export type Sizes =
  | { readonly kind: 'fixed'; readonly bytes: number }
  | { readonly kind: 'uniform'; readonly min: number; readonly max: number }
  | {
      readonly kind: 'weighted';
      readonly choices: readonly { readonly bytes: number; readonly weight: number }[];
    };

export interface CountRange {
  readonly min: number;
  readonly max: number;
}

/** One kind of request of a mix. `label` names it in results and is unique within the phase. */
export type MixEntry = { readonly weight: number; readonly label: string } & (
  | { readonly op: 'get' | 'exists' | 'getChildren' | 'set' | 'delete' | 'sync' }
  | { readonly op: 'create'; readonly mode: CreateMode; readonly ttlMs: number }
  /** Atomic, of `count` operations: sets of existing keys, version checks, or a create and a delete in turn. */
  | { readonly op: 'multi'; readonly of: 'set' | 'check' | 'createDelete'; readonly count: CountRange }
  | { readonly op: 'multiRead'; readonly of: 'get' | 'getChildren'; readonly count: CountRange }
  /** A read that leaves a one-shot watch; its event is measured as `<label> event`. */
  | { readonly op: 'watch'; readonly on: 'data' | 'exists' | 'children' }
);

export type Arrival =
  /** Every connection keeps its window full: latency counts from the instant of sending. */
  | { readonly kind: 'closed'; readonly thinkTimeMs: number }
  /** Requests are due at a rate, whatever the server does: latency counts from the instant they were due. */
  | {
      readonly kind: 'open';
      readonly gaps: 'constant' | 'poisson';
      /** One step, or several one after another; the last one lasts to the end of the phase. */
      readonly steps: readonly { readonly ratePerSecond: number; readonly forMs: number }[];
      /** What happens to a request that is due while the window is full. */
      readonly late: 'drop' | 'backlog';
    };

export type Load =
  | {
      readonly kind: 'mix';
      readonly entries: readonly MixEntry[];
      readonly keys: KeyChoice;
      /** Of sets and creates. */
      readonly values: Sizes;
      readonly arrival: Arrival;
    }
  | RecipeLoad;

export const LIBRARY_RECIPES = ['lock', 'election', 'barrier', 'queue', 'discovery'] as const;
export type LibraryRecipe = (typeof LIBRARY_RECIPES)[number];

/** Clients that react to replies and events; each connection is one client. */
export type RecipeLoad =
  /** Opens a session, sends one read, closes it, again; `abrupt` drops the connection instead. */
  | { readonly kind: 'sessionStorm'; readonly abrupt: boolean }
  /** One writer sets each of `znodes` in turn, `writesPerSecond` in all; every other connection watches all of them. */
  | { readonly kind: 'watchFanout'; readonly znodes: number; readonly writesPerSecond: number }
  /** Ephemeral sequential znodes under one of `locks`; waits by watching the predecessor; holds for `holdMs`. */
  | { readonly kind: 'lock'; readonly locks: number; readonly holdMs: number }
  /** Enters `barriers` double barriers of all connections, then leaves them all (ATC'10, table 3). Ends when done. */
  | { readonly kind: 'doubleBarrier'; readonly barriers: number }
  /** `ringkeeper/recipes` as users run it, on `objects` paths; locks and leaderships are held for `holdMs`. */
  | {
      readonly kind: 'library';
      readonly recipe: LibraryRecipe;
      readonly objects: number;
      readonly holdMs: number;
    }
  /** Create, wait, delete without waiting, again (ATC'10, table 2). */
  | { readonly kind: 'createThenDelete'; readonly values: Sizes };

export interface TreePlan {
  /** Parent of everything the run makes; made before the run and removed after it. */
  readonly root: string;
  readonly keyCount: number;
  /** The keys are spread over this many directories under `root`; 1 = one flat directory. */
  readonly directories: number;
  readonly values: Sizes;
}

export interface PhasePlan {
  readonly name: string;
  readonly load: Load;
  /** Never measured. More is cut where the steady state begins later. */
  readonly warmupMs: number;
  readonly measureMs: number;
  /** Connections join (closed loop) or the rate rises (open loop) over this time, inside the warm-up. */
  readonly rampMs: number;
  /** The server that leads is killed so long after the measured time has begun; absent: nobody is. Last phase only. */
  readonly killLeaderMs?: number;
}

export interface ProbePlan {
  readonly periodMs: number;
  /** An answer later than this after the probe was due does not count as up. */
  readonly deadlineMs: number;
}

/** A figure published by somebody else for the same load, drawn in grey. Never used in a verdict. */
export interface Reference {
  readonly label: string;
  readonly source: string;
  readonly phase: string;
  readonly metric: 'throughput' | 'latencyMeanMs' | 'p99Ms';
  readonly value: number;
  /** For sweeps: the value of the swept parameter at which it was measured. */
  readonly at: number | null;
  /** Of an ensemble of so many servers; absent where the size is not known. */
  readonly servers?: number;
  /** The label without the size: figures of all sizes together. */
  readonly curve?: string;
}

/** One swept parameter: a dotted path into the plan file, and its values. */
export interface SweepAxis {
  readonly path: string;
  readonly values: readonly (number | string)[];
}

/** Looks for the highest open-loop rate of a phase at which p99 stays within the bound. */
export interface SearchPlan {
  readonly phase: string;
  readonly p99MsMax: number;
  readonly from: number;
  readonly to: number;
  readonly replicates: number;
}

/** `spread`: over all in turn; `nearest`: the one with the shortest round trip. */
export const PLACEMENTS = ['spread', 'leader', 'followers', 'observers', 'nearest'] as const;
export type Placement = (typeof PLACEMENTS)[number];

export interface Plan {
  readonly name: string;
  readonly description: string;
  readonly seed: number;
  readonly tree: TreePlan;
  readonly connectionCount: number;
  /** Requests a connection has in flight at most. */
  readonly outstanding: number;
  readonly workerCount: number;
  readonly sessionTimeoutMs: number;
  /** Which servers of several the load connects to. */
  readonly connectTo: Placement;
  readonly phases: readonly PhasePlan[];
  readonly probes: ProbePlan;
  /** A reply within this time is goodput; null = no such figure. */
  readonly sloMs: number | null;
  /** Record the history and check it (order, lost writes, linearizability, watches). */
  readonly check: boolean;
  readonly references: readonly Reference[];
  readonly sweep: readonly SweepAxis[];
  readonly search: SearchPlan | null;
}

export const LIMITS = {
  connectionCount: { min: 1, max: 20_000 },
  outstanding: { min: 1, max: 4_096 },
  workerCount: { min: 1, max: 256 },
  keyCount: { min: 1, max: 5_000_000 },
  valueBytes: { min: 0, max: 1_000_000 },
  phaseMs: { min: 10, max: 86_400_000 },
  ratePerSecond: { min: 1, max: 50_000_000 },
  probePeriodMs: { min: 1, max: 60_000 },
  zipfExponent: { min: 0.01, max: 10 },
  multiCount: { min: 1, max: 1_000 },
} as const;

/** Where a plan is not as it was written, what it says of itself goes on: a sentence without its full stop. */
export function describedFurther(plan: Plan, sentence: string): Plan {
  const own = plan.description.trim().replace(/\.$/, '');
  return { ...plan, description: own === '' ? sentence : `${own}. ${sentence}` };
}

/** Planned duration of all phases, without set-up and tear-down. */
export function plannedMs(plan: Plan): number {
  return plan.phases.reduce((sum, phase) => sum + phase.warmupMs + phase.measureMs, 0);
}

/** Mean size, for estimates and one-line descriptions. */
export function meanBytes(sizes: Sizes): number {
  if (sizes.kind === 'fixed') return sizes.bytes;
  if (sizes.kind === 'uniform') return (sizes.min + sizes.max) / 2;
  const weight = sizes.choices.reduce((sum, choice) => sum + choice.weight, 0);
  return sizes.choices.reduce((sum, choice) => sum + choice.bytes * choice.weight, 0) / weight;
}

export function maxBytes(sizes: Sizes): number {
  if (sizes.kind === 'fixed') return sizes.bytes;
  return sizes.kind === 'uniform' ? sizes.max : Math.max(...sizes.choices.map(({ bytes }) => bytes));
}

export function minBytes(sizes: Sizes): number {
  if (sizes.kind === 'fixed') return sizes.bytes;
  return sizes.kind === 'uniform' ? sizes.min : Math.min(...sizes.choices.map(({ bytes }) => bytes));
}

/** The data of one request at most (what a service must take: jute.maxbuffer), and the key of the plan that makes it so. */
export interface LargestRequest {
  readonly bytes: number;
  /** As `--set` takes it. */
  readonly key: string;
}

export function largestRequest({ tree, phases }: Plan): LargestRequest {
  const all: LargestRequest[] = [{ bytes: maxBytes(tree.values), key: 'tree.values' }];
  for (const { name, load } of phases) {
    const phase = `phases.${name}`;
    if (load.kind === 'createThenDelete') {
      all.push({ bytes: maxBytes(load.values), key: `${phase}.recipe.createThenDelete.values` });
    }
    if (load.kind !== 'mix') continue;
    const valueBytes = maxBytes(load.values);
    for (const entry of load.entries) {
      if (entry.op === 'set' || entry.op === 'create')
        all.push({ bytes: valueBytes, key: `${phase}.values` });
      if (entry.op !== 'multi' || entry.of === 'check') continue;
      all.push({ bytes: entry.count.max * valueBytes, key: `${phase}.mix.${entry.label}.ops` });
    }
  }
  return all.reduce((largest, one) => (one.bytes > largest.bytes ? one : largest));
}

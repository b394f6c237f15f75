/**
 * The load of a soak: what a busy service's clients do, all at once and for long. Three plans of the engine:
 *
 *     peak       the mix in a closed loop for a few seconds, on a server of its own: what is 100 % here
 *     mixed      the same mix in an open loop at a share of that: reads, writes, ephemerals, multis, watches, lists
 *     sessions   a few clients that open a session, read, and close it, over and over, beside it
 */
import type { MixEntry, Plan } from '../../plan/plan.ts';
import { buildPlan } from '../../plan/schema.ts';

const DESCRIPTION = 'steady under load: mixed requests, ephemerals, watches, sessions and snapshots';

/** Weights are percent. Creates and deletes are equally many, so that the tree keeps its size. */
const MIX = {
  get: 40,
  exists: 8,
  getChildren: 4,
  set: 20,
  'create-ephemeral': { op: 'create', mode: 'ephemeral', weight: 2 },
  'create-ephemeral-sequential': { op: 'create', mode: 'ephemeralSequential', weight: 4 },
  'create-sequential': { op: 'create', mode: 'persistentSequential', weight: 2 },
  delete: 8,
  'multi-set': { op: 'multi', of: 'set', ops: [2, 4], weight: 3 },
  'multi-create': { op: 'multi', of: 'createDelete', ops: [2, 4], weight: 2 },
  'watch-data': { op: 'watch', on: 'data', weight: 4 },
  'watch-exists': { op: 'watch', on: 'exists', weight: 1 },
  'watch-children': { op: 'watch', on: 'children', weight: 2 },
} as const;
const TREE = {
  znodes: 20_000,
  directories: 100,
  values: { weighted: { '100B': 16, '500B': 3, '4KiB': 1 } },
} as const;
/** Each probe is a session, a write or a read of its own: rarely, so that the loads are what the server feels. */
const PROBES = { period: '500ms' } as const;
const CONNECTIONS = 40;
const OUTSTANDING = 20;

export interface SoakTimes {
  readonly warmupMs: number;
  readonly measureMs: number;
}

export function peakPlan(times: SoakTimes): Plan {
  return mixedPlan('peak', times, 'closed');
}

export function pacedPlan(ratePerSecond: number, times: SoakTimes): Plan {
  return mixedPlan('mixed', times, { rate: ratePerSecond, gaps: 'poisson' });
}

export function sessionsPlan(clients: number, { warmupMs, measureMs }: SoakTimes): Plan {
  return buildPlan(
    {
      name: 'sessions',
      description: DESCRIPTION,
      connections: clients,
      tree: { root: '/soak-sessions', znodes: 1, values: '100B' },
      probes: PROBES,
      phases: {
        sessions: { recipe: 'sessionStorm', warmup: `${warmupMs}ms`, measure: `${measureMs}ms` },
      },
    },
    'the soak',
  );
}

function mixedPlan(name: string, { warmupMs, measureMs }: SoakTimes, arrival: object | 'closed'): Plan {
  return buildPlan(
    {
      name,
      description: DESCRIPTION,
      connections: CONNECTIONS,
      outstanding: OUTSTANDING,
      tree: { root: '/soak', ...TREE },
      probes: PROBES,
      phases: {
        [name]: { mix: MIX, arrival, warmup: `${warmupMs}ms`, measure: `${measureMs}ms` },
      },
    },
    'the soak',
  );
}

/** Share of a mix's requests that become transactions of the log. */
export function writeShare(plan: Plan): number {
  const entries = plan.phases.flatMap(({ load }) => (load.kind === 'mix' ? load.entries : []));
  const weigh = (some: readonly MixEntry[]): number => some.reduce((sum, { weight }) => sum + weight, 0);
  return weigh(entries.filter(({ op }) => WRITES.has(op))) / weigh(entries);
}

const WRITES: ReadonlySet<string> = new Set(['set', 'create', 'delete', 'multi']);

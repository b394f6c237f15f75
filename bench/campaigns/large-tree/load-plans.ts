/**
 * What the tree is put under: 70 % reads, 30 % writes of 100 bytes, keys all over the wide tree, through 50 connections.
 *
 *     peak    closed loop, 50 x 20 in flight, some seconds: what is 100 % here
 *     paced   open loop at a share of that, until enough snapshots have come and gone
 *
 * The generator sends a tape of 65,536 ready requests again and again, so that it costs little beside the server: reads
 * and writes go to as many different znodes as that.
 */
import type { Plan } from '../../plan/plan.ts';
import { buildPlan } from '../../plan/schema.ts';
import { WIDE_ROOT, wideTree } from './trees.ts';

export const WRITE_SHARE = 0.3;
const MIX = { get: 70, set: 30 };
const CONNECTIONS = 50;
const OUTSTANDING = 20;

export interface PhaseTimes {
  readonly warmupMs: number;
  readonly measureMs: number;
}

export function peakPlan(nodes: number, times: PhaseTimes): Plan {
  return loadPlan('peak', nodes, times, 'closed');
}

export function pacedPlan(nodes: number, ratePerSecond: number, times: PhaseTimes): Plan {
  return loadPlan('paced', nodes, times, { rate: ratePerSecond, gaps: 'poisson' });
}

function loadPlan(name: string, nodes: number, times: PhaseTimes, arrival: object | 'closed'): Plan {
  const { keyCount, directories } = wideTree(nodes);
  return buildPlan(
    {
      name,
      connections: CONNECTIONS,
      outstanding: OUTSTANDING,
      workers: 1,
      tree: { root: WIDE_ROOT, znodes: keyCount, directories, values: '100B' },
      phases: {
        [name]: { mix: MIX, arrival, warmup: `${times.warmupMs}ms`, measure: `${times.measureMs}ms` },
      },
    },
    'the large tree',
  );
}

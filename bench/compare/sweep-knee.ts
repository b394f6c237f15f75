/**
 * Which of the axes of a sweep is a load, and where throughput stops growing along it. What counts is not the axis'
 * name but what it does to the plan: requests in flight (closed loop), requests per second (open loop), or clients
 * (recipes) must rise with every value.
 */
import { median } from 'simple-statistics';
import type { PhasePlan, Plan } from '../plan/plan.ts';
import type { Sweep } from '../result/compare-json.ts';
import { findKnee } from '../stats/knee.ts';

/** One combination of values, as planned and as measured. */
export interface SweptPoint {
  readonly at: readonly (number | string)[];
  readonly plan: Plan;
  /** Phase name -> throughput of each replicate. */
  readonly throughputs: ReadonlyMap<string, readonly number[]>;
}

/** The bend is found to a few per cent. */
const KNEE_DIGITS = 3;

type KneeEntry = Sweep['knee'][number];

/** Along the first axis, per phase, and per combination of the other axes in the order of the points. */
export function sweepKnees(points: readonly SweptPoint[]): KneeEntry[] {
  const slices = new Map<string, SweptPoint[]>();
  for (const point of points) {
    const key = JSON.stringify(point.at.slice(1));
    slices.set(key, [...(slices.get(key) ?? []), point]);
  }
  const phases = points[0]?.plan.phases ?? [];
  return phases.flatMap(({ name }) => [...slices.values()].flatMap((slice) => kneeOf(slice, name)));
}

function kneeOf(slice: readonly SweptPoint[], phase: string): KneeEntry[] {
  const sorted = [...slice].sort((x, y) => Number(x.at[0]) - Number(y.at[0]));
  const loads = sorted.map(({ plan }) => offeredLoad(plan, phase));
  const rises = loads.every((load, at) => at === 0 || load > loads[at - 1]!);
  if (!rises) return [];
  const knee = findKnee(
    sorted.flatMap(({ at, throughputs }) => {
      const measured = throughputs.get(phase) ?? [];
      return measured.length === 0
        ? []
        : [{ load: Number(at[0]), throughputPerSecond: median([...measured]) }];
    }),
  );
  if (knee === null) return [];
  const at = Number(knee.at.toPrecision(KNEE_DIGITS));
  return [{ phase, at, throughputPerSecond: knee.throughputPerSecond, others: sorted[0]!.at.slice(1) }];
}

/** NaN for a phase that the plan does not have. */
function offeredLoad(plan: Plan, name: string): number {
  const phase = plan.phases.find((candidate) => candidate.name === name);
  if (phase === undefined) return Number.NaN;
  const { load } = phase;
  if (load.kind === 'watchFanout') return load.writesPerSecond;
  if (load.kind !== 'mix') return plan.connectionCount;
  return load.arrival.kind === 'closed' ? plan.connectionCount * plan.outstanding : meanRate(phase);
}

/** Requests per second over the whole phase; the last step lasts to its end. */
function meanRate({ load, warmupMs, measureMs }: PhasePlan): number {
  if (load.kind !== 'mix' || load.arrival.kind !== 'open') return Number.NaN;
  let restMs = warmupMs + measureMs;
  let requests = 0;
  const { steps } = load.arrival;
  for (const [at, { ratePerSecond, forMs }] of steps.entries()) {
    const lastsMs = at === steps.length - 1 ? restMs : Math.min(forMs, restMs);
    requests += (ratePerSecond * lastsMs) / 1000;
    restMs -= lastsMs;
  }
  return (requests * 1000) / (warmupMs + measureMs);
}

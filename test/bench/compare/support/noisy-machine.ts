/**
 * Measurements that nobody made: each side has a speed, and every figure carries seeded noise. A quiet machine scatters
 * by a few per cent, a slow drift hits both sides of a pair.
 */
import type { Measure } from '../../../../bench/compare/measure.ts';
import type { Plan } from '../../../../bench/plan/plan.ts';
import type { RunResult } from '../../../../bench/result/run-json.ts';
import { Prng } from '../../../../src/base/prng.ts';
import { type SampleFigures, sampleRun } from './sample-run.ts';

export interface Machine {
  readonly seed: number;
  /** Standard deviation of a run, as a share. */
  readonly noise: number;
  /** Side -> how many times as fast; sides that are not named have 1. */
  readonly speeds?: Readonly<Record<string, number>>;
  /** The machine loses this share of its speed with each run. */
  readonly drift?: number;
}

/** Mean 0, standard deviation 1: the sum of 12 uniform numbers, less 6. */
export function gaussian(prng: Prng): number {
  let sum = -6;
  for (let draw = 0; draw < 12; draw++) sum += prng.fraction();
  return sum;
}

export function noisyMachine({ seed, noise, speeds = {}, drift = 0 }: Machine): Measure {
  const prng = new Prng(seed);
  let runs = 0;
  return async (side, plan) => {
    const speed = (speeds[side] ?? 1) * (1 - drift) ** runs++ * Math.exp(noise * gaussian(prng));
    return sampleRun(side, plan, { throughput: 10_000 * speed, cpuMicros: 20 / speed, p50Ms: 1 / speed });
  };
}

/** Gives these figures one after another; after the last, the run is aborted. An error is thrown. */
export function scripted(...script: readonly (SampleFigures | null | Error)[]): Measure {
  let at = 0;
  return async (side: string, plan: Plan): Promise<RunResult | null> => {
    const next = script[at++] ?? null;
    if (next instanceof Error) throw next;
    return next === null ? null : sampleRun(side, plan, next);
  };
}

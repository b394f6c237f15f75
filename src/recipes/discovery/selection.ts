/**
 * Which instance gets the next request. A strategy sees only those that may have it, with what this process knows of each:
 * its requests on their way, how long its answers take, its weight. Pure: chance is passed in.
 *
 *     roundRobin    one after the other
 *     random        any
 *     sticky        the same one as long as it may
 *     weighted      by chance, in proportion to the weights
 *     leastLoaded   with the fewest requests of ours on their way
 *     powerOfTwo    two by chance, of them the one where a request is likely to wait less: no herd towards the best one
 */
import type { ServiceInstance } from './instance.ts';

export interface Candidate<P> {
  readonly instance: ServiceInstance<P>;
  /** Requests of this process that are not answered. */
  readonly inFlight: number;
  /** Smoothed; null = none answered yet. */
  readonly latencyMs: number | null;
  /** 0 = only when all are. */
  readonly weight: number;
}

/** One of at least one. `random` is from 0 up to 1. */
export type Selection<P> = (candidates: readonly Candidate<P>[], random: () => number) => Candidate<P>;

export type SelectionName = 'roundRobin' | 'random' | 'sticky' | 'weighted' | 'leastLoaded' | 'powerOfTwo';

/** A strategy with a memory of its own. @throws TypeError for a name that is none. */
export function selectionOf<P>(name: SelectionName): Selection<P> {
  switch (name) {
    case 'roundRobin':
      return roundRobin();
    case 'sticky':
      return sticky();
    case 'random':
      return anyOne;
    case 'weighted':
      return byWeight;
    case 'leastLoaded':
      return leastLoaded;
    case 'powerOfTwo':
      return powerOfTwo;
    default:
      throw new TypeError(`no selection is called ${String(name)}`);
  }
}

function roundRobin<P>(): Selection<P> {
  let next: number | null = null;
  return (candidates, random) => {
    // Many processes that start together are not to begin with the same one.
    next ??= Math.floor(random() * candidates.length);
    next %= candidates.length;
    return candidates[next++]!;
  };
}

function sticky<P>(): Selection<P> {
  let id: string | null = null;
  return (candidates, random) => {
    const chosen = candidates.find((one) => one.instance.id === id) ?? anyOne(candidates, random);
    ({ id } = chosen.instance);
    return chosen;
  };
}

function anyOne<P>(candidates: readonly Candidate<P>[], random: () => number): Candidate<P> {
  return candidates[Math.floor(random() * candidates.length)]!;
}

function byWeight<P>(candidates: readonly Candidate<P>[], random: () => number): Candidate<P> {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  let left = random() * total;
  // Sums of fractions may leave a rest: then it is the last that has any weight.
  let last: Candidate<P> | null = null;
  for (const one of candidates) {
    if (one.weight === 0) continue;
    last = one;
    left -= one.weight;
    if (left < 0) break;
  }
  return last ?? anyOne(candidates, random);
}

function leastLoaded<P>(candidates: readonly Candidate<P>[], random: () => number): Candidate<P> {
  const fewest = Math.min(...candidates.map((one) => one.inFlight));
  return anyOne(
    candidates.filter((one) => one.inFlight === fewest),
    random,
  );
}

function powerOfTwo<P>(candidates: readonly Candidate<P>[], random: () => number): Candidate<P> {
  if (candidates.length === 1) return candidates[0]!;
  const i = Math.floor(random() * candidates.length);
  const beyond = 1 + Math.floor(random() * (candidates.length - 1));
  const one = candidates[i]!;
  const other = candidates[(i + beyond) % candidates.length]!;
  // One that has not answered yet is taken to be as fast as the other: or all would run to it.
  const oneMs = one.latencyMs ?? other.latencyMs ?? 1;
  const otherMs = other.latencyMs ?? oneMs;
  return (one.inFlight + 1) * oneMs <= (other.inFlight + 1) * otherMs ? one : other;
}

/**
 * Where the search begins: points that fill the space. A Latin start (McKay, Beckman and Conover, 1979) over levels: of
 * each parameter every level comes up equally often, the default among them; of many seeded tries the one is taken whose
 * nearest two points differ in the most parameters.
 */
import type { Prng } from '../../src/base/prng.ts';
import { canonical, isDefault, type Parameter, type Point } from './space.ts';

const TRIES = 100;

/** Up to `count` different points, none of them the default. */
export function startPoints(parameters: readonly Parameter[], count: number, prng: Prng): Point[] {
  let best: Point[] = [];
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const points = latinPoints(parameters, count, prng);
    const score = points.length * (parameters.length + 1) + nearest(points);
    if (score <= bestScore) continue;
    best = points;
    bestScore = score;
  }
  return best;
}

function latinPoints(parameters: readonly Parameter[], count: number, prng: Prng): Point[] {
  const columns = parameters.map(({ values }) => {
    const levels = shuffled([...values.keys(), values.length], prng);
    return shuffled(
      Array.from({ length: count }, (_, at) => levels[at % levels.length]!),
      prng,
    );
  });
  const points = new Map<string, Point>();
  for (let at = 0; at < count; at++) {
    const point = canonical(
      parameters,
      columns.map((column) => column[at]!),
    );
    if (!isDefault(point)) points.set(String(point), point);
  }
  return [...points.values()];
}

/** In how many parameters the two points differ that are most alike. */
function nearest(points: readonly Point[]): number {
  let least = points[0]?.length ?? 0;
  for (const [at, one] of points.entries()) {
    for (const other of points.slice(0, at)) least = Math.min(least, distance(one, other));
  }
  return least;
}

function distance(one: Point, other: Point): number {
  return one.filter((level, at) => level !== other[at]).length;
}

/** Fisher and Yates. */
export function shuffled<T>(items: readonly T[], prng: Prng): T[] {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at--) {
    const other = prng.below(at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

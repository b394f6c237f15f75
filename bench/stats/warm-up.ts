/**
 * When is a fresh server warm? Compilers (V8's, HotSpot's) and caches make the same work cheaper for seconds, so a fresh
 * server measures its interpreter first. CPU time per request says it better than throughput, which the neighbours on
 * the machine move too. Works on that cost per slice of a load that runs on.
 *
 *     us/op  9 6 4.5 4 3.8 [3.6 3.5 3.5 3.4 3.5 3.5 3.4 3.5]     level: over the last slices it falls by 5 % at most
 *                           '------- LEVEL_SLICES -------'
 *
 * The fall is that of the Theil-Sen slope, so that a disturbed slice or two do not count; a rise is level too: more
 * warming would not help. A bound in time ends it otherwise, and whoever asked says so beside the figure.
 */
import { median } from 'simple-statistics';
import { theilSen } from './robust.ts';

export const LEVEL_SLICES = 8;
export const LEVEL_FALL_MAX = 0.05;

/** @param costs CPU time per request of each slice, in order. */
export function isLevel(costs: readonly number[]): boolean {
  const fall = recentFall(costs);
  return fall !== null && fall <= LEVEL_FALL_MAX;
}

/** By which share the cost fell over the last slices; negative when it rose, null while there are too few. */
export function recentFall(costs: readonly number[]): number | null {
  if (costs.length < LEVEL_SLICES) return null;
  const last = costs.slice(-LEVEL_SLICES);
  return (-theilSen(last).slope * (LEVEL_SLICES - 1)) / median(last);
}

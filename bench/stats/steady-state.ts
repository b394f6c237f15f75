/**
 * From where on did a phase run steadily, and did it at all? Works on the replies per window, of equal windows.
 * Warm-up is a run-in at the beginning: leading windows are dropped, one after another, until the rest is steady;
 * never more than half of all. (That warm-up ends at all must be checked, not assumed: Barrett et al., *Virtual machine
 * warmup blows hot and cold*, OOPSLA 2017. Truncation from the front, on batches, at most half: White's MSER-5, 1997.)
 *
 *     |. o|o o o o . o o o o|   o  blocks of windows; at most 20, so that the noise of short windows averages out
 *      cut   rest
 *
 * The rest is steady when
 *  - its first block is at the level: the median of the last half of all blocks, which no cut can reach; within 3 of
 *    their standard deviations, or within the permitted variation;
 *  - it has no trend: the interval of its Theil-Sen slope includes 0, or the change it makes over the rest is below a
 *    quarter of the permitted variation, which no decision hangs on;
 *  - that last half varies by less than permitted (standard deviation / mean), or by what counting alone
 *    explains: n replies per block vary by 1 / sqrt(n).
 *
 * The cut must have been warm-up: it rose, without a fall, up to the level; or it began above the level and came down
 * within a tenth of the phase (caches and queues that were empty). A fall after the start is service that got worse;
 * cutting the good part before it would hide it. A block at less than half the level behind a block that had reached
 * the level is an outage (unless replies are so few that chance empties a block), and no cut makes a phase with an
 * outage steady.
 *
 * Variation is permitted up to 10 %: of 20 phases measured on a shared machine with 2 cores, windows of 1 s varied by
 * 2 to 16 %, most by less than 8; 5 % suits a machine of its own.
 */
import { mean, median, sampleStandardDeviation } from 'simple-statistics';
import { robustSigma, theilSen } from './robust.ts';

export interface SteadyStateOptions {
  /** Standard deviation / mean. */
  readonly variationMax: number;
}

export interface SteadyStateFinding {
  readonly reached: boolean;
  /** Leading windows to leave out; 0 when not reached. */
  readonly cutWindows: number;
  /** Of the blocks that count, standard deviation / mean; null below two blocks and when nothing was answered. */
  readonly variation: number | null;
  /** Change over the blocks that count by their slope, as a share of their median; null likewise. */
  readonly drift: number | null;
  /** Why not, about throughput and in words for people: `it fell to 40 % of its level ...`; null when reached. */
  readonly reason: string | null;
}

const WINDOWS_MIN = 5;
const BLOCKS_MAX = 20;
const DEFAULTS: SteadyStateOptions = { variationMax: 0.1 };
/** Of the permitted variation. */
const DRIFT_SHARE = 0.25;
const OUTAGE_LEVEL = 0.5;
const COMING_DOWN_SHARE = 0.1;
const SIGMAS = 3;
/** What counting alone explains, in standard deviations of a count. */
const COUNTING_SIGMAS = 2;

/** @param windows Replies per window, in order. */
export function detectSteadyState(
  windows: readonly number[],
  options: Partial<SteadyStateOptions> = {},
): SteadyStateFinding {
  const variationMax = options.variationMax ?? DEFAULTS.variationMax;
  const size = Math.max(1, Math.ceil(windows.length / BLOCKS_MAX));
  const blocks = toBlocks(windows, size);
  const obstacle = findObstacle(windows, blocks, size, variationMax);
  if (obstacle !== null) return unsteady(blocks, obstacle);
  const level = levelOf(tailOf(blocks), variationMax);
  let reason = '';
  for (let cut = 0; cut * size * 2 <= windows.length; cut++) {
    const rest = blocks.slice(cut);
    const problem =
      restProblem(rest, level, variationMax) ?? cutProblem(blocks.slice(0, cut), blocks.length, level);
    if (problem === null) return { reached: true, cutWindows: cut * size, ...figures(rest), reason: null };
    reason ||= problem;
  }
  return unsteady(blocks, reason);
}

/** Means per window; the last block may have fewer windows. */
function toBlocks(windows: readonly number[], size: number): number[] {
  return Array.from({ length: Math.ceil(windows.length / size) }, (_, at) =>
    mean(windows.slice(at * size, (at + 1) * size)),
  );
}

/** What no cut can mend. */
function findObstacle(
  windows: readonly number[],
  blocks: readonly number[],
  size: number,
  variationMax: number,
): string | null {
  if (windows.length < WINDOWS_MIN) {
    return 'the measured time was too short to tell';
  }
  const tail = tailOf(blocks);
  // Over all blocks the median would be the outage's where it takes more than half; the busier half knows the level.
  const level = median([...blocks].sort((x, y) => y - x).slice(0, Math.ceil(blocks.length / 2)));
  if (level === 0) return 'nothing was answered most of the time';
  const risen = blocks.findIndex((block) => block >= level * (1 - 2 * variationMax));
  const outageMax = Math.min(level * OUTAGE_LEVEL, level - SIGMAS * Math.sqrt(level / size));
  const outage = blocks.findIndex((block, at) => at > risen && block < outageMax);
  if (outage >= 0) {
    const share = percent(blocks[outage]! / level);
    const after = percent((outage * size) / windows.length);
    return `it fell to ${share} of its level when ${after} of the measured time were over`;
  }
  const variation = variationOf(tail)!;
  const counting = COUNTING_SIGMAS / Math.sqrt(mean(tail) * size);
  if (variation <= Math.max(variationMax, counting)) return null;
  return `it still varied by ± ${percent(variation)} in the second half; up to ${percent(variationMax)} is steady`;
}

/** The last half, which is never cut; of few blocks, a little more. */
function tailOf(blocks: readonly number[]): readonly number[] {
  return blocks.slice(Math.min(blocks.length >> 1, blocks.length - WINDOWS_MIN));
}

interface Level {
  readonly value: number;
  /** A block may be this far from it. */
  readonly bound: number;
  /** Two blocks may be this far from each other: sqrt(2) times as far. */
  readonly pairBound: number;
}

function levelOf(tail: readonly number[], variationMax: number): Level {
  const value = median([...tail]);
  const reach = SIGMAS * robustSigma(tail);
  return {
    value,
    bound: Math.max(reach, variationMax * value),
    pairBound: Math.max(Math.SQRT2 * reach, variationMax * value),
  };
}

function restProblem(rest: readonly number[], level: Level, variationMax: number): string | null {
  if (Math.abs(rest[0]! - level.value) > level.bound) {
    const side = rest[0]! < level.value ? 'below' : 'above';
    return `it was at ${percent(rest[0]! / level.value)} of its level at the start, and ${side} it for too long`;
  }
  const { low, high } = theilSen(rest);
  const drift = driftOf(rest)!;
  if ((low < 0 && high > 0) || Math.abs(drift) <= variationMax * DRIFT_SHARE) return null;
  const size = Math.abs(drift) < 1 ? ` by ${percent(Math.abs(drift))}` : '';
  return `it ${drift < 0 ? 'fell' : 'rose'}${size} over the measured time`;
}

function cutProblem(cut: readonly number[], blockCount: number, { value, pairBound }: Level): string | null {
  const all = [...cut, value];
  const rises = all.every((block, at) => at === 0 || block >= Math.max(...all.slice(0, at)) - pairBound);
  if (rises) return null;
  const comesDown = all.every((block, at) => at === 0 || block <= Math.min(...all.slice(0, at)) + pairBound);
  const briefly = cut.length <= Math.max(1, blockCount * COMING_DOWN_SHARE);
  return comesDown && briefly ? null : 'it fell after the start';
}

function unsteady(blocks: readonly number[], reason: string): SteadyStateFinding {
  return { reached: false, cutWindows: 0, ...figures(blocks), reason };
}

function figures(blocks: readonly number[]): { variation: number | null; drift: number | null } {
  return { variation: variationOf(blocks), drift: driftOf(blocks) };
}

function variationOf(blocks: readonly number[]): number | null {
  if (blocks.length < 2) return null;
  const level = mean([...blocks]);
  return level === 0 ? null : sampleStandardDeviation([...blocks]) / level;
}

function driftOf(blocks: readonly number[]): number | null {
  if (blocks.length < 2) return null;
  const level = median([...blocks]);
  return level === 0 ? null : (theilSen(blocks).slope * (blocks.length - 1)) / level;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(Math.abs(share) < 0.1 ? 1 : 0)} %`;
}

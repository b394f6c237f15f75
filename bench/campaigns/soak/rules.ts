/**
 * Is a server steady under load? One verdict per rule, from the samples of a soak. Pure.
 *
 *     memory      resident memory stands still over the second half: the Theil-Sen slope of its period medians is at most
 *                 `MEMORY_MIB_PER_HOUR_MAX`. Above it, growth counts as shown when the slope's 95 % interval excludes 0
 *     latency     p99 does not grow: the median of the last third's periods is at most `LATENCY_RATIO_MAX` times that of
 *                 the first third. Above it, growth counts as shown when the slope's interval excludes 0
 *     pauses      no pause by garbage collection of any thread reaches `GC_PAUSE_MS_MAX`
 *     leaks       sessions, connections, znodes, ephemerals, watches and open files: the median of the last third is at
 *                 most 10 % and 50 above that of the middle one; in the first they may still grow to their level
 *     arena       pages of the store are worth at most 1.5 times its live blocks and 8 MiB (`src/shm/compactor.ts`); more for
 *                 less than `ARENA_GRACE_MS` is a round of compaction under way
 *     snapshots   at least `SNAPSHOTS_MIN` were written, or the soak has not soaked
 *     replies     every request was answered once, in order, without an error, and the server lived
 *
 * Growth can only be told from warming up when there is time: below `MINUTES_MIN` memory, latency and leaks say `cannot tell`.
 */
import { median } from 'simple-statistics';
import { LEVEL, LEVEL_SPARE_BYTES } from '../../../src/shm/compactor.ts';
import { formatCount, formatMiB, formatMs } from '../../figures/format.ts';
import { theilSen } from '../../stats/robust.ts';
import type { PeriodLatency, RuleOutcome, RuleVerdict, ServerSample, SoakLoad } from './soak-json.ts';

export const MEMORY_MIB_PER_HOUR_MAX = 32;
export const LATENCY_RATIO_MAX = 1.25;
export const GC_PAUSE_MS_MAX = 20;
export const SNAPSHOTS_MIN = 3;
export const ARENA_GRACE_MS = 30_000;
const MINUTES_MIN = 10;
/** Slopes of fewer points have no useful interval. */
const PERIODS_MIN = 12;
const LEAK_SHARE = 0.1;
const LEAK_SPARE = 50;
const HOUR_MS = 3_600_000;
const MIB = 1024 * 1024;

export interface SoakFacts {
  readonly periodMs: number;
  readonly failure: string | null;
  readonly samples: readonly ServerSample[];
  readonly latencies: readonly PeriodLatency[];
  readonly loads: readonly SoakLoad[];
}

export function judgeSoak(facts: SoakFacts): RuleVerdict[] {
  return [
    { rule: 'memory', ...memory(facts) },
    { rule: 'latency', ...latency(facts) },
    { rule: 'pauses', ...pauses(facts) },
    { rule: 'leaks', ...leaks(facts) },
    { rule: 'arena', ...arena(facts) },
    { rule: 'snapshots', ...snapshots(facts) },
    { rule: 'replies', ...replies(facts) },
  ];
}

type Judgement = Pick<RuleVerdict, 'outcome' | 'text'>;

function memory({ samples, periodMs }: SoakFacts): Judgement {
  const half = samples.slice(samples.length >> 1).map(({ rssBytes }) => rssBytes);
  const short = tooShort(samples.length, periodMs);
  if (short !== null) return { outcome: 'cannot tell', text: short };
  const perHour = HOUR_MS / periodMs / MIB;
  const { slope, low, high } = theilSen(half);
  const level = formatCount(median(half) / MIB);
  const text =
    `resident memory ${level} MiB, ${signed(slope * perHour)} MiB/h over the second half ` +
    `[${signed(low * perHour)}, ${signed(high * perHour)}]; allowed: ${MEMORY_MIB_PER_HOUR_MAX} MiB/h`;
  return { outcome: grown(slope * perHour <= MEMORY_MIB_PER_HOUR_MAX, low), text };
}

function latency({ latencies, periodMs }: SoakFacts): Judgement {
  const short = tooShort(latencies.length, periodMs);
  if (short !== null) return { outcome: 'cannot tell', text: short };
  const p99s = latencies.map(({ p99Ms }) => p99Ms);
  const { first, last } = thirds(p99s);
  const ratio = last / first;
  const text =
    `p99 ${formatMs(first)} ms in the first third, ${formatMs(last)} ms in the last: ${ratio.toFixed(2)} times; ` +
    `allowed: ${LATENCY_RATIO_MAX} times`;
  return { outcome: grown(ratio <= LATENCY_RATIO_MAX, theilSen(p99s).low), text };
}

/** `low`: lower end of the slope's interval. */
function grown(isWithin: boolean, low: number): RuleOutcome {
  if (isWithin) return 'passed';
  return low > 0 ? 'failed' : 'cannot tell';
}

function tooShort(periods: number, periodMs: number): string | null {
  const minutes = (periods * periodMs) / 60_000;
  if (minutes >= MINUTES_MIN && periods >= PERIODS_MIN) return null;
  return `${Number(minutes.toFixed(1))} minutes in ${periods} periods; ${MINUTES_MIN} minutes and ${PERIODS_MIN} periods are needed`;
}

function pauses({ samples }: SoakFacts): Judgement {
  // A maximum since the beginning: the last one known has it all.
  const known = samples.findLast(({ gcPause }) => gcPause !== null)?.gcPause;
  if (known == null) return { outcome: 'cannot tell', text: 'the server does not tell its pauses' };
  return {
    outcome: known.maxMs < GC_PAUSE_MS_MAX ? 'passed' : 'failed',
    text:
      `longest pause by garbage collection ${formatMs(known.maxMs)} ms, of thread ${known.thread}; ` +
      `allowed: below ${GC_PAUSE_MS_MAX} ms`,
  };
}

const COUNTED = ['sessions', 'connections', 'znodes', 'ephemerals', 'watches', 'openFiles'] as const;

function leaks({ samples, periodMs }: SoakFacts): Judgement {
  const short = tooShort(samples.length, periodMs);
  if (short !== null) return { outcome: 'cannot tell', text: short };
  const found = COUNTED.map((name) => {
    const { middle, last } = thirds(samples.map((sample) => sample[name]));
    return { name, middle, last, leaks: last > middle * (1 + LEAK_SHARE) + LEAK_SPARE };
  });
  const changes = found.map(
    ({ name, middle, last }) => `${name} ${formatCount(middle)} to ${formatCount(last)}`,
  );
  return {
    outcome: found.some(({ leaks: leaking }) => leaking) ? 'failed' : 'passed',
    text: `middle third to last: ${changes.join(', ')}`,
  };
}

function arena({ samples }: SoakFacts): Judgement {
  const known = samples.flatMap(
    ({ atMs, memory: { store_live_bytes_now: live, store_pages_bytes_now: pages } }) =>
      live === undefined || pages === undefined ? [] : [{ atMs, live, pages }],
  );
  if (known.length === 0)
    return { outcome: 'cannot tell', text: 'the server does not tell what its store holds' };
  let worst = known[0]!;
  let aboveSinceMs: number | null = null;
  let longestMs = 0;
  for (const sample of known) {
    const isAbove = excessOf(sample) > 0;
    if (excessOf(sample) > excessOf(worst)) worst = sample;
    aboveSinceMs = isAbove ? (aboveSinceMs ?? sample.atMs) : null;
    if (aboveSinceMs !== null) longestMs = Math.max(longestMs, sample.atMs - aboveSinceMs);
  }
  const above = longestMs === 0 ? '' : `, above it for ${(longestMs / 1000).toFixed(0)} s`;
  return {
    outcome: longestMs < ARENA_GRACE_MS ? 'passed' : 'failed',
    text:
      `at worst ${formatMiB(worst.pages)} of pages for ${formatMiB(worst.live)} of live blocks${above}; ` +
      `allowed: ${LEVEL} times and ${formatMiB(LEVEL_SPARE_BYTES)}, more for less than ${ARENA_GRACE_MS / 1000} s`,
  };
}

/** Above 0: more than is allowed for long. */
function excessOf({ live, pages }: { readonly live: number; readonly pages: number }): number {
  return pages - LEVEL * live - LEVEL_SPARE_BYTES;
}

function snapshots({ samples }: SoakFacts): Judgement {
  const last = samples[samples.length - 1];
  const count = last?.snapshots ?? null;
  if (last === undefined || count === null)
    return { outcome: 'cannot tell', text: 'the server does not tell its snapshots' };
  return {
    outcome: count >= SNAPSHOTS_MIN ? 'passed' : 'cannot tell',
    text: `${formatCount(count)} snapshots under load, the longest ${formatMs(last.snapshotMsMax ?? 0)} ms; needed: ${SNAPSHOTS_MIN}`,
  };
}

function replies({ loads, failure }: SoakFacts): Judgement {
  const problems = loads.flatMap(({ name, errors, lost, unanswered, disorder }) => [
    ...Object.entries(errors).map(([error, count]) => `${name}: ${count} ${error}`),
    ...(lost > 0 ? [`${name}: ${lost} lost with their connection`] : []),
    ...(unanswered > 0 ? [`${name}: ${unanswered} without an answer`] : []),
    ...(disorder > 0 ? [`${name}: ${disorder} out of order`] : []),
  ]);
  if (failure !== null) problems.push(`the server ended: ${failure}`);
  if (loads.length === 0) return { outcome: 'cannot tell', text: 'no load was measured' };
  return problems.length === 0
    ? { outcome: 'passed', text: 'every request was answered once, in order, without an error' }
    : { outcome: 'failed', text: problems.join('; ') };
}

/** Medians. */
function thirds(values: readonly number[]): { first: number; middle: number; last: number } {
  const third = Math.floor(values.length / 3);
  return {
    first: median(values.slice(0, third)),
    middle: median(values.slice(third, -third)),
    last: median(values.slice(-third)),
  };
}

function signed(value: number): string {
  return `${value >= 0 ? '+' : ''}${value.toFixed(1)}`;
}

/** A rate search that found no rate: what it tried, and what to try next. */
import { formatDuration, formatMs, formatRate } from '../figures/format.ts';
import type { SearchPlan } from '../plan/plan.ts';
import type { SearchOutcome } from '../result/compare-json.ts';

/** Lines for the end of the output; none when a rate was found. */
export function searchAdvice({ ratePerSecond, probes }: SearchOutcome, search: SearchPlan): string[] {
  if (ratePerSecond !== null) return [];
  const bound = formatDuration(search.p99MsMax);
  if (probes.length === 0) return [`No probe was finished, so nothing is known about ${bound} at p99.`];
  const tried = [...probes]
    .sort((a, b) => a.ratePerSecond - b.ratePerSecond)
    .map(
      (probe) =>
        `${formatRate(probe.ratePerSecond)}: p99 ${formatMs(probe.p99Ms)} ms${whyNot(probe, search)}`,
    );
  const best = Math.min(...probes.map(({ p99Ms }) => p99Ms));
  const lower = Math.max(1, Math.floor(Math.min(...probes.map((probe) => probe.ratePerSecond)) / 10));
  // As a plan and a shell take it: without a space.
  const looser = `${niceAbove(best * 1.5)}ms`;
  const idle = probes.every(({ valid, p99Ms }) => !valid && p99Ms <= search.p99MsMax);
  return [
    `Tried: ${tried.join('; ')}.`,
    idle
      ? 'p99 kept the bound, but the figures of no probe hold: bench report DIR tells why for each run; most often the machine was busy.'
      : `Try a lower rate (--set search.from=${lower}) or a looser bound (--set search.p99=${looser}); where even one request ` +
        'at a time is slower than the bound, no rate keeps it.',
  ];
}

function whyNot({ p99Ms, valid }: SearchOutcome['probes'][number], { p99MsMax }: SearchPlan): string {
  if (valid) return '';
  return p99Ms <= p99MsMax ? ' (void)' : ' (rate not held)';
}

/** 1, 2 or 5 times a power of ten. */
function niceAbove(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(ms));
  return [1, 2, 5, 10].map((factor) => factor * power).find((nice) => nice >= ms)!;
}

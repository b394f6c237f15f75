/**
 * Two targets side by side on a noisy machine: pairs of runs, fresh servers each time, in the order
 * A B | B A | A B | ... so that a drift of the machine hits both alike. The figure is the median over pairs of
 * the ratio A / B, with the smallest and the largest beside it; single runs are never compared.
 */
import Table from 'cli-table3';
import { formatRatio } from './report/format.ts';
import type { PhaseResult, RunResult } from './report/run-json.ts';

export interface RunPair {
  readonly a: RunResult;
  readonly b: RunResult;
}

export interface RatioSummary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface PhaseComparison {
  readonly phase: string;
  readonly pairCount: number;
  readonly throughput: RatioSummary;
  /** Server CPU time per request; null without figures of both. */
  readonly serverCpu: RatioSummary | null;
  readonly p50: RatioSummary | null;
  readonly p99: RatioSummary | null;
}

/** The order of the runs: `A B B A A B ...`, two letters per pair. */
export function pairOrder(pairCount: number): ('a' | 'b')[][] {
  return Array.from({ length: pairCount }, (_, pair) => (pair % 2 === 0 ? ['a', 'b'] : ['b', 'a']));
}

/** Middle of the sorted values; the mean of both middles for an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Null when a pair lacks the figure. */
export function summarizeRatios(
  pairs: readonly (readonly [number | null, number | null])[],
): RatioSummary | null {
  const ratios: number[] = [];
  for (const [a, b] of pairs) {
    if (a === null || b === null || b === 0) return null;
    ratios.push(a / b);
  }
  if (ratios.length === 0) return null;
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}

export function comparePhases(pairs: readonly RunPair[]): PhaseComparison[] {
  const names = pairs[0]?.a.phases.map((phase) => phase.plan.name) ?? [];
  return names.flatMap((phase) => {
    const ratios = (figure: (result: PhaseResult) => number | null): RatioSummary | null =>
      summarizeRatios(pairs.map(({ a, b }) => [figureOf(a, phase, figure), figureOf(b, phase, figure)]));
    const throughput = ratios((result) => result.throughputPerSecond);
    if (throughput === null) return [];
    return [
      {
        phase,
        pairCount: pairs.length,
        throughput,
        serverCpu: ratios((result) => result.server?.cpuMicrosPerOp ?? null),
        p50: ratios((result) => result.latency?.p50Ms ?? null),
        p99: ratios((result) => result.latency?.p99Ms ?? null),
      },
    ];
  });
}

export function renderComparison(pairs: readonly RunPair[]): string {
  const first = pairs[0]!;
  const table = new Table({
    head: ['ratio, median [min .. max]', 'throughput', 'server CPU/op', 'p50', 'p99'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const row of comparePhases(pairs)) {
    table.push([row.phase, ...[row.throughput, row.serverCpu, row.p50, row.p99].map(ratioCell)]);
  }
  const invalid = pairs.flatMap(({ a, b }) => [a, b]).filter((run) => run.phases.some(({ valid }) => !valid));
  const lines = [
    `${first.a.target.description} / ${first.b.target.description}, ${pairs.length} pairs`,
    table.toString(),
  ];
  if (invalid.length > 0) lines.push(`! ${invalid.length} of ${pairs.length * 2} runs are marked; see above`);
  return lines.join('\n');
}

function figureOf(
  run: RunResult,
  phase: string,
  figure: (result: PhaseResult) => number | null,
): number | null {
  const result = run.phases.find(({ plan }) => plan.name === phase);
  return result === undefined ? null : figure(result);
}

function ratioCell(summary: RatioSummary | null): string {
  if (summary === null) return '-';
  const { median: middle, min, max } = summary;
  return `${formatRatio(middle)} [${formatRatio(min)} .. ${formatRatio(max)}]`;
}

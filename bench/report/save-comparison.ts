/**
 * Puts a comparison on disk: `<parent>/<date>-<scenario>-<a>-vs-<b>-<commit>/{compare.json,summary.md}`. The single
 * runs are saved beside it as always; here stand the medians of both sides and the ratios of the pairs.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { comparePhases, median, type PhaseComparison, type RatioSummary, type RunPair } from '../compare.ts';
import { environmentLine, loadLine } from './figures.ts';
import { formatCount, formatMicros, formatMs, formatRatio, MISSING } from './format.ts';
import { type PhaseResult, type RunResult, runDirName } from './run-json.ts';
import { markdownTable } from './summary-md.ts';

const SCHEMA = 'ringkeeper-bench-comparison';
const SCHEMA_VERSION = 1;

/** Returns the directory. @throws what the file system says. */
export function saveComparison(pairs: readonly RunPair[], parent: string): string {
  const { a, b } = pairs[0]!;
  const other = a.target.name === b.target.name ? `${b.target.name}-2` : b.target.name;
  const dir = join(parent, runDirName(a).replace(`-${a.target.name}-`, `-${a.target.name}-vs-${other}-`));
  mkdirSync(dir);
  const comparison = comparePhases(pairs);
  const document = {
    schema: SCHEMA,
    schemaVersion: SCHEMA_VERSION,
    a: a.target,
    b: b.target,
    command: a.command,
    environment: a.environment,
    scenario: a.scenario,
    pairs: pairs.map((pair) => ({ a: runDirName(pair.a), b: runDirName(pair.b) })),
    comparison,
  };
  writeFileSync(join(dir, 'compare.json'), JSON.stringify(document, null, 2) + '\n');
  writeFileSync(join(dir, 'summary.md'), renderSummary(pairs, comparison));
  return dir;
}

function renderSummary(pairs: readonly RunPair[], comparison: readonly PhaseComparison[]): string {
  const { a, b } = pairs[0]!;
  const rows = comparison.flatMap((phase) => [
    row(
      pairs,
      phase,
      'throughput',
      (r) => r.throughputPerSecond,
      (n) => `${formatCount(n)} /s`,
      phase.throughput,
    ),
    row(pairs, phase, 'server CPU, us/op', (r) => r.server?.cpuMicrosPerOp, formatMicros, phase.serverCpu),
    row(pairs, phase, 'p50, ms', (r) => r.latency?.p50Ms, formatMs, phase.p50),
    row(pairs, phase, 'p99, ms', (r) => r.latency?.p99Ms, formatMs, phase.p99),
  ]);
  const head = [
    '',
    `${a.target.description}, median`,
    `${b.target.description}, median`,
    'ratio of pairs, median [min .. max]',
  ];
  return [
    `# ${a.scenario.name}: ${a.target.name} vs ${b.target.name}`,
    '',
    `${pairs.length} pairs in the order A B, B A, ...; fresh servers and data directories each time. The ratio is A / B.`,
    '',
    ...markdownTable(head, rows),
    '',
    `${loadLine(a)}.`,
    '',
    `${environmentLine(a)}.`,
    '',
    '```',
    a.command,
    '```',
    '',
  ].join('\n');
}

function row(
  pairs: readonly RunPair[],
  { phase }: PhaseComparison,
  label: string,
  figure: (result: PhaseResult) => number | null | undefined,
  format: (value: number) => string,
  ratio: RatioSummary | null,
): string[] {
  const middle = (side: (pair: RunPair) => RunResult): string => {
    const values = pairs.flatMap((pair) => {
      const result = side(pair).phases.find(({ plan }) => plan.name === phase);
      const value = result === undefined ? null : figure(result);
      return value == null ? [] : [value];
    });
    return values.length === 0 ? MISSING : format(median(values));
  };
  const text =
    ratio === null
      ? MISSING
      : `${formatRatio(ratio.median)} [${formatRatio(ratio.min)} .. ${formatRatio(ratio.max)}]`;
  return [`${phase} ${label}`, middle((pair) => pair.a), middle((pair) => pair.b), text];
}

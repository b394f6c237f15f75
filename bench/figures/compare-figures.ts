/** The figures of a comparison in words and rows: one wording for the terminal, the summary and the report. */
import {
  COMPARED_FIGURES,
  type ComparedFigure,
  type Comparison,
  type ComparisonVerdict,
  INTERVAL_PAIRS_MIN,
  type PhaseComparison,
  type RatioEstimate,
} from '../result/compare-json.ts';
import { formatMicros, formatMs, formatP, formatRate, formatRatio, MISSING, plural } from './format.ts';
import type { TextTable } from './run-tables.ts';

export const FIGURE_LABELS: Readonly<Record<ComparedFigure, string>> = {
  throughput: 'Throughput',
  serverCpuPerOp: 'Server CPU / op',
  p50: 'Latency p50',
  p99: 'Latency p99',
  p999: 'Latency p99.9',
  latencyMean: 'Latency mean',
};

/** Of B against A; null when the interval holds 1, or there is none. */
export function isBetter(figure: ComparedFigure, { low, high, pairs }: RatioEstimate): boolean | null {
  if (pairs < INTERVAL_PAIRS_MIN || (low <= 1 && high >= 1)) return null;
  return figure === 'throughput' ? low > 1 : high < 1;
}

/** `1.74x [1.70, 1.79]`; of one pair `1.74x, 1 pair`. */
export function ratioText(estimate: RatioEstimate): string {
  const { ratio, low, high, pairs } = estimate;
  if (pairs < INTERVAL_PAIRS_MIN) return `${formatRatio(ratio)}, ${plural(pairs, 'pair')}`;
  const narrow = high - low < NARROW_INTERVAL && high < 10;
  const bare = (value: number): string => (narrow ? value.toFixed(3) : formatRatio(value).slice(0, -1));
  return `${bare(ratio)}x [${bare(low)}, ${bare(high)}]`;
}

/** What the ends of an interval are: of so few pairs that none can be sure to 95 %, the ends are all that was seen. */
export function intervalWords(pairs: number): string {
  if (pairs >= SURE_PAIRS_MIN) return '95 % interval';
  return pairs < INTERVAL_PAIRS_MIN ? 'no interval' : 'lowest and highest';
}

/** stats/bootstrap.ts: below, the interval reaches from the smallest to the largest value. */
const SURE_PAIRS_MIN = 6;

/** Below this width two decimals would make the ends of an interval look alike. */
const NARROW_INTERVAL = 0.03;

/** `B is faster`, `cannot tell`. */
export function verdictWords(verdict: ComparisonVerdict): string {
  return verdict === 'faster' || verdict === 'slower' ? `B is ${verdict}` : verdict;
}

/** The figures that the verdict of a phase rests on. */
export function verdictSentence({ verdict, decidedBy, figures, noiseFloor }: PhaseComparison): string {
  const estimate = figures[decidedBy];
  if (estimate === undefined) return `${FIGURE_LABELS[decidedBy]} is missing on one side`;
  const figure = `${FIGURE_LABELS[decidedBy]} B / A ${ratioText(estimate)}, p ${formatP(estimate.p)}`;
  const floor = noiseFloor?.[decidedBy];
  const noise = floor === undefined ? '' : `; equal runs differed by ${ratioText(floor)}`;
  const unstable =
    verdict === 'unstable' ? '; the machine was too noisy for the effect that was asked for' : '';
  return `${figure}${noise}${unstable}`;
}

export function verdictKind(verdict: ComparisonVerdict): 'good' | 'bad' | 'warn' {
  return verdict === 'faster' ? 'good' : verdict === 'slower' ? 'bad' : 'warn';
}

/** One row per phase and figure: medians of both sides, ratio with interval, p, noise floor. */
export function comparisonTable(comparison: Comparison): TextTable {
  const withFloor = comparison.phases.some(({ noiseFloor }) => noiseFloor !== null);
  const head = [
    'phase',
    'figure',
    'A, median',
    'B, median',
    `ratio B / A [${endsWords(comparison.phases.map(({ figures }) => figures))}]`,
    'p',
    ...(withFloor ? [`A/A [${endsWords(comparison.phases.map(({ noiseFloor }) => noiseFloor ?? {}))}]`] : []),
  ];
  const rows = comparison.phases.flatMap((phase) =>
    COMPARED_FIGURES.flatMap((figure) => {
      const median = phase.medians[figure];
      const estimate = phase.figures[figure];
      if (median === undefined && estimate === undefined) return [];
      const floor = phase.noiseFloor?.[figure];
      return [
        [
          phase.phase,
          FIGURE_LABELS[figure],
          median === undefined ? MISSING : figureText(figure, median.a),
          median === undefined ? MISSING : figureText(figure, median.b),
          estimate === undefined ? MISSING : ratioText(estimate),
          estimate === undefined ? MISSING : formatP(estimate.p),
          ...(withFloor ? [floor === undefined ? MISSING : ratioText(floor)] : []),
        ],
      ];
    }),
  );
  return { head, rows };
}

/** For the head of a column: `95 %`, or `range`. */
function endsWords(phases: readonly PhaseComparison['figures'][]): string {
  const pairs = phases.flatMap((figures) => Object.values(figures).map((estimate) => estimate.pairs));
  return Math.min(...pairs) >= SURE_PAIRS_MIN ? '95 %' : 'range';
}

export function figureText(figure: ComparedFigure, value: number): string {
  if (figure === 'throughput') return formatRate(value);
  return figure === 'serverCpuPerOp' ? `${formatMicros(value)} us` : `${formatMs(value)} ms`;
}

/** `8 pairs in the order A B, B A, ...; 2 A/A runs for the noise floor`. */
export function pairsSentence({ runs, complete }: Comparison): string {
  const pairs = new Set(runs.filter(({ side }) => side !== 'floor').map(({ pair }) => pair)).size;
  const floors = runs.filter(({ side }) => side === 'floor').length;
  const parts = [
    `${plural(pairs, 'pair')} of runs in the order A B, B A, ..., fresh servers and data each time`,
  ];
  if (floors > 0) parts.push(`${plural(floors, 'A/A run')} for the noise floor`);
  if (!complete) parts.push('interrupted before the last pair');
  return parts.join('; ');
}

/** How the verdicts of the runs and that of the comparison go together, in one place; null when all runs are sound. */
export function runsSentence({ runs, phases }: Comparison): string | null {
  const verdicts = runs.map(({ verdict }) => verdict);
  const unsteady = verdicts.filter((verdict) => verdict === 'unsteady').length;
  const broken = verdicts.filter((verdict) => verdict === 'void').length;
  const decided = phases.some(({ verdict }) => verdict === 'faster' || verdict === 'slower');
  const parts: string[] = [];
  if (unsteady > 0) {
    parts.push(
      `In ${unsteady} of ${runs.length} runs throughput was not steady. Each of them still gives a figure; how far figures ` +
        `move is what the pairs and their intervals measure${decided ? ', so "faster" and "slower" stand' : ''}.`,
    );
  }
  if (broken > 0) {
    parts.push(
      `${broken} of ${runs.length} runs ${broken === 1 ? 'is' : 'are'} void: they do not mean what they say, and no interval ` +
        'accounts for that. Read why in their summaries before the verdict is used.',
    );
  }
  return parts.length === 0 ? null : parts.join(' ');
}

/** Names of the sides, told apart by what they are where their targets are the same. */
export function comparisonSides({ a, b }: Comparison): [a: string, b: string] {
  return a.name === b.name ? [a.description, b.description] : [a.name, b.name];
}

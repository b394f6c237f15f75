/** A search for better settings in words and rows: one wording for the terminal and the summary. */
import type { ScoreUnit, TuneEffect, TuneSettings, Tuning } from '../result/tune-json.ts';
import { ratioText } from './compare-figures.ts';
import {
  formatMicros,
  formatMs,
  formatP,
  formatPercent,
  formatRate,
  formatRatio,
  MISSING,
  orMissing,
  plural,
} from './format.ts';
import type { TextTable } from './run-tables.ts';

const PLACES_MAX = 10;

export function settingsText(settings: TuneSettings): string {
  const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? 'the default' : pairs.join(' ');
}

/** The answer, in one sentence or two. */
export function conclusionText(tuning: Tuning): string {
  const { best, confirmation, conclusion, objective } = tuning;
  if (conclusion === 'unfinished') {
    const far = best === null ? '' : ` The search had chosen ${settingsText(best)}, which nothing confirms.`;
    return tuning.complete ? 'No run gave a figure to compare.' : `Interrupted: nothing is known yet.${far}`;
  }
  const none = `No setting beats the default for ${objective}.`;
  if (best === null || confirmation === null) return `${none} None seemed better in the search.`;
  const { estimate, verdict, defaultScore, tunedScore, defaultKeeps } = confirmation;
  const figures =
    estimate === null ? 'a run of them gave no figure' : `${ratioText(estimate)}, p ${formatP(estimate.p)}`;
  const scores = `${scoreText(tuning.unit, defaultScore)} -> ${scoreText(tuning.unit, tunedScore)}`;
  const shown = `${settingsText(best)}: ${figures} in ${plural(estimate?.pairs ?? 0, 'fresh pair')} (${scores})`;
  if (conclusion === 'better') {
    const also = defaultKeeps ? '' : ' The default breaks the bound.';
    return `Better than the default for ${objective}: ${shown}.${also}`;
  }
  if (conclusion === 'bound') {
    return `No setting keeps the bound at this load: the best one, ${shown}, breaks it too. Take fewer connections or a lower rate.`;
  }
  if (verdict === 'faster') {
    return `${none} The best one gains less than the ${formatPercent(tuning.minEffect)} that were asked for: ${shown}.`;
  }
  const noisy = verdict === 'unstable' ? ' The machine was too noisy for the effect that was asked for.' : '';
  return `${none} The best of the search did not hold in fresh pairs: ${shown}.${noisy}`;
}

export function scoreText(unit: ScoreUnit, score: number | null): string {
  if (unit === '/s') return orMissing(score, formatRate);
  return orMissing(score, (value) =>
    unit === 'ms' ? `${formatMs(1 / value)} ms` : `${formatMicros(1 / value)} us`,
  );
}

/** The same for a terminal, where a setting may be longer than a line. */
export function candidateLines(tuning: Tuning): string[] {
  return candidateTable(tuning).rows.map(
    ([setting, , round, ratio, pairs]) => `${ratio!.padStart(7)} in ${pairs} (round ${round})  ${setting}`,
  );
}

/** How far runs of one setting lie apart here. */
export function noiseText({ noise }: Tuning): string {
  return noise === null
    ? 'The default ran too seldom to know the noise.'
    : `The default against itself: ${ratioText(noise)}.`;
}

/** What was shown first, then by size. */
export function orderedEffects({ effects }: Tuning): TuneEffect[] {
  const size = ({ ratio }: TuneEffect): number => Math.abs(Math.log(ratio));
  return [...effects].sort((x, y) => Number(isShown(y)) - Number(isShown(x)) || size(y) - size(x));
}

/** What each value did. */
export function effectTable(tuning: Tuning): TextTable {
  return {
    head: ['parameter', 'value', 'effect [95 %]', 'pairs', 'mattered'],
    rows: orderedEffects(tuning).map((effect) => [
      effect.key,
      effect.value,
      effect.low === null || effect.high === null
        ? `${formatRatio(effect.ratio)}, no interval`
        : `${formatRatio(effect.ratio)} [${effect.low.toFixed(2)}, ${effect.high.toFixed(2)}]`,
      String(effect.pairs),
      isShown(effect) ? (effect.ratio > 1 ? 'better' : 'worse') : MISSING,
    ]),
  };
}

function isShown({ low, high }: TuneEffect): boolean {
  return low !== null && high !== null && (low > 1 || high < 1);
}

/** The settings that went farthest, with what they were beside the default. */
export function candidateTable({ candidates }: Tuning): TextTable {
  const mean = (ratios: readonly number[]): number =>
    Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  const seen = candidates.filter(({ ratios }) => ratios.length > 0);
  const order = seen
    .sort((x, y) => y.round - x.round || mean(y.ratios) - mean(x.ratios))
    .slice(0, PLACES_MAX);
  return {
    head: ['setting', 'of', 'round', 'mean ratio', 'pairs'],
    rows: order.map(({ settings, origin, round, ratios }) => [
      settingsText(settings),
      origin,
      String(round),
      formatRatio(mean(ratios)),
      String(ratios.length),
    ]),
  };
}

/** How many runs are what they say. */
export function tuneRunsText({ runs }: Tuning): string {
  const count = runs.filter(({ verdict }) => verdict === 'void').length;
  const broken = count === 0 ? '' : `; ${count} of them void, read why in their summaries`;
  return `${plural(runs.length, 'run')}, fresh servers and data each time${broken}`;
}

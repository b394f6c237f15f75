/**
 * Which default do the comparisons support? A mode takes the default's place only when it is faster somewhere and slower
 * nowhere; of several, the one with the highest mean ratio of throughput. Everything else leaves the default where it is,
 * and says why. Pure.
 */
import { formatRatio, plural } from '../../figures/format.ts';
import { canDecide } from '../../stats/decide.ts';
import type { ModeComparison } from './compare-modes.ts';
import type { ModeName } from './modes.ts';

export interface Conclusion {
  /** The mode that should be the default on this machine. */
  readonly supported: ModeName;
  readonly changes: boolean;
  /** One sentence per mode, then the conclusion. */
  readonly lines: readonly string[];
}

interface Standing {
  readonly mode: ModeName;
  readonly faster: readonly string[];
  readonly slower: readonly string[];
  /** Geometric, of throughput against the default. */
  readonly meanRatio: number;
}

export function concludeModes(defaultMode: ModeName, comparisons: readonly ModeComparison[]): Conclusion {
  const modes = [...new Set(comparisons.map(({ mode }) => mode))];
  const standings = modes.map((mode) => standingOf(mode, comparisons));
  const challengers = standings
    .filter(({ faster, slower }) => faster.length > 0 && slower.length === 0)
    .sort((a, b) => b.meanRatio - a.meanRatio);
  const best = challengers[0];
  const supported = best?.mode ?? defaultMode;
  const last =
    best === undefined
      ? `No mode is faster somewhere and slower nowhere: ${defaultMode} stays the default here.`
      : `${supported} is faster somewhere and slower nowhere: this result supports it as the default here, in place of ${defaultMode}.`;
  const lines = [...standings.map(sentence), ...tooFew(comparisons), last];
  return { supported, changes: best !== undefined, lines };
}

/** A conclusion from too few pairs is none. */
function tooFew(comparisons: readonly ModeComparison[]): string[] {
  const short = comparisons.filter(({ pairs, floorPairs }) => !canDecide(pairs, floorPairs));
  if (short.length === 0) return [];
  const pairs = Math.min(...short.map((one) => one.pairs));
  return [`${plural(pairs, 'pair')} cannot show any difference: 6 are needed, or 2 and a noise floor of 4.`];
}

function standingOf(mode: ModeName, comparisons: readonly ModeComparison[]): Standing {
  const phases = comparisons
    .filter((comparison) => comparison.mode === mode)
    .flatMap(({ plan, phases: compared }) =>
      compared.map((phase) => ({ ...phase, name: `${plan} ${phase.phase}` })),
    );
  const named = (wanted: string): string[] =>
    phases.flatMap(({ verdict, name }) => (verdict === wanted ? [name] : []));
  const logs = phases.flatMap(({ figures }) =>
    figures.throughput === undefined ? [] : [Math.log(figures.throughput.ratio)],
  );
  const mean = logs.reduce((sum, log) => sum + log, 0) / Math.max(1, logs.length);
  return { mode, faster: named('faster'), slower: named('slower'), meanRatio: Math.exp(mean) };
}

function sentence({ mode, faster, slower, meanRatio }: Standing): string {
  const parts = [
    faster.length > 0 ? `faster in ${faster.join(', ')}` : '',
    slower.length > 0 ? `slower in ${slower.join(', ')}` : '',
  ].filter((part) => part !== '');
  const found = parts.length === 0 ? 'no difference was shown' : parts.join('; ');
  return `${mode}: ${found}; mean ratio of throughput ${formatRatio(meanRatio)}.`;
}

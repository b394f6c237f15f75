/**
 * A comparison as a gate for changes: may B replace A? A gate is worth what it can refuse, so everything that is not
 * shown to be fine is refused, and everything that is let through without being shown was chosen by name. In
 * particular a gate refuses when it could not have refused: an interrupted comparison, one without phases or without
 * the deciding figure, and one with too few pairs to call anything slower (a gate in the wild caught its own
 * assertion error and passed for years).
 *
 *     verdict       failOn `slower`      failOn `not-faster`
 *     faster        pass                 pass
 *     slower        fail                 fail
 *     cannot tell   `cannotTell`         fail
 *     unstable      `unstable`           fail
 */
import type { ComparedFigure, Comparison, PhaseComparison, RatioEstimate } from '../result/compare-json.ts';
import { canDecide } from '../stats/decide.ts';
import { pairSpread, pairsNeeded } from '../stats/ratio.ts';
import { betterWhen } from './phase-comparison.ts';

export interface GateOptions {
  readonly failOn: 'slower' | 'not-faster';
  /**
   * Equal sides end as `cannot tell`; so does a loss that is too small, or too noisy, to be seen. `lossAtMost` passes
   * only when the interval rules out that B is worse by more than this share (a test of non-inferiority).
   */
  readonly cannotTell: 'fail' | 'pass' | { readonly lossAtMost: number };
  /** The machine was too noisy for the effect asked for. */
  readonly unstable: 'fail' | 'pass';
  /** Void ones. What an unsteady run adds to the spread is in the intervals already. */
  readonly voidRuns: 'fail' | 'pass';
}

export interface GateStatus {
  readonly ok: boolean;
  /** One per phase and one per general objection, each beginning with `pass` or `FAIL`. */
  readonly lines: readonly string[];
}

interface Ruling {
  readonly ok: boolean;
  readonly text: string;
}

export function gateStatus(comparison: Comparison, options: GateOptions): GateStatus {
  const rulings = [
    ...generalRulings(comparison, options),
    ...comparison.phases.map((phase) => phaseRuling(phase, options)),
  ];
  return {
    ok: rulings.every(({ ok }) => ok),
    lines: rulings.map(({ ok, text }) => `${ok ? 'pass' : 'FAIL'}  ${text}`),
  };
}

function generalRulings(comparison: Comparison, options: GateOptions): Ruling[] {
  const rulings: Ruling[] = [];
  if (!comparison.complete) rulings.push({ ok: false, text: 'the comparison was interrupted' });
  if (comparison.phases.length === 0) rulings.push({ ok: false, text: 'no phase was compared' });
  const broken = comparison.runs.filter(({ verdict }) => verdict === 'void');
  if (broken.length > 0) {
    const text = `${broken.length} of ${comparison.runs.length} runs are void, their figures do not mean what they say: ${broken.map(({ dir }) => dir).join(', ')}`;
    rulings.push({ ok: options.voidRuns === 'pass', text });
  }
  return rulings;
}

function phaseRuling(phase: PhaseComparison, options: GateOptions): Ruling {
  const estimate = phase.figures[phase.decidedBy];
  if (estimate === undefined) {
    return { ok: false, text: `${phase.phase}: no ${phase.decidedBy} to decide by in some run` };
  }
  const text = `${phase.phase}: ${phase.verdict}, ${phase.decidedBy} B / A ${describe(estimate)}`;
  const floorPairs = phase.noiseFloor?.[phase.decidedBy]?.pairs ?? 0;
  if (!canDecide(estimate.pairs, floorPairs)) {
    return { ok: false, text: `${text}; so few pairs cannot show any loss, make 6 or more` };
  }
  const objection = objectionTo(phase, estimate, options);
  return objection === null ? { ok: true, text } : { ok: false, text: `${text}; ${objection}` };
}

/** Null lets the phase pass. */
function objectionTo(phase: PhaseComparison, estimate: RatioEstimate, options: GateOptions): string | null {
  if (phase.verdict === 'faster') return null;
  if (options.failOn !== 'slower') return 'not shown to be faster';
  if (phase.verdict === 'unstable') {
    return options.unstable === 'pass' ? null : 'the machine is too noisy for the effect asked for';
  }
  if (phase.verdict !== 'cannot tell') return 'shown to be slower';
  if (options.cannotTell === 'pass') return null;
  if (options.cannotTell === 'fail') return 'neither a gain nor a loss is shown';
  const { lossAtMost } = options.cannotTell;
  const loss = worstLoss(estimate, phase.decidedBy);
  if (loss <= lossAtMost) return null;
  const pairs = pairsNeeded(pairSpread(estimate) ?? 0, lossAtMost);
  const advice = pairs > estimate.pairs ? `, about ${pairs} pairs would tell` : '';
  return `a loss of ${percent(loss)} is possible, ${percent(lossAtMost)} is allowed${advice}`;
}

/** By how much B may be worse, at the unfavourable end of the interval. */
function worstLoss({ low, high }: RatioEstimate, figure: ComparedFigure): number {
  return betterWhen(figure) === 'higher' ? 1 - low : high - 1;
}

function describe({ ratio, low, high, p, pairs }: RatioEstimate): string {
  return `${ratio.toFixed(3)} [${low.toFixed(3)} .. ${high.toFixed(3)}], p ${p.toPrecision(2)}, ${pairs} pairs`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

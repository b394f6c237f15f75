/**
 * The highest rate of requests at which p99 keeps a bound, found with few, noisy probes. Each probe is a whole run with
 * fresh servers, so a probe is dear and single ones lie. The method is that of AIPerf's `smooth_isotonic` search
 * (docs/sweeping/bayesian-optimization.md there); bisection, in contrast, believes every probe.
 *
 *     ladder      from, x2, x2 ... to the first rate that breaks the bound; a breach is probed again, and a third time
 *        |        when both disagree, so that one disturbed run does not end the ladder
 *     narrow      isotonic fit over all probes; smooth: probe the crossing; steep: halve the gap (no line fits a cliff)
 *        |
 *     replicate   at the edge and at the probed rates on both sides of it, until each has its replicates
 *        |
 *     done        at the latest after `probesMax` probes; the ladder takes larger steps where it would be long
 *
 * What comes next depends on nothing but the probes so far: `nextProbe()` may be asked any number of times.
 * A probe that is not valid cannot show that a rate is kept. It counts as breach, by a factor 2 at least; so it is
 * probed again like every breach.
 *
 * The interval: of a smooth edge by bootstrap (edge-fit.ts); of a cliff from the highest rate below it that no probe
 * contradicts to the lowest such rate above it. In simulations with a scatter of p99 of 10 to 40 % and 3 replicates, it
 * held the true rate in 85 to 95 % of the searches; with 1 replicate it is only the gap between two probes.
 */
import { median } from 'simple-statistics';
import { ConfigFailure } from '../../src/base/failure.ts';
import type { SearchPlan } from '../plan/plan.ts';
import type { SearchOutcome } from '../result/compare-json.ts';
import { type EdgeFit, edgeInterval, fitEdge, type ProbedRate } from './edge-fit.ts';

export interface RateSearchOptions {
  /** The gap, as a share of the rate, at which narrowing ends. */
  readonly precision: number;
  readonly probesMax: number;
}

const DEFAULTS: RateSearchOptions = { precision: 0.05, probesMax: 25 };
const LADDER_STEPS_MAX = 9;
const INVALID_MARGIN_MIN = Math.log(2);
/** p99 of nothing measured at all would have no logarithm. */
const P99_MS_MIN = 1e-6;

type Probe = SearchOutcome['probes'][number];
type Edge = Pick<SearchOutcome, 'ratePerSecond' | 'low' | 'high' | 'edge'>;

export class RateSearch {
  readonly #plan: SearchPlan;
  readonly #options: RateSearchOptions;
  readonly #ladder: readonly number[];
  readonly #probes: Probe[] = [];

  /** @throws ConfigFailure for a range or a bound that cannot be searched. */
  constructor(plan: SearchPlan, options: Partial<RateSearchOptions> = {}) {
    if (!(plan.from >= 1 && plan.to >= plan.from && plan.to < Number.POSITIVE_INFINITY)) {
      throw new ConfigFailure(`search: from ${plan.from} to ${plan.to} /s; needed: 1 <= from <= to`);
    }
    if (!(plan.p99MsMax > 0)) throw new ConfigFailure(`search: p99 <= ${plan.p99MsMax} ms; needed: above 0`);
    this.#plan = plan;
    this.#options = { ...DEFAULTS, ...options };
    this.#ladder = ladderOf(Math.round(plan.from), Math.round(plan.to));
  }

  /** Requests per second, whole; null when the search is over. */
  nextProbe(): number | null {
    if (this.#probes.length >= this.#options.probesMax) return null;
    const rates = this.#probedRates();
    for (const rate of this.#ladder) {
      const margins = rates.find((probed) => probed.rate === rate)?.margins ?? [];
      const opinion = opinionOf(margins);
      if (opinion === 'open') return rate;
      if (opinion === 'breaks') return rate === this.#ladder[0] ? null : this.#nextNearEdge(rates);
    }
    return null;
  }

  /** @param p99Ms Of the probe that `nextProbe` named. @param valid False when the run may not be believed. */
  onProbe(ratePerSecond: number, p99Ms: number, valid: boolean): void {
    this.#probes.push({ ratePerSecond, p99Ms, valid });
  }

  /** At any time: what is known so far. Without probes, as if even the lowest rate had broken the bound. */
  outcome(): SearchOutcome {
    const rates = this.#probedRates();
    const { phase, p99MsMax } = this.#plan;
    return { phase, p99MsMax, ...this.#edge(rates), probes: [...this.#probes] };
  }

  #edge(rates: readonly ProbedRate[]): Edge {
    const fit = fitEdge(rates);
    if (fit === null) return withoutEdge(rates);
    const { keeps, breaks, edge } = fit;
    if (fit.steep) return { ratePerSecond: keeps, ...undisputed(rates, fit), edge: 'cliff' };
    const interval = edgeInterval(rates, edge) ?? { low: keeps, high: breaks };
    return {
      ratePerSecond: Math.floor(edge),
      low: Math.floor(Math.min(edge, interval.low)),
      high: Math.ceil(Math.max(edge, interval.high)),
      edge: 'smooth',
    };
  }

  #nextNearEdge(rates: readonly ProbedRate[]): number | null {
    const fit = fitEdge(rates);
    if (fit === null) return null;
    return this.#narrower(fit, rates) ?? this.#replicate(fit, rates);
  }

  /** Null when the edge is known closely enough. */
  #narrower({ keeps, breaks, steep, edge }: EdgeFit, rates: readonly ProbedRate[]): number | null {
    const { precision } = this.#options;
    if ((breaks - keeps) / breaks <= precision) return null;
    const next = Math.round(steep ? Math.sqrt(keeps * breaks) : edge);
    const distance = Math.abs(nearest(rates, next).rate - next) / next;
    return distance > precision / 2 ? next : null;
  }

  #replicate({ keeps, breaks, steep, edge }: EdgeFit, rates: readonly ProbedRate[]): number | null {
    const sides = steep ? [keeps, breaks] : [edge, keeps, breaks];
    const wanting = sides
      .map((side) => nearest(rates, side))
      .find(({ margins }) => margins.length < this.#plan.replicates);
    return wanting?.rate ?? null;
  }

  #probedRates(): ProbedRate[] {
    const byRate = new Map<number, number[]>();
    for (const { ratePerSecond, p99Ms, valid } of this.#probes) {
      const margin = Math.log(Math.max(p99Ms, P99_MS_MIN) / this.#plan.p99MsMax);
      const margins = byRate.get(ratePerSecond) ?? [];
      margins.push(valid ? margin : Math.max(margin, INVALID_MARGIN_MIN));
      byRate.set(ratePerSecond, margins);
    }
    return [...byRate].map(([rate, margins]) => ({ rate, margins })).sort((x, y) => x.rate - y.rate);
  }
}

/** `from`, then twice as much each time, or more where that would take too many steps; the last one is `to`. */
function ladderOf(from: number, to: number): number[] {
  const factor = Math.max(2, (to / from) ** (1 / LADDER_STEPS_MAX));
  const rates = [from];
  for (let rate = from * factor; Math.round(rate) < to; rate *= factor) rates.push(Math.round(rate));
  return to > from ? [...rates, to] : rates;
}

/** A rate that is kept is believed at once; a breach needs two, or two of three. */
function opinionOf(margins: readonly number[]): 'open' | 'keeps' | 'breaks' {
  const breaches = margins.filter((margin) => margin > 0).length;
  if (breaches === 0) return margins.length === 0 ? 'open' : 'keeps';
  if (margins.length < 3 && breaches < 2) return 'open';
  return median([...margins]) > 0 ? 'breaks' : 'keeps';
}

function withoutEdge(rates: readonly ProbedRate[]): Edge {
  const lowest = rates[0];
  if (lowest === undefined || median([...lowest.margins]) > 0) {
    return { ratePerSecond: null, low: null, high: lowest?.rate ?? null, edge: 'none' };
  }
  const highest = rates.at(-1)!.rate;
  return { ratePerSecond: highest, low: highest, high: null, edge: 'open' };
}

/** From the highest rate up to `keeps` that no probe contradicts to the lowest one from `breaks` on. */
function undisputed(
  rates: readonly ProbedRate[],
  { keeps, breaks }: EdgeFit,
): { low: number | null; high: number | null } {
  const kept = rates.filter(({ rate, margins }) => rate <= keeps && margins.every((margin) => margin <= 0));
  const broken = rates.find(({ rate, margins }) => rate >= breaks && margins.every((margin) => margin > 0));
  return { low: kept.at(-1)?.rate ?? null, high: broken?.rate ?? null };
}

function nearest(rates: readonly ProbedRate[], rate: number): ProbedRate {
  return rates.reduce((best, probed) =>
    Math.abs(probed.rate - rate) < Math.abs(best.rate - rate) ? probed : best,
  );
}

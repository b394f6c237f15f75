/**
 * The search for better settings, pure: it asks for measurements and is told them. What it knows of a server is the score
 * of a point, with all the noise of the machine in it, so it compares each point only with a run of the default beside it.
 *
 *     start      points that fill the space                              start-points.ts
 *     round 1    each once beside the default     D c1 c2 D c3 c4 D ...  D and c1 are a pair, D and c2, D and c3 ...
 *       |        a third goes on; newcomers are made of what was learnt: the sum of the best effects, neighbours of the
 *       v        leader, the leader without what does nothing            level-effects.ts
 *     round 2    two more pairs each
 *     round 3    three more pairs each
 *       |        the simplest within one standard error of the best
 *       v
 *     confirm    fresh pairs against the default, D w | w D | ...        decide.ts
 *
 * Within a round whoever shows no gain any more is dropped at once (racing, as in irace); between rounds the better third
 * stays (successive halving with eta = 3, but over pairs, because most of the noise comes from the start of a server). The
 * best of many is always flattered by its noise: what counts is the confirmation alone.
 */
import { median } from 'simple-statistics';
import { Prng } from '../../src/base/prng.ts';
import { pairOrder } from '../compare/compare-targets.ts';
import type { RatioEstimate } from '../result/compare-json.ts';
import type { TuneCandidate, TuneConclusion, TuneConfirmation, TuneEffect } from '../result/tune-json.ts';
import { decide } from '../stats/decide.ts';
import { type LevelEffect, levelEffects, type Observation } from '../stats/level-effects.ts';
import { estimateRatio, type FigurePair } from '../stats/ratio.ts';
import { robustSigma } from '../stats/robust.ts';
import { proposals } from './proposals.ts';
import { isDefault, type Parameter, type Point, type PointSettings, settingsOf } from './space.ts';
import { shuffled, startPoints } from './start-points.ts';

const ROUND_PAIRS = [1, 2, 3];
const ETA = 3;
/** A pair's scatter, until the default's own runs have shown it. */
const SIGMA_UNKNOWN = 0.05;
const SIGMA_RUNS_MIN = 4;
/** Standard errors. */
const DROPPED_BELOW = 2;
const TOLD_APART = 2;
/** Standard deviations. */
const FAR = 2;
/** One pair may have been disturbed. */
const DROP_PAIRS_MIN = 2;
/** The machine may have stood still once. */
const FAILURES_MAX = 2;
/** Newcomers of the last round. */
const LAST_NEWCOMERS = 3;

export interface TunerOptions {
  readonly parameters: readonly Parameter[];
  /** Points in the first round. */
  readonly startCount: number;
  readonly confirmPairs: number;
  /** The smallest gain asked for, as a share. */
  readonly minEffect: number;
  readonly seed: number;
}

/** Null: the run gave no figure. */
export type Score = {
  /** Above 0; more is better. */
  readonly value: number;
  /** The objective's bound, where it has one. */
  readonly keeps: boolean;
} | null;

export interface Ask {
  readonly settings: PointSettings;
  /** `default`, `c7`, `tuned`: ends the run's directory. */
  readonly label: string;
  /** 0: the confirmation. */
  readonly round: number;
}

interface Candidate {
  readonly number: number;
  readonly point: Point;
  readonly origin: TuneCandidate['origin'];
  /** Of each pair. */
  readonly logs: number[];
  round: number;
  /** Runs without a figure. */
  failures: number;
  dropped: boolean;
}

/** Of the whole search; fewer where settings are dropped, or the space is small. */
export function runsAtMost({
  startCount,
  confirmPairs,
}: Pick<TunerOptions, 'startCount' | 'confirmPairs'>): number {
  let field = startCount;
  let runs = 2 * confirmPairs + 1;
  for (const [at, pairs] of ROUND_PAIRS.entries()) {
    runs += pairs * Math.ceil(1.5 * field);
    field = Math.ceil(field / ETA) + newcomersAfter(at + 1, field);
  }
  return runs;
}

function newcomersAfter(round: number, fieldSize: number): number {
  return round === 1 ? Math.ceil(fieldSize / ETA) : LAST_NEWCOMERS;
}

export class Tuner {
  readonly #options: TunerOptions;
  readonly #prng: Prng;
  readonly #steps: Generator<Ask, void, Score>;
  readonly #candidates: Candidate[] = [];
  /** In order. */
  readonly #defaults: (number | null)[] = [];
  readonly #confirmed: { readonly a: Score; readonly b: Score }[] = [];
  #pending: Ask | null = null;
  #round = 0;
  /** Of the default, when it ran last. */
  #near: Score | undefined;
  #winner: Candidate | null = null;
  #finished = false;

  constructor(options: TunerOptions) {
    this.#options = options;
    this.#prng = new Prng(options.seed);
    this.#steps = this.#search();
    this.#advance(this.#steps.next());
  }

  /** What to measure now; null when all is known. The same until it is told. */
  get ask(): Ask | null {
    return this.#pending;
  }

  tell(score: Score): void {
    this.#advance(this.#steps.next(score));
  }

  get candidates(): readonly TuneCandidate[] {
    return this.#candidates.map(({ number, point, origin, logs, round, dropped }) => {
      const ratios = logs.map(Math.exp);
      return { number, settings: this.#settings(point), origin, ratios, round, dropped };
    });
  }

  get effects(): readonly TuneEffect[] {
    return this.#effects().map(({ parameter, level, effect, interval, count }) => {
      const { key, values } = this.#options.parameters[parameter]!;
      return {
        ...{ key, value: values[level - 1]!, ratio: Math.exp(effect) },
        low: interval === null ? null : Math.exp(interval.low),
        high: interval === null ? null : Math.exp(interval.high),
        pairs: count,
      };
    });
  }

  /** The default against itself, from neighbouring runs of it. */
  get noise(): RatioEstimate | null {
    const pairs: FigurePair[] = [];
    const known = [...this.#defaults, ...this.#confirmed.map(({ a }) => a?.value ?? null)].filter(
      (score) => score !== null,
    );
    for (let at = 0; at + 1 < known.length; at += 2) pairs.push([known[at]!, known[at + 1]!]);
    return estimateRatio(pairs);
  }

  /** In the search, until now; null while nothing seems better than the default. */
  get leader(): { readonly settings: PointSettings; readonly ratio: number; readonly pairs: number } | null {
    const [first] = this.#candidates
      .filter(({ dropped, logs }) => !dropped && logs.length > 0)
      .sort(this.#byWorth);
    if (first === undefined || this.#worth(first) <= 0) return null;
    const { point, logs } = first;
    return { settings: this.#settings(point), ratio: Math.exp(this.#meanOf(first)), pairs: logs.length };
  }

  get best(): PointSettings | null {
    return this.#winner === null ? null : this.#settings(this.#winner.point);
  }

  get confirmation(): TuneConfirmation | null {
    const pairs = this.#confirmed;
    if (this.#winner === null || pairs.length < this.#options.confirmPairs) return null;
    const estimate = estimateRatio(pairs.map(({ a, b }) => [a?.value ?? null, b?.value ?? null]));
    return {
      estimate,
      verdict: decide(estimate, this.noise, { better: 'higher', minEffect: this.#options.minEffect }),
      defaultKeeps: mostKeep(pairs.map(({ a }) => a)),
      tunedKeeps: mostKeep(pairs.map(({ b }) => b)),
      defaultScore: medianOf(pairs.map(({ a }) => a)),
      tunedScore: medianOf(pairs.map(({ b }) => b)),
    };
  }

  get conclusion(): TuneConclusion {
    if (!this.#finished || this.#candidates.every(({ logs }) => logs.length === 0)) return 'unfinished';
    const { confirmation } = this;
    if (confirmation?.verdict !== 'faster') return 'none';
    // A gain may be shown and still be too small to be worth a setting.
    if (confirmation.estimate!.ratio < 1 + this.#options.minEffect) return 'none';
    return confirmation.tunedKeeps ? 'better' : 'bound';
  }

  #advance({ done, value }: IteratorResult<Ask, void>): void {
    this.#finished = done === true;
    this.#pending = value ?? null;
  }

  *#search(): Generator<Ask, void, Score> {
    const { parameters, startCount } = this.#options;
    let field = startPoints(parameters, startCount, this.#prng).map((point) => this.#add(point, 'start'));
    for (const [at, pairs] of ROUND_PAIRS.entries()) {
      this.#round = at + 1;
      for (let pass = 0; pass < pairs; pass++) {
        yield* this.#pass(field.filter(({ dropped }) => !dropped));
        this.#drop(field);
      }
      if (at + 1 < ROUND_PAIRS.length) field = this.#nextField(field);
    }
    this.#winner = this.#choose(field);
    this.#round = 0;
    if (this.#winner !== null) yield* this.#confirm(this.#winner);
  }

  /** Each of the field once, beside a run of the default, which has one on either side. */
  *#pass(field: readonly Candidate[]): Generator<Ask, void, Score> {
    const order = shuffled(field, this.#prng);
    for (let at = 0; at < order.length; at += 2) {
      const before: Score = this.#near === undefined ? yield* this.#runDefault() : this.#near;
      this.#note(order[at]!, before, yield this.#askFor(order[at]!));
      this.#near = undefined;
      const second = order[at + 1];
      if (second === undefined) return;
      const score: Score = yield this.#askFor(second);
      this.#near = yield* this.#runDefault();
      this.#note(second, this.#near, score);
    }
  }

  *#runDefault(): Generator<Ask, Score, Score> {
    const score: Score = yield { settings: {}, label: 'default', round: this.#round };
    this.#defaults.push(score?.value ?? null);
    return score;
  }

  #askFor({ number, point }: Candidate): Ask {
    return { settings: this.#settings(point), label: `c${number}`, round: this.#round };
  }

  /** A default without a figure says nothing of the candidate beside it; a candidate without one for the second time is none. */
  #note(candidate: Candidate, beside: Score, score: Score): void {
    candidate.round = this.#round;
    if (score === null) candidate.dropped = ++candidate.failures >= FAILURES_MAX;
    else if (beside !== null) candidate.logs.push(Math.log(score.value / beside.value));
  }

  #drop(field: readonly Candidate[]): void {
    const sigma = this.#sigma();
    for (const candidate of field) {
      const { logs } = candidate;
      if (logs.length < DROP_PAIRS_MIN) continue;
      const reach = (DROPPED_BELOW * sigma) / Math.sqrt(logs.length);
      if (this.#meanOf(candidate) + reach < 0) candidate.dropped = true;
    }
  }

  #nextField(field: readonly Candidate[]): Candidate[] {
    const ranked = field.filter(({ dropped }) => !dropped).sort(this.#byWorth);
    const kept = ranked.slice(0, Math.ceil(field.length / ETA));
    const room = newcomersAfter(this.#round, field.length);
    const known = new Set(this.#candidates.map(({ point }) => String(point)));
    const made = proposals({
      parameters: this.#options.parameters,
      effects: this.#effects(),
      leader: kept[0] !== undefined && this.#worth(kept[0]) > 0 ? kept[0].point : null,
    });
    const news = made.filter(({ point }) => !isDefault(point) && !known.has(String(point))).slice(0, room);
    return [...kept, ...news.map(({ point, origin }) => this.#add(point, origin))];
  }

  /** The simplest of those that cannot be told from the best; null where nothing seems better than the default. */
  #choose(field: readonly Candidate[]): Candidate | null {
    const ranked = field.filter(({ dropped, logs }) => !dropped && logs.length > 0).sort(this.#byWorth);
    const best = ranked[0];
    if (best === undefined || this.#worth(best) <= 0) return null;
    const sigma = this.#sigma();
    const close = ranked.filter((candidate) => {
      const error = TOLD_APART * sigma * Math.sqrt(1 / best.logs.length + 1 / candidate.logs.length);
      return this.#worth(candidate) > 0 && this.#meanOf(candidate) >= this.#meanOf(best) - error;
    });
    const changed = ({ point }: Candidate): number => point.filter((level) => level > 0).length;
    return close.sort((x, y) => changed(x) - changed(y) || this.#byWorth(x, y))[0]!;
  }

  *#confirm({ point }: Candidate): Generator<Ask, void, Score> {
    const asks = {
      a: { settings: {}, label: 'default', round: 0 },
      b: { settings: this.#settings(point), label: 'tuned', round: 0 },
    };
    for (const order of pairOrder(this.#options.confirmPairs)) {
      const scores: { a: Score; b: Score } = { a: null, b: null };
      for (const side of order) scores[side] = yield asks[side];
      this.#confirmed.push(scores);
    }
  }

  /** The mean, drawn towards 0 as by one more pair without any gain: what was seen once counts half. */
  #worth(candidate: Candidate): number {
    const { length } = candidate.logs;
    return length === 0 ? 0 : (this.#meanOf(candidate) * length) / (length + 1);
  }

  readonly #byWorth = (x: Candidate, y: Candidate): number => this.#worth(y) - this.#worth(x);

  /** Of at least one pair. What lies far from the middle one is drawn in: the machine may have stood still in it. */
  #meanOf({ logs }: Candidate): number {
    const middle = median(logs);
    const reach = FAR * this.#sigma();
    return middle + sum(logs.map((log) => Math.max(-reach, Math.min(reach, log - middle)))) / logs.length;
  }

  /** Of one pair's log ratio. */
  #sigma(): number {
    const logs = this.#defaultSteps();
    return logs.length < SIGMA_RUNS_MIN ? SIGMA_UNKNOWN : robustSigma(logs);
  }

  /** From each run of the default to the next. */
  #defaultSteps(): number[] {
    const known = this.#defaults.filter((score) => score !== null);
    return known.slice(1).map((score, at) => Math.log(score / known[at]!));
  }

  #effects(): LevelEffect[] {
    const nothing = this.#options.parameters.map(() => 0);
    const observations: Observation[] = [
      ...this.#candidates.flatMap(({ point, logs }) => logs.map((value) => ({ levels: point, value }))),
      ...this.#defaultSteps().map((value) => ({ levels: nothing, value })),
    ];
    return levelEffects(observations);
  }

  #add(point: Point, origin: Candidate['origin']): Candidate {
    const number = this.#candidates.length + 1;
    const made: Candidate = {
      number,
      point,
      origin,
      logs: [],
      round: this.#round,
      failures: 0,
      dropped: false,
    };
    this.#candidates.push(made);
    return made;
  }

  #settings(point: Point): PointSettings {
    return settingsOf(this.#options.parameters, point);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mostKeep(scores: readonly Score[]): boolean {
  return 2 * scores.filter((score) => score?.keeps === true).length > scores.length;
}

function medianOf(scores: readonly Score[]): number | null {
  const values = scores.flatMap((score) => (score === null ? [] : [score.value]));
  return values.length === 0 ? null : median(values);
}

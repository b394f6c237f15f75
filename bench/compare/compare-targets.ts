/**
 * Two targets side by side on a noisy machine. First A against itself, which shows how far equal things differ here;
 * then pairs of A and B in blocks ABBA, so that a drift of the machine, which grows with time, hits both sides alike.
 *
 *     floor  A A' | A' A | A A' | A' A        A' is A again
 *     pairs  A B  | B A  | A B  | B A  ...    until `pairs`, or until every interval is narrow enough
 *
 * Stopping looks at the width of the intervals, never at the verdicts: a series that ends as soon as something looks
 * significant finds differences where there are none. Nor does it end before 8 pairs or inside an ABBA block.
 */
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Plan } from '../plan/plan.ts';
import {
  COMPARE_SCHEMA,
  COMPARE_SCHEMA_VERSION,
  type Comparison,
  INTERVAL_PAIRS_MIN,
  type PhaseComparison,
} from '../result/compare-json.ts';
import { type RunResult, type TargetInfo, verdictOfRun } from '../result/run-json.ts';
import { canDecide, DEFAULT_MIN_EFFECT } from '../stats/decide.ts';
import { halfWidth } from '../stats/ratio.ts';
import { type Measure, type NumberedRun, RunLedger } from './measure.ts';
import { comparePhases, type RunPair } from './phase-comparison.ts';

const DEFAULT_FLOOR_PAIRS = 4;
const STOP_PAIRS_MIN = 8;
const PAIRS_MAX = 1_000;

export interface CompareOptions {
  /** Names of the targets, for `measure`; may be equal. */
  readonly a: string;
  readonly b: string;
  /** At most, with `stopWhen`. */
  readonly pairs: number;
  /** A/A pairs, default 4; 0 = no noise floor. */
  readonly floorPairs?: number;
  /** The smallest effect asked for, as a share; default 0.05. */
  readonly minEffect?: number;
  /** Half width of the deciding figures' intervals at which no more pairs are made, as a share; default: never. */
  readonly stopWhen?: number;
  /** That repeats the comparison. */
  readonly command: string;
}

export interface ComparedRun extends NumberedRun {
  readonly side: 'a' | 'b' | 'floor';
  /** From 1; counted anew behind the floor. */
  readonly pair: number;
}

export interface ComparisonOutcome {
  /** Null when nothing was measured. Not complete when runs are missing; figures then come from the whole pairs. */
  readonly comparison: Comparison | null;
  /** Why a run, or saving it, failed: to be reported once the comparison has been saved. */
  readonly failure: Error | null;
}

/** The order of the runs, two a pair: `a b | b a | a b ...` */
export function pairOrder(pairs: number): ('a' | 'b')[][] {
  return Array.from({ length: pairs }, (_, pair) => (pair % 2 === 0 ? ['a', 'b'] : ['b', 'a']));
}

/** What to say before so many pairs are made, when they can show too little, whatever comes out: one line each. */
export function tooFewPairs(pairs: number, floorPairs: number): string[] {
  const lines: string[] = [];
  if (!canDecide(pairs, floorPairs)) {
    let enough = pairs;
    while (!canDecide(enough, floorPairs)) enough++;
    const them = pairs === 1 ? '1 pair' : `${pairs} pairs`;
    const words = floorPairs < INTERVAL_PAIRS_MIN ? '"cannot tell"' : '"cannot tell" or "unstable"';
    lines.push(
      `${them} can never show that B is faster or slower: whatever comes out, the verdict will be ${words}; ` +
        `make at least ${enough} (--pairs ${enough})`,
    );
  }
  if (floorPairs === 1) {
    lines.push(
      'one A/A pair has no interval, so that it does not show how noisy this machine is: make at least ' +
        `${INTERVAL_PAIRS_MIN} (--floor-pairs ${INTERVAL_PAIRS_MIN}), or none`,
    );
  }
  return lines;
}

/** @param onRun Told of each run as soon as it is done. @throws ConfigFailure for counts and shares out of range. */
export async function compareTargets(
  plan: Plan,
  options: CompareOptions,
  measure: Measure,
  onRun: (run: ComparedRun) => void | Promise<void>,
): Promise<ComparisonOutcome> {
  const series = new PairSeries(plan, options, new RunLedger(measure), onRun);
  await series.runAll();
  return series.outcome();
}

class PairSeries {
  readonly #plan: Plan;
  readonly #options: CompareOptions;
  readonly #floorPairCount: number;
  readonly #minEffect: number;
  readonly #ledger: RunLedger;
  readonly #onRun: (run: ComparedRun) => void | Promise<void>;
  readonly #runs: ComparedRun[] = [];
  readonly #floor: RunPair[] = [];
  readonly #pairs: RunPair[] = [];

  constructor(
    plan: Plan,
    options: CompareOptions,
    ledger: RunLedger,
    onRun: (run: ComparedRun) => void | Promise<void>,
  ) {
    this.#plan = plan;
    this.#options = options;
    this.#floorPairCount = options.floorPairs ?? DEFAULT_FLOOR_PAIRS;
    this.#minEffect = options.minEffect ?? DEFAULT_MIN_EFFECT;
    this.#ledger = ledger;
    this.#onRun = onRun;
    checkCount('pairs', options.pairs, 1);
    checkCount('floor pairs', this.#floorPairCount, 0);
    checkShare('smallest effect', this.#minEffect);
    if (options.stopWhen !== undefined) checkShare('half width to stop at', options.stopWhen);
  }

  async runAll(): Promise<void> {
    for (const [at, order] of pairOrder(this.#floorPairCount).entries()) {
      if (!(await this.#runPair('floor', at + 1, order, this.#floor))) return;
    }
    for (const [at, order] of pairOrder(this.#options.pairs).entries()) {
      if (!(await this.#runPair('pair', at + 1, order, this.#pairs))) return;
      if (this.#isNarrowEnough()) return;
    }
  }

  outcome(): ComparisonOutcome {
    const first = this.#ledger.first;
    const { failure, stopped } = this.#ledger;
    if (first === null) return { comparison: null, failure };
    const comparison: Comparison = {
      schema: COMPARE_SCHEMA,
      schemaVersion: COMPARE_SCHEMA_VERSION,
      startedAt: first.startedAt,
      command: this.#options.command,
      complete: !stopped,
      a: this.#targetInfo(this.#options.a, ['a', 'floor']),
      b: this.#targetInfo(this.#options.b, ['b']),
      plan: this.#plan,
      environment: first.environment,
      runs: this.#runs.map(({ side, pair, dir, result }) => ({
        side,
        pair,
        dir,
        verdict: verdictOfRun(result),
      })),
      phases: this.#phases(),
    };
    return { comparison, failure };
  }

  /** False when the series ends here. */
  async #runPair(
    kind: 'floor' | 'pair',
    pair: number,
    order: readonly ('a' | 'b')[],
    into: RunPair[],
  ): Promise<boolean> {
    const results: Partial<Record<'a' | 'b', RunResult>> = {};
    for (const role of order) {
      const side = kind === 'floor' ? 'floor' : role;
      const target = side === 'b' ? this.#options.b : this.#options.a;
      const run = await this.#ledger.run(target, this.#plan, this.#ledger.dirFor(side), (numbered) =>
        this.#take({ ...numbered, side, pair }),
      );
      if (this.#ledger.stopped) return false;
      results[role] = run!.result;
    }
    into.push({ a: results.a!, b: results.b! });
    return true;
  }

  async #take(run: ComparedRun): Promise<ComparedRun> {
    this.#runs.push(run);
    await this.#onRun(run);
    return run;
  }

  #phases(): PhaseComparison[] {
    return comparePhases(this.#pairs, this.#floor, this.#minEffect);
  }

  #isNarrowEnough(): boolean {
    const { stopWhen } = this.#options;
    const count = this.#pairs.length;
    if (stopWhen === undefined || count < STOP_PAIRS_MIN || count % 2 === 1) return false;
    return this.#phases().every(({ figures, decidedBy }) => {
      const estimate = figures[decidedBy];
      return estimate !== undefined && halfWidth(estimate) <= stopWhen;
    });
  }

  /** As the first run saw it, with the first failure of any of its runs. */
  #targetInfo(name: string, sides: readonly ComparedRun['side'][]): TargetInfo {
    const infos = this.#runs.filter(({ side }) => sides.includes(side)).map(({ result }) => result.target);
    const first = infos[0] ?? { name, description: 'not started', failure: null };
    return { ...first, failure: infos.find(({ failure }) => failure !== null)?.failure ?? null };
  }
}

function checkCount(what: string, count: number, min: number): void {
  if (Number.isInteger(count) && count >= min && count <= PAIRS_MAX) return;
  throw new ConfigFailure(
    `comparison: ${what} = ${count}; allowed: whole numbers from ${min} to ${PAIRS_MAX}`,
  );
}

function checkShare(what: string, share: number): void {
  if (share > 0 && share <= 1) return;
  throw new ConfigFailure(`comparison: ${what} = ${share}; allowed: above 0, up to 1 (0.05 means 5 %)`);
}

/**
 * What comparisons, sweeps and searches are made of: runs, one after another, numbered. How a run is made is not known
 * here; tests give a function that makes results up. Each call starts a fresh server on a fresh data directory,
 * because most of the noise between two measurements comes from the start (Kalibera and Jones, ISMM 2013).
 */
import type { Plan } from '../plan/plan.ts';
import type { RunResult } from '../result/run-json.ts';

/** Null when the run was aborted before anything was measured. @param side Name of the target to start. */
export type Measure = (side: string, plan: Plan) => Promise<RunResult | null>;

export interface NumberedRun {
  /** From 1, in the order of the runs. */
  readonly number: number;
  /** Where the run is saved, below the directory of the whole. */
  readonly dir: string;
  readonly result: RunResult;
}

/** `runs/07-b`. @param number From 1. */
export function runDir(number: number, label: string): string {
  return `runs/${String(number).padStart(2, '0')}-${label}`;
}

/**
 * Makes the runs of one comparison, sweep or search, until one is aborted, cut short or fails. A failure is kept, so
 * that what was measured before it can be saved first.
 */
export class RunLedger {
  readonly #measure: Measure;
  #count = 0;
  #stopped = false;
  #failure: Error | null = null;
  #first: RunResult | null = null;

  constructor(measure: Measure) {
    this.#measure = measure;
  }

  /**
   * Null when there is no result: then, and after a run that was cut short, `stopped` holds.
   * @param dir Where it is saved. @param onRun Told of the run; awaited.
   */
  async run<T extends NumberedRun>(
    side: string,
    plan: Plan,
    dir: string,
    onRun: (run: NumberedRun) => Promise<T>,
  ): Promise<T | null> {
    try {
      const result = await this.#measure(side, plan);
      this.#stopped = result === null || !result.complete;
      if (result === null) return null;
      this.#first ??= result;
      this.#count++;
      return await onRun({ number: this.#count, dir, result });
    } catch (error) {
      this.#stopped = true;
      this.#failure = error instanceof Error ? error : new Error(String(error));
      return null;
    }
  }

  /** Of the next run. */
  dirFor(label: string): string {
    return runDir(this.#count + 1, label);
  }

  /** The last run was aborted, cut short or failed: no further one makes sense. */
  get stopped(): boolean {
    return this.#stopped;
  }

  get failure(): Error | null {
    return this.#failure;
  }

  /** The first result, whose start, machine and target stand for the whole. */
  get first(): RunResult | null {
    return this.#first;
  }
}

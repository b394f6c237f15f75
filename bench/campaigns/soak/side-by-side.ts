/**
 * Several loads on one running server at the same time, each with a tree, connections and threads of its own: what the
 * engine calls a run, next to each other. One that fails ends the others.
 */
import type { Address } from '../../base/address.ts';
import { addressText } from '../../base/address.ts';
import type { Plan } from '../../plan/plan.ts';
import { type Progress, silentProgress } from '../../run/progress.ts';
import { type RunOutcome, runPlan } from '../../run/run-plan.ts';
import { parseTargetSpec } from '../../target/target-spec.ts';

export interface SideBySideOptions {
  readonly tempParent: string;
  readonly command: string;
  readonly abort: AbortSignal;
  /** Of the first load. */
  readonly progress: Progress;
}

/** Null when one of them was aborted before it measured anything. Roots of the plans' trees must differ. */
export async function runSideBySide(
  plans: readonly Plan[],
  address: Address,
  options: SideBySideOptions,
): Promise<RunOutcome[] | null> {
  const failed = new AbortController();
  const abort = AbortSignal.any([options.abort, failed.signal]);
  const runs = plans.map(async (plan, index) => {
    try {
      return await runPlan(plan, {
        target: parseTargetSpec(addressText(address)),
        serverArgs: [],
        tempParent: options.tempParent,
        command: options.command,
        progress: index === 0 ? options.progress : silentProgress(),
        abort,
        ceilings: null,
      });
    } catch (error) {
      failed.abort();
      throw error;
    }
  });
  const settled = await Promise.allSettled(runs);
  const failure = settled.find((one) => one.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  const outcomes = settled.flatMap((one) =>
    one.status === 'fulfilled' && one.value !== null ? [one.value] : [],
  );
  return outcomes.length === plans.length ? outcomes : null;
}

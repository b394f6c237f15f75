/**
 * Exit statuses of every `ringkeeper bench` command; for people they stand in this folder's README. Where several hold, the
 * first one in this order is given:
 *
 *     refused  a gate, or the check of a history, says no
 *     failed   the target ended, could not be reached any more or left requests unanswered; nothing was measured, a
 *              rule of a campaign did not hold, or the result could not be saved
 *     void     the figures do not mean what they say
 *     done     also with unsteady figures: they hold, with the spread beside them
 *
 * What the user can mend is 2: every `ConfigFailure` has it. After a signal it is 128 and its number.
 */
import type { GateStatus } from '../compare/gate.ts';
import { type RunResult, verdictOfRun } from '../result/run-json.ts';

export const ExitStatus = { done: 0, failed: 1, refused: 3, void: 4 } as const;

/** Of one run, or of a replay. */
export function statusOfRun(run: RunResult): number {
  const unanswered = run.phases.some((phase) => phase.unanswered > 0);
  return (
    checkStatus([run]) || (unanswered ? ExitStatus.failed : targetStatus([run])) || voidStatus(isVoid(run))
  );
}

/**
 * Of the runs of a sweep or a search, which go where a service is full: some void points, and requests that got no
 * answer there, are what they are made to find. Void is only a series without any other point.
 */
export function statusOfSeries(runs: readonly RunResult[]): number {
  return checkStatus(runs) || targetStatus(runs) || voidStatus(runs.length > 0 && runs.every(isVoid));
}

/** No interval accounts for a void run, so that one of them makes the comparison void: what a gate thinks of it counts. */
export function statusOfComparison(runs: readonly RunResult[], gate: GateStatus | null): number {
  const refused = gate?.ok === false ? ExitStatus.refused : checkStatus(runs);
  return refused || targetStatus(runs) || voidStatus(gate === null && runs.some(isVoid));
}

function checkStatus(runs: readonly RunResult[]): number {
  const wrong = runs.some(({ phases }) => phases.some(({ check }) => check !== null && !check.passed));
  return wrong ? ExitStatus.refused : ExitStatus.done;
}

/** A target died, or served no client any longer at the end. */
function targetStatus(runs: readonly RunResult[]): number {
  return runs.some(({ target }) => target.failure !== null) ? ExitStatus.failed : ExitStatus.done;
}

function voidStatus(found: boolean): number {
  return found ? ExitStatus.void : ExitStatus.done;
}

function isVoid(run: RunResult): boolean {
  return verdictOfRun(run) === 'void';
}

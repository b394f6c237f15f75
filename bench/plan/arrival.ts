/** When the requests of a phase are due: closed loop, or an open loop of one or several rates. */
import type { z } from 'zod';
import type { PlanIssue, PlanPath } from './issue.ts';
import type { arrival } from './load-schema.ts';
import type { Arrival } from './plan.ts';
import { formatDuration } from './quantity.ts';

export type ArrivalDocument = z.output<typeof arrival>;

/** `phaseMs`: warm-up and measured time. Adds to `issues` what does not fit together. */
export function arrivalOf(
  document: ArrivalDocument,
  phaseMs: number,
  path: PlanPath,
  issues: PlanIssue[],
): Arrival {
  const { thinkTime, rate, steps, gaps, late } = document;
  if (rate === undefined && steps === undefined) {
    for (const key of ['gaps', 'late'] as const) {
      if (document[key] !== undefined) {
        issues.push({ path: [...path, key], message: 'only in an open loop, with rate or steps' });
      }
    }
    return { kind: 'closed', thinkTimeMs: thinkTime ?? 0 };
  }
  if (rate !== undefined && steps !== undefined) {
    issues.push({ path, message: 'both rate and steps - allowed: one of them' });
  }
  if (thinkTime !== undefined) {
    issues.push({ path: [...path, 'thinkTime'], message: 'only in a closed loop, without rate and steps' });
  }
  return {
    kind: 'open',
    gaps: gaps ?? 'constant',
    late: late ?? 'backlog',
    steps:
      steps === undefined
        ? [{ ratePerSecond: rate!, forMs: phaseMs }]
        : stepsOf(steps, phaseMs, path, issues),
  };
}

/**
 *     |-- for --|-- for --|--------- the last one --------|
 *     start                                    end of the phase
 */
function stepsOf(
  steps: NonNullable<ArrivalDocument['steps']>,
  phaseMs: number,
  arrivalPath: PlanPath,
  issues: PlanIssue[],
): { readonly ratePerSecond: number; readonly forMs: number }[] {
  const path = [...arrivalPath, 'steps'];
  if (steps.length === 0) issues.push({ path, message: 'no steps - allowed: at least one' });
  let leftMs = phaseMs;
  return steps.map((step, i) => {
    const last = i === steps.length - 1;
    if (last && step.for !== undefined) {
      issues.push({
        path: [...path, i, 'for'],
        message: 'the last step lasts to the end of the phase: leave it out',
      });
    }
    if (!last && step.for === undefined) {
      issues.push({ path: [...path, i], message: 'for is missing - only the last step may go without' });
    }
    const forMs = last ? leftMs : (step.for ?? 0);
    leftMs -= forMs;
    if (!last && leftMs <= 0 && leftMs + forMs > 0) {
      issues.push({
        path: [...path, i, 'for'],
        message: `nothing is left for the next step: the phase has ${formatDuration(phaseMs)}`,
      });
    }
    return { ratePerSecond: step.rate, forMs };
  });
}

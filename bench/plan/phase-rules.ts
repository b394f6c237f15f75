/** One phase of a plan: its load from whichever form it was written in, and what has to fit together in it. */

import { arrivalOf } from './arrival.ts';
import type { PhaseDocument, PlanDocument } from './document-schema.ts';
import type { PlanIssue, PlanPath } from './issue.ts';
import { type Load, type MixEntry, minBytes, type PhasePlan, type RecipeLoad, type Sizes } from './plan.ts';
import { formatDuration } from './quantity.ts';

/** A checked value holds the number of its writer. */
const CHECKED_BYTES_MIN = 8;

export function phaseOf(
  name: string,
  phase: PhaseDocument,
  plan: PlanDocument,
  issues: PlanIssue[],
): PhasePlan {
  const path = ['phases', name];
  if (phase.ramp > phase.warmup) {
    issues.push({
      path: [...path, 'ramp'],
      message: `${formatDuration(phase.ramp)} - allowed: at most the warm-up (${formatDuration(phase.warmup)})`,
    });
  }
  checkKill(name, phase, plan, issues);
  return {
    name,
    load: loadOf(phase, plan, path, issues),
    warmupMs: phase.warmup,
    measureMs: phase.measure,
    rampMs: phase.ramp,
    ...(phase.killLeader === undefined ? {} : { killLeaderMs: phase.killLeader }),
  };
}

/** The server stays down: phases behind it would be of fewer servers than the target says. */
function checkKill(name: string, phase: PhaseDocument, plan: PlanDocument, issues: PlanIssue[]): void {
  const { killLeader, measure, recipe } = phase;
  if (killLeader === undefined) return;
  const refuse = (allowed: string): void => {
    const message = `${formatDuration(killLeader)} - allowed: ${allowed}`;
    issues.push({ path: ['phases', name, 'killLeader'], message });
  };
  if (killLeader >= measure) refuse(`less than the measured time (${formatDuration(measure)})`);
  if (recipe !== undefined) refuse('only with mix or readPercent');
  if (plan.phases.at(-1)?.[0] !== name) refuse('only in the last phase');
}

const FORMS = ['mix', 'readPercent', 'recipe'] as const;

function loadOf(phase: PhaseDocument, plan: PlanDocument, path: PlanPath, issues: PlanIssue[]): Load {
  const stated = FORMS.filter((form) => phase[form] !== undefined);
  if (stated.length !== 1) {
    const found = stated.length === 0 ? 'no load' : stated.join(' and ');
    issues.push({ path, message: `${found} - allowed: one of ${FORMS.join(', ')}` });
  }
  if (phase.recipe !== undefined) return recipeLoad(phase.recipe, phase, plan, path, issues);
  const values = phase.values ?? plan.tree.values;
  const entries = phase.mix ?? readsAndSets(phase.readPercent ?? 100);
  if (plan.check && phase.values !== undefined) checkValues(values, [...path, 'values'], issues);
  checkDeletes(entries, path, issues);
  return {
    kind: 'mix',
    entries,
    keys: phase.keys ?? { kind: 'uniform' },
    values,
    arrival: arrivalOf(phase.arrival ?? {}, phase.warmup + phase.measure, [...path, 'arrival'], issues),
  };
}

function recipeLoad(
  recipe: RecipeLoad,
  phase: PhaseDocument,
  plan: PlanDocument,
  path: PlanPath,
  issues: PlanIssue[],
): RecipeLoad {
  for (const key of ['keys', 'values', 'arrival'] as const) {
    if (phase[key] !== undefined)
      issues.push({ path: [...path, key], message: 'only with mix or readPercent' });
  }
  const needsTwo = recipe.kind === 'doubleBarrier' || recipe.kind === 'watchFanout';
  if (needsTwo && plan.connections < 2) {
    const message = `${plan.connections} - phase ${path[1]} (${recipe.kind}) needs at least 2`;
    issues.push({ path: ['connections'], message });
  }
  return recipe;
}

/** Deletes take what the load's own creates have made. */
function checkDeletes(entries: readonly MixEntry[], path: PlanPath, issues: PlanIssue[]): void {
  const deletes = entries.find(({ op }) => op === 'delete');
  if (deletes === undefined || entries.some(({ op }) => op === 'create')) return;
  const message = 'nothing to delete - allowed: together with create, whose znodes it deletes';
  issues.push({ path: [...path, 'mix', deletes.label], message });
}

export function checkValues(values: Sizes, path: PlanPath, issues: PlanIssue[]): void {
  const bytes = minBytes(values);
  if (bytes >= CHECKED_BYTES_MIN) return;
  issues.push({ path, message: `${bytes} bytes - allowed with check: at least ${CHECKED_BYTES_MIN}` });
}

function readsAndSets(percent: number): MixEntry[] {
  const entries: MixEntry[] = [
    { op: 'get', label: 'get', weight: percent },
    { op: 'set', label: 'set', weight: 100 - percent },
  ];
  return entries.filter(({ weight }) => weight > 0);
}

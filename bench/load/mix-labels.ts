/** The names under which the latencies of a phase are kept: the same on the workers and on the main thread. */
import type { LibraryRecipe, LoadOp, PhasePlan, RecipeLoad } from '../plan/plan.ts';

export interface PhaseLabel {
  readonly name: string;
  /** `round`: one whole use of a recipe, counted as a request. */
  readonly kind: LoadOp | 'round' | 'event' | 'step';
}

/** The history check's reads: a sync and a get behind it, in one session. */
export const FRESH_READ_LABEL = 'fresh read';

/** Entries of a mix come first, in their order: an entry's number is its label. */
export function phaseLabels(phase: PhasePlan, check: boolean): readonly PhaseLabel[] {
  const { load } = phase;
  if (load.kind === 'library') return libraryLabels(load.recipe);
  if (load.kind !== 'mix') return RECIPE_LABELS[load.kind];
  const labels: PhaseLabel[] = load.entries.map(({ label, op }) => ({ name: label, kind: op }));
  if (check) labels.push({ name: FRESH_READ_LABEL, kind: 'get' });
  for (const { label, op } of load.entries) {
    if (op === 'watch') labels.push({ name: `${label} event`, kind: 'event' });
  }
  return labels;
}

/** The order is that of `recipe/library-rounds.ts`. */
const LIBRARY_STEPS: Readonly<Record<LibraryRecipe, readonly string[]>> = {
  lock: ['acquire', 'release'],
  election: ['lead', 'resign'],
  barrier: ['enter', 'leave'],
  queue: ['put', 'take'],
  discovery: ['register', 'find', 'unregister'],
};

function libraryLabels(recipe: LibraryRecipe): readonly PhaseLabel[] {
  const steps = LIBRARY_STEPS[recipe].map((name): PhaseLabel => ({ name, kind: 'step' }));
  return [{ name: 'round', kind: 'round' }, ...steps];
}

/** The order is that of the label numbers in each recipe's file. */
const RECIPE_LABELS: Readonly<Record<Exclude<RecipeLoad['kind'], 'library'>, readonly PhaseLabel[]>> = {
  sessionStorm: [
    { name: 'get', kind: 'get' },
    { name: 'open session', kind: 'step' },
    { name: 'close session', kind: 'step' },
  ],
  watchFanout: [
    { name: 'set', kind: 'set' },
    { name: 'watch', kind: 'watch' },
    { name: 'event', kind: 'event' },
    { name: 'write to event', kind: 'step' },
  ],
  lock: [
    { name: 'round', kind: 'round' },
    { name: 'acquire', kind: 'step' },
    { name: 'release', kind: 'step' },
    { name: 'hand over', kind: 'step' },
  ],
  doubleBarrier: [
    { name: 'enter', kind: 'round' },
    { name: 'leave', kind: 'round' },
    { name: 'all', kind: 'step' },
  ],
  createThenDelete: [
    { name: 'create', kind: 'create' },
    { name: 'delete', kind: 'delete' },
  ],
};

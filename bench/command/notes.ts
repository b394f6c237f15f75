/** What a user should know of a plan before it runs: one line each, for stderr. */
import type { MixEntry, Plan } from '../plan/plan.ts';
import type { TargetSpec } from '../target/target-spec.ts';

export function notesOn(plan: Plan, target: TargetSpec): string[] {
  return [...(target.kind === 'external' ? setUpNotes(plan) : []), ...weightNotes(plan)];
}

/** What a plan needs of a service that the engine did not start and so cannot set up itself. */
function setUpNotes(plan: Plan): string[] {
  return plan.phases
    .filter(
      ({ load }) =>
        load.kind === 'mix' && load.entries.some((entry) => entry.op === 'create' && entry.mode === 'ttl'),
    )
    .map(
      ({ name }) =>
        `phase ${name} creates znodes with a TTL: the service must run with extendedTypesEnabled=true`,
    );
}

/**
 * A mix with creates and deletes keeps the tree's size: a delete takes what a create of the same session has made, and
 * at the bounds each stands in for the other (load/encoded-lane.ts). So they are sent equally often, whatever their weights.
 */
function weightNotes(plan: Plan): string[] {
  return plan.phases.flatMap(({ name, load }) => {
    if (load.kind !== 'mix') return [];
    const weightOf = (keep: (entry: MixEntry) => boolean): number =>
      load.entries.filter(keep).reduce((sum, { weight }) => sum + weight, 0);
    const total = weightOf(() => true);
    const creates = weightOf(({ op }) => op === 'create');
    const deletes = weightOf(({ op }) => op === 'delete');
    if (deletes === 0 || creates === deletes) return [];
    const share = (weight: number): string => `${Number(((100 * weight) / total).toPrecision(3))} %`;
    return [
      `phase ${name}: creates and deletes are sent equally often, so that the tree keeps its size: about ` +
        `${share((creates + deletes) / 2)} each, not ${share(creates)} creates and ${share(deletes)} deletes`,
    ];
  });
}

/** What a plan needs of a service that the engine did not start and so cannot set up itself. */
import type { Plan } from '../plan/plan.ts';
import type { TargetSpec } from '../target/target-spec.ts';

/** One line each, for stderr before the run. */
export function notesOn(plan: Plan, target: TargetSpec): string[] {
  if (target.kind !== 'external') return [];
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

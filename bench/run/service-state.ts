/**
 * What a service that was there before holds: said before the run, because figures of a full tree are not those of an
 * empty one, and looked at again between the phases and after it. One line each, for stderr.
 */
import { formatCount, plural } from '../figures/format.ts';
import { readServiceState, type ServiceState } from '../target/leader.ts';
import type { Target } from '../target/target.ts';
import type { MeasuredPhase } from './run-phase.ts';

/** From this size on, what the service holds is a part of what is measured. */
const ZNODES_NOTED = 100_000;
/** Of the znodes, between two phases. */
const DRIFT_SHARE = 0.01;
const DRIFT_MIN = 100;

/** Null where it says nothing of itself (the word `srvr` is not in its whitelist). */
export async function stateBefore(target: Target): Promise<ServiceState | null> {
  const state = await readServiceState(target.addresses);
  if (state === null) return null;
  const { version, mode, znodes, connections } = state;
  const size =
    znodes < ZNODES_NOTED
      ? ''
      : ' - what is measured is a service with this tree; a fresh one (without --target) is more comparable';
  say(
    `the service before the run: version ${version}, ${mode}, ${plural(znodes, 'znode')}, ` +
      `${plural(connections, 'connection')} of others${size}`,
  );
  return state;
}

/** Phases that did not begin with the tree of the first: something else grows or shrinks, or a phase left its znodes. */
export function sayDrift(phases: readonly Pick<MeasuredPhase, 'plan' | 'treeSize'>[]): void {
  const first = phases[0]?.treeSize.before ?? null;
  if (first === null) return;
  for (const { plan, treeSize } of phases.slice(1)) {
    const { before } = treeSize;
    if (before === null || Math.abs(before - first) <= Math.max(DRIFT_MIN, first * DRIFT_SHARE)) continue;
    say(
      `phase ${plan.name} began with ${formatCount(before)} znodes on the service, the first one with ` +
        `${formatCount(first)}: they did not measure the same tree`,
    );
  }
}

/** After the tree of the run has been removed. */
export async function stateAfter(target: Target, before: ServiceState): Promise<void> {
  const after = await readServiceState(target.addresses);
  const more = after === null ? 0 : after.znodes - before.znodes;
  if (more === 0) return;
  const what = more > 0 ? `${plural(more, 'znode')} more` : `${plural(-more, 'znode')} fewer`;
  say(`the service after the run: ${what} than before; what this run made is removed, the rest is of others`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * Which servers of several the load connects to: the plan's `connectTo`, by what each says of itself before the run.
 * Connections go over the chosen ones in turn, and to the next of them after a loss.
 */
import { ConfigFailure } from '../../src/base/failure.ts';
import { type Address, addressText } from '../base/address.ts';
import { PLACEMENTS, type Placement } from '../plan/plan.ts';
import { askWord } from '../target/four-letter-word.ts';
import { readMode } from '../target/leader.ts';
import type { Target } from '../target/target.ts';

const ROUND_TRIPS = 5;
const ANSWER_MS_MAX = 2_000;

/** What a server must say of itself; the only one of a service leads. */
const ROLES: Readonly<Record<'leader' | 'followers' | 'observers', readonly string[]>> = {
  leader: ['leader', 'standalone'],
  followers: ['follower'],
  observers: ['observer'],
};

/** At least one. @throws ConfigFailure when no server is what is asked for */
export async function loadAddresses(placement: Placement, target: Target): Promise<readonly Address[]> {
  const { addresses } = target;
  if (placement === 'nearest') return [await nearest(addresses)];
  if (!isRole(placement)) return addresses;
  const modes = await Promise.all(addresses.map(readMode));
  const chosen = addresses.filter((_, at) => ROLES[placement].includes(modes[at] ?? ''));
  if (chosen.length > 0) return chosen;
  const said = addresses.map((address, at) => `${addressText(address)} ${modes[at] ?? 'says nothing'}`);
  throw new ConfigFailure(
    `connectTo: "${placement}" - no server is one: ${said.join(', ')} - allowed: ${PLACEMENTS.join(', ')}`,
  );
}

/** Results of before 2026-11-30 say `all`, which is no role either. */
function isRole(placement: Placement): placement is keyof typeof ROLES {
  return Object.hasOwn(ROLES, placement);
}

/** By the median of some round trips; a server that does not answer is far away. */
async function nearest(addresses: readonly Address[]): Promise<Address> {
  const times = await Promise.all(addresses.map(roundTripMs));
  return addresses[times.indexOf(Math.min(...times))]!;
}

async function roundTripMs(address: Address): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const sinceMs = performance.now();
    const answer = await askWord(address, 'srvr', ANSWER_MS_MAX);
    if (answer === null) return Number.MAX_VALUE;
    times.push(performance.now() - sinceMs);
  }
  return times.sort((a, b) => a - b)[Math.floor(ROUND_TRIPS / 2)]!;
}

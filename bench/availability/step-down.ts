/**
 * A leader that gives up leading without a failure, as an operator makes it: a reconfiguration makes an observer of it, and
 * another one a voter again. Both kinds of servers hand over to a follower that they name.
 *
 *     leader --reconfig: observer--> another one leads, it observes --reconfig: participant--> it follows
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigFailure } from '../../src/base/failure.ts';
import { requestRefused } from '../session/refusal.ts';
import { ConnectionLost, withSession } from '../session/session.ts';
import type { EnsembleMember } from '../target/ensemble-member.ts';
import { serverLine } from '../target/ensemble-plan.ts';
import type { Settings } from '../target/target-spec.ts';

/** Without them no server takes a reconfiguration from a client that is nobody. */
export const STEP_DOWN_SETTINGS: Settings = { reconfigEnabled: 'true', skipACL: 'yes' };

const ANSWER_MS_MAX = 5_000;
const FOLLOWING_MS_MAX = 30_000;
const ASKED_EVERY_MS = 50;

/** @throws Error when it is refused */
export async function stepDown(leader: EnsembleMember, others: readonly EnsembleMember[]): Promise<void> {
  await changeRole(leader, others[0]!, true);
}

/** It is a voter again, and follows. @throws ConfigFailure when it still leads, or does not come back; an Error when it is refused */
export async function stepUp(member: EnsembleMember, others: readonly EnsembleMember[]): Promise<void> {
  if ((await member.mode()) === 'leader')
    throw new ConfigFailure(`${member.name} still leads: the reconfiguration has not happened`);
  const deadline = performance.now() + FOLLOWING_MS_MAX;
  while (performance.now() < deadline) {
    // A connection that ended may have taken the request with it; asked twice, it changes nothing.
    await changeRole(member, others[0]!, false);
    if (await followsSoon(member)) return;
  }
  throw new ConfigFailure(
    `${member.name} does not follow ${FOLLOWING_MS_MAX / 1000} s after it was made a voter again: it is ${await member.mode()}`,
  );
}

async function followsSoon(member: EnsembleMember): Promise<boolean> {
  const deadline = performance.now() + ANSWER_MS_MAX;
  while (performance.now() < deadline) {
    if ((await member.mode()) === 'follower') return true;
    await delay(ASKED_EVERY_MS);
  }
  return false;
}

async function changeRole(member: EnsembleMember, by: EnsembleMember, isObserver: boolean): Promise<void> {
  const joining = `server.${member.plan.sid}=${serverLine({ ...member.plan, isObserver })}`;
  try {
    const error = await withSession(by.address, ANSWER_MS_MAX, (session) =>
      session.errorOf((zk) => zk.reconfig({ joining })),
    );
    if (error !== null) throw requestRefused(`reconfig ${joining}`, error);
  } catch (error) {
    // Apache's servers let their clients go when the leader changes; who still leads in the end has not heard of it.
    if (!(error instanceof ConnectionLost)) throw error;
  }
}

/**
 * A server as a follower, behind a leader and another follower of some kind: who drives it sees what a follower does. The others have
 * the greater numbers, so that one of them is elected.
 */
import { RingkeeperMember } from '../../server/ensemble/ringkeeper-member.ts';
import { ApacheMember, type MemberOptions } from '../../support/apache-member.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { freePorts } from '../../support/free-ports.ts';
import type { ServerOptions, TestServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';

type Kind = 'apache' | 'ringkeeper';

interface Follower extends AsyncDisposable {
  readonly server: TestServer;
  /** After a `start` of its own. */
  inStep(): Promise<void>;
}

/** `others`: how many besides; with two of them the ensemble goes on while this one is stopped. */
export async function startFollower(
  kind: Kind,
  leaderKind: Kind,
  options: ServerOptions,
  others = 1,
): Promise<Follower> {
  const sids = Array.from({ length: others + 1 }, (_, index) => index + 1);
  const ports = await freePorts(2 * sids.length);
  const servers = Object.fromEntries(
    sids.map((sid) => [sid, `127.0.0.1:${ports[2 * sid - 2]}:${ports[2 * sid - 1]}`]),
  );
  const members = sids.map((sid): TestServer => {
    const member: MemberOptions = { sid, servers, config: options.config ?? {} };
    const of = sid === 1 ? kind : leaderKind;
    return of === 'apache' ? new ApacheMember(member) : new RingkeeperMember(member);
  });
  const server = members[0]!;
  const srvr = (): Promise<string> => fourLetterWord(server.port, 'srvr', 1000).catch(() => '');
  const inStep = (): Promise<void> => until(async () => /Mode: follower/.test(await srvr()));
  await Promise.all(members.map((member) => member.start()));
  await inStep();
  return {
    server,
    inStep,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(members.map((member) => member.dispose()));
    },
  };
}

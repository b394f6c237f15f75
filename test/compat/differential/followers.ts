/**
 * The servers of a differential run as followers, each of a leader of its own: what differs then is the follower. The leader has
 * the greater number, and so is elected.
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
}

export async function startFollower(kind: Kind, leaderKind: Kind, options: ServerOptions): Promise<Follower> {
  const ports = await freePorts(4);
  const servers = { 1: `127.0.0.1:${ports[0]}:${ports[1]}`, 2: `127.0.0.1:${ports[2]}:${ports[3]}` };
  const member = (sid: number): MemberOptions => ({ sid, servers, config: options.config ?? {} });
  const server = kind === 'apache' ? new ApacheMember(member(1)) : new RingkeeperMember(member(1));
  const leader = leaderKind === 'apache' ? new ApacheMember(member(2)) : new RingkeeperMember(member(2));
  await Promise.all([leader.start(), server.start()]);
  const srvr = (): Promise<string> => fourLetterWord(server.port, 'srvr', 1000).catch(() => '');
  await until(async () => /Mode: follower/.test(await srvr()));
  return {
    server,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([leader.dispose(), server.dispose()]);
    },
  };
}

/**
 * What the servers of an ensemble on this machine are told: who they are, where the others are. Text only; who starts them is
 * local-ensemble.ts. All on loopback, all words answered, no limit of connections per address, no admin port: what
 * several servers on one machine need. The limits are those of Apache's sample configuration.
 */
import type { Address } from '../base/address.ts';
import { apacheLines } from './apache-program.ts';
import type { Settings } from './target-spec.ts';

export const SERVER_KINDS = ['ringkeeper', 'apache'] as const;
export type ServerKind = (typeof SERVER_KINDS)[number];

export interface MemberPorts {
  readonly clientPort: number;
  readonly quorumPort: number;
  readonly electionPort: number;
}

export interface MemberPlan extends MemberPorts {
  readonly sid: number;
  readonly kind: ServerKind;
  readonly isObserver: boolean;
}

const HOST = '127.0.0.1';

const DEFAULTS: Settings = {
  tickTime: '2000',
  initLimit: '10',
  syncLimit: '5',
  maxClientCnxns: '0',
  '4lw.commands.whitelist': '*',
};

/** Of servers 1 to N, voters first. */
export function membersOf(
  voters: readonly ServerKind[],
  observers: readonly ServerKind[],
  ports: readonly MemberPorts[],
): MemberPlan[] {
  return [...voters, ...observers].map((kind, at) => ({
    ...ports[at]!,
    sid: at + 1,
    kind,
    isObserver: at >= voters.length,
  }));
}

export function clientAddress({ clientPort }: MemberPlan): Address {
  return { host: HOST, port: clientPort };
}

/** The zoo.cfg of one of `members`. The settings come last and win. */
export function memberConfig(
  member: MemberPlan,
  members: readonly MemberPlan[],
  dataDir: string,
  settings: Settings,
): string {
  const isApache = member.kind === 'apache';
  // One server alone is no ensemble: it has no line, or it would be taken for one that has lost the others.
  const place: Settings =
    members.length === 1
      ? { clientPort: String(member.clientPort), clientPortAddress: HOST }
      : Object.fromEntries(members.map((other) => [`server.${other.sid}`, serverLine(other)]));
  const lines: Settings = {
    dataDir,
    ...DEFAULTS,
    ...(isApache ? { 'admin.enableServer': 'false' } : {}),
    ...(member.isObserver ? { peerType: 'observer' } : {}),
    ...place,
    // One voter with observers is an ensemble of one.
    ...(members.filter((other) => !other.isObserver).length === 1 && members.length > 1
      ? { standaloneEnabled: 'false' }
      : {}),
    ...(isApache ? apacheLines(settings) : settings),
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** Behind `server.N=`. */
export function serverLine({ quorumPort, electionPort, isObserver, clientPort }: MemberPlan): string {
  const role = isObserver ? 'observer' : 'participant';
  return `${HOST}:${quorumPort}:${electionPort}:${role};${HOST}:${clientPort}`;
}

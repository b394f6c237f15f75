/**
 * Whether a configuration describes an ensemble, and if so which: the keys of zoo.cfg for servers among others, the lines of
 * members wherever they stand, and this server's own id. Plain values, read once at start-up on the main thread.
 *
 *     server.N, group.N, weight.N      in the file itself, or all of them in the file that dynamicConfigFile names
 *     <dataDir>/myid                   which of them is this server
 *
 *     no line, or one participant with standaloneEnabled (the default)    alone: null
 *     everything else                                                    an ensemble, checked as Apache checks it, and besides:
 *                                                                        no id twice, no address twice
 *
 * Names are not resolved here: one that does not resolve yet is tried again by whoever dials it.
 */
import { resolve } from 'node:path';
import { ConfigFailure } from '../../base/failure.ts';
import type { Member } from '../../core/quorum/member.ts';
import type { QuorumConfig } from '../../core/quorum/quorum-config.ts';
import { type HostPort, hostPortText } from '../../wire/host-port.ts';
import type { ConfigFiles } from './config-files.ts';
import { type Membership, readMembership } from './membership.ts';
import type { SettingValues } from './setting-values.ts';

export interface EnsembleConfig {
  readonly sid: number;
  /** Members, groups, weights and version, as servers tell each other: see core/quorum/quorum-config.ts. */
  readonly quorumText: string;
  /** Null: the members stand in the file itself. */
  readonly dynamicConfigFile: string | null;
  /** Of a membership that was proposed when this server stopped; null = none. */
  readonly nextText: string | null;
  /** The configuration file, where a reconfiguration is written; null = it may not be. */
  readonly rewritableFile: string | null;
  readonly standaloneEnabled: boolean;
  readonly initLimitTicks: number;
  readonly syncLimitTicks: number;
  /** 0 = as initLimit. */
  readonly connectToLearnerMasterLimitTicks: number;
  readonly leaderServes: boolean;
  readonly observerReconnectDelayMs: number;
  readonly observerElectionDelayMs: number;
  readonly quorumListenOnAllIps: boolean;
  readonly connectTimeoutMs: number;
  /** For the first words on an election connection. */
  readonly greetingTimeoutMs: number;
  /** 0 = for ever. */
  readonly electionPortBindAttempts: number;
  readonly tcpKeepAlive: boolean;
  readonly multiAddress: boolean;
  readonly minNotificationIntervalMs: number;
  readonly maxNotificationIntervalMs: number;
  /** -1 = no limit. */
  readonly maxTimeToWaitForEpochMs: number;
  readonly proposalLogBytes: number;
}

/** What else a server takes from the lines of members. */
export interface EnsembleReading {
  /** Null: this server is alone. */
  readonly ensemble: EnsembleConfig | null;
  /** The client's address in this server's line; null = none is written there. */
  readonly client: HostPort | null;
}

const SID_OF_SESSIONS_MAX = 255;

/** @throws ConfigFailure */
export function readEnsemble(values: SettingValues, files: ConfigFiles, dataDir: string): EnsembleReading {
  const membership = readMembership(values, files);
  const standaloneEnabled = values.bool('standaloneEnabled');
  if (membership === null || membership.config.members.length === 0) return alone(values, standaloneEnabled);
  const { config } = membership;
  const voters = config.members.filter(({ role }) => role === 'participant');
  const observers = config.members.length - voters.length;
  const { place } = membership.lines[0]!;
  if (voters.length === 0) {
    throw new ConfigFailure(
      `${place}: there ${observers === 1 ? 'is an observer' : `are ${observers} observers`} and no participant to observe; an ensemble needs one`,
    );
  }
  if (voters.length === 1 && standaloneEnabled) {
    if (observers > 0) {
      throw new ConfigFailure(
        `${place}: one participant with ${observers === 1 ? 'an observer' : `${observers} observers`} is no server alone: set standaloneEnabled=false, or remove the observers`,
      );
    }
    values.notices.info(
      `${place}: server.${voters[0]!.sid} alone means standalone: its quorum ports are not used`,
    );
    values.withoutEnsemble();
    return { ensemble: null, client: voters[0]!.client };
  }
  checkAddresses(membership);
  adviseOnSize(values, place, voters.length);
  const own = ownMember(values, membership, files, dataDir);
  checkClientPort(values, own);
  checkSecurity(values);
  checkPeerType(values, own);
  return { ensemble: ensembleOf(values, membership, own, standaloneEnabled), client: own.client };
}

function alone(values: SettingValues, standaloneEnabled: boolean): EnsembleReading {
  if (!standaloneEnabled)
    values.refuse('standaloneEnabled', 'an ensemble needs at least one line server.<n>=<host>:<port>:<port>');
  values.withoutEnsemble();
  return { ensemble: null, client: null };
}

function ensembleOf(
  values: SettingValues,
  { config, dynamicConfigFile, next, rewritable }: Membership,
  own: Member,
  standaloneEnabled: boolean,
): EnsembleConfig {
  const syncLimitTicks = limit(values, 'syncLimit');
  const greetingMs = values.int('quorumCnxnTimeoutMs');
  return {
    sid: own.sid,
    quorumText: config.text,
    dynamicConfigFile: dynamicConfigFile === null ? null : resolve(dynamicConfigFile),
    nextText: next?.text ?? null,
    rewritableFile: rewritable,
    standaloneEnabled,
    initLimitTicks: limit(values, 'initLimit'),
    syncLimitTicks,
    connectToLearnerMasterLimitTicks: values.int('connectToLearnerMasterLimit'),
    leaderServes: values.yesNo('leaderServes'),
    observerReconnectDelayMs: values.int('observer.reconnectDelayMs'),
    observerElectionDelayMs: values.int('observer.election.DelayMs'),
    quorumListenOnAllIps: values.bool('quorumListenOnAllIPs'),
    connectTimeoutMs: values.int('cnxTimeout'),
    greetingTimeoutMs: greetingMs < 0 ? values.int('tickTime') * syncLimitTicks : greetingMs,
    electionPortBindAttempts: values.int('electionPortBindRetry'),
    tcpKeepAlive: values.switch('tcpKeepAlive'),
    multiAddress: values.switch('multiAddress.enabled'),
    ...intervals(values),
    maxTimeToWaitForEpochMs: values.int('leader.maxTimeToWaitForEpoch'),
    proposalLogBytes: values.int('ringkeeper.proposalLogBytes'),
  };
}

function limit(values: SettingValues, key: 'initLimit' | 'syncLimit'): number {
  const ticks = values.isGiven(key) ? values.int(key) : 0;
  return ticks > 0 ? ticks : values.refuse(key, `an ensemble needs it: a number of ticks, such as ${key}=10`);
}

function intervals(values: SettingValues) {
  const minNotificationIntervalMs = values.int('fastleader.minNotificationInterval');
  const maxNotificationIntervalMs = values.int('fastleader.maxNotificationInterval');
  if (minNotificationIntervalMs > maxNotificationIntervalMs)
    values.refuse(
      'fastleader.minNotificationInterval',
      `at most fastleader.maxNotificationInterval, which is ${maxNotificationIntervalMs} ms`,
    );
  return { minNotificationIntervalMs, maxNotificationIntervalMs };
}

// ---- checks ------------------------------------------------------------------------------------------------

/** Two servers, or two ports of one, at one place: one of them could not listen, and the others would not know who answers. */
function checkAddresses({ config, lines }: Membership): void {
  const owners = new Map<string, string>();
  const claim = (sid: number, what: string, address: HostPort): void => {
    const text = hostPortText({ ...address, host: sameName(address.host) });
    const other = owners.get(text);
    if (other !== undefined) {
      const place = lines.find(({ key }) => key === `server.${sid}`)?.place ?? lines[0]!.place;
      throw new ConfigFailure(
        `${place}: ${text} is ${what} of server ${sid} and ${other}; each needs an address of its own`,
      );
    }
    owners.set(text, `${what} of server ${sid}`);
  };
  for (const { sid, addresses, client } of config.members) {
    for (const { host, quorumPort, electionPort } of addresses) {
      claim(sid, 'the quorum port', { host, port: quorumPort });
      claim(sid, 'the election port', { host, port: electionPort });
    }
    // Without a host of its own it is wherever that server is.
    if (client !== null)
      for (const host of clientHosts(config, sid, client))
        claim(sid, 'the client port', { host, port: client.port });
  }
}

/** Names are not asked for, but two of them are known to mean one place. */
function sameName(host: string): string {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '0:0:0:0:0:0:0:1' ? '127.0.0.1' : name;
}

/** The key beside the lines: it is this server's alone. */
function checkClientPort(values: SettingValues, own: Member): void {
  if (!values.isGiven('clientPort')) return;
  const port = values.int('clientPort');
  for (const { quorumPort, electionPort } of own.addresses) {
    if (port !== quorumPort && port !== electionPort) continue;
    const what = port === quorumPort ? 'quorum' : 'election';
    values.refuse('clientPort', `server.${own.sid} has it as its ${what} port; each needs a port of its own`);
  }
}

function clientHosts(config: QuorumConfig, sid: number, { host }: HostPort): string[] {
  return host === '0.0.0.0'
    ? [...new Set(config.member(sid)!.addresses.map((address) => address.host))]
    : [host];
}

function adviseOnSize(values: SettingValues, place: string, voters: number): void {
  if (voters <= 2)
    values.notices.warn(
      `${place}: ${voters === 1 ? 'one participant' : 'two participants'}: no failure of a server is survived; three survive one`,
    );
  else if (voters % 2 === 0)
    values.notices.warn(
      `${place}: ${voters} participants survive no more failures than ${voters - 1}: an odd number is better`,
    );
}

function ownMember(
  values: SettingValues,
  { config, lines }: Membership,
  files: ConfigFiles,
  dataDir: string,
): Member {
  const path = `${dataDir}/myid`;
  const sids = config.members.map(({ sid }) => sid).sort((a, b) => a - b);
  const text = files.read(path);
  if (text === null) {
    throw new ConfigFailure(
      `${path} is missing: it holds the id of this server, one of ${sids.join(', ')}; for example: echo ${sids[0]} > ${path}`,
    );
  }
  const id = text.split('\n', 1)[0]!.trim();
  if (!/^\d{1,15}$/.test(id))
    throw new ConfigFailure(
      `${path}: ${JSON.stringify(id.slice(0, 40))} is no id of a server: a number such as ${sids[0]}`,
    );
  const own = config.member(Number(id));
  if (own === undefined) {
    throw new ConfigFailure(
      `${path}: this server is ${id}, which no line server.${id}= names; there are ${sids.join(', ')} (${lines[0]!.place})`,
    );
  }
  if (own.sid > SID_OF_SESSIONS_MAX)
    values.notices.warn(
      `${path}: ids above ${SID_OF_SESSIONS_MAX} are not told apart by the ids of sessions; use 1 to ${SID_OF_SESSIONS_MAX}`,
    );
  return own;
}

/** Without these the others would be trusted less than somebody has asked for. */
function checkSecurity(values: SettingValues): void {
  for (const { place, name, text } of [...values.family('quorum.auth.*'), ...values.family('sslQuorum')]) {
    if (text.toLowerCase() !== 'true') continue;
    const what = name === 'sslQuorum' ? 'TLS' : 'SASL';
    throw new ConfigFailure(
      `${place}: ${name}=${text}: this version has no ${what} between servers; set it to false on all of them`,
    );
  }
}

function checkPeerType(values: SettingValues, own: Member): void {
  if (!values.isGiven('peerType')) return;
  const text = values.text('peerType')!.toLowerCase();
  if (text !== 'participant' && text !== 'observer')
    values.refuse('peerType', 'allowed: participant, observer');
  if (text !== own.role)
    values.adjusted('peerType', `differs from server.${own.sid}, which counts: ${own.role}`);
}

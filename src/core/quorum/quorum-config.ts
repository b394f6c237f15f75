/**
 * The membership of an ensemble at one version: who belongs to it, who votes, and the text that says so. Read from
 * zoo.cfg, from dynamic files, and from what other servers send; written byte for byte as Apache writes it.
 *
 *     server.<sid>=…            one line per member, see member.ts
 *     group.<gid>=<sid>:<sid>…  \  only with a hierarchical quorum
 *     weight.<sid>=<weight>     /
 *     version=<hex>             the zxid of the change that made it; 0 = from a static file; no newline behind it
 *
 * Immutable values, any thread. Nothing here asks whether it makes sense for a server to run with it: see
 * server/config/ensemble-config.ts.
 */

import { parseProperties } from '../../wire/java-properties.ts';
import { encodeUtf8 } from '../../wire/utf8.ts';
import { inJavaOrder } from './java-order.ts';
import {
  MalformedQuorumConfig,
  type Member,
  memberText,
  parseMember,
  type Sid,
  sameAddresses,
  sameMember,
} from './member.ts';
import { HierarchicalVerifier, MajorityVerifier, type QuorumVerifier } from './quorum-verifier.ts';

/** Null: every voter counts the same. */
export interface Hierarchy {
  /** Sids by group id. */
  readonly groups: ReadonlyMap<number, readonly Sid[]>;
  /** Of each voter, and of whoever else has a line. */
  readonly weights: ReadonlyMap<Sid, number>;
}

export class QuorumConfig {
  /** In the order of the text. */
  readonly members: readonly Member[];
  readonly hierarchy: Hierarchy | null;
  readonly version: number;
  readonly verifier: QuorumVerifier;
  readonly text: string;
  /** What notifications carry. */
  readonly bytes: Uint8Array;
  private readonly bySid: ReadonlyMap<Sid, Member>;

  /** @throws MalformedQuorumConfig when a member stands twice, or groups and members do not fit. */
  constructor(members: readonly Member[], hierarchy: Hierarchy | null, version: number) {
    this.bySid = new Map(members.map((member) => [member.sid, member]));
    if (this.bySid.size !== members.length) throw new MalformedQuorumConfig('a server stands twice');
    this.members = inJavaOrder(members.map((member) => member.sid)).map((sid) => this.bySid.get(sid)!);
    const voters = this.members.filter(({ role }) => role === 'participant').map(({ sid }) => sid);
    this.hierarchy = hierarchy === null ? null : completed(hierarchy, voters);
    this.version = version;
    this.verifier =
      this.hierarchy === null
        ? new MajorityVerifier(voters)
        : new HierarchicalVerifier(voters, this.hierarchy.groups, this.hierarchy.weights);
    this.text = [...this.memberLines(), `version=${version.toString(16)}`].join('\n');
    this.bytes = encodeUtf8(this.text);
  }

  member(sid: Sid): Member | undefined {
    return this.bySid.get(sid);
  }

  withVersion(version: number): QuorumConfig {
    return new QuorumConfig(this.members, this.hierarchy, version);
  }

  /** Versions name configurations; two of different versions are the same when their members, groups and weights are. */
  equals(other: QuorumConfig): boolean {
    if (this.version === other.version) return true;
    if (this.members.length !== other.members.length) return false;
    for (const member of this.members) {
      const counterpart = other.member(member.sid);
      if (counterpart === undefined || !sameMember(member, counterpart)) return false;
    }
    return hierarchyText(this.hierarchy) === hierarchyText(other.hierarchy);
  }

  /** The same servers at the same places decide: what two configurations differ in besides does not matter to any quorum. */
  hasSameVoters(other: QuorumConfig): boolean {
    const { voters } = this.verifier;
    if (voters.size !== other.verifier.voters.size) return false;
    for (const sid of voters) {
      if (!other.verifier.voters.has(sid) || !sameAddresses(this.member(sid)!, other.member(sid)!))
        return false;
    }
    return hierarchyText(this.hierarchy) === hierarchyText(other.hierarchy);
  }

  /** Of `zoo.cfg.dynamic.<version>`, or with its version of `zoo.cfg.dynamic.next`: sorted lines, none behind the last. */
  fileText(withVersion: boolean): string {
    const lines = this.memberLines();
    if (withVersion) lines.push(`version=${this.version.toString(16)}`);
    return lines.sort((a, b) => (a < b ? -1 : 1)).join('\n');
  }

  private memberLines(): string[] {
    return [
      ...this.members.map((member) => `server.${member.sid}=${memberText(member)}`),
      ...hierarchyLines(this.hierarchy),
    ];
  }
}

/** Each voter is in one group and has a weight. */
function completed({ groups, weights }: Hierarchy, voters: readonly Sid[]): Hierarchy {
  const all = new Map(weights);
  const placed = new Set([...groups.values()].flat());
  for (const sid of voters) {
    if (!placed.has(sid)) throw new MalformedQuorumConfig(`server ${sid} is in no group`);
    if (!all.has(sid)) all.set(sid, 1);
  }
  for (const [gid, sids] of groups) {
    for (const sid of sids) {
      if (!all.has(sid))
        throw new MalformedQuorumConfig(`group ${gid} names server ${sid}, which is no participant`);
    }
  }
  return { groups, weights: all };
}

function hierarchyLines(hierarchy: Hierarchy | null): string[] {
  if (hierarchy === null) return [];
  const { groups, weights } = hierarchy;
  // Apache collects a group's servers in the order of its table of servers, not in that of the line.
  const order = inJavaOrder([...groups.values()].flat());
  const rank = new Map(order.map((sid, i) => [sid, i]));
  const byRank = (sids: readonly Sid[]): Sid[] => [...sids].sort((a, b) => rank.get(a)! - rank.get(b)!);
  return [
    ...inJavaOrder([...groups.keys()]).map((gid) => `group.${gid}=${byRank(groups.get(gid)!).join(':')}`),
    ...inJavaOrder([...weights.keys()]).map((sid) => `weight.${sid}=${weights.get(sid)}`),
  ];
}

function hierarchyText(hierarchy: Hierarchy | null): string {
  return hierarchyLines(hierarchy).join('\n');
}

/** One property that belongs to a configuration, with the words for where it stands. */
export interface ConfigLine {
  readonly key: string;
  readonly value: string;
}

/** Whether a property is part of a configuration's text. */
export function isQuorumKey(key: string): boolean {
  return /^(?:server\.|group|weight)/.test(key);
}

/**
 * Reads the text of another server or of a dynamic file. The last of several lines with one key counts, as in Java.
 * @throws MalformedQuorumConfig
 */
export function parseQuorumConfig(text: string): QuorumConfig {
  let lines: ConfigLine[];
  try {
    lines = parseProperties(text);
  } catch (error) {
    throw new MalformedQuorumConfig((error as Error).message);
  }
  let version = 0;
  for (const { key, value } of lines) {
    if (key === 'version') version = parseVersion(value);
    else if (!isQuorumKey(key)) throw new MalformedQuorumConfig(`unknown key "${key}"`);
  }
  return quorumConfigOf(
    lines.filter(({ key }) => key !== 'version'),
    version,
  );
}

function parseVersion(value: string): number {
  const version = /^[0-9a-f]{1,16}$/i.test(value) ? Number.parseInt(value, 16) : Number.NaN;
  if (!Number.isSafeInteger(version)) throw new MalformedQuorumConfig(`version=${value}: not a version`);
  return version;
}

/** Lines with keys of `isQuorumKey` only. @throws MalformedQuorumConfig */
export function quorumConfigOf(lines: readonly ConfigLine[], version: number): QuorumConfig {
  const members = new Map<Sid, Member>();
  const groupLines = new Map<number, string>();
  const weights = new Map<Sid, number>();
  for (const { key, value } of lines) {
    const number = numberBehindDot(key);
    if (key.startsWith('server.')) members.set(number, parseMember(number, value));
    else if (key.startsWith('group')) groupLines.set(number, value);
    else weights.set(number, parseWeight(key, value));
  }
  const isHierarchical = groupLines.size > 0 || weights.size > 0;
  const hierarchy = isHierarchical ? { groups: groupsOf(groupLines), weights } : null;
  return new QuorumConfig([...members.values()], hierarchy, version);
}

/** Sids and group ids of plain digits; beyond 2^53 there are none. */
function numberBehindDot(key: string): number {
  return parseId(key.slice(key.indexOf('.') + 1)) ?? fail(`${key}: what follows the dot is not a number`);
}

function parseId(text: string): number | null {
  const id = /^\d{1,16}$/.test(text.trim()) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(id) ? id : null;
}

function groupsOf(lines: ReadonlyMap<number, string>): Map<number, Sid[]> {
  const groups = new Map<number, Sid[]>();
  const placed = new Set<Sid>();
  for (const [gid, value] of lines) {
    const sids = value
      .split(':')
      .map((text) => parseId(text) ?? fail(`group.${gid}=${value}: not server ids`));
    for (const sid of sids) {
      if (placed.has(sid)) fail(`server ${sid} is in several groups`);
      placed.add(sid);
    }
    groups.set(gid, sids);
  }
  return groups;
}

function parseWeight(key: string, value: string): number {
  return parseId(value) ?? fail(`${key}=${value}: not a weight`);
}

/** @throws MalformedQuorumConfig always. */
function fail(message: string): never {
  throw new MalformedQuorumConfig(message);
}

/**
 * What a client asks of the membership, and what becomes of it: the next configuration, or why not. Apache's rules and errors. Pure.
 *
 *     members              all of them anew: a configuration's text, with commas for line ends; the only way with groups
 *     leaving, joining     ids to go, then lines `server.<sid>=…;<client port>` that come or take the place of another
 */
import { ErrorCode } from '../../wire/error-codes.ts';
import { type HostPort, hostPortText, isWildcard } from '../../wire/host-port.ts';
import { MalformedQuorumConfig, type Member, parseMember, type Sid } from './member.ts';
import { parseQuorumConfig, QuorumConfig } from './quorum-config.ts';

/** Null: not given. */
export interface ReconfigWish {
  readonly joining: string | null;
  readonly leaving: string | null;
  readonly members: string | null;
}

/** In version `version`; a number is the error. `standaloneEnabled`: no ensemble has one voter alone. */
export function changedConfig(
  wish: ReconfigWish,
  current: QuorumConfig,
  version: number,
  standaloneEnabled: boolean,
): QuorumConfig | number {
  const changed =
    wish.members === null ? changedBy(wish, current, version) : replacedBy(wish.members, version);
  if (typeof changed === 'number') return changed;
  const votersMin = standaloneEnabled ? 2 : 1;
  return changed.verifier.voters.size < votersMin ? ErrorCode.badArguments : changed;
}

function replacedBy(members: string, version: number): QuorumConfig | number {
  return readable(() => parseQuorumConfig(members.replaceAll(',', '\n')).withVersion(version));
}

function changedBy(
  { joining, leaving }: ReconfigWish,
  current: QuorumConfig,
  version: number,
): QuorumConfig | number {
  if (current.hierarchy !== null) return ErrorCode.badArguments;
  const members = new Map<Sid, Member>(current.members.map((member) => [member.sid, member]));
  for (const text of listed(leaving)) {
    const sid = sidOf(text);
    if (sid === null) return ErrorCode.marshallingError;
    members.delete(sid);
  }
  for (const line of listed(joining)) {
    const parts = line.split('=').map((part) => part.trim());
    if (parts.length !== 2 || parts.includes('')) return ErrorCode.badArguments;
    const sid = sidOf(parts[0]!.slice(parts[0]!.lastIndexOf('.') + 1));
    if (sid === null) return ErrorCode.marshallingError;
    const joiner = readable(() => parseMember(sid, parts[1]!));
    if (typeof joiner === 'number') return joiner;
    members.delete(sid);
    if (joiner.client === null || isTaken(joiner, members.values())) return ErrorCode.badArguments;
    members.set(sid, joiner);
  }
  return readable(() => new QuorumConfig([...members.values()], null, version));
}

function readable<T>(read: () => T): T | number {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedQuorumConfig)) throw error;
    return ErrorCode.badArguments;
  }
}

function listed(text: string | null): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function sidOf(text: string): Sid | null {
  return /^[+]?\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Another server has one of its places. */
function isTaken(joiner: Member, others: Iterable<Member>): boolean {
  const places = placesOf(joiner);
  for (const other of others) if (placesOf(other).some((place) => places.includes(place))) return true;
  return false;
}

/** Without a host of its own, a port is wherever its server is. */
function placesOf({ addresses, client }: Member): string[] {
  const places: HostPort[] = addresses.flatMap(({ host, quorumPort, electionPort }) => [
    { host, port: quorumPort },
    { host, port: electionPort },
  ]);
  if (client !== null) places.push(client);
  return places.filter(({ host }) => !isWildcard(host)).map(hostPortText);
}

/**
 * One server of an ensemble as its configuration names it: the value behind `server.<sid>=`.
 *
 *     host:quorum port:election port[:role][|host:quorum port:election port[:role]…][;[client host:]client port]
 *
 * Read and written as Apache's QuorumServer does, because the text travels: in notifications, in NEWLEADER, in the data
 * of `/zookeeper/config`. Several addresses are written in the order of their hosts, the role always, the client's
 * address with its host. Pure values, any thread.
 */
import { bracketed, type HostPort, parsePort, splitHostPorts } from '../../wire/host-port.ts';
import { parseAddress } from '../acl/ip-pattern.ts';

/** A server's id: what stands in its `myid`. */
export type Sid = number;

export type Role = 'participant' | 'observer';

export interface PeerAddress {
  readonly host: string;
  readonly quorumPort: number;
  readonly electionPort: number;
}

export interface Member {
  readonly sid: Sid;
  /** At least one, in the order of their hosts. */
  readonly addresses: readonly PeerAddress[];
  readonly role: Role;
  /** Null: none is written in the server's line. */
  readonly client: HostPort | null;
}

/** A configuration that cannot be meant. The message says what is wrong, without the place, which its reader knows. */
export class MalformedQuorumConfig extends Error {
  override readonly name = 'MalformedQuorumConfig';
}

const FORM =
  '<host>:<quorum port>:<election port>[:participant|observer][|<host>:<port>:<port>…][;[<client host>:]<client port>]';
/** Where a line gives the client's port alone. */
const ANY_HOST = '0.0.0.0';

/** @throws MalformedQuorumConfig */
export function parseMember(sid: Sid, value: string): Member {
  const [serverPart, clientPart, ...rest] = value.split(';');
  if (rest.length > 0) refuse(value, 'this version has no secure client port');
  const addresses: PeerAddress[] = [];
  let role: Role | null = null;
  for (const part of serverPart!.split('|')) {
    const fields = splitHostPorts(part.trim());
    if (fields === null || fields.length < 3 || fields.length > 4) refuse(value);
    const [host, quorumPort, electionPort] = [fields[0]!, parsePort(fields[1]!), parsePort(fields[2]!)];
    if (host === '' || quorumPort < 0 || electionPort < 0) refuse(value);
    if (quorumPort === electionPort) refuse(value, 'quorum port and election port must differ');
    if (fields[3] !== undefined) {
      const given = parseRole(fields[3]) ?? refuse(value, `there is no role "${fields[3]}"`);
      if (role !== null && given !== role) refuse(value, 'all addresses of a server have one role');
      role = given;
    }
    addAddress(addresses, { host: javaHost(host), quorumPort, electionPort });
  }
  addresses.sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : 0));
  return { sid, addresses, role: role ?? 'participant', client: parseClient(value, clientPart) };
}

function addAddress(addresses: PeerAddress[], address: PeerAddress): void {
  if (!addresses.some((other) => sameAddress(other, address))) addresses.push(address);
}

function parseClient(value: string, part: string | undefined): HostPort | null {
  if (part === undefined || part.trim() === '') return null;
  const fields = splitHostPorts(part.trim());
  if (fields === null || fields.length > 2) refuse(value);
  const port = parsePort(fields[fields.length - 1]!);
  const host = fields.length === 2 ? fields[0]! : ANY_HOST;
  if (port < 0 || host === '') refuse(value);
  return { host: javaHost(host), port };
}

function parseRole(text: string): Role | null {
  const role = text.trim().toLowerCase();
  return role === 'participant' || role === 'observer' ? role : null;
}

/** @throws MalformedQuorumConfig always. */
function refuse(value: string, reason = `allowed: ${FORM}`): never {
  throw new MalformedQuorumConfig(`${value}: ${reason}`);
}

/** Java writes an IPv6 literal with all its groups, and one that is an IPv4 address as that. */
function javaHost(host: string): string {
  const bytes = host.includes(':') ? parseAddress(host.replace(/\d+\.\d+\.\d+\.\d+$/, asGroups)) : null;
  if (bytes === null) return host;
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return bytes.subarray(12).join('.');
  return groups.map((group) => group.toString(16)).join(':');
}

/** The dotted end of an IPv6 literal as two of its groups. */
function asGroups(dotted: string): string {
  const bytes = parseAddress(dotted);
  return bytes === null
    ? dotted
    : `${((bytes[0]! << 8) | bytes[1]!).toString(16)}:${((bytes[2]! << 8) | bytes[3]!).toString(16)}`;
}

/** As it stands behind `server.<sid>=`. */
export function memberText(member: Member): string {
  const addresses = member.addresses.map(
    ({ host, quorumPort, electionPort }) => `${bracketed(host)}:${quorumPort}:${electionPort}`,
  );
  const { client } = member;
  const clientText = client === null ? '' : `;${bracketed(client.host)}:${client.port}`;
  return `${addresses.join('|')}:${member.role}${clientText}`;
}

export function sameAddress(a: PeerAddress, b: PeerAddress): boolean {
  return a.host === b.host && a.quorumPort === b.quorumPort && a.electionPort === b.electionPort;
}

export function sameAddresses(a: Member, b: Member): boolean {
  return (
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address, i) => sameAddress(address, b.addresses[i]!))
  );
}

export function sameMember(a: Member, b: Member): boolean {
  return a.sid === b.sid && memberText(a) === memberText(b);
}

/**
 * The other servers as the election port knows them: those the configuration names, and a few that came by themselves.
 * For each what waits to be sent, its link, and where that came from. Owned by the mesh, on its thread.
 */
import type { HostPort } from '../wire/host-port.ts';
import type { ElectionConnection } from './election-connection.ts';

/** Of a configuration: whom there is to reach, and where. */
export interface MeshPeer {
  readonly sid: number;
  readonly addresses: readonly HostPort[];
}

/** What is known of one other server, linked or not. */
export interface Peer {
  readonly sid: number;
  readonly isStranger: boolean;
  /** The newest message, until a link takes it. */
  waiting: Uint8Array | null;
  /** What a link took last. */
  last: Uint8Array | null;
  link: ElectionConnection | null;
  dialing: ElectionConnection | null;
  /** Where its link came from, or where it was dialled: two servers of one sid differ in it. */
  origin: string;
  takenOverAtMs: number;
}

const STRANGERS_MAX = 8;
const SAME_SID_HOLD_MS = 10_000;

export class PeerTable {
  private readonly ownSid: number;
  private readonly peers = new Map<number, Peer>();
  /** The committed configuration's addresses, then what a proposed one adds. */
  private members: ReadonlyMap<number, readonly HostPort[]> = new Map();

  constructor(ownSid: number) {
    this.ownSid = ownSid;
  }

  setMembers(committed: readonly MeshPeer[], proposed: readonly MeshPeer[]): void {
    const members = new Map<number, HostPort[]>();
    for (const { sid, addresses } of [...committed, ...proposed])
      if (sid !== this.ownSid) members.set(sid, withAddresses(members.get(sid) ?? [], addresses));
    this.members = members;
  }

  isMember(sid: number): boolean {
    return this.members.has(sid);
  }

  /** Empty: only it can dial us. */
  addressesOf(sid: number): readonly HostPort[] {
    return this.members.get(sid) ?? [];
  }

  all(): Iterable<Peer> {
    return this.peers.values();
  }

  get(sid: number): Peer | undefined {
    return this.peers.get(sid);
  }

  /** Null: no configuration names it, and it has not come by itself. */
  peerOf(sid: number): Peer | null {
    const known = this.peers.get(sid);
    if (known !== undefined) return known;
    return this.members.has(sid) ? this.add(sid, false) : null;
  }

  /** One that came by itself; null: there are enough of those. */
  strangerOf(sid: number): Peer | null {
    let count = 0;
    for (const { isStranger } of this.peers.values()) if (isStranger) count++;
    return count < STRANGERS_MAX ? this.add(sid, true) : null;
  }

  /** When nothing connects us with it any more. */
  forgetStranger(peer: Peer): void {
    if (peer.isStranger && peer.link === null && peer.dialing === null) this.peers.delete(peer.sid);
  }

  clear(): void {
    this.peers.clear();
  }

  private add(sid: number, isStranger: boolean): Peer {
    const peer: Peer = {
      sid,
      isStranger,
      waiting: null,
      last: null,
      link: null,
      dialing: null,
      origin: '',
      takenOverAtMs: Number.NEGATIVE_INFINITY,
    };
    this.peers.set(sid, peer);
    return peer;
  }
}

/** Whether another place has said it is this server, and has had its link, only just now. */
export function isRival(peer: Peer, origin: string, nowMs: number): boolean {
  if (peer.link === null || peer.origin === origin) return false;
  if (nowMs - peer.takenOverAtMs < SAME_SID_HOLD_MS) return true;
  peer.takenOverAtMs = nowMs;
  return false;
}

/** `addresses`, and behind them those of `more` that are not among them. */
export function withAddresses(addresses: readonly HostPort[], more: readonly HostPort[]): HostPort[] {
  const result = [...addresses];
  for (const address of more) {
    if (!result.some(({ host, port }) => host === address.host && port === address.port))
      result.push(address);
  }
  return result;
}

/**
 * The links of the election: at most one TCP connection to each other server, on which both tell what they vote for. Runs
 * on an event loop; nobody else touches it. Which messages are sent is the election's to say; here is how they travel.
 *
 *     the larger sid dials      who is smaller dials only to be called back: it sends its initial message, and the larger
 *                               one closes that connection and dials the address it was told
 *     the newest counts         one message waits per server; a newer one takes its place
 *     a new link repeats        what was said last, if nothing waits: it may have been lost with the old link
 *     what comes in             100 messages wait at most, the oldest are dropped
 *
 * There is no heartbeat, as in Apache: TCP finds out who is gone, and nobody is dialled until there is something to say.
 *
 * Whoever reaches this port may send anything. What is no initial message, or no frame, ends that connection with a
 * counted reason. Three rules protect the links that are there:
 *
 *     a connection that claims to be a smaller server does not end its link; only the call-back, once it stands, does
 *     two that claim to be one larger server, from different places, take the link from each other once in 10 s at most
 *     of connections without an initial message 64 are kept, and the oldest has to go
 *
 * A server that no configuration names is answered, because that is how a server joins; 8 of them at a time.
 */
import type { Clock } from '../base/clock.ts';
import type { EventLoop, LoopTimer } from '../base/event-loop.ts';
import { BindFailure } from '../base/failure.ts';
import {
  decodeNotification,
  type ElectionNotification,
  encodeInitialMessage,
  type InitialMessage,
} from '../wire/election-notification.ts';
import { type HostPort, hostPortText, isWildcard } from '../wire/host-port.ts';
import { type ConnectionOwner, ElectionConnection, type Refusal } from './election-connection.ts';
import { createMeshCounters, type MeshCounters } from './election-counters.ts';
import { ElectionInbox } from './election-inbox.ts';
import { isRival, type MeshPeer, type Peer, PeerTable, withAddresses } from './election-peers.ts';
import {
  type AcceptedSocket,
  type Listener,
  type ListenPurpose,
  ReadBuffer,
  type Transport,
} from './transport.ts';

export interface MeshOptions {
  readonly sid: number;
  /** Where others reach this server's election port. */
  readonly addresses: readonly HostPort[];
  /** Listens on every interface instead of those addresses. */
  readonly listenOnAllIps: boolean;
  /** Tells others all addresses; servers before 3.6 do not understand it. */
  readonly multiAddress: boolean;
  readonly connectTimeoutMs: number;
  /** For an initial message to arrive. */
  readonly greetingTimeoutMs: number;
  readonly keepAlive: boolean;
  /** How often a port is tried that cannot be had, a second apart; 0 = for ever. */
  readonly bindAttempts: number;
}

export interface MeshPort {
  /** A message of another server. */
  onNotification(from: number, notification: ElectionNotification): void;
  /** For the operator's log; `sid` -1 = it did not say. */
  onRefused(reason: Refusal, remote: string, sid: number): void;
  /** `isLast`: it has no other address to be tried. */
  onUnreachable(sid: number, address: string, why: string, isLast: boolean): void;
  /** A link has ended that nothing has taken the place of, or who was to call back was reset; not when this server drops all. */
  onLinkLost(sid: number): void;
  /** The election port cannot be had now and is tried again. */
  onListenLater(why: string): void;
}

interface Platform {
  readonly transport: Transport;
  readonly loop: EventLoop;
  readonly clock: Clock;
}

const GREETINGS_MAX = 64;
/** For the other side's FIN, and for a kernel to take one frame. */
const LEAVE_TIMEOUT_MS = 5000;
const STUCK_TIMEOUT_MS = 30_000;
const SWEEP_EVERY_MS = 500;
const BIND_AGAIN_MS = 1000;
const PURPOSE: ListenPurpose = {
  who: 'elections',
  portKey: "election port in this server's line",
  addressKey: "the address in this server's line, or set quorumListenOnAllIPs=true",
};

export class ElectionMesh implements ConnectionOwner {
  readonly counters: MeshCounters = createMeshCounters();
  private readonly options: MeshOptions;
  private readonly platform: Platform;
  private readonly port: MeshPort;
  private readonly inbox: ElectionInbox;
  private readonly buffer = new ReadBuffer();
  private readonly listeners: Listener[] = [];
  private readonly sweep: LoopTimer;
  private readonly peers: PeerTable;
  /** Accepted and not yet known, the oldest first. */
  private readonly greetings = new Set<ElectionConnection>();
  private readonly leaving = new Set<ElectionConnection>();
  private isClosed = false;
  private isDropping = false;

  constructor(options: MeshOptions, platform: Platform, port: MeshPort) {
    this.options = options;
    this.platform = platform;
    this.port = port;
    this.peers = new PeerTable(options.sid);
    this.inbox = new ElectionInbox(platform.loop, this.counters, (from, notification) => {
      if (!this.isClosed) port.onNotification(from, notification);
    });
    this.sweep = platform.loop.every(SWEEP_EVERY_MS, () => this.endLate());
  }

  /** Opens the port of each own address. @throws BindFailure when one cannot be had. */
  async listen(): Promise<void> {
    const { addresses, listenOnAllIps } = this.options;
    const places = listenOnAllIps
      ? [...new Set(addresses.map(({ port }) => port))].map((port) => ({ host: null, port }))
      : addresses.map(({ host, port }) => ({ host: isWildcard(host) ? null : host, port }));
    for (const { host, port } of places) await this.listenAt(host, port);
  }

  setMembers(committed: readonly MeshPeer[], proposed: readonly MeshPeer[]): void {
    this.peers.setMembers(committed, proposed);
  }

  /** `frame` takes the place of an older one that no link has taken. To a sid that nobody knows nothing is sent. */
  send(to: number, frame: Uint8Array): void {
    const peer = this.peers.peerOf(to);
    if (peer === null) return;
    peer.waiting = frame;
    if (peer.link !== null) peer.link.pump();
    else this.dial(peer, this.peers.addressesOf(to));
  }

  /** Somebody has taken the last that was sent to him. */
  get wasDelivered(): boolean {
    for (const peer of this.peers.all()) if (peer.waiting === null) return true;
    return false;
  }

  /** Dials everybody without a link who was ever told something. */
  connectAll(): void {
    for (const peer of this.peers.all())
      if (peer.link === null) this.dial(peer, this.peers.addressesOf(peer.sid));
  }

  /** Dials it unless it is linked. What it was told last is repeated. */
  connect(sid: number): void {
    const peer = this.peers.peerOf(sid);
    if (peer !== null && peer.link === null) this.dial(peer, this.peers.addressesOf(sid));
  }

  get linkedSids(): number[] {
    return [...this.peers.all()].filter(({ link }) => link !== null).map(({ sid }) => sid);
  }

  /** The membership has changed: all links are made anew, as Apache does. */
  dropLinks(): void {
    this.isDropping = true;
    for (const connection of this.allConnections()) connection.close(null);
    this.isDropping = false;
    this.peers.clear();
    this.inbox.clear();
  }

  close(): void {
    this.isClosed = true;
    this.sweep.cancel();
    for (const listener of this.listeners) listener.close();
    this.dropLinks();
  }

  // ---- dialling --------------------------------------------------------------------------------------------

  /** One address after the other, until one answers. */
  private dial(peer: Peer, addresses: readonly HostPort[]): void {
    if (this.isClosed || peer.dialing !== null || addresses.length === 0) return;
    const [{ host, port }, ...others] = addresses as [HostPort, ...HostPort[]];
    const dialled = new Dialled(this, peer, hostPortText({ host, port }), others);
    peer.dialing = dialled;
    this.counters.dials++;
    const { connectTimeoutMs: timeoutMs, keepAlive } = this.options;
    dialled.attach(this.platform.transport.dial({ host, port, timeoutMs, keepAlive }, this.buffer, dialled));
  }

  onDialFailed(connection: ElectionConnection, why: string): void {
    if (!(connection instanceof Dialled)) return;
    const { peer, others } = connection;
    peer.dialing = null;
    this.counters.failedDials++;
    this.port.onUnreachable(peer.sid, connection.remote, why, others.length === 0);
    this.dial(peer, others);
    this.peers.forgetStranger(peer);
  }

  onOpen(connection: ElectionConnection): void {
    if (!(connection instanceof Dialled)) return;
    const { peer } = connection;
    const { sid, addresses, multiAddress } = this.options;
    connection.write(encodeInitialMessage(sid, addresses, multiAddress ? 'V2' : 'V1'));
    if (peer.sid > sid) {
      // Until it has ended, nobody dials that server again: one that hangs is not called every time.
      this.leaving.add(connection);
      connection.leave(this.nowMs() + LEAVE_TIMEOUT_MS);
    } else {
      peer.dialing = null;
      this.link(peer, connection, connection.remote);
    }
  }

  // ---- accepting -------------------------------------------------------------------------------------------

  private async listenAt(host: string | null, port: number): Promise<void> {
    const listener = this.platform.transport.createListener(this.options.keepAlive, (socket) =>
      this.onSocket(socket),
    );
    for (let attempt = 1; ; attempt++) {
      try {
        await listener.listen({
          address: host,
          port,
          backlog: -1,
          reusePort: false,
          keepAlive: this.options.keepAlive,
          purpose: PURPOSE,
        });
        break;
      } catch (error) {
        const isLast = attempt === this.options.bindAttempts;
        if (!(error instanceof BindFailure) || isLast || this.isClosed) throw error;
        this.port.onListenLater(error.message);
        await new Promise<void>((resolve) => this.platform.loop.after(BIND_AGAIN_MS, resolve));
      }
    }
    if (this.isClosed) listener.close();
    else this.listeners.push(listener);
  }

  private onSocket(socket: AcceptedSocket): void {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || this.isClosed) {
      socket.refuse();
      return;
    }
    this.counters.accepted++;
    // Servers say at once who they are: the oldest that has not is the least likely to be one.
    if (this.greetings.size >= GREETINGS_MAX) this.greetings.values().next().value!.close('crowded');
    const connection = new ElectionConnection(this, remoteAddress, 'greeting');
    connection.deadlineMs = this.nowMs() + this.options.greetingTimeoutMs;
    this.greetings.add(connection);
    connection.attach(socket.open(this.buffer, connection));
  }

  onGreeting(connection: ElectionConnection, message: InitialMessage): void {
    const refusal = this.greet(connection, message);
    if (refusal !== null) connection.close(refusal);
  }

  /** Links it, or has it called back; or says why not. */
  private greet(connection: ElectionConnection, { sid, addresses }: InitialMessage): Refusal | null {
    const own = this.options.sid;
    connection.sid = sid ?? -1;
    if (sid === own) return 'own sid';
    // An anonymous observer of 3.4 could not be called back, nor a stranger without an address.
    if (sid === null || (addresses.length === 0 && !this.peers.isMember(sid))) return 'stranger';
    const peer = this.peers.peerOf(sid) ?? this.peers.strangerOf(sid);
    if (peer === null) return 'stranger';
    const place = addresses.map(hostPortText).join('|');
    if (sid > own) {
      const origin = `${connection.remote} ${place}`;
      if (isRival(peer, origin, this.nowMs())) return 'same sid';
      this.greetings.delete(connection);
      this.link(peer, connection, origin);
      return null;
    }
    const callBackAt = withAddresses(addresses, this.peers.addressesOf(sid));
    if (isRival(peer, callBackAt[0] === undefined ? '' : hostPortText(callBackAt[0]), this.nowMs()))
      return 'same sid';
    this.counters.callBacks++;
    this.dial(peer, callBackAt);
    connection.close(null);
    return null;
  }

  // ---- links -----------------------------------------------------------------------------------------------

  private link(peer: Peer, connection: ElectionConnection, origin: string): void {
    const older = peer.link;
    peer.link = connection;
    peer.origin = origin;
    older?.close(null);
    this.counters.links++;
    // Repeated: it may have been lost with the old link. A receiver has to bear with what is no longer so.
    peer.waiting ??= peer.last;
    connection.link(peer.sid);
  }

  nextFrame(connection: ElectionConnection): Uint8Array | null {
    const peer = this.peers.get(connection.sid);
    if (peer === undefined || peer.link !== connection || peer.waiting === null) return null;
    const frame = peer.waiting;
    peer.waiting = null;
    peer.last = frame;
    connection.deadlineMs = this.nowMs() + STUCK_TIMEOUT_MS;
    this.counters.sent++;
    return frame;
  }

  onPayload(
    connection: ElectionConnection,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): void {
    const notification = decodeNotification(bytes, view, start, end);
    if (typeof notification === 'object') this.inbox.push(connection.sid, notification);
    else this.counters.malformed++;
  }

  onGone(connection: ElectionConnection, refusal: Refusal | null): void {
    this.greetings.delete(connection);
    this.leaving.delete(connection);
    if (refusal !== null) {
      this.counters.refused[refusal]++;
      this.port.onRefused(refusal, connection.remote, connection.sid);
    }
    const peer =
      this.peers.get(connection.sid) ?? (connection instanceof Dialled ? connection.peer : undefined);
    if (peer === undefined) return;
    const isLost = peer.link === connection || (peer.dialing === connection && connection.wasReset);
    if (peer.link === connection) peer.link = null;
    if (peer.dialing === connection) peer.dialing = null;
    this.peers.forgetStranger(peer);
    if (isLost && peer.link === null && !this.isDropping) this.port.onLinkLost(peer.sid);
  }

  // ---- time ------------------------------------------------------------------------------------------------

  private endLate(): void {
    const nowMs = this.nowMs();
    for (const connection of this.greetings) if (nowMs >= connection.deadlineMs) connection.close('idle');
    for (const connection of this.leaving) if (nowMs >= connection.deadlineMs) connection.close(null);
    for (const { link } of this.peers.all())
      if (link?.isStuck === true && nowMs >= link.deadlineMs) link.close('not reading');
  }

  private nowMs(): number {
    return this.platform.clock.monotonicMs();
  }

  private *allConnections(): Generator<ElectionConnection> {
    yield* [...this.greetings, ...this.leaving];
    for (const { link, dialing } of [...this.peers.all()]) {
      if (link !== null) yield link;
      if (dialing !== null) yield dialing;
    }
  }
}

/** A connection that was dialled, and what else is to be tried if nobody answers. */
class Dialled extends ElectionConnection {
  readonly peer: Peer;
  readonly others: readonly HostPort[];

  constructor(owner: ConnectionOwner, peer: Peer, remote: string, others: readonly HostPort[]) {
    super(owner, remote, 'dialing');
    this.peer = peer;
    this.others = others;
  }
}

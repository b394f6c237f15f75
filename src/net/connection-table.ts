/**
 * All connections of one io thread, by slot, and the io side of every reply: whoever brings replies (a direct sink or
 * the reader of a reply ring) calls `claim`, `commit`, `shutdown`, `release` with slots and `flush` once per batch.
 * Io thread only.
 *
 * A slot is taken from accept until *both* the socket is gone and the core has released it, so a reply that is on
 * its way while the socket closes meets the closed connection (and is dropped), never the next one.
 *
 * One write per connection and turn: replies made while a connection's chunk is processed leave at the end of that
 * chunk, while the slab is warm in the cache; all others mark their connection dirty and leave in `flush`.
 */
import { assert } from '../base/assert.ts';
import type { Admission } from './accept-limits.ts';
import {
  ClientConnection,
  type ConnectionLimits,
  type ConnectionOwner,
  ConnectionState,
} from './client-connection.ts';
import { createNetCounters, type NetCounters } from './net-counters.ts';
import type { NetReports } from './net-reports.ts';
import type { ReplyMemory } from './reply-memory.ts';
import { type ReplySlab, SlabPool } from './reply-slab.ts';
import type { BacklogObserver, RequestPort } from './request-port.ts';
import { type AcceptedSocket, ReadBuffer } from './transport.ts';

export interface ConnectionTableOptions {
  readonly limits: ConnectionLimits;
  readonly slotCount: number;
  /** Added to a slot to make the connection's number. */
  readonly idBase: number;
  readonly nowMs: number;
  readonly memory: ReplyMemory;
  readonly reports: NetReports;
  /** A connection's socket is gone; with what it was opened with. */
  readonly onGone: (admission: Admission) => void;
  /** There is something to flush or to go on with: call `flush` and `continueStopped` soon, on a stack of its own. */
  readonly scheduleTurn: () => void;
}

/** 1 MiB, 8 of them. */
const SLABS_BETWEEN_LOOKS = 8;

export class ConnectionTable implements ConnectionOwner {
  readonly limits: ConnectionLimits;
  readonly slotCount: number;
  readonly idBase: number;
  readonly scheduleTurn: () => void;
  readonly slabs = new SlabPool();
  readonly readBuffer = new ReadBuffer();
  readonly counters: NetCounters = createNetCounters();
  nowMs: number;
  outstanding = 0;
  quiescing = false;
  readonly reports: NetReports;
  private readonly memory: ReplyMemory;
  /** Slabs in use at which the memory of all is looked at. */
  private nextLook = SLABS_BETWEEN_LOOKS;
  private readonly onGone: (admission: Admission) => void;
  private readonly connections: (ClientConnection | null)[] = [];
  private readonly freeSlots: number[] = [];
  private readonly dirty: ClientConnection[] = [];
  private stopped: ClientConnection[] = [];
  private spare: ClientConnection[] = [];
  /** Something happened that may let a stopped connection go on. */
  private progress = false;
  private requestPort: RequestPort | null = null;
  private observer: BacklogObserver | null = null;

  constructor(options: ConnectionTableOptions) {
    this.limits = options.limits;
    this.slotCount = options.slotCount;
    this.idBase = options.idBase;
    this.nowMs = options.nowMs;
    this.memory = options.memory;
    this.reports = options.reports;
    this.onGone = options.onGone;
    this.scheduleTurn = options.scheduleTurn;
  }

  /** Names the two neighbours; once, before the first socket. */
  attach(requests: RequestPort, observer: BacklogObserver): void {
    assert(this.requestPort === null, 'connection table attached twice');
    this.requestPort = requests;
    this.observer = observer;
  }

  get requests(): RequestPort {
    assert(this.requestPort !== null, 'connection table is not attached');
    return this.requestPort;
  }

  /** Takes over an accepted socket that has not been read; false = no slot left, the socket is still the caller's. */
  open(accepted: AcceptedSocket, address: string, admission: Admission): boolean {
    const slot = this.freeSlots.pop() ?? this.connections.length;
    if (slot === this.slotCount) return false;
    const port = accepted.remotePort;
    const connection = new ClientConnection(this, slot, this.idBase + slot, accepted, address, admission);
    this.connections[slot] = connection;
    this.counters.accepted++;
    this.counters.open++;
    this.requests.onConnect(connection.id, address, port);
    return true;
  }

  // --- replies -----------------------------------------------------------------------------------------------

  /** A slab with room for `length` bytes at its `used`; for a closing connection one that nobody reads. */
  claim(slot: number, length: number): ReplySlab {
    const connection = this.at(slot);
    if (this.slabs.inUse >= this.nextLook) this.lookAtMemory();
    return connection.state < ConnectionState.closing ? connection.backlog.claim(length) : this.slabs.discard;
  }

  /** Sends the first `length` bytes of the last claim, which was for the same slot. */
  commit(slot: number, length: number, completesReply: boolean): void {
    const connection = this.at(slot);
    if (connection.state >= ConnectionState.closing) return;
    const backlog = connection.backlog;
    backlog.commit(length);
    if (completesReply) {
      connection.onAnswered();
      this.progress = true;
    }
    if (!connection.dirty) {
      connection.dirty = true;
      this.dirty.push(connection);
    }
    if (backlog.bytes > this.limits.replyBacklogBytesHardMax) {
      connection.tellUnread();
      connection.destroy();
    }
  }

  backlogBytes(slot: number): number {
    return this.at(slot).backlog.bytes;
  }

  isClosing(slot: number): boolean {
    return this.at(slot).state >= ConnectionState.closing;
  }

  shutdown(slot: number): void {
    this.at(slot).shutdown();
  }

  /** The core has forgotten this connection; its socket must be gone. */
  release(slot: number): void {
    assert(this.at(slot).state === ConnectionState.closed, 'release of a connection that is still open');
    this.connections[slot] = null;
    this.freeSlots.push(slot);
  }

  /** End of a batch of replies: one write for every connection that got some. */
  flush(): void {
    const dirty = this.dirty;
    for (let i = 0; i < dirty.length; i++) {
      const connection = dirty[i]!;
      connection.dirty = false;
      connection.backlog.flush();
    }
    dirty.length = 0;
    if (this.progress && this.stopped.length > 0) this.scheduleTurn();
  }

  // --- what all leave unread ---------------------------------------------------------------------------------

  /** More slabs are in use than when this was looked at last. */
  private lookAtMemory(): void {
    const { slabs, memory } = this;
    memory.publish(slabs.inUse);
    if (memory.isOver) {
      this.flush();
      memory.publish(slabs.inUse);
      while (memory.isOver && this.endGreediest()) memory.publish(slabs.inUse);
    }
    this.nextLook = slabs.inUse + SLABS_BETWEEN_LOOKS;
  }

  /** Of those that do not read if there are any. False: it is not for this thread to do. */
  private endGreediest(): boolean {
    const connection = this.greediest(true) ?? this.greediest(false);
    if (!this.memory.mustEnd(connection?.backlog.slabs ?? 0, connection?.isStuck ?? false)) return false;
    this.counters.greedy++;
    const { address, port, unsentBytes } = connection!;
    this.reports.unread(address, port, unsentBytes, true);
    connection!.drop();
    return true;
  }

  private greediest(isStuck: boolean): ClientConnection | null {
    let greediest: ClientConnection | null = null;
    for (const connection of this.connections) {
      if (connection === null || (isStuck && !connection.isStuck)) continue;
      if (connection.backlog.bytes > (greediest?.backlog.bytes ?? 0)) greediest = connection;
    }
    return greediest;
  }

  private sweepMemory(): void {
    const connection = this.greediest(true) ?? this.greediest(false);
    this.memory.publishGreediest(connection?.backlog.slabs ?? 0, connection?.isStuck ?? false);
    this.lookAtMemory();
  }

  // --- requests ----------------------------------------------------------------------------------------------

  /** The request port can take frames again after a refusal. */
  onRequestRoom(): void {
    this.progress = true;
  }

  /** Lets stopped connections go on, first stopped first. */
  continueStopped(): void {
    if (!this.progress) return;
    this.progress = false;
    const candidates = this.stopped;
    this.stopped = this.spare; // those that stop again collect here
    for (let i = 0; i < candidates.length; i++) {
      const connection = candidates[i]!;
      if (!connection.stopped) continue; // closed meanwhile
      if (connection.maySubmit) connection.continue();
      else this.stopped.push(connection);
    }
    candidates.length = 0;
    this.spare = candidates;
  }

  /** Requests of some connection wait for room that the server has to make: not for a client that does not read. */
  get isHoldingBack(): boolean {
    for (const connection of this.stopped)
      if (connection.stopped && connection.unsentBytes === 0) return true;
    return false;
  }

  onStopped(connection: ClientConnection): void {
    this.stopped.push(connection);
  }

  onChunkEnd(connection: ClientConnection): void {
    connection.backlog.flush();
    this.requests.onChunkEnd();
    if (this.progress && this.stopped.length > 0) this.scheduleTurn();
  }

  onSettled(connection: ClientConnection, bytes: number): void {
    this.observer!.onSettled(connection.slot, bytes);
  }

  onClosed(connection: ClientConnection): void {
    this.counters.open--;
    this.progress = true; // its requests no longer count as outstanding
    this.requests.onDisconnect(connection.id);
    this.onGone(connection.admission);
    if (this.stopped.length > 0) this.scheduleTurn();
  }

  // --- whole table -------------------------------------------------------------------------------------------

  /** Takes no further frame; what is in flight will still be answered. */
  quiesce(): void {
    this.quiescing = true;
  }

  /** Of all connections: committed and not yet in the kernel. */
  unsentBytes(): number {
    let bytes = 0;
    for (const connection of this.connections) bytes += connection?.unsentBytes ?? 0;
    return bytes;
  }

  shutdownAll(): void {
    for (let slot = 0; slot < this.connections.length; slot++) this.connections[slot]?.shutdown();
  }

  destroyAll(): void {
    for (let slot = 0; slot < this.connections.length; slot++) this.connections[slot]?.destroy();
  }

  /** Ends connections without a session, and those that close without progress; called about once a second. */
  sweep(nowMs: number): void {
    this.nowMs = nowMs;
    for (let slot = 0; slot < this.connections.length; slot++) {
      this.connections[slot]?.sweep(nowMs);
    }
    this.sweepMemory();
  }

  private at(slot: number): ClientConnection {
    const connection = this.connections[slot];
    assert(connection != null, 'connection slot is free');
    return connection;
  }
}

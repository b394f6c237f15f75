/**
 * A leader change that clients do not notice: a learner that has lost its leader keeps their connections until it is in step with the
 * next one. Off unless `ringkeeper.keepClientsOnLeaderChange`; decision 75. Core thread; used by learner-service.ts.
 *
 *     open ──the leader is gone──▶ kept ──in step with the leader of a later epoch, or leading it──▶ open
 *                                   │
 *                                   └─ too long · the same epoch again · another state (TRUNC, SNAP) · moved ─▶ closed, as Apache does
 *
 *     what it asks             waits unevaluated; pings are answered, with what it may have been shown
 *     what is made for it      replies and events of what is logged here and not known to be decided: held. In step, it is: it leaves
 *     what it has asked        is answered so, if the history that is shared then has it (forwarder.ts); else it is evaluated again, in
 *                              its place, as if it came only now
 *     a session to be          is welcome so, or begins again with the frame it was asked for with; new connections in the first second too
 */
import { epochOf, type Zxid } from '../../base/zxid.ts';
import { type Client, ClientState } from '../client/client.ts';
import type { ClientTable } from '../client/client-table.ts';
import type { WriteNumbers } from '../client/write-numbers.ts';
import type { Forwarder } from '../forwarding/forwarder.ts';
import type { Progress } from '../progress/progress.ts';
import type { Statistics } from '../progress/statistics.ts';
import type { TurnClock } from '../progress/turn-clock.ts';
import { OWN, type SessionTable } from '../session/session-table.ts';
import type { RequestOrder } from './request-order.ts';

export interface KeptClientParts {
  readonly forwarder: Forwarder;
  readonly writes: WriteNumbers;
  readonly sessions: SessionTable;
  readonly clients: ClientTable;
  readonly clock: TurnClock;
  readonly progress: Progress;
  readonly statistics: Statistics;
}

/** Of its session's timeout: no longer, so that a client that is let go still finds another server in time. */
const KEPT_SHARE = 1 / 3;
/** Connections without a session: another server may have a leader. */
const HANDSHAKES_KEPT_MS = 1000;
const HANDSHAKE_BYTES_MAX = 1024;

export class KeptClients {
  private readonly parts: KeptClientParts;
  private readonly order: RequestOrder;
  private readonly begin: (client: Client, handshake: Uint8Array) => void;
  /** Of the leader that is gone. */
  private epoch = 0;
  private sinceMs = 0;

  /** `begin`: a connection whose first frame this is. */
  constructor(
    parts: KeptClientParts,
    order: RequestOrder,
    begin: (client: Client, handshake: Uint8Array) => void,
  ) {
    this.parts = parts;
    this.order = order;
    this.begin = begin;
  }

  /** There is no leader, and clients wait for the next one. */
  get isHolding(): boolean {
    return this.parts.forwarder.isHolding;
  }

  /** The leader of the epoch that began at `epochZxid` is gone; 0: there has been none. False: nobody is kept. */
  keep(epochZxid: Zxid): boolean {
    const { forwarder, clients, clock } = this.parts;
    // Not even this server's next leader has come to serve.
    if (forwarder.isHolding) return true;
    if (!forwarder.keepsRequests || epochZxid === 0) return false;
    for (const client of clients.all()) if (mayBeKept(client)) this.hold(client);
    for (const client of [...clients.all()]) {
      const { state, isKept } = client;
      if (!isKept && (state === ClientState.handshaking || state === ClientState.open)) clients.close(client);
    }
    forwarder.isHolding = true;
    this.epoch = epochOf(epochZxid);
    this.sinceMs = clock.nowMs;
    return true;
  }

  get count(): number {
    let count = 0;
    for (const { isKept } of this.parts.clients.all()) if (isKept) count++;
    return count;
  }

  private hold(client: Client): void {
    client.isKept = true;
    client.keptZxid = this.parts.progress.committed;
    // Its requests wait, at no cost to those of others.
    client.isStalled = true;
  }

  /** This server is in step with the leader of the epoch that begins at `epochZxid`, or is that leader. False: nobody may stay. */
  resume(epochZxid: Zxid): boolean {
    const { forwarder, writes, clients, sessions, statistics } = this.parts;
    // The same leader may still propose what it had been sent before: nobody knows what to ask again.
    if (epochOf(epochZxid) === this.epoch) return false;
    const returned = forwarder.takeBack();
    const beginning: Client[] = [];
    for (const client of [...clients.all()]) {
      if (!client.isKept) continue;
      client.isKept = false;
      if (client.state === ClientState.fresh || client.state === ClientState.handshaking) {
        client.lastWrite[0] = Math.min(client.lastWrite[0]!, writes.issued);
        beginning.push(client);
        continue;
      }
      if (client.state === ClientState.open) {
        const again = returned.get(client) ?? [];
        statistics.keptClients++;
        statistics.writesAskedAgain += again.length;
        client.queue.beginAgain(again);
        client.lastWrite[0] = Math.min(client.lastWrite[0]!, writes.issued);
        sessions.owner[client.session] = OWN;
      }
      if (client.state !== ClientState.gone) this.order.release(client);
    }
    this.order.onWithdrawn();
    // Behind all others: one of them may be the same client's.
    for (const client of beginning) {
      if (client.state === ClientState.gone || client.state === ClientState.closing) continue;
      client.state = ClientState.fresh;
      this.begin(client, client.handshake!);
    }
    return true;
  }

  /** A connection begins: where clients are kept, it may have to do so again. */
  remember(client: Client, bytes: Uint8Array, start: number, end: number): void {
    if (this.parts.forwarder.keepsRequests && end - start <= HANDSHAKE_BYTES_MAX)
      client.handshake = Uint8Array.from(bytes.subarray(start, end));
  }

  /** A connection begins while there is no leader. False: it is not kept for one. */
  keepNew(client: Client, bytes: Uint8Array, start: number, end: number): boolean {
    const isInTime = this.parts.clock.nowMs - this.sinceMs <= HANDSHAKES_KEPT_MS;
    if (!this.isHolding || !isInTime || client.isKept) return false;
    this.remember(client, bytes, start, end);
    if (client.handshake === null) return false;
    this.hold(client);
    return true;
  }

  /** Who has waited for too long looks for another server. */
  onTick(): void {
    if (!this.isHolding) return;
    const { clients, sessions, clock } = this.parts;
    const waitedMs = clock.nowMs - this.sinceMs;
    for (const client of [...clients.all()]) {
      const { isKept, state, session } = client;
      if (!isKept || state >= ClientState.closing) continue;
      const limitMs =
        state === ClientState.open ? sessions.touchTimeoutMs[session]! * KEPT_SHARE : HANDSHAKES_KEPT_MS;
      if (waitedMs > limitMs) clients.close(client);
    }
  }
}

/**
 * It has been sent everything that was made for it, so that a ping may be answered ahead of what is made from now on; and its session
 * is one of all servers, which the next leader knows. Or it is on the way to one.
 */
function mayBeKept({ state, held, isStreaming, isLocal, handshake }: Client): boolean {
  if (state === ClientState.handshaking) return handshake !== null;
  return state === ClientState.open && held.length === 0 && !isStreaming && !isLocal;
}

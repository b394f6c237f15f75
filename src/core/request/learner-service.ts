/**
 * What a leader tells a learner about the learner's own clients, and asks of them; the part of a replica that only a learner
 * uses. Transactions are not among it: they come as proposals (TxnStager). Core thread.
 *
 *     onSynced, onRevalidated     answers, in the order in which they were asked; only while `isPublished`, or a client would be
 *                                 told of what it cannot see yet
 *     touches                     sessions heard of since the last time, for the leader that lets them live
 *     endTerm                     the leader is gone: connections end, or are kept for the next one (kept-clients.ts)
 */
import type { Zxid } from '../../base/zxid.ts';
import { TOUCH_BYTES, TOUCHES_MAX, writeTouch } from '../../wire/quorum/payloads.ts';
import { type Client, ClientState } from '../client/client.ts';
import type { ClientTable } from '../client/client-table.ts';
import type { WriteNumbers } from '../client/write-numbers.ts';
import type { Forwarder } from '../forwarding/forwarder.ts';
import type { ServerRole } from '../progress/commit-point.ts';
import type { Progress } from '../progress/progress.ts';
import type { Statistics } from '../progress/statistics.ts';
import type { TurnClock } from '../progress/turn-clock.ts';
import { NO_SESSION, type SessionTable } from '../session/session-table.ts';
import { KeptClients } from './kept-clients.ts';
import type { RequestOrder } from './request-order.ts';
import type { SessionLifecycle } from './session-lifecycle.ts';

export interface LearnerServiceParts {
  readonly role: ServerRole;
  readonly forwarder: Forwarder;
  readonly writes: WriteNumbers;
  readonly sessions: SessionTable;
  readonly clients: ClientTable;
  readonly clock: TurnClock;
  readonly progress: Progress;
  readonly statistics: Statistics;
}

export class LearnerService {
  private readonly parts: LearnerServiceParts;
  private readonly order: RequestOrder;
  private readonly lifecycle: SessionLifecycle;
  private readonly kept: KeptClients;
  /** Who was heard of before has been told. */
  private toldMs = 0;

  constructor(parts: LearnerServiceParts, order: RequestOrder, lifecycle: SessionLifecycle) {
    this.parts = parts;
    this.order = order;
    this.lifecycle = lifecycle;
    this.kept = new KeptClients(parts, order, (client, frame) => {
      const view = new DataView(frame.buffer, frame.byteOffset);
      lifecycle.onConnectRequest(client, frame, view, 0, frame.length);
    });
  }

  /** Everything that the leader has decided is what clients see. */
  get isPublished(): boolean {
    const { progress } = this.parts;
    return progress.committed >= progress.decided;
  }

  /** In step with the leader of the epoch that begins at `epochZxid`. */
  beginTerm(epochZxid: Zxid): void {
    // Kept clients are to be told of from then on.
    if (!this.kept.isHolding) this.toldMs = this.parts.clock.nowMs;
    this.goOn(epochZxid);
  }

  /** Clients that were kept go on, in step with a leader, or as clients of this one. */
  goOn(epochZxid: Zxid): void {
    if (this.kept.isHolding && !this.kept.resume(epochZxid)) this.letGo();
  }

  /** Without a leader: how many clients wait for the next one. */
  get keptCount(): number {
    return this.kept.isHolding ? this.kept.count : 0;
  }

  onTick(): void {
    this.kept.onTick();
  }

  /** The first frame of a connection, here or on a server of any other role. False: there is no leader, and it has been seen to. */
  mayBegin(client: Client, bytes: Uint8Array, start: number, end: number): boolean {
    const { role, clients } = this.parts;
    if (role.isInStep || role.isReadOnly) {
      this.kept.remember(client, bytes, start, end);
      return true;
    }
    // As Apache: who has no leader hangs up, and the client looks for another server.
    if (!this.kept.keepNew(client, bytes, start, end)) clients.close(client);
    return false;
  }

  /** The oldest sync is answered. */
  onSynced(): void {
    const client = this.parts.forwarder.onSynced();
    if (client === null) return;
    this.order.onCommitted();
    this.order.drain(client);
    this.order.onLogRoom();
  }

  onRevalidated(idHigh: number, idLow: number, isValid: boolean): void {
    this.lifecycle.onRevalidated(idHigh, idLow, isValid);
  }

  /** Lists of touches, as a PING carries them; at least one, which may be empty. */
  touches(): Uint8Array[] {
    const { sessions, clock } = this.parts;
    const slots: number[] = [];
    for (let slot = sessions.next(0); slot !== NO_SESSION; slot = sessions.next(slot + 1)) {
      if (sessions.touchedMs[slot]! >= this.toldMs && !sessions.isLocal(slot)) slots.push(slot);
    }
    this.toldMs = clock.nowMs;
    const lists: Uint8Array[] = [];
    do lists.push(this.listOf(slots.splice(0, TOUCHES_MAX)));
    while (slots.length > 0);
    return lists;
  }

  private listOf(slots: readonly number[]): Uint8Array {
    const { sessions } = this.parts;
    const bytes = new Uint8Array(slots.length * TOUCH_BYTES);
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const slot of slots) {
      const timeoutMs = sessions.touchTimeoutMs[slot]!;
      at = writeTouch(view, at, sessions.idHigh[slot]!, sessions.idLow[slot]!, timeoutMs);
    }
    return bytes;
  }

  /** The leader of the epoch that began at `epochZxid` is gone. */
  endTerm(epochZxid: Zxid): void {
    this.endUpgrades();
    if (this.kept.keep(epochZxid)) this.lifecycle.revalidations.abandon();
    else this.letGo();
  }

  /**
   * Connections with a session, or on the way to one, are closed; what has been answered still goes out. A write that was
   * forwarded may be committed or not: its client learns that nobody knows.
   */
  letGo(): void {
    const { clients, forwarder } = this.parts;
    this.endUpgrades();
    for (const client of [...clients.all()]) {
      const { state, isKept, closesBehindHeld } = client;
      const isBegun = state === ClientState.handshaking || state === ClientState.open;
      if (isBegun || (isKept && (state === ClientState.fresh || closesBehindHeld))) clients.close(client);
      client.isKept = false;
    }
    forwarder.abandon();
    this.lifecycle.revalidations.abandon();
    this.order.onWithdrawn();
  }

  // Nobody knows what has become of them. If the next leader does, they are like any other.
  private endUpgrades(): void {
    const { sessions, clients } = this.parts;
    for (let slot = sessions.next(0); slot !== NO_SESSION; slot = sessions.next(slot + 1)) {
      if (!sessions.isUpgrading(slot)) continue;
      const client = clients.get(sessions.conn[slot]!);
      if (client !== undefined && client.session === slot) clients.close(client);
      this.lifecycle.onCreateWithdrawn(slot);
    }
  }
}

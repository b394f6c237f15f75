/**
 * Io and core on one thread: the core writes a reply straight into the slab from which the socket sends it, and a
 * frame reaches the core as a plain call. No copy, no ring, no wake-up between them.
 */

import type { CorePort } from '../../core/ports/core-port.ts';
import { CONN_SLOT_MASK, type ConnId, type ReplySink } from '../../core/ports/ports.ts';
import type { ConnectionTable } from '../../net/connection-table.ts';
import type { BacklogObserver, RequestPort } from '../../net/request-port.ts';
import type { IoMeter } from '../monitor/io-meter.ts';

const SATED = 0;
/** The core saw no room and waits for `onDrained`. */
const STARVED = 1;
/** There is room, and the core has not heard of it yet. */
const DRAINED = 2;

export class DirectSink implements ReplySink, BacklogObserver {
  bytes: Uint8Array;
  view: DataView;
  /** Nothing piles up between the threads, because there is only one. */
  readonly congested = false;
  private readonly table: ConnectionTable;
  private core: CorePort | null = null;
  /** By slot: what the core waits for. */
  private readonly starved: Uint8Array;
  /** Slots whose connections have room again; the core hears of them in its next turn. */
  private drained: number[] = [];
  private claimed: ConnId = 0;

  constructor(table: ConnectionTable) {
    this.table = table;
    this.starved = new Uint8Array(table.slotCount);
    this.bytes = table.slabs.discard.bytes;
    this.view = table.slabs.discard.view;
  }

  /** Who is told of drained connections; once, before the first one. */
  attach(core: CorePort): void {
    this.core = core;
  }

  claim(conn: ConnId, length: number): number {
    const slab = this.table.claim(conn & CONN_SLOT_MASK, length);
    this.claimed = conn;
    this.bytes = slab.bytes;
    this.view = slab.view;
    return slab.used;
  }

  commit(length: number, completesReply: boolean): void {
    this.table.commit(this.claimed & CONN_SLOT_MASK, length, completesReply);
  }

  room(conn: ConnId): number {
    const slot = conn & CONN_SLOT_MASK;
    const room = this.table.limits.replyBacklogBytesMax - this.table.backlogBytes(slot);
    if (room <= 0) this.starved[slot] = STARVED;
    return room;
  }

  close(conn: ConnId): void {
    this.table.shutdown(conn & CONN_SLOT_MASK);
  }

  release(conn: ConnId): void {
    this.starved[conn & CONN_SLOT_MASK] = SATED;
    this.table.release(conn & CONN_SLOT_MASK);
  }

  flush(): void {
    this.table.flush();
  }

  onSettled(slot: number): void {
    if (this.starved[slot] !== STARVED || this.table.isClosing(slot)) return;
    if (this.table.backlogBytes(slot) >= this.table.limits.replyBacklogBytesMax) return;
    this.starved[slot] = DRAINED;
    this.drained.push(slot);
    this.table.scheduleTurn();
  }

  /**
   * At the beginning of the core's turn: bytes also settle in the middle of a flush, and what the core does about it
   * must not become part of that.
   */
  tellDrained(): void {
    const slots = this.drained;
    if (slots.length === 0) return;
    this.drained = [];
    for (const slot of slots) {
      if (this.starved[slot] !== DRAINED) continue; // closed and released meanwhile
      this.starved[slot] = SATED;
      if (!this.table.isClosing(slot)) this.core!.onDrained(this.table.idBase + slot);
    }
  }
}

/** A core that shares its thread with the io side. */
export interface SharedThreadCore extends CorePort {
  /** A chunk of requests has been handed over. True = all of it is answered, no turn is needed for it. */
  endChunk(): boolean;
}

/** The way in: every frame is a call, and the core never refuses one. */
export class DirectRequestPort implements RequestPort {
  private readonly core: SharedThreadCore;
  private readonly scheduleTurn: () => void;
  private readonly meter: IoMeter;

  constructor(core: SharedThreadCore, scheduleTurn: () => void, meter: IoMeter) {
    this.core = core;
    this.scheduleTurn = scheduleTurn;
    this.meter = meter;
  }

  onConnect(conn: ConnId, address: string, port: number): void {
    this.core.onConnect(conn, address, port);
  }

  onFrame(conn: ConnId, bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.meter.onRequest(end - start);
    this.core.onFrame(conn, bytes, view, start, end);
    return true;
  }

  onDisconnect(conn: ConnId): void {
    this.core.onDisconnect(conn);
    this.scheduleTurn();
  }

  onFourLetterWord(conn: ConnId, word: number, argument: bigint | null): void {
    this.meter.publish(true);
    this.core.onFourLetterWord(conn, word, argument);
  }

  onChunkEnd(): void {
    this.meter.onChunkEnd();
    if (!this.core.endChunk()) this.scheduleTurn();
  }
}

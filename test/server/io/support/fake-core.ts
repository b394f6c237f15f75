/**
 * A core that understands a toy protocol, for driving the io side in every threading mode. It keeps the contract of
 * `CorePort`: answers in order, starts no answer while there is no room, releases after the disconnect.
 *
 *     payload[0]   answer
 *     ECHO         the payload
 *     LARGE        int32 at 1: so many bytes, in pieces
 *     LATER        the payload, but not before the next turn of the core (as a write waits for the log)
 *     CLOSE        the payload, then close
 */
import type { CorePort } from '../../../../src/core/ports/core-port.ts';
import { type ConnId, PIECE_BYTES_MAX, type ReplySink } from '../../../../src/core/ports/ports.ts';

export const ECHO = 0;
export const LARGE = 1;
export const LATER = 2;
export const CLOSE = 3;

interface Waiting {
  readonly conn: ConnId;
  readonly queue: Buffer[];
  /** Bytes of the LARGE answer at the head of the queue that have gone out; -1 = not begun. */
  sent: number;
  blocked: boolean;
}

export class FakeCore implements CorePort {
  readonly log: string[] = [];
  frames = 0;
  /** Largest backlog ever seen when an answer began, for checking bounds. */
  private readonly sinkOf: (conn: ConnId) => ReplySink;
  private readonly sinks: readonly ReplySink[];
  private readonly waiting = new Map<ConnId, Waiting>();
  private readonly wake: () => void;

  /** `wake`: call `turn` soon. */
  constructor(sinks: readonly ReplySink[], sinkOf: (conn: ConnId) => ReplySink, wake: () => void) {
    this.sinks = sinks;
    this.sinkOf = sinkOf;
    this.wake = wake;
  }

  /** Every chunk is followed by a turn. */
  endChunk(): boolean {
    return false;
  }

  onConnect(conn: ConnId, address: string, port: number): void {
    this.log.push(`connect ${conn} ${address} ${port > 0}`);
    this.waiting.set(conn, { conn, queue: [], sent: -1, blocked: false });
  }

  onFrame(conn: ConnId, bytes: Uint8Array, _view: DataView, start: number, end: number): void {
    this.frames++;
    const state = this.waiting.get(conn);
    if (state === undefined) throw new Error(`frame of unknown connection ${conn}`);
    state.queue.push(Buffer.from(bytes.subarray(start, end)));
    const later = bytes[start] === LATER;
    if (later) this.wake();
    if (state.queue.length === 1 && !later) this.serve(state);
  }

  onDisconnect(conn: ConnId): void {
    this.log.push(`disconnect ${conn}`);
    this.waiting.delete(conn);
    this.sinkOf(conn).release(conn);
  }

  onDrained(conn: ConnId): void {
    const state = this.waiting.get(conn);
    if (state === undefined) return;
    state.blocked = false;
    this.serve(state);
  }

  onFourLetterWord(conn: ConnId, word: number, argument: bigint | null): void {
    this.log.push(`word ${conn} ${word} ${argument}`);
    this.put(conn, Buffer.from(`word ${argument}`), false);
    this.sinkOf(conn).close(conn);
  }

  /** End of the core's turn: LATER answers, then everything becomes visible. */
  turn(): void {
    for (const state of this.waiting.values()) {
      if (state.queue.length > 0 && !state.blocked) this.serve(state);
    }
    for (const sink of this.sinks) sink.flush();
  }

  private serve(state: Waiting): void {
    const sink = this.sinkOf(state.conn);
    for (let payload = state.queue[0]; payload !== undefined; payload = state.queue[0]) {
      if (sink.room(state.conn) <= 0) {
        state.blocked = true;
        return;
      }
      if (payload[0] === LARGE) {
        this.serveLarge(state, payload.readInt32BE(1));
        if (state.sent !== -1) continue; // more pieces, room permitting
      } else {
        this.putFrame(state.conn, payload);
      }
      state.queue.shift();
      if (payload[0] === CLOSE) {
        sink.close(state.conn);
        state.queue.length = 0;
        state.blocked = true;
      }
    }
  }

  private serveLarge(state: Waiting, length: number): void {
    if (state.sent === -1) {
      const prefix = Buffer.alloc(4);
      prefix.writeInt32BE(length);
      this.put(state.conn, prefix, false);
      state.sent = 0;
    }
    const piece = Math.min(PIECE_BYTES_MAX, length - state.sent);
    state.sent += piece;
    const isLast = state.sent === length;
    this.put(state.conn, Buffer.alloc(piece, length), isLast);
    if (isLast) state.sent = -1;
  }

  private putFrame(conn: ConnId, payload: Buffer): void {
    const frame = Buffer.alloc(4 + payload.length);
    frame.writeInt32BE(payload.length);
    payload.copy(frame, 4);
    for (let at = 0; at < frame.length; at += PIECE_BYTES_MAX) {
      const piece = frame.subarray(at, at + PIECE_BYTES_MAX);
      this.put(conn, piece, at + piece.length === frame.length);
    }
  }

  private put(conn: ConnId, bytes: Buffer, completesReply: boolean): void {
    const sink = this.sinkOf(conn);
    const offset = sink.claim(conn, bytes.length);
    sink.bytes.set(bytes, offset);
    sink.commit(bytes.length, completesReply);
  }
}

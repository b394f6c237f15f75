import type { ConnId } from './ports.ts';

/**
 * What the io threads may ask of the core: directly (same thread) or through a request ring. Every call is
 * quick, never waits and never refuses: the io side bounds what it has in flight per connection.
 */
export interface CorePort {
  /** A socket was accepted; `address` is the textual remote address (IPv4 without the mapped prefix). */
  onConnect(conn: ConnId, address: string, port: number): void;
  /** One frame's payload (without the length prefix); the bytes are valid only during the call. */
  onFrame(conn: ConnId, bytes: Uint8Array, view: DataView, start: number, end: number): void;
  /** The socket is gone. The core answers with `ReplySink.release` when nothing refers to it any more. */
  onDisconnect(conn: ConnId): void;
  /** `ReplySink.room(conn)` became positive again. */
  onDrained(conn: ConnId): void;
  /** `word` is the four ASCII bytes as a big-endian int32; `argument` only for `stmk`. */
  onFourLetterWord(conn: ConnId, word: number, argument: bigint | null): void;
}

/**
 * Stands in for a connection's sink while replies are made that may not leave yet, because requests before them have
 * not been answered. Keeps what would have been sent, piece by piece; `Replier.held` sends a piece later.
 */
import type { ConnId, ReplySink } from '../ports/ports.ts';

export interface HeldPiece {
  readonly bytes: Uint8Array;
  readonly completesReply: boolean;
}

export class HeldSink implements ReplySink {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  view = new DataView(this.bytes.buffer);
  readonly congested = false;
  /** The sink it stands for. */
  readonly target: ReplySink;
  private readonly hold: (piece: HeldPiece) => void;

  constructor(target: ReplySink, hold: (piece: HeldPiece) => void) {
    this.target = target;
    this.hold = hold;
  }

  claim(_conn: ConnId, length: number): number {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
    return 0;
  }

  commit(length: number, completesReply: boolean): void {
    this.hold({ bytes: this.bytes.subarray(0, length), completesReply });
  }

  /** Memory is no reason to wait; the request order bounds what is held. */
  room(): number {
    return Number.POSITIVE_INFINITY;
  }

  close(conn: ConnId): void {
    this.target.close(conn);
  }

  release(conn: ConnId): void {
    this.target.release(conn);
  }

  flush(): void {}
}

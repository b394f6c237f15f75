/**
 * Stands in for a connection's sink while a write commits whose reply may not leave yet, because requests before it
 * have not been answered. Collects what would have been sent; `take` hands it over.
 */
import type { ConnId, ReplySink } from '../ports.ts';

export class HeldSink implements ReplySink {
  bytes = new Uint8Array(1024);
  view = new DataView(this.bytes.buffer);
  readonly congested = false;
  /** The sink it stands for. */
  readonly target: ReplySink;
  private length = 0;

  constructor(target: ReplySink) {
    this.target = target;
  }

  claim(_conn: ConnId, length: number): number {
    if (this.length + length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + length));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return this.length;
  }

  commit(length: number): void {
    this.length += length;
  }

  take(): Uint8Array {
    const taken = this.bytes.slice(0, this.length);
    this.length = 0;
    return taken;
  }

  room(): number {
    return this.bytes.length;
  }

  close(conn: ConnId): void {
    this.target.close(conn);
  }

  release(conn: ConnId): void {
    this.target.release(conn);
  }

  flush(): void {}
}

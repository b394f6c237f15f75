/** What a server that is broken on purpose does to its watch events, on the bytes that it sends. */
import { SpecialXid } from '../../src/wire/opcodes.ts';

/** `late`: behind the message that follows. */
export type EventMischief = 'late' | 'lost' | 'twice';

export class EventSpoiler {
  private readonly mischief: EventMischief;
  private held: Buffer = Buffer.alloc(0);
  private readonly late: Buffer[] = [];

  constructor(mischief: EventMischief) {
    this.mischief = mischief;
  }

  /** Bytes as the server sends them; returns what leaves. */
  pass(bytes: Uint8Array): Uint8Array {
    this.held = Buffer.concat([this.held, bytes]);
    const out: Buffer[] = [];
    while (this.held.length >= 4) {
      const end = 4 + this.held.readInt32BE(0);
      if (this.held.length < end) break;
      this.frame(this.held.subarray(0, end), out);
      this.held = this.held.subarray(end);
    }
    return Uint8Array.from(Buffer.concat(out));
  }

  private frame(frame: Buffer, out: Buffer[]): void {
    const isEvent = frame.length >= 12 && frame.readInt32BE(4) === SpecialXid.notification;
    if (!isEvent) {
      out.push(frame, ...this.late.splice(0));
    } else if (this.mischief === 'late') {
      this.late.push(frame);
    } else if (this.mischief === 'twice') {
      out.push(frame, frame);
    }
  }
}

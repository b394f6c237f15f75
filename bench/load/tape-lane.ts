/**
 * The cheap lane: a batch of requests is one `subarray` of the phase's tape and one write; replies are skimmed for
 * their heads. Allocates per batch, never per request.
 */
import { SpecialXid } from '../../src/wire/opcodes.ts';
import { FrameSkimmer, REPLY_HEAD_BYTES } from './frame-skimmer.ts';
import type { FrameTape } from './frame-tape.ts';
import { Lane, type LaneSetting } from './lane.ts';
import type { LoadPhase } from './load-phase.ts';
import type { ReadBuffer, SessionSocket } from './session-socket.ts';

export class TapeLane extends Lane {
  private readonly tape: FrameTape;
  private readonly skimmer = new FrameSkimmer(REPLY_HEAD_BYTES);
  /** Tape slots of the next request to send and of the next reply to come. */
  private sendSlot: number;
  private replySlot: number;

  /** `firstSlot`: lanes begin at different places, so that they do not walk the keys in step. */
  constructor(
    socket: SessionSocket,
    phase: LoadPhase,
    setting: LaneSetting,
    tape: FrameTape,
    firstSlot: number,
  ) {
    super(socket, phase, setting);
    this.tape = tape;
    this.sendSlot = this.replySlot = firstSlot;
  }

  protected override send(count: number): void {
    const { tape, sendSlot } = this;
    this.socket.write(tape.bytes.subarray(tape.offsets[sendSlot]!, tape.offsets[sendSlot + count]!));
    this.sendSlot = (sendSlot + count) % tape.slotCount;
  }

  protected override receive(buffer: ReadBuffer, length: number, nowMs: number): boolean {
    const { skimmer, phase, due, sentAt, mask } = this;
    const { entries, slotCount } = this.tape;
    skimmer.begin(buffer.view, 0, length);
    while (skimmer.next()) {
      if (skimmer.word1 !== this.replySlot + 1 || this.head === this.sent) {
        // Events of watches that an earlier phase has left on this session.
        if (skimmer.word1 === SpecialXid.ping || skimmer.word1 === SpecialXid.notification) continue;
        return false;
      }
      const at = this.head & mask;
      phase.onReply(entries[this.replySlot]!, due[at]!, sentAt[at]!, nowMs, skimmer.word4);
      this.head++;
      if (++this.replySlot === slotCount) this.replySlot = 0;
    }
    return !skimmer.malformed;
  }

  protected override labelAt(position: number): number {
    return this.tape.entries[(this.replySlot + position - this.head) % this.tape.slotCount]!;
  }

  protected override forget(): void {
    this.skimmer.reset();
    this.replySlot = this.sendSlot;
  }
}

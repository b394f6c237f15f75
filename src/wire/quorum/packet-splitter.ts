/**
 * Cuts a quorum connection's stream into packets, and lets through what is none: behind a SNAP packet the tree follows raw.
 * One per connection, on the thread that owns its socket; not reentrant, but for `beginRaw` and `endRaw`, which the handler
 * calls. Packets that lie within a chunk are handed over where they are, others are put together first.
 *
 *                         beginRaw (within onPacket)
 *              packets ────────────────────────────────▶ raw
 *               │ ▲  ◀──────────────────────────────────  │
 *               │ │       endRaw (within onRaw)            │
 *               │ └─ resume ─┐                             │
 *               │            stopped ◀── takes no more ────┤      push keeps the bytes
 *               └── a bad length ──▶ refused ◀─────────────┘      push and resume do nothing
 */
import { HeldBytes } from '../held-bytes.ts';
import { PACKET_MALFORMED, packetLength, QuorumPacket } from './quorum-packet.ts';

export interface PacketHandler {
  /** False: it is not taken, and the splitter stops; `resume` offers it again. The bytes are valid during the call only. */
  onPacket(packet: QuorumPacket): boolean;
  /** Bytes that are no packets. Returns how many it has taken; fewer than all, and no `endRaw`: stop until `resume`. */
  onRaw(bytes: Uint8Array, view: DataView, start: number, end: number): number;
}

export const PacketStatus = { ok: 0, stopped: 1, malformed: 2 } as const;
export type PacketStatus = (typeof PacketStatus)[keyof typeof PacketStatus];

export class PacketSplitter {
  private readonly packetBytesMax: number;
  private readonly handler: PacketHandler;
  private readonly packet = new QuorumPacket();
  private readonly held = new HeldBytes();
  private status: PacketStatus = PacketStatus.ok;
  private isRaw = false;
  /** At least so many bytes are missing in the packet that `split` has stopped at. */
  private missing = 0;

  /** `packetBytesMax`: of a whole packet; a longer one is malformed. */
  constructor(packetBytesMax: number, handler: PacketHandler) {
    this.packetBytesMax = packetBytesMax;
    this.handler = handler;
  }

  /** Bytes received and not yet taken. */
  get bufferedBytes(): number {
    return this.held.length;
  }

  /** The bytes behind this packet are no packets. */
  beginRaw(): void {
    this.isRaw = true;
  }

  /** Behind the bytes that `onRaw` says to have taken packets begin again. */
  endRaw(): void {
    this.isRaw = false;
  }

  /** Takes the next bytes; `chunk` may be reused as soon as the call returns. */
  push(chunk: Uint8Array): PacketStatus {
    return this.pushFirst(
      chunk,
      new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength),
      chunk.length,
    );
  }

  /** As `push`, for the first `length` bytes of a buffer that has its view already. */
  pushFirst(bytes: Uint8Array, view: DataView, length: number): PacketStatus {
    let offset = 0;
    // What is held is part of one packet. Enough is added to complete it, so that what follows need not be copied.
    while (this.is(PacketStatus.ok) && this.held.length > 0 && offset < length) {
      const more = Math.min(this.missing, length - offset);
      this.held.append(bytes, offset, offset + more);
      offset += more;
      this.splitHeld();
    }
    if (this.is(PacketStatus.ok)) offset = this.split(bytes, view, offset, length);
    if (!this.is(PacketStatus.malformed)) this.held.append(bytes, offset, length);
    return this.status;
  }

  /** Goes on after `stopped`. */
  resume(): PacketStatus {
    if (this.status !== PacketStatus.stopped) return this.status;
    this.status = PacketStatus.ok;
    this.splitHeld();
    return this.status;
  }

  // A call, because the compiler takes a compared field for unchanged by the calls that follow.
  private is(status: PacketStatus): boolean {
    return this.status === status;
  }

  private splitHeld(): void {
    const { held } = this;
    const taken = this.split(held.bytes, held.view, held.start, held.end);
    if (this.is(PacketStatus.malformed)) held.clear();
    else held.take(taken - held.start);
    if (this.is(PacketStatus.ok)) held.compact();
  }

  /** Hands over what is whole in `[offset, end)` and returns where the rest begins. */
  private split(bytes: Uint8Array, view: DataView, offset: number, end: number): number {
    while (offset < end) {
      if (this.isRaw) {
        const taken = this.handler.onRaw(bytes, view, offset, end);
        offset += taken;
        if (!this.isRaw) continue;
        if (offset < end) this.status = PacketStatus.stopped;
        return offset;
      }
      const length = packetLength(view, offset, end, this.packetBytesMax);
      if (length === PACKET_MALFORMED) {
        this.status = PacketStatus.malformed;
        return end;
      }
      this.missing = -length;
      if (length < 0) return offset;
      this.packet.wrap(bytes, view, offset, length);
      if (!this.handler.onPacket(this.packet)) {
        this.status = PacketStatus.stopped;
        return offset;
      }
      offset += length;
    }
    return offset;
  }
}

/**
 * One connection of a leader's quorum port, from accept to end: bytes to packets, packets to bytes. What is said on it is the
 * leader's (core/zab/leader.ts); here is how it travels and what may not. On the thread of the core.
 *
 *     socket ─bytes─▶ PacketSplitter ─▶ owner.onPacket
 *        ▲
 *        │ one write at a time: what the kernel does not take is kept, and nothing is made before it has gone
 *        └── flush ◀── packets (outbox) · then the learner's stream, pulled from whoever has it, as much as fits
 *
 * Memory: one packet coming in, some packets and one chunk of the stream going out. A learner that takes nothing is told so by
 * `isStuck`, and its leader ends it.
 */
import type { Zxid } from '../../base/zxid.ts';
import type { LinkId } from '../../core/zab/learner-record.ts';
import type { ReadBuffer, SocketHandler, SocketPort } from '../../net/transport.ts';
import { type PacketHandler, PacketSplitter, PacketStatus } from '../../wire/quorum/packet-splitter.ts';
import type { QuorumPacket } from '../../wire/quorum/quorum-packet.ts';
import type { LinkFault } from './learner-faults.ts';
import { PacketOutbox } from './packet-outbox.ts';

/** Writes what comes next of a learner's stream into the front of the chunk and returns its length; 0: nothing now. */
export type StreamSource = () => number;

export interface LinkOwner {
  /** False: not now. */
  onPacket(link: LearnerLink, packet: QuorumPacket): boolean;
  /** Some packets have been handed over. */
  onRead(link: LearnerLink): void;
  /** It can take more of its stream. */
  onWritten(link: LearnerLink): void;
  /** Whatever ended it; exactly once. `fault` is null when it was not this side. */
  onGone(link: LearnerLink, fault: LinkFault | null, reason: string): void;
}

/** First bytes of a TLS handshake record of any version: no packet has such a type. */
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 0x03;

export class LearnerLink implements SocketHandler, PacketHandler {
  readonly id: LinkId;
  readonly remote: string;
  private readonly owner: LinkOwner;
  private readonly splitter: PacketSplitter;
  private readonly outbox = new PacketOutbox();
  private socket: SocketPort | null = null;
  private isGone = false;
  private hasRead = false;
  /** Writes that the kernel has not taken whole. */
  private writes = 0;
  /** Since the last look. */
  private hasMoved = false;

  constructor(id: LinkId, remote: string, packetBytesMax: number, owner: LinkOwner) {
    this.id = id;
    this.remote = remote;
    this.owner = owner;
    this.splitter = new PacketSplitter(packetBytesMax, this);
  }

  attach(socket: SocketPort): void {
    this.socket = socket;
  }

  send(type: number, zxid: Zxid, data: Uint8Array | null): void {
    if (!this.isGone) this.outbox.add(type, zxid, data);
  }

  /** The other side has taken nothing of what is waiting since the last call. */
  isStuck(): boolean {
    const isStuck = this.writes > 0 && !this.hasMoved;
    this.hasMoved = false;
    return isStuck;
  }

  /** Sends what is there, then what `source` puts into `chunk`, so many times at most. True: there may be more, in another turn. */
  flush(chunk: Buffer, source: StreamSource, chunks: number): boolean {
    const { socket } = this;
    if (this.isGone || socket === null) return false;
    if (this.outbox.flushTo(socket, this.writes === 0, this.onWritten)) this.writes++;
    for (let n = 0; n < chunks; n++) {
      if (this.writes > 0) return false;
      const end = source();
      if (end === 0 || this.isGone) return false;
      const written = socket.writeNow(chunk, end);
      this.hasMoved = true;
      if (written < end) this.writeRest(socket, chunk.subarray(written, end));
    }
    return this.writes === 0;
  }

  close(fault: LinkFault | null, reason: string): void {
    if (this.isGone) return;
    this.isGone = true;
    this.socket?.destroy();
    this.owner.onGone(this, fault, reason);
  }

  // ---- SocketHandler ---------------------------------------------------------------------------------------

  onBytes(buffer: ReadBuffer, length: number): void {
    if (this.isGone) return;
    if (!this.hasRead && buffer.bytes[0] === TLS_HANDSHAKE && buffer.bytes[1] === TLS_MAJOR) {
      this.close('TLS', 'it speaks TLS, which this server has no keys for');
      return;
    }
    this.hasRead = true;
    const status = this.splitter.pushFirst(buffer.bytes, buffer.view, length);
    if (status === PacketStatus.malformed) this.close('garbage', 'it sends a packet of impossible length');
    else this.owner.onRead(this);
  }

  onEnd(): void {
    if (this.splitter.bufferedBytes > 0) this.close('cut off', 'it ends in the middle of a packet');
    else this.close(null, 'it has closed the connection');
  }

  onClose(): void {
    this.close(null, 'the connection has ended');
  }

  // ---- PacketHandler ---------------------------------------------------------------------------------------

  onPacket(packet: QuorumPacket): boolean {
    return this.isGone || this.owner.onPacket(this, packet);
  }

  onRaw(): number {
    return 0;
  }

  // ---- writing ---------------------------------------------------------------------------------------------

  private writeRest(socket: SocketPort, rest: Buffer): void {
    this.writes++;
    socket.write(Buffer.from(rest), this.onWritten);
  }

  private readonly onWritten = (): void => {
    this.writes--;
    this.hasMoved = true;
    if (!this.isGone && this.writes === 0) this.owner.onWritten(this);
  };
}

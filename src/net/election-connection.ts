/**
 * One TCP connection of the election port, dialled or accepted, from its first byte to its end. Who may be linked to
 * whom is its owner's to say (election-mesh.ts). Runs on the thread of the mesh.
 *
 *     dialled   dialing ──▶ open ──initial message sent──▶ linked, or leaving (the other side is to call back)
 *     accepted  greeting ──initial message read──▶ linked, or gone
 *
 *     linked    frames in; out goes what its owner gives, one write at a time
 *     leaving   our FIN is sent; the other side's, or the time, ends it
 *
 * Memory: of a greeting at most one initial message; of a link one partial notification and one that is being written.
 */
import {
  decodeInitialMessage,
  INITIAL_MESSAGE_BYTES_MAX,
  type InitialMessage,
  type InitialMessageFault,
  NOTIFICATION_BYTES_MAX,
} from '../wire/election-notification.ts';
import { type FrameHandler, FrameSplitter, FrameStatus } from '../wire/framing.ts';
import type { DialHandler, ReadBuffer, SocketPort } from './transport.ts';

/** Why a connection was ended by us. */
export const REFUSALS = [
  'idle',
  'crowded',
  'TLS',
  'garbage',
  'newer protocol',
  'malformed address',
  'own sid',
  'stranger',
  'same sid',
  'frame length',
  'cut off',
  'not reading',
] as const;
export type Refusal = (typeof REFUSALS)[number];

export interface ConnectionOwner {
  /** May give the next frame; null = nothing is waiting. */
  nextFrame(connection: ElectionConnection): Uint8Array | null;
  onOpen(connection: ElectionConnection): void;
  onGreeting(connection: ElectionConnection, message: InitialMessage): void;
  onPayload(
    connection: ElectionConnection,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): void;
  /** Whatever ended it; exactly once. */
  onGone(connection: ElectionConnection, refusal: Refusal | null): void;
  onDialFailed(connection: ElectionConnection, why: string): void;
}

/** First bytes of a TLS handshake record of any version. */
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 0x03;

export class ElectionConnection implements DialHandler, FrameHandler {
  readonly remote: string;
  /** Of the other side, once known. */
  sid = -1;
  /** When the present phase is to be over; Infinity = it may last. */
  deadlineMs = Number.POSITIVE_INFINITY;
  /** Ended by neither side in order: what was written may not have arrived. */
  wasReset = false;
  private readonly owner: ConnectionOwner;
  private phase: 'dialing' | 'greeting' | 'linked' | 'leaving' | 'gone';
  private socket: SocketPort | null = null;
  private greeting: Buffer | null = null;
  private greetingBytes = 0;
  private readonly splitter = new FrameSplitter(NOTIFICATION_BYTES_MAX, this);
  private isWriting = false;

  constructor(owner: ConnectionOwner, remote: string, phase: 'dialing' | 'greeting') {
    this.owner = owner;
    this.remote = remote;
    this.phase = phase;
    if (phase === 'greeting') this.greeting = Buffer.allocUnsafeSlow(INITIAL_MESSAGE_BYTES_MAX);
  }

  attach(socket: SocketPort): void {
    this.socket = socket;
  }

  get isLinked(): boolean {
    return this.phase === 'linked';
  }

  /** `connection` is taken for a link from now on; bytes behind the initial message are read at once. */
  link(sid: number): void {
    this.sid = sid;
    this.phase = 'linked';
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.pump();
  }

  /** Our side is done; what was written arrives. */
  leave(deadlineMs: number): void {
    this.phase = 'leaving';
    this.deadlineMs = deadlineMs;
    this.socket!.end();
  }

  /** Only before `link`. */
  write(bytes: Uint8Array): void {
    this.socket!.write(bufferOf(bytes));
  }

  /** Sends what waits, when nothing is being sent. */
  pump(): void {
    if (this.phase !== 'linked' || this.isWriting) return;
    const frame = this.owner.nextFrame(this);
    if (frame === null) return;
    this.isWriting = true;
    this.socket!.write(bufferOf(frame), (error) => {
      this.isWriting = false;
      this.deadlineMs = Number.POSITIVE_INFINITY;
      if (!error) this.pump();
    });
  }

  /** Whether the kernel has not taken all of the last frame. */
  get isStuck(): boolean {
    return this.phase === 'linked' && this.isWriting;
  }

  close(refusal: Refusal | null): void {
    if (this.phase === 'gone') return;
    this.phase = 'gone';
    this.socket?.destroy();
    this.owner.onGone(this, refusal);
  }

  // ---- SocketHandler ---------------------------------------------------------------------------------------

  onOpen(): void {
    if (this.phase === 'dialing') this.owner.onOpen(this);
  }

  onDialFailed(why: string): void {
    if (this.phase === 'gone') return;
    this.phase = 'gone';
    this.owner.onDialFailed(this, why);
  }

  onBytes(buffer: ReadBuffer, length: number): void {
    if (this.phase === 'greeting') this.readGreeting(buffer, length);
    else if (this.phase === 'linked') this.readFrames(buffer.bytes, buffer.view, length);
  }

  onEnd(): void {
    const isCut = this.phase === 'greeting' ? this.greetingBytes > 0 : this.splitter.bufferedBytes > 0;
    this.close(isCut ? 'cut off' : null);
  }

  onClose(): void {
    this.wasReset = this.phase !== 'gone';
    this.close(null);
  }

  onFrame(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    if (start === end) this.close('frame length');
    else this.owner.onPayload(this, bytes, view, start, end);
    return this.phase === 'linked';
  }

  // ---- reading ---------------------------------------------------------------------------------------------

  private readGreeting(buffer: ReadBuffer, length: number): void {
    const greeting = this.greeting!;
    const taken = Math.min(length, greeting.length - this.greetingBytes);
    buffer.bytes.copy(greeting, this.greetingBytes, 0, taken);
    this.greetingBytes += taken;
    const result = decodeInitialMessage(greeting, this.greetingBytes);
    if (typeof result !== 'object') {
      if (result !== 'needs more') this.close(refusalFor(result, greeting));
      return;
    }
    const before = this.greetingBytes - taken;
    this.greeting = null;
    this.owner.onGreeting(this, result.message);
    // The other side may have begun to tell at once.
    const start = result.bytes - before;
    if (!this.isLinked || start >= length) return;
    const rest = buffer.bytes.subarray(start, length);
    this.readFrames(rest, new DataView(rest.buffer, rest.byteOffset, rest.length), rest.length);
  }

  private readFrames(bytes: Uint8Array, view: DataView, length: number): void {
    if (this.splitter.pushFirst(bytes, view, length) === FrameStatus.tooLong) this.close('frame length');
  }
}

function refusalFor(fault: InitialMessageFault, greeting: Uint8Array): Refusal {
  if (greeting[0] === TLS_HANDSHAKE && greeting[1] === TLS_MAJOR) return 'TLS';
  if (fault === 'newer protocol') return 'newer protocol';
  return fault === 'malformed address' || fault === 'wrong length of addresses'
    ? 'malformed address'
    : 'garbage';
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

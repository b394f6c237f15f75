/**
 * One client's TCP connection: cuts what arrives into frames, hands them upwards as far as its window allows, and
 * sends what the replies have left in its backlog. Lives on its io thread. It never throws for what a client or the
 * network does: every such path ends in the socket's `close` event, and that in exactly one `onClosed`.
 *
 *              first 4 bytes                    core says close,
 *              are no word                      bad length, client's FIN
 *     opening ─────────────▶ serving ─────────────────────────▶ closing ──▶ closed
 *        │                                                        ▲
 *        └─ a four-letter word ─▶ answeringWord ──────────────────┘
 *
 * `closing` sends what is committed, then FIN, and reads on (dropping everything) until the client's FIN or until nothing
 * has moved for a while: closing a socket with unread bytes makes the kernel send a reset, and that reset can destroy
 * the last replies on their way to the client. A client that reads slowly gets all of them, however long it takes;
 * what ends the connection is want of progress (`sweep`), never time. The same holds for the answer to a word.
 *
 * A frame that may not be submitted yet stops the splitter: the rest of the chunk waits there and the socket is
 * paused, until `continue`.
 */
import { assert } from '../base/assert.ts';
import { EMPTY_BYTES } from '../wire/flyweight.ts';
import { FourLetterWord, isFourLetterWord } from '../wire/four-letter.ts';
import { type FrameHandler, FrameSplitter, FrameStatus } from '../wire/framing.ts';
import type { Admission } from './accept-limits.ts';
import type { NetCounters } from './net-counters.ts';
import type { NetReports } from './net-reports.ts';
import { type BacklogOwner, ReplyBacklog } from './reply-backlog.ts';
import type { SlabPool } from './reply-slab.ts';
import type { RequestPort } from './request-port.ts';
import { RequestWindow } from './request-window.ts';
import type { AcceptedSocket, ReadBuffer, SocketHandler, SocketPort } from './transport.ts';

export interface ConnectionLimits {
  /** Largest request frame. */
  readonly frameBytesMax: number;
  readonly windowRequests: number;
  readonly windowBytes: number;
  /** Requests of all connections in flight, above which a connection with requests in flight is not read. */
  readonly outstandingMax: number;
  /** Reply bytes above which the core should start no further read for a connection. */
  readonly replyBacklogBytesMax: number;
  /** Reply bytes above which the connection is closed. */
  readonly replyBacklogBytesHardMax: number;
  readonly sessionlessTimeoutMs: number;
}

/** What a connection needs of the table it lives in. */
export interface ConnectionOwner {
  readonly requests: RequestPort;
  readonly limits: ConnectionLimits;
  readonly slabs: SlabPool;
  readonly readBuffer: ReadBuffer;
  readonly counters: NetCounters;
  readonly reports: NetReports;
  readonly nowMs: number;
  /** The server is stopping: no further frame is taken. */
  readonly quiescing: boolean;
  /** Requests of all connections in flight. */
  outstanding: number;
  /** The connection has a frame that must wait; `continue` is called later. */
  onStopped(connection: ClientConnection): void;
  onChunkEnd(connection: ClientConnection): void;
  onSettled(connection: ClientConnection, bytes: number): void;
  onClosed(connection: ClientConnection): void;
}

export const ConnectionState = { opening: 0, serving: 1, answeringWord: 2, closing: 3, closed: 4 } as const;
export type ConnectionState = (typeof ConnectionState)[keyof typeof ConnectionState];

/** How long a closed connection waits for the client to close its side too, where what it was sent has arrived. */
export const LINGER_MS = 2000;
/**
 * The same where some of it may still wait in a kernel, and how long a connection's bytes may stand still. The kernel
 * says that there is room when a third of its buffer is free, up to 1.5 MB: this is for clients that read 50 KB/s.
 */
export const STALL_MS = 30_000;
/** Of all that a connection was ever sent: fits into the smallest receive buffer, so it is in the client's kernel, where no reset can reach it. */
const ARRIVED_BYTES_MAX = 64 * 1024;
/** What a client may send into a closed connection and still count as alive for it. */
const DROPPED_BYTES_MAX = 1024 * 1024;
const WORD_BYTES = 4;
const WORD_WITH_ARGUMENT_BYTES = 12; // `stmk` and its int64

export class ClientConnection implements FrameHandler, BacklogOwner, SocketHandler {
  readonly slot: number;
  /** The number upper layers know this connection by. */
  readonly id: number;
  readonly address: string;
  readonly port: number;
  /** What the accept limits want back at the end. */
  readonly admission: Admission;
  readonly window: RequestWindow;
  readonly backlog: ReplyBacklog;
  state: ConnectionState = ConnectionState.opening;
  /** In the table's list of connections with unsent replies. */
  dirty = false;
  /** A frame waits in the splitter and the socket is paused. */
  stopped = false;
  /** When the sweep closes this connection; Infinity once it has a session. */
  deadlineMs: number;
  private readonly owner: ConnectionOwner;
  private readonly socket: SocketPort;
  private readonly splitter: FrameSplitter;
  private firstBytes: Buffer | null = null;
  /** Received while closing, and thrown away. */
  private droppedBytes = 0;
  /** Nothing of its replies has left since the last sweep but one. */
  isStuck = false;
  /** What the last sweep saw: see `sweep`. */
  private seenUnsentBytes = 0;
  private seenDroppedBytes = 0;

  /** Takes over the `accepted` socket, which must not have been read. */
  constructor(
    owner: ConnectionOwner,
    slot: number,
    id: number,
    accepted: AcceptedSocket,
    address: string,
    admission: Admission,
  ) {
    this.owner = owner;
    this.slot = slot;
    this.id = id;
    this.address = address;
    this.port = accepted.remotePort;
    this.admission = admission;
    this.socket = accepted.open(owner.readBuffer, this);
    this.window = new RequestWindow(owner.limits.windowRequests, owner.limits.windowBytes);
    this.backlog = new ReplyBacklog(owner.slabs, this.socket, this);
    this.splitter = new FrameSplitter(owner.limits.frameBytesMax, this);
    this.deadlineMs = sessionlessDeadlineMs(owner.nowMs, owner.limits.sessionlessTimeoutMs);
  }

  /** From the splitter: one complete frame. */
  onFrame(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    if (this.state !== ConnectionState.serving || !this.mayTakeFrame) return false;
    const owner = this.owner;
    // Counted first: the answer may come before the call returns.
    this.window.submit(end - start);
    owner.outstanding++;
    if (owner.requests.onFrame(this.id, bytes, view, start, end)) return true;
    this.window.revoke(end - start);
    owner.outstanding--;
    return false;
  }

  /** A request of this connection has its whole answer in the backlog. */
  onAnswered(): void {
    assert(this.window.inFlight > 0, 'more answers than requests on a connection');
    if (!this.window.established) this.deadlineMs = Number.POSITIVE_INFINITY;
    this.window.complete();
    this.owner.outstanding--;
  }

  /** Whether a stopped connection may go on. */
  get maySubmit(): boolean {
    return this.mayTakeFrame && this.mayRead;
  }

  private get mayTakeFrame(): boolean {
    return !this.owner.quiescing && this.window.isOpen;
  }

  // Above the limit of all, a connection with requests in flight is not read. What has been read is still taken:
  // to hold it back would cost a copy, and it is one chunk at most.
  private get mayRead(): boolean {
    return this.window.inFlight === 0 || this.owner.outstanding < this.owner.limits.outstandingMax;
  }

  /** Offers the waiting frame again, and those behind it; `onStopped` follows when one has to wait again. */
  continue(): void {
    this.stopped = false;
    this.onSplit(this.splitter.resume());
    if (!this.stopped) this.socket.resume();
    this.owner.onChunkEnd(this);
  }

  /** Sends what is committed, then FIN; input is dropped from now on. */
  shutdown(): void {
    if (this.state >= ConnectionState.closing) return;
    this.beginClosing();
    this.backlog.flush();
    if (this.backlog.bytes === 0) this.socket.end();
  }

  /** Closes at once, sending nothing more. */
  destroy(): void {
    if (this.state < ConnectionState.closing) this.beginClosing();
    this.socket.destroy();
  }

  /** The same, and what was to be sent is given back before the socket's end is heard of. */
  drop(): void {
    this.destroy();
    this.backlog.discard();
  }

  private beginClosing(): void {
    this.state = ConnectionState.closing;
    this.deadlineMs = this.owner.nowMs + this.patienceMs;
    if (!this.stopped) return;
    this.stopped = false;
    this.socket.resume();
  }

  /** Committed and not yet in the kernel. */
  get unsentBytes(): number {
    return this.backlog.unsentBytes;
  }

  private get patienceMs(): number {
    return this.mayBeUnread ? STALL_MS : LINGER_MS;
  }

  private get mayBeUnread(): boolean {
    return this.backlog.bytes + this.backlog.sentBytes > ARRIVED_BYTES_MAX;
  }

  /** About once a second: ends the connection when its time is over. */
  sweep(nowMs: number): void {
    const { state } = this;
    if (state === ConnectionState.closing || state === ConnectionState.answeringWord) this.onProgress(nowMs);
    this.isStuck = this.backlog.isStuck();
    if (nowMs < this.deadlineMs || state === ConnectionState.closed) return;
    if (this.unsentBytes > 0) this.tellUnread();
    else if (state !== ConnectionState.closing) this.owner.counters.sessionless++;
    this.destroy();
  }

  /** It is about to end because its client does not read. */
  tellUnread(): void {
    this.owner.counters.slow++;
    this.owner.reports.unread(this.address, this.port, this.unsentBytes, false);
  }

  /** Puts the deadline off when something has moved since the last sweep, or when it is not for the client to move. */
  private onProgress(nowMs: number): void {
    const { unsentBytes, droppedBytes } = this;
    const hasSent = unsentBytes !== this.seenUnsentBytes;
    const hasReceived = droppedBytes !== this.seenDroppedBytes && droppedBytes <= DROPPED_BYTES_MAX;
    this.seenUnsentBytes = unsentBytes;
    this.seenDroppedBytes = droppedBytes;
    const waitsForAnswer = this.state === ConnectionState.answeringWord && unsentBytes === 0;
    if (hasSent || waitsForAnswer || (hasReceived && this.mayBeUnread))
      this.deadlineMs = nowMs + this.patienceMs;
  }

  /** From the backlog. */
  onSettled(bytes: number): void {
    if (this.state === ConnectionState.closing && this.backlog.bytes === 0) this.socket.end();
    this.owner.onSettled(this, bytes);
  }

  /** From the socket: the next bytes. */
  onBytes({ bytes, view }: ReadBuffer, length: number): void {
    if (this.state === ConnectionState.serving) this.onSplit(this.splitter.pushFirst(bytes, view, length));
    else if (this.state === ConnectionState.opening) this.onFirstBytes(bytes.subarray(0, length));
    else {
      this.droppedBytes += length;
      return;
    }
    this.owner.onChunkEnd(this);
  }

  private onSplit(status: FrameStatus): void {
    if (this.state !== ConnectionState.serving || (status === FrameStatus.ok && this.mayRead)) return;
    if (status === FrameStatus.tooLong) {
      this.owner.counters.malformed++;
      this.owner.reports.badLength(this.address, this.port, this.splitter.badLength);
      this.shutdown();
      return;
    }
    this.stopped = true;
    this.socket.pause();
    this.owner.onStopped(this);
  }

  /** The first bytes may be a command in place of a length; they can come in any number of segments. */
  private onFirstBytes(chunk: Buffer): void {
    // Copied even when it is all there is: the read buffer is everybody's.
    const bytes = Buffer.concat([this.firstBytes ?? EMPTY_BYTES, chunk]);
    this.firstBytes = bytes;
    if (bytes.length < WORD_BYTES) return;
    const word = bytes.readInt32BE(0);
    if (!isFourLetterWord(word)) {
      this.state = ConnectionState.serving;
      this.firstBytes = null;
      this.onSplit(this.splitter.push(bytes));
      return;
    }
    const takesArgument = word === FourLetterWord.stmk;
    if (takesArgument && bytes.length < WORD_WITH_ARGUMENT_BYTES) return;
    this.state = ConnectionState.answeringWord;
    this.firstBytes = null;
    const argument = takesArgument ? bytes.readBigInt64BE(WORD_BYTES) : null;
    this.owner.requests.onFourLetterWord(this.id, word, argument);
  }

  // A client that asked a command and closed its side (`echo ruok | nc`) still gets the answer.
  onEnd(): void {
    if (this.state !== ConnectionState.answeringWord) this.shutdown();
  }

  onClose(): void {
    this.state = ConnectionState.closed;
    this.stopped = false;
    this.owner.outstanding -= this.window.inFlight;
    this.backlog.discard();
    this.owner.onClosed(this);
  }
}

/** Rounded up to the next multiple of the timeout, so between one and two timeouts from now. */
function sessionlessDeadlineMs(nowMs: number, timeoutMs: number): number {
  return (Math.floor((nowMs + timeoutMs) / timeoutMs) + 1) * timeoutMs;
}

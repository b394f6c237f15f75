/** What the core knows of one connection. One object per connection, none per request. */
import type { AuthId } from '../acl/acl.ts';
import type { ConnId, ReplySink } from '../ports/ports.ts';
import { FrameQueue } from './frame-queue.ts';
import { type HeldPiece, HeldSink } from './held-sink.ts';

/**
 *   fresh ──ConnectRequest──▶ handshaking ──createSession committed──▶ open ──close──▶ closing ──▶ gone
 *     │                                                                 ▲
 *     └──────────────── reconnect, password right ──────────────────────┘
 */
export const ClientState = { fresh: 0, handshaking: 1, open: 2, closing: 3, gone: 4 } as const;

export class Client {
  readonly conn: ConnId;
  /** Where replies go; another one only while a held reply is being made (request-order.ts). */
  sink: ReplySink;
  readonly address: string;
  readonly port: number;
  state: number = ClientState.fresh;
  /** Slot in the session table, −1 before the handshake. */
  session = -1;
  /** Its session is this server's alone. */
  isLocal = false;
  authIds: readonly AuthId[];
  /** The same for a leader: kept where they are forwarded. */
  encodedIds: { readonly of: readonly AuthId[]; readonly bytes: Uint8Array } | null = null;
  readonly queue = new FrameQueue();
  /** The newest write of this session through this connection; reads wait until it is committed. */
  readonly lastWrite = new Float64Array(1);
  /** Proposals that will still answer this connection; it may be released only at 0. */
  proposals = 0;
  /** The head of the queue is ready but cannot run: no room in the log or for its reply, or a reply in the making. */
  isStalled = false;
  /** The lines that it stands in: a bit for each (waiting-line.ts). */
  lines = 0;
  /** A large reply is being made; nothing else may be sent. */
  isStreaming = false;
  /** The reply in the making is that of setWatches: events may be sent before it. */
  isRestoring = false;
  /** Replies and events that are made and have to wait, in order: they leave before the queue goes on. */
  readonly held: HeldPiece[] = [];
  heldBytes = 0;
  /** Its server has no leader: whatever is made for it is held, and what it asks waits (request/kept-clients.ts). */
  isKept = false;
  /** Then: what it may have been shown, with which pings are answered. */
  keptZxid = 0;
  /** Its first frame, until it has a session: on a server that keeps clients it may be looked at again. */
  handshake: Uint8Array | null = null;
  /** The last of `held` ends the connection; nothing more is taken or made. */
  closesBehindHeld = false;
  /** Bytes of events since it last had room for more. */
  unreadEventBytes = 0;
  hasReadOnlyByte = false;

  readonly establishedMs: number;
  received = 0;
  sent = 0;
  lastOp = 0;
  lastXid = -1;
  lastZxid = 0;
  lastReplyMs = 0;
  lastLatencyMs = 0;
  minLatencyMs = -1;
  maxLatencyMs = 0;
  totalLatencyMs = 0;

  constructor(options: {
    conn: ConnId;
    sink: ReplySink;
    address: string;
    port: number;
    authIds: readonly AuthId[];
    wallMs: number;
  }) {
    this.conn = options.conn;
    this.sink = options.sink;
    this.address = options.address;
    this.port = options.port;
    this.authIds = options.authIds;
    this.establishedMs = options.wallMs;
  }

  hold(piece: HeldPiece): void {
    this.held.push(piece);
    this.heldBytes += piece.bytes.length;
  }

  /** What is answered from here to `endHolding` is held, behind what is held already. */
  beginHolding(): void {
    this.sink = new HeldSink(this.sink, (piece) => this.hold(piece));
  }

  endHolding(): void {
    this.sink = (this.sink as HeldSink).target;
  }

  get isHolding(): boolean {
    return this.sink instanceof HeldSink;
  }

  /** A reply may leave only behind others that are held or being made, or not before there is a leader again. */
  get mustHold(): boolean {
    return this.held.length > 0 || this.isStreaming || this.isKept;
  }

  /** Forgets the first `count` pieces, which have been sent or never will be. */
  dropHeld(count = this.held.length): void {
    for (const { bytes } of this.held.splice(0, count)) this.heldBytes -= bytes.length;
  }

  countReply(xid: number, zxid: number, latencyMs: number, nowMs: number): void {
    this.sent++;
    this.lastXid = xid;
    this.lastZxid = zxid;
    this.lastReplyMs = nowMs;
    this.lastLatencyMs = latencyMs;
    this.totalLatencyMs += latencyMs;
    if (latencyMs > this.maxLatencyMs) this.maxLatencyMs = latencyMs;
    if (this.minLatencyMs < 0 || latencyMs < this.minLatencyMs) this.minLatencyMs = latencyMs;
  }

  resetStatistics(): void {
    this.received = 0;
    this.sent = 0;
    this.minLatencyMs = -1;
    this.maxLatencyMs = 0;
    this.totalLatencyMs = 0;
    this.lastLatencyMs = 0;
  }
}

/**
 * Writes replies and events into the connections' sinks, and keeps the books of what was answered. Small
 * replies are written in place; what does not fit one claim goes out in pieces, copied from where it lies.
 */

import { writeInt64 } from '../../base/int64.ts';
import type { Zxid } from '../../base/zxid.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { REPLY_HEADER_FRAME_BYTES, writeReplyHeader } from '../../wire/reply-header.ts';
import { STAT_BYTES } from '../../wire/stat.ts';
import { watchEventFrameBytes, writeWatchEvent } from '../../wire/watch-event.ts';
import { PIECE_BYTES_MAX } from '../ports/ports.ts';
import type { Progress } from '../progress/progress.ts';
import type { Statistics } from '../progress/statistics.ts';
import type { TurnClock } from '../progress/turn-clock.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import type { Client } from './client.ts';
import { ClientState } from './client.ts';
import type { ClientTable } from './client-table.ts';
import type { HeldPiece } from './held-sink.ts';
import type { RequestView } from './request-view.ts';

const SLASH = 47;
const ROOT_PATH = new Uint8Array([SLASH]);

const BODY_BYTES = 4096;

/** Events that a client may leave unread, beyond what it may leave unread anyway; then its connection ends. */
const UNREAD_EVENT_BYTES_MAX = 16 * 1024 * 1024;

export class Replier {
  /** Replies carry the newest committed zxid. */
  readonly progress: Progress;
  private readonly clock: TurnClock;
  private readonly statistics: Statistics;
  private readonly clients: ClientTable;

  constructor(progress: Progress, clock: TurnClock, statistics: Statistics, clients: ClientTable) {
    this.progress = progress;
    this.clock = clock;
    this.statistics = statistics;
    this.clients = clients;
  }

  /** A reply without body: every error, and operations that return nothing. */
  header(request: RequestView, err: number): void {
    this.headerAt(request, this.progress.committed, err);
  }

  /** The same for what does not belong to the newest committed transaction. */
  headerAt(request: RequestView, zxid: Zxid, err: number): void {
    const { client } = request;
    if (client.state >= ClientState.closing) return;
    const { sink } = client;
    const at = sink.claim(client.conn, REPLY_HEADER_FRAME_BYTES);
    writeReplyHeader(sink.view, at, 0, request.xid, zxid, err);
    sink.commit(REPLY_HEADER_FRAME_BYTES, true);
    this.count(request, zxid, REPLY_HEADER_FRAME_BYTES);
  }

  /** The node's whole body: data and Stat (getData). */
  body(request: RequestView, node: ZnodeCursor): void {
    this.slice(request, node.bytes, node.bodyStart, node.bodyLength);
  }

  /** The node's Stat alone (exists, setData, setACL). */
  stat(request: RequestView, node: ZnodeCursor): void {
    this.slice(request, node.bytes, node.statStart, STAT_BYTES);
  }

  /** The path of a created node, and its Stat where the operation returns one. */
  created(request: RequestView, node: ZnodeCursor, stat: boolean): void {
    const { client } = request;
    if (client.state >= ClientState.closing) return;
    const { sink } = client;
    const pathLength = node.pathLength;
    const bodyLength = 4 + pathLength + (stat ? STAT_BYTES : 0);
    const total = REPLY_HEADER_FRAME_BYTES + bodyLength;
    if (total > PIECE_BYTES_MAX) {
      const body = new Uint8Array(bodyLength);
      writePathAndStat(body, new DataView(body.buffer), 0, node, stat);
      this.slice(request, body, 0, bodyLength);
      return;
    }
    const at = sink.claim(client.conn, total);
    const zxid = this.progress.committed;
    const body = writeReplyHeader(sink.view, at, bodyLength, request.xid, zxid, 0);
    writePathAndStat(sink.bytes, sink.view, body, node, stat);
    sink.commit(total, true);
    this.count(request, zxid, total);
  }

  /** A reply whose body stands ready in `bytes[start, start + length)`. */
  slice(request: RequestView, bytes: Uint8Array, start: number, length: number): void {
    this.sliceAt(request, this.progress.committed, bytes, start, length);
  }

  /** The same for what does not belong to the newest committed transaction. */
  sliceAt(request: RequestView, zxid: Zxid, bytes: Uint8Array, start: number, length: number): void {
    const { client } = request;
    if (client.state >= ClientState.closing) return;
    const { sink, conn } = client;
    const total = REPLY_HEADER_FRAME_BYTES + length;
    if (total <= PIECE_BYTES_MAX) {
      const at = sink.claim(conn, total);
      const body = writeReplyHeader(sink.view, at, length, request.xid, zxid, 0);
      copyBytes(bytes, start, length, sink.bytes, body);
      sink.commit(total, true);
      this.count(request, zxid, total);
    } else {
      this.beginLarge(request, zxid, length);
      this.continueLarge(client, bytes, start, start + length, true);
    }
  }

  /** Starts a reply whose body follows in `continueLarge` calls, over several turns. */
  beginLarge(request: RequestView, zxid: Zxid, bodyLength: number): void {
    const { client } = request;
    const at = client.sink.claim(client.conn, REPLY_HEADER_FRAME_BYTES);
    writeReplyHeader(client.sink.view, at, bodyLength, request.xid, zxid, 0);
    client.sink.commit(REPLY_HEADER_FRAME_BYTES, false);
    this.count(request, zxid, REPLY_HEADER_FRAME_BYTES + bodyLength);
  }

  continueLarge(client: Client, bytes: Uint8Array, from: number, to: number, isLast: boolean): void {
    this.pieces(client, bytes, from, to, isLast);
  }

  /** A change notification; not counted as a reply. */
  event(
    client: Client,
    zxid: Zxid,
    type: number,
    path: Uint8Array,
    pathStart: number,
    pathLength: number,
  ): void {
    if (client.state >= ClientState.closing) return;
    const { sink, conn } = client;
    if (pathLength === 0) {
      path = ROOT_PATH;
      pathStart = 0;
      pathLength = 1;
    }
    const total = watchEventFrameBytes(pathLength);
    const mustWait = (client.isStreaming && !client.isRestoring) || client.held.length > 0 || client.isKept;
    if (!mustWait && sink.room(conn) > 0) {
      client.unreadEventBytes = 0;
    } else {
      client.unreadEventBytes += total;
      if (client.unreadEventBytes > UNREAD_EVENT_BYTES_MAX) {
        this.clients.endAtLimit(client, 'unreadEvents');
        return;
      }
    }
    if (mustWait) {
      // No place for it in the middle of a large reply, nor before a held one: that may have set the very watch.
      const frame = new Uint8Array(total);
      writeWatchEvent(frame, new DataView(frame.buffer), 0, zxid, type, path, pathStart, pathLength);
      client.hold({ bytes: frame, completesReply: false });
    } else if (total <= PIECE_BYTES_MAX) {
      const at = sink.claim(conn, total);
      writeWatchEvent(sink.bytes, sink.view, at, zxid, type, path, pathStart, pathLength);
      sink.commit(total, false);
    } else {
      const frame = new Uint8Array(total);
      writeWatchEvent(frame, new DataView(frame.buffer), 0, zxid, type, path, pathStart, pathLength);
      this.pieces(client, frame, 0, total, false);
    }
    this.statistics.packetsSent++;
    client.sent++;
  }

  /** What was made earlier and had to wait for what comes before it. */
  held(client: Client, piece: HeldPiece): void {
    this.pieces(client, piece.bytes, 0, piece.bytes.length, piece.completesReply);
  }

  /** Raw bytes outside the protocol (four-letter words); the caller closes the connection. */
  text(client: Client, bytes: Uint8Array): void {
    this.pieces(client, bytes, 0, bytes.length, false);
  }

  /** Books a reply whose frame somebody else has written. */
  count(request: RequestView, zxid: Zxid, frameBytes: number): void {
    const { nowMs } = this.clock;
    const latencyMs = nowMs - request.receivedMs;
    this.statistics.onReply(latencyMs, frameBytes);
    request.client.countReply(request.xid, zxid, latencyMs, nowMs);
  }

  private pieces(
    client: Client,
    bytes: Uint8Array,
    start: number,
    end: number,
    completesReply: boolean,
  ): void {
    const { sink, conn } = client;
    for (let from = start; from < end; from += PIECE_BYTES_MAX) {
      const to = Math.min(from + PIECE_BYTES_MAX, end);
      const at = sink.claim(conn, to - from);
      copyBytes(bytes, from, to - from, sink.bytes, at);
      sink.commit(to - from, completesReply && to === end);
    }
  }
}

/** `ustring path`, and the Stat behind it if wanted; returns the offset behind. */
export function writePathAndStat(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  node: ZnodeCursor,
  stat: boolean,
): number {
  const length = node.pathLength;
  view.setInt32(at, length);
  const { pathStart } = node;
  copyBytes(node.bytes, pathStart, length, bytes, at + 4);
  const end = at + 4 + length;
  if (!stat) return end;
  copyBytes(node.bytes, node.statStart, STAT_BYTES, bytes, end);
  return end + STAT_BYTES;
}

/** A reply body that grows while it is made; reused from reply to reply. */
export class BodyBuffer {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  length = 0;

  constructor(capacity = BODY_BYTES) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  reset(): void {
    this.length = 0;
    if (this.bytes.length > 4 * PIECE_BYTES_MAX) this.adopt(new Uint8Array(BODY_BYTES));
  }

  /** Room for `needed` more bytes; returns where they go. */
  extend(needed: number): number {
    const at = this.length;
    this.length += needed;
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length));
      larger.set(this.bytes.subarray(0, at));
      this.adopt(larger);
    }
    return at;
  }

  int32(value: number): void {
    const at = this.extend(4);
    this.view.setInt32(at, value);
  }

  int64(value: number): void {
    const at = this.extend(8);
    writeInt64(this.view, at, value);
  }

  raw(source: Uint8Array, start: number, length: number): void {
    const at = this.extend(length);
    copyBytes(source, start, length, this.bytes, at);
  }

  /** A ustring or buffer. */
  string(source: Uint8Array, start: number, length: number): void {
    this.int32(length);
    this.raw(source, start, length);
  }

  private adopt(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}

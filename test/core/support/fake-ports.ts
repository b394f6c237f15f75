/**
 * The world around a replica, under a test's control: a log that keeps every payload and has room when the test says
 * so, and a reply sink that puts each connection's bytes together again and complains about every breach of the
 * `ReplySink` contract. Both hand out claims at odd offsets of a buffer full of rubbish, so that code which forgets
 * an offset or a byte is caught.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { joinHalves } from '../../../src/base/int64.ts';
import { epochOf, firstZxidOf } from '../../../src/base/zxid.ts';
import {
  type AdminPort,
  type ConnId,
  type CryptoPort,
  type LogPort,
  PIECE_BYTES_MAX,
  type ReplySink,
} from '../../../src/core/ports/ports.ts';
import type { ReportPort } from '../../../src/core/ports/report-port.ts';
import type { WordAnswer } from '../../../src/core/ports/word-answer.ts';

const RUBBISH = 0xa5;
const CLAIM_OFFSET = 13;

export interface LoggedTxn {
  readonly zxid: number;
  readonly payload: Uint8Array;
}

export class FakeLog implements LogPort {
  bytes = new Uint8Array(4096);
  view = new DataView(this.bytes.buffer);
  readonly txns: LoggedTxn[] = [];
  /** Claims that will still be granted. */
  room = Number.POSITIVE_INFINITY;
  flushes = 0;
  private claimed = -1;

  get lastZxid(): number {
    return this.txns.at(-1)?.zxid ?? 0;
  }

  claim(length: number): number {
    assert.equal(this.claimed, -1, 'one claim at a time');
    if (this.room <= 0) return -1;
    this.room--;
    if (CLAIM_OFFSET + length > this.bytes.length) {
      this.bytes = new Uint8Array(2 * (CLAIM_OFFSET + length));
      this.view = new DataView(this.bytes.buffer);
    }
    this.bytes.fill(RUBBISH);
    this.claimed = length;
    return CLAIM_OFFSET;
  }

  commit(zxid: number, length: number): void {
    assert.ok(this.claimed >= length, `commit of ${length} bytes after a claim of ${this.claimed}`);
    this.claimed = -1;
    const payload = this.bytes.slice(CLAIM_OFFSET, CLAIM_OFFSET + length);
    assert.equal(new DataView(payload.buffer).getBigInt64(12), BigInt(zxid), 'zxid of the txn header');
    const follows = zxid === this.lastZxid + 1 || zxid === firstZxidOf(epochOf(this.lastZxid) + 1);
    if (this.txns.length > 0) assert.ok(follows, `zxid ${zxid} leaves a gap behind ${this.lastZxid}`);
    this.txns.push({ zxid, payload });
  }

  abort(): void {
    this.claimed = -1;
    this.room++;
  }

  flush(): void {
    this.flushes++;
  }
}

/** What one connection has been sent, and what has become of it. */
export class Wire {
  readonly chunks: Uint8Array[] = [];
  bytes = 0;
  /** Bytes the client still takes before it counts as slow. */
  room = Number.POSITIVE_INFINITY;
  completedReplies = 0;
  closed = false;
  released = false;
}

export class FakeSink implements ReplySink {
  bytes = new Uint8Array(CLAIM_OFFSET + PIECE_BYTES_MAX);
  view = new DataView(this.bytes.buffer);
  congested = false;
  flushes = 0;
  private readonly wires = new Map<ConnId, Wire>();
  private claimed: { readonly wire: Wire; readonly length: number } | null = null;

  open(conn: ConnId): Wire {
    const known = this.wires.get(conn);
    assert.ok(known === undefined || known.released, 'a slot is used again only after its release');
    const wire = new Wire();
    this.wires.set(conn, wire);
    return wire;
  }

  claim(conn: ConnId, length: number): number {
    assert.equal(this.claimed, null, 'one claim at a time');
    assert.ok(length > 0 && length <= PIECE_BYTES_MAX, `claim of ${length} bytes`);
    this.claimed = { wire: this.wireOf(conn), length };
    this.bytes.fill(RUBBISH, 0, CLAIM_OFFSET + length);
    return CLAIM_OFFSET;
  }

  commit(length: number, completesReply: boolean): void {
    assert.ok(this.claimed !== null && length <= this.claimed.length, 'commit of more than was claimed');
    const { wire } = this.claimed;
    this.claimed = null;
    assert.equal(wire.closed, false, 'bytes for a connection that has been closed');
    wire.chunks.push(this.bytes.slice(CLAIM_OFFSET, CLAIM_OFFSET + length));
    wire.bytes += length;
    wire.room -= length;
    if (completesReply) wire.completedReplies++;
  }

  room(conn: ConnId): number {
    return this.wireOf(conn).room;
  }

  close(conn: ConnId): void {
    this.wireOf(conn).closed = true;
  }

  release(conn: ConnId): void {
    const wire = this.wireOf(conn);
    wire.released = true;
  }

  flush(): void {
    this.flushes++;
  }

  private wireOf(conn: ConnId): Wire {
    const wire = this.wires.get(conn);
    assert.ok(wire !== undefined && !wire.released, `connection ${conn} is not in use`);
    return wire;
  }
}

/** What the operator's log would hear of. */
export class FakeReports implements ReportPort {
  readonly lines: string[] = [];

  sessionExpired(idHigh: number, idLow: number, timeoutMs: number): void {
    this.lines.push(`expired ${joinHalves(idHigh, idLow)} ${timeoutMs}`);
  }

  authFailed(address: string, port: number, idHigh: number, idLow: number, scheme: string): void {
    this.lines.push(`auth ${address}:${port} ${joinHalves(idHigh, idLow)} ${scheme}`);
  }

  zxidAhead(address: string, port: number, seen: number, own: number): void {
    this.lines.push(`ahead ${address}:${port} ${seen} ${own}`);
  }
}

export const SHA1: CryptoPort = {
  digestBase64: (bytes) => createHash('sha1').update(bytes).digest('base64'),
};

/** An answer of these pieces. */
export function wordAnswer(texts: readonly string[], isLong = false): WordAnswer {
  const pieces = texts.map((text) => new TextEncoder().encode(text));
  return { isLong, isReady: true, next: () => pieces.shift() ?? null, abandon: () => pieces.splice(0) };
}

export const ADMIN: AdminPort = {
  answer: (word, argument) => wordAnswer([`word ${word} argument ${argument}\n`]),
};

/** Sinks that keep everything, and the builders of records and logs that the tests share. */

import { writeInt64 } from '../../../src/base/int64.ts';
import { Prng } from '../../../src/base/prng.ts';
import type { Disk } from '../../../src/storage/disk.ts';
import type { SnapshotSink } from '../../../src/storage/snapshot-reader.ts';
import { SnapshotTrigger } from '../../../src/storage/snapshot-trigger.ts';
import { TxnlogAppender, type TxnlogOptions } from '../../../src/storage/txnlog-appender.ts';
import { readTxnlog, type TxnlogReadResult, type TxnSink } from '../../../src/storage/txnlog-reader.ts';
import type { MemoryDisk } from './memory-disk.ts';

export const DIRECTORY = '/d/version-2';

export interface CollectedTxn {
  readonly zxid: number;
  readonly payload: Uint8Array;
}

export class TxnCollector implements TxnSink {
  readonly txns: CollectedTxn[] = [];

  /** From this zxid on the sink says that nothing was missing. */
  provesFrom = Infinity;

  onTxn(zxid: number, bytes: Uint8Array, _view: DataView, start: number, end: number): boolean {
    this.txns.push({ zxid, payload: bytes.slice(start, end) });
    return zxid >= this.provesFrom;
  }

  get zxids(): number[] {
    return this.txns.map((txn) => txn.zxid);
  }
}

export interface CollectedNode {
  readonly path: string;
  /** Hex, null for null data. */
  readonly data: string | null;
  readonly aclId: number;
  readonly stat: string;
}

export class SnapshotCollector implements SnapshotSink {
  begins: number[] = [];
  sessions: { readonly id: bigint; readonly timeoutMs: number }[] = [];
  acls: { readonly aclId: number; readonly vector: Uint8Array }[] = [];
  nodes: CollectedNode[] = [];
  digest: { zxid: number; version: number; digest: bigint } | null = null;

  onBegin(zxid: number): void {
    this.begins.push(zxid);
    this.sessions = [];
    this.acls = [];
    this.nodes = [];
    this.digest = null;
  }

  onSession(idHigh: number, idLow: number, timeoutMs: number): void {
    this.sessions.push({ id: joined(idHigh, idLow), timeoutMs });
  }

  onAcl(aclId: number, bytes: Uint8Array, _view: DataView, start: number, end: number): void {
    this.acls.push({ aclId, vector: bytes.slice(start, end) });
  }

  onNode(
    bytes: Uint8Array,
    _view: DataView,
    pathStart: number,
    pathLength: number,
    dataStart: number,
    dataLength: number,
    aclId: number,
    statStart: number,
  ): void {
    this.nodes.push({
      path: Buffer.from(bytes.subarray(pathStart, pathStart + pathLength)).toString(),
      data: dataLength < 0 ? null : hex(bytes.subarray(dataStart, dataStart + dataLength)),
      aclId,
      stat: hex(bytes.subarray(statStart, statStart + 60)),
    });
  }

  onDigest(zxid: number, version: number, high: number, low: number): void {
    this.digest = { zxid, version, digest: joined(high, low) };
  }
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function joined(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** A payload of `length` >= 32 bytes: a lifelike TxnHeader with this zxid, then bytes that differ by zxid. */
export function payload(zxid: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 32; i < length; i++) bytes[i] = ((i * 31 + zxid * 7) % 255) | 1;
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, 0x100000d373c0000n);
  view.setInt32(8, zxid);
  writeInt64(view, 12, zxid);
  writeInt64(view, 20, 1_795_150_916_766);
  view.setInt32(28, -1);
  return bytes;
}

export const QUIET: TxnlogOptions = {
  preallocBytes: 0,
  fileBytesMax: 0,
  direct: true,
  forceSync: true,
  slowSyncMs: 1000,
  nowMs: () => 0,
  onSlowSync: () => {},
};

export function appender(
  disk: MemoryDisk,
  lastZxid = 0,
  options: Partial<TxnlogOptions> = {},
): TxnlogAppender {
  if (disk.stat(DIRECTORY) === null) disk.putDirectory(DIRECTORY);
  const trigger = new SnapshotTrigger({ snapCount: 100_000, snapBytesMax: 0 }, new Prng(1));
  return new TxnlogAppender(disk, DIRECTORY, lastZxid, trigger, { ...QUIET, ...options });
}

/** Appends and commits one payload for each length, with zxids from `firstZxid` on. */
export function appendAll(log: TxnlogAppender, firstZxid: number, lengths: readonly number[]): void {
  for (let i = 0; i < lengths.length; i++) {
    const bytes = payload(firstZxid + i, lengths[i]!);
    log.append(firstZxid + i, bytes, 0, bytes.length);
    log.commit();
  }
}

export interface ReadBack {
  readonly zxids: number[];
  readonly txns: CollectedTxn[];
  readonly result: TxnlogReadResult;
  readonly warnings: string[];
}

export interface ReadBackOptions {
  readonly directory?: string;
  readonly acceptMissingRecords?: boolean;
  /** From this zxid on the digest of a record proves that nothing was missing. */
  readonly provesFrom?: number;
}

export function readBack(disk: Disk, fromZxid = 1, options: ReadBackOptions = {}): ReadBack {
  const sink = new TxnCollector();
  sink.provesFrom = options.provesFrom ?? Infinity;
  const warnings: string[] = [];
  const result = readTxnlog(disk, options.directory ?? DIRECTORY, fromZxid, sink, {
    onWarning: (warning) => warnings.push(warning),
    acceptMissingRecords: options.acceptMissingRecords ?? false,
  });
  return { zxids: sink.zxids, txns: sink.txns, result, warnings };
}

/** [first, first + count). */
export function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

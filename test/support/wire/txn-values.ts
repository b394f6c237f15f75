/**
 * Transactions as values, both directions, for tests. The grammar stands in src/wire/txn-records.ts; decoding
 * goes through the flyweight there, so that there is one judge of what is well-formed.
 */
import { unreachable } from '../../../src/base/assert.ts';
import { joinHalves } from '../../../src/base/int64.ts';
import type { Zxid } from '../../../src/base/zxid.ts';
import { readAcl, type SentAcl, writeAcl } from '../../../src/wire/acl.ts';
import { StringCursor } from '../../../src/wire/cursors.ts';
import { JuteReader, MalformedRecord } from '../../../src/wire/jute-reader.ts';
import { type JuteWriter, writeString } from '../../../src/wire/jute-writer.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { SubTxnCursor, TxnReader, type TxnRecord } from '../../../src/wire/txn-records.ts';
import { decodeUtf8 } from '../../../src/wire/utf8.ts';

type Op = typeof OpCode;

/** What may stand alone or in a multi; `check` in a multi only. */
export type SubTxn =
  | {
      readonly type: Op['create'] | Op['create2'];
      readonly path: string | null;
      readonly data: Uint8Array | null;
      readonly acl: readonly SentAcl[] | null;
      readonly ephemeral: boolean;
      readonly parentCVersion: number;
    }
  | {
      readonly type: Op['createContainer'];
      readonly path: string | null;
      readonly data: Uint8Array | null;
      readonly acl: readonly SentAcl[] | null;
      readonly parentCVersion: number;
    }
  | {
      readonly type: Op['createTtl'];
      readonly path: string | null;
      readonly data: Uint8Array | null;
      readonly acl: readonly SentAcl[] | null;
      readonly parentCVersion: number;
      readonly ttl: number;
    }
  | { readonly type: Op['delete'] | Op['deleteContainer']; readonly path: string | null }
  | {
      readonly type: Op['setData'] | Op['reconfig'];
      readonly path: string | null;
      readonly data: Uint8Array | null;
      readonly version: number;
    }
  | {
      readonly type: Op['setAcl'];
      readonly path: string | null;
      readonly acl: readonly SentAcl[] | null;
      readonly version: number;
    }
  | { readonly type: Op['check']; readonly path: string | null; readonly version: number }
  | { readonly type: Op['error']; readonly err: number };

export type TxnBody =
  | SubTxn
  | { readonly type: Op['createSession']; readonly timeoutMs: number }
  /** null: the record names no paths, whether it could have or not. */
  | { readonly type: Op['closeSession']; readonly paths: readonly (string | null)[] | null }
  | { readonly type: Op['multi']; readonly subs: readonly SubTxn[] };

export interface Txn {
  readonly clientId: bigint;
  readonly cxid: number;
  readonly zxid: Zxid;
  readonly timeMs: number;
  readonly body: TxnBody;
  readonly digest: { readonly version: number; readonly treeDigest: bigint } | null;
}

export function writeTxn(writer: JuteWriter, txn: Txn): void {
  writer.writeBigLong(txn.clientId);
  writer.writeInt(txn.cxid);
  writer.writeLong(txn.zxid);
  writer.writeLong(txn.timeMs);
  writer.writeInt(txn.body.type);
  writeBody(writer, txn.body);
  if (txn.digest === null) return;
  writer.writeInt(txn.digest.version);
  writer.writeBigLong(txn.digest.treeDigest);
}

/** @throws MalformedRecord */
export function readTxn(bytes: Uint8Array, start = 0, end: number = bytes.length): Txn {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = new TxnReader();
  if (!reader.wrap(bytes, view, start, end)) {
    throw new MalformedRecord(`no transaction in bytes ${start} to ${end}`);
  }
  return {
    clientId: joinHalves(reader.clientIdHigh, reader.clientIdLow),
    cxid: reader.cxid,
    zxid: reader.zxid,
    timeMs: reader.timeMs,
    body: bodyOf(reader),
    digest: reader.hasDigest
      ? { version: reader.digestVersion, treeDigest: joinHalves(reader.digestHigh, reader.digestLow) }
      : null,
  };
}

function writeBody(writer: JuteWriter, body: TxnBody): void {
  switch (body.type) {
    case OpCode.createSession:
      writer.writeInt(body.timeoutMs);
      return;
    case OpCode.closeSession:
      if (body.paths !== null) writer.writeVector(body.paths, writeString);
      return;
    case OpCode.multi:
      writer.writeVector(body.subs, writeSub);
      return;
    case OpCode.error:
      writer.writeInt(body.err);
      return;
    default:
      writer.writeString(body.path);
      writeBehindPath(writer, body);
  }
}

function writeSub(writer: JuteWriter, sub: SubTxn): void {
  writer.writeInt(sub.type);
  const record = writer.beginBuffer();
  writeBody(writer, sub);
  writer.endBuffer(record);
}

function writeBehindPath(writer: JuteWriter, body: Exclude<SubTxn, { readonly type: Op['error'] }>): void {
  switch (body.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      writer.writeBuffer(body.data);
      writer.writeVector(body.acl, writeAcl);
      if (body.type === OpCode.create || body.type === OpCode.create2) writer.writeBool(body.ephemeral);
      writer.writeInt(body.parentCVersion);
      if (body.type === OpCode.createTtl) writer.writeLong(body.ttl);
      return;
    case OpCode.setData:
    case OpCode.reconfig:
      writer.writeBuffer(body.data);
      writer.writeInt(body.version);
      return;
    case OpCode.setAcl:
      writer.writeVector(body.acl, writeAcl);
      writer.writeInt(body.version);
      return;
    case OpCode.check:
      writer.writeInt(body.version);
      return;
    default:
      return;
  }
}

function bodyOf(txn: TxnReader): TxnBody {
  switch (txn.type) {
    case OpCode.createSession:
      return { type: txn.type, timeoutMs: txn.timeoutMs };
    case OpCode.closeSession:
      return { type: txn.type, paths: txn.pathsCount === -1 ? null : pathsOf(txn) };
    case OpCode.multi: {
      const subs: SubTxn[] = [];
      const cursor = new SubTxnCursor();
      for (cursor.wrap(txn); cursor.next(); ) subs.push(subOf(cursor));
      return { type: txn.type, subs };
    }
    default:
      return subOf(txn);
  }
}

function subOf(record: TxnRecord): SubTxn {
  const type = record.type;
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
      return { type, ...createOf(record), ephemeral: record.ephemeral };
    case OpCode.createContainer:
      return { type, ...createOf(record) };
    case OpCode.createTtl:
      return { type, ...createOf(record), ttl: record.ttl };
    case OpCode.delete:
    case OpCode.deleteContainer:
      return { type, path: pathOf(record) };
    case OpCode.setData:
    case OpCode.reconfig:
      return { type, path: pathOf(record), data: dataOf(record), version: record.version };
    case OpCode.setAcl:
      return { type, path: pathOf(record), acl: aclOf(record), version: record.version };
    case OpCode.check:
      return { type, path: pathOf(record), version: record.version };
    case OpCode.error:
      return { type, err: record.err };
    default:
      return unreachable(`transaction type ${type} has no value form`);
  }
}

function createOf(record: TxnRecord) {
  return {
    path: pathOf(record),
    data: dataOf(record),
    acl: aclOf(record),
    parentCVersion: record.parentCVersion,
  };
}

function pathOf(record: TxnRecord): string | null {
  if (record.pathLength === -1) return null;
  return decodeUtf8(record.bytes, record.pathStart, record.pathStart + record.pathLength);
}

function dataOf(record: TxnRecord): Uint8Array | null {
  if (record.dataLength === -1) return null;
  return record.bytes.slice(record.dataStart, record.dataStart + record.dataLength);
}

function aclOf(record: TxnRecord): SentAcl[] | null {
  const end = record.aclStart + record.aclLength;
  return new JuteReader(record.bytes, record.view, record.aclStart, end).readVector(readAcl);
}

function pathsOf(txn: TxnReader): (string | null)[] {
  const paths: (string | null)[] = [];
  const cursor = new StringCursor();
  for (cursor.wrap(txn.view, txn.pathsStart); cursor.next(); ) {
    paths.push(
      cursor.length === -1 ? null : decodeUtf8(txn.bytes, cursor.start, cursor.start + cursor.length),
    );
  }
  return paths;
}

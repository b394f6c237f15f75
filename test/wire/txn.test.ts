/** txn-records.ts, txn-writers.ts, txn-values.ts. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { highOf, lowOf } from '../../src/base/int64.ts';
import { writeAcl } from '../../src/wire/acl.ts';
import { MalformedRecord } from '../../src/wire/jute-reader.ts';
import { JuteWriter, writeBytesAt } from '../../src/wire/jute-writer.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { SubTxnCursor, TXN_DIGEST_BYTES, TXN_HEADER_BYTES, TxnReader } from '../../src/wire/txn-records.ts';
import {
  beginSubTxn,
  endSubTxn,
  writeCheckTxn,
  writeCloseSessionTxn,
  writeCreateContainerTxn,
  writeCreateSessionTxn,
  writeCreateTtlTxn,
  writeCreateTxn,
  writeDeleteTxn,
  writeErrorTxn,
  writeMultiTxn,
  writeSetAclTxn,
  writeSetDataTxn,
  writeTxnDigest,
  writeTxnHeader,
} from '../../src/wire/txn-writers.ts';
import { readTxn, type SubTxn, type Txn, type TxnBody, writeTxn } from '../support/wire/txn-values.ts';
import { txn } from './arbitraries.ts';
import { embedded, hex, textOf, toHex, viewOf } from './bytes.ts';

function payloadOf(value: Txn): Uint8Array {
  const writer = new JuteWriter();
  writeTxn(writer, value);
  return writer.toBytes();
}

/** A TxnHeader in hex; the record follows. */
function header(type: number): string {
  return '0100000000000001 00000007 0000000100000002 00000000000003e8' + toHex(int32Bytes(type));
}

function int32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, value);
  return bytes;
}

test('every transaction survives a round trip, also in the middle of other bytes', () => {
  fc.assert(
    fc.property(txn, (value) => {
      const { bytes, start, end } = embedded(payloadOf(value));
      assert.deepEqual(readTxn(bytes, start, end), value);
    }),
    { numRuns: 1000 },
  );
});

test('the offset writers write the same bytes as the value codec', () => {
  fc.assert(
    fc.property(txn, (value) => {
      const expected = payloadOf(value);
      const bytes = new Uint8Array(expected.length + 3);
      assert.equal(writeAt(bytes, 3, value), bytes.length);
      assert.equal(toHex(bytes.subarray(3)), toHex(expected));
    }),
    { numRuns: 1000 },
  );
});

test('a transaction that is cut short is malformed, unless the cut leaves an older form', () => {
  fc.assert(
    fc.property(txn, fc.nat(), (value, at) => {
      const payload = payloadOf({ ...value, digest: null });
      const cut = at % payload.length;
      const older =
        (value.body.type === OpCode.closeSession && cut === TXN_HEADER_BYTES) ||
        ((value.body.type === OpCode.create || value.body.type === OpCode.create2) &&
          payload.length - cut <= 4) ||
        // A cut inside the vector leaves 12 bytes that begin with 2: read as a digest.
        (value.body.type === OpCode.closeSession && cut === TXN_HEADER_BYTES + TXN_DIGEST_BYTES);
      fc.pre(!older);
      assert.throws(() => readTxn(payload, 0, cut), MalformedRecord);
    }),
    { numRuns: 1000 },
  );
});

test('every record of the real logs reads, and is written back byte for byte', () => {
  const fixtures = join(import.meta.dirname, '../fixtures/apache-3.8.0');
  const types = new Set<number>();
  let records = 0;
  for (const entry of readdirSync(fixtures, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/^log\.[0-9a-f]+$/.test(entry.name)) continue;
    for (const payload of payloadsOf(readFileSync(join(entry.parentPath, entry.name)))) {
      const value = readTxn(payload);
      types.add(value.body.type);
      assert.equal(toHex(payloadOf(value)), toHex(payload), `${entry.name} zxid ${value.zxid.toString(16)}`);
      records++;
    }
  }
  assert.ok(records > 100, `${records} records`);
  for (const type of [-11, -10, -1, 1, 2, 5, 7, 14, 19, 21]) assert.ok(types.has(type), `type ${type}`);
});

test('a create of before 3.4 lacks parentCVersion, which reads as -1', () => {
  const payload = hex(header(OpCode.create) + '00000002 2f61 00000001 ff 00000000 01');
  const body = readTxn(payload).body;
  assert.deepEqual(body, {
    type: OpCode.create,
    path: '/a',
    data: hex('ff'),
    acl: [],
    ephemeral: true,
    parentCVersion: -1,
  });
});

test('closeSession comes without paths, with a digest alone, with paths, and with both', () => {
  const digest = '00000002 0000000000000009';
  const paths = '00000001 00000002 2f61';
  const cases: [string, string[] | null, bigint | null][] = [
    ['', null, null],
    [digest, null, 9n],
    [paths, ['/a'], null],
    [paths + digest, ['/a'], 9n],
    ['00000000', [], null],
    ['00000000' + digest, [], 9n],
    // 12 bytes of paths that do not begin with 2.
    ['00000001 00000004 2f616263', ['/abc'], null],
  ];
  for (const [record, expectedPaths, treeDigest] of cases) {
    const value = readTxn(hex(header(OpCode.closeSession) + record));
    assert.deepEqual(value.body, { type: OpCode.closeSession, paths: expectedPaths });
    assert.deepEqual(value.digest, treeDigest === null ? null : { version: 2, treeDigest });
  }
});

test('a failed multi keeps its sub transactions, with errors in place', () => {
  const sub = (type: string, record: string): string => type + toHex(int32Bytes(hex(record).length)) + record;
  const payload = hex(
    header(OpCode.multi) +
      '00000003' +
      sub('00000002', '00000002 2f61') +
      sub('ffffffff', 'ffffff9b') +
      sub('ffffffff', 'fffffffe'),
  );
  const reader = new TxnReader();
  assert.ok(reader.wrap(payload, viewOf(payload), 0, payload.length));
  assert.equal(reader.subsCount, 3);
  const subs = new SubTxnCursor();
  subs.wrap(reader);
  assert.ok(subs.next());
  assert.equal(textOf(payload, subs.pathStart, subs.pathLength), '/a');
  assert.ok(subs.next());
  assert.equal(subs.err, -101);
  assert.ok(subs.next());
  assert.equal(subs.err, -2);
  assert.equal(subs.remaining, 0);
  assert.equal(subs.next(), false);
});

test('what cannot be a transaction is refused', () => {
  const cases: [number, string][] = [
    [77, ''],
    [OpCode.check, '00000002 2f61 00000001'],
    [OpCode.ping, ''],
    [OpCode.createSession, '0000'],
    [OpCode.multi, '00000001 0000000e 00000004 00000000'],
    [OpCode.multi, '00000001 fffffff6 00000004 00000000'],
    [OpCode.multi, '00000001 00000002 ffffffff'],
    [OpCode.multi, '7fffffff'],
    [OpCode.closeSession, '7fffffff'],
  ];
  for (const [type, record] of cases) {
    assert.throws(() => readTxn(hex(header(type) + record)), MalformedRecord, `type ${type}: ${record}`);
  }
  assert.throws(() => readTxn(new Uint8Array(TXN_HEADER_BYTES - 1)), MalformedRecord);
});

/** The payloads of a transaction log: 16 bytes of header, then `i64 checksum | i32 length | payload | 'B'`. */
function payloadsOf(log: Uint8Array): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  const view = viewOf(log);
  let offset = 16;
  while (offset + 12 < log.length) {
    const length = view.getInt32(offset + 8);
    if (length === 0) break;
    payloads.push(log.subarray(offset + 12, offset + 12 + length));
    offset += 13 + length;
  }
  return payloads;
}

/** `value` through txn-writers.ts, from slices as the core has them. */
function writeAt(bytes: Uint8Array, offset: number, value: Txn): number {
  const view = viewOf(bytes);
  const { clientId, cxid, zxid, timeMs, body, digest } = value;
  offset = writeTxnHeader(view, offset, highOf(clientId), lowOf(clientId), cxid, zxid, timeMs, body.type);
  offset = writeBodyAt(bytes, view, offset, body);
  if (digest === null) return offset;
  return writeTxnDigest(view, offset, highOf(digest.treeDigest), lowOf(digest.treeDigest));
}

function writeBodyAt(bytes: Uint8Array, view: DataView, offset: number, body: TxnBody): number {
  switch (body.type) {
    case OpCode.createSession:
      return writeCreateSessionTxn(view, offset, body.timeoutMs);
    case OpCode.closeSession:
      if (body.paths === null) return offset;
      offset = writeCloseSessionTxn(view, offset, body.paths.length);
      for (const path of body.paths) {
        const slice = sliceOf(path);
        offset = writeBytesAt(bytes, view, offset, slice.bytes, slice.start, slice.length);
      }
      return offset;
    case OpCode.multi:
      offset = writeMultiTxn(view, offset, body.subs.length);
      for (const sub of body.subs) {
        const record = beginSubTxn(view, offset, sub.type);
        offset = endSubTxn(view, record, writeSubAt(bytes, view, record, sub));
      }
      return offset;
    default:
      return writeSubAt(bytes, view, offset, body);
  }
}

function writeSubAt(bytes: Uint8Array, view: DataView, offset: number, sub: SubTxn): number {
  if (sub.type === OpCode.error) return writeErrorTxn(view, offset, sub.err);
  const path = sliceOf(sub.path);
  const data = sliceOf('data' in sub ? sub.data : null);
  const acl = aclSliceOf(sub);
  switch (sub.type) {
    case OpCode.create:
    case OpCode.create2:
      return writeCreateTxn(
        bytes,
        view,
        offset,
        path.bytes,
        path.start,
        path.length,
        data.bytes,
        data.start,
        data.length,
        acl.bytes,
        acl.start,
        acl.length,
        sub.ephemeral,
        sub.parentCVersion,
      );
    case OpCode.createContainer:
      return writeCreateContainerTxn(
        bytes,
        view,
        offset,
        path.bytes,
        path.start,
        path.length,
        data.bytes,
        data.start,
        data.length,
        acl.bytes,
        acl.start,
        acl.length,
        sub.parentCVersion,
      );
    case OpCode.createTtl:
      return writeCreateTtlTxn(
        bytes,
        view,
        offset,
        path.bytes,
        path.start,
        path.length,
        data.bytes,
        data.start,
        data.length,
        acl.bytes,
        acl.start,
        acl.length,
        sub.parentCVersion,
        sub.ttl,
      );
    case OpCode.delete:
    case OpCode.deleteContainer:
      return writeDeleteTxn(bytes, view, offset, path.bytes, path.start, path.length);
    case OpCode.setData:
    case OpCode.reconfig:
      return writeSetDataTxn(
        bytes,
        view,
        offset,
        path.bytes,
        path.start,
        path.length,
        data.bytes,
        data.start,
        data.length,
        sub.version,
      );
    case OpCode.setAcl:
      return writeSetAclTxn(
        bytes,
        view,
        offset,
        path.bytes,
        path.start,
        path.length,
        acl.bytes,
        acl.start,
        acl.length,
        sub.version,
      );
    case OpCode.check:
      return writeCheckTxn(bytes, view, offset, path.bytes, path.start, path.length, sub.version);
  }
}

interface Slice {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: number;
}

function sliceOf(content: string | Uint8Array | null): Slice {
  if (content === null) return { bytes: new Uint8Array(0), start: 0, length: -1 };
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const around = embedded(bytes);
  return { bytes: around.bytes, start: around.start, length: bytes.length };
}

function aclSliceOf(sub: SubTxn): Slice {
  const writer = new JuteWriter();
  writer.writeVector('acl' in sub ? sub.acl : [], writeAcl);
  return sliceOf(writer.toBytes());
}

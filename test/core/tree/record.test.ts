/** The record's bytes, field by field, and the digest that Apache's files carry. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32 } from '../../../src/base/checksum.ts';
import { OPEN_ACL_ID } from '../../../src/core/acl/acl-table.ts';
import { asciiBytes } from '../../../src/core/path/path.ts';
import { DigestSum, nodeDigest } from '../../../src/core/tree/digest.ts';
import {
  CONTAINER_OWNER_HIGH,
  ownerKind,
  RECORD_FIXED_BYTES,
  RECORD_PATH_START,
  ttlOfOwner,
  ttlOwnerHigh,
} from '../../../src/core/tree/record.ts';
import { Tree } from '../../../src/core/tree/tree.ts';
import { JuteReader } from '../../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../../src/wire/jute-writer.ts';
import { readStat, STAT_BYTES } from '../../../src/wire/stat.ts';
import { HASH, pathHash } from '../support/hash.ts';
import { digestOf } from '../support/tree-dump.ts';

const ZXID = 0x1_0000_0007;
const TIME_MS = 1_700_000_000_123;

function newTree(): Tree {
  return new Tree({ bytesMax: 256 * 1024 * 1024, digest: true, extendedTypes: true, hash: HASH });
}

function create(tree: Tree, path: string, data: Uint8Array | null, owner: [number, number] = [0, 0]): number {
  const bytes = new TextEncoder().encode(`..${path}`);
  const length = bytes.length - 2;
  const value = data ?? new Uint8Array(0);
  const size = data === null ? -1 : data.length;
  // biome-ignore format: one slice per line
  return tree.build.create(77, pathHash(bytes, 2, length),
    bytes, 2, length,
    value, 0, size,
    OPEN_ACL_ID, owner[0], owner[1], ZXID, TIME_MS);
}

function bodyOf(tree: Tree, record: number): JuteReader {
  const cursor = tree.cursor();
  cursor.moveTo(record);
  return new JuteReader(cursor.bytes.slice(cursor.bodyStart, cursor.bodyStart + cursor.bodyLength));
}

test('a new record: head in host order, behind it exactly the body of a getData reply', () => {
  const tree = newTree();
  const cursor = tree.cursor();
  for (const data of [null, new Uint8Array(0), asciiBytes('hello')]) {
    const record = create(tree, '/ümlaut/kid', data, [0x0100abcd, -2]);
    cursor.moveTo(record);
    const size = data === null ? 0 : data.length;
    assert.equal(cursor.nodeId, 77);
    assert.equal(cursor.depth, 2);
    assert.equal(cursor.pathLength, 12);
    assert.equal(cursor.recordBytes, RECORD_FIXED_BYTES + 12 + size);
    assert.equal(cursor.bodyStart, cursor.base + RECORD_PATH_START + 12);
    assert.equal(cursor.dataLength, data === null ? -1 : size);
    assert.equal(cursor.isTombstone, false);
    const body = bodyOf(tree, record);
    assert.deepEqual(body.readBuffer(), data);
    assert.equal(body.remaining, STAT_BYTES);
    assert.deepEqual(readStat(body), {
      czxid: ZXID,
      mzxid: ZXID,
      ctime: TIME_MS,
      mtime: TIME_MS,
      version: 0,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: 0x0100abcdfffffffen,
      dataLength: size,
      numChildren: 0,
      pzxid: ZXID,
    });
  }
});

test('each change makes a new record, differs in its fields only, and leaves the old one alone', () => {
  const tree = newTree();
  const record = create(tree, '/n', asciiBytes('old'));
  const before = bodyOf(tree, record);
  const [data, stat] = [before.readBuffer(), readStat(before)];
  const set = bodyOf(tree, tree.build.withData(record, asciiBytes('xnewx'), 1, 3, 5, ZXID + 9, TIME_MS + 9));
  assert.deepEqual(set.readBuffer(), asciiBytes('new'));
  assert.deepEqual(readStat(set), { ...stat, mzxid: ZXID + 9, mtime: TIME_MS + 9, version: 5 });
  const acl = tree.build.withAcl(record, 12, 3);
  assert.deepEqual(readStat(skipData(bodyOf(tree, acl))), { ...stat, aversion: 3 });
  const kids = tree.build.withChildren(record, 7, 4, ZXID + 1);
  assert.deepEqual(readStat(skipData(bodyOf(tree, kids))), {
    ...stat,
    cversion: 10,
    numChildren: 4,
    pzxid: ZXID + 1,
  });
  const cursor = tree.cursor();
  cursor.moveTo(acl);
  assert.equal(cursor.aclId, 12);
  cursor.moveTo(kids);
  assert.equal(cursor.cversion, 7, 'stored');
  cursor.moveTo(tree.build.tombstone(record));
  assert.ok(cursor.isTombstone);
  assert.equal(cursor.nodeDigest, 0);
  assert.ok(cursor.pathEquals(asciiBytes('/n'), 0, 2));
  const again = bodyOf(tree, record);
  assert.deepEqual([again.readBuffer(), readStat(again)], [data, stat]);
});

test('the node digest is the CRC-32 that disk.md gives', () => {
  const tree = newTree();
  const cursor = tree.cursor();
  const arbitrary = fc.tuple(
    fc.constantFrom('', '/a', '/a/b', '/zookeeper', '/zookeeperx/y'),
    fc.uint8Array(),
  );
  fc.assert(
    fc.property(arbitrary, fc.integer(), ([path, data], low) => {
      const created = create(tree, path, data, [5, low]);
      const record = tree.build.withChildren(created, 9, 2, ZXID + 3);
      cursor.moveTo(record);
      const writer = new JuteWriter();
      for (const field of [ZXID, ZXID, ZXID + 3, TIME_MS, TIME_MS]) writer.writeLong(field);
      for (const field of [0, 9, 0]) writer.writeInt(field);
      writer.writeBigLong((5n << 32n) | BigInt(low >>> 0));
      const bytes = Buffer.concat([asciiBytes(path), data, writer.toBytes()]);
      assert.equal(cursor.nodeDigest >>> 0, crc32(bytes, 0, bytes.length));
      assert.equal(nodeDigest(cursor) >>> 0, crc32(bytes, 0, bytes.length));
      tree.arena.free(created);
      tree.arena.free(record);
    }),
  );
  for (const path of ['/zookeeper/', '/zookeeper/quota', '/zookeeper/quota/a']) {
    cursor.moveTo(create(tree, path, null));
    assert.equal(cursor.nodeDigest, 0, `${path} is local to a server`);
  }
});

test('the tree digest is a sum modulo 2^64', () => {
  const uint32 = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(uint32, uint32, fc.array(fc.tuple(fc.boolean(), uint32)), (high, low, steps) => {
      const sum = new DigestSum();
      sum.set(high, low);
      let model = (BigInt(high) << 32n) | BigInt(low);
      for (const [adds, value] of steps) {
        if (adds) sum.add(value);
        else sum.subtract(value);
        model += adds ? BigInt(value) : -BigInt(value);
        assert.equal(digestOf(sum), BigInt.asIntN(64, model));
      }
    }),
  );
});

test('what an owner means', () => {
  assert.equal(ownerKind(0, 0, true), 'persistent');
  assert.equal(ownerKind(CONTAINER_OWNER_HIGH, 0, true), 'container');
  assert.equal(ownerKind(CONTAINER_OWNER_HIGH, 1, true), 'ephemeral');
  assert.equal(ownerKind(0x01000000, 5, true), 'ephemeral');
  for (const ttlMs of [1, 3_600_000, 2 ** 32, 2 ** 40 - 1]) {
    const high = ttlOwnerHigh(ttlMs);
    assert.equal(ownerKind(high, ttlMs | 0, true), 'ttl');
    assert.equal(ownerKind(high, ttlMs | 0, false), 'ephemeral', 'without extended types it is a session');
    assert.equal(ttlOfOwner(high, ttlMs | 0), ttlMs);
  }
});

function skipData(body: JuteReader): JuteReader {
  body.readBuffer();
  return body;
}

/** Every data directory written by Apache 3.8.0 reads back to exactly what the independent decoder found in it. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CorruptionFailure } from '../../src/base/failure.ts';
import { listLogs, listSnapshots, type SnapshotFile } from '../../src/storage/data-files.ts';
import type { Disk } from '../../src/storage/disk.ts';
import { NodeDisk } from '../../src/storage/node-disk.ts';
import { loadNewestSnapshot, looksWhole, readSnapshot } from '../../src/storage/snapshot-reader.ts';
import { SnapshotWriter } from '../../src/storage/snapshot-writer.ts';
import { appender, DIRECTORY, readBack, SnapshotCollector } from './support/collect.ts';
import { MemoryDisk } from './support/memory-disk.ts';
import { type Acl, decodeAcls, decodeStat, decodeTxn, hexId } from './support/txn-decoder.ts';

interface ExpectedSnapshot {
  readonly file: string;
  readonly sessions: Record<string, number>;
  readonly aclCache: Record<string, Acl[]>;
  readonly nodesInFileOrder: readonly {
    readonly path: string;
    readonly dataHex: string | null;
    readonly aclId: number;
    readonly stat: Record<string, unknown>;
  }[];
  readonly zxidDigest: { readonly zxid: string; readonly version: number; readonly digest: string } | null;
}

interface Expected {
  readonly logs: readonly { readonly file: string; readonly records: readonly Record<string, unknown>[] }[];
  readonly snapshots: readonly ExpectedSnapshot[];
  readonly restored: { readonly fromSnapshot: string; readonly lastZxid: string };
}

const root = join(dirname(fileURLToPath(import.meta.url)), '../fixtures/apache-3.8.0');
const disk = new NodeDisk();
const QUIET = { onWarning: (message: string) => assert.fail(message) };

for (const found of globSync('**/expected.json', { cwd: root }).sort()) {
  const directory = join(root, dirname(found), 'version-2');
  const expected = JSON.parse(readFileSync(join(root, found), 'utf8')) as Expected;

  suite(dirname(found), () => {
    test('log records: sizes, headers, bodies, digests', () => {
      const { txns, result, warnings } = readBack(disk, 0, { directory });
      const records = expected.logs.flatMap((log) => log.records);
      assert.deepEqual(
        txns.map(({ payload }) => decodeTxn(payload)),
        records.map(({ offset: _offset, ...record }) => record),
      );
      assert.deepEqual(
        txns.map(({ zxid }) => hexId(BigInt(zxid))),
        records.map((record) => record['zxid']),
      );
      assert.deepEqual(
        listLogs(disk, directory).map((log) => log.name),
        namesOf(expected.logs),
      );
      assert.deepEqual(result.repairs, []);
      assert.deepEqual(warnings, []);
    });

    test('reading from any zxid gives the records from there on', () => {
      const all = readBack(disk, 0, { directory }).zxids;
      for (const from of all) {
        assert.deepEqual(
          readBack(disk, from, { directory }).zxids,
          all.filter((zxid) => zxid >= from),
        );
      }
    });

    test('snapshots: sessions, ACLs, nodes in file order, digest, every seal', () => {
      const files = listSnapshots(disk, directory);
      assert.deepEqual(namesOf(files.map(({ name }) => ({ file: name }))), namesOf(expected.snapshots));
      for (const file of files) {
        assert.ok(looksWhole(disk, directory, file), file.name);
        checkSnapshot(file, expected.snapshots.find((snapshot) => snapshot.file === file.name)!, directory);
      }
    });

    test('written again, logs and snapshots are the same files byte for byte', () => {
      for (const { name, zxid } of listLogs(disk, directory)) {
        const copy = new MemoryDisk();
        // Without syncs there are no marks of batches, which Apache does not write.
        const log = appender(copy, zxid - 1, { preallocBytes: 16384, forceSync: false });
        const own = readBack(copyOf(name, directory), 0, { directory: '/d' }).txns;
        for (const txn of own) log.append(txn.zxid, txn.payload, 0, txn.payload.length);
        log.close();
        assert.deepEqual(
          Buffer.from(copy.contents(`${DIRECTORY}/${name}`)),
          readFileSync(join(directory, name)),
        );
      }
      for (const file of listSnapshots(disk, directory)) {
        const copy = new MemoryDisk();
        copy.putDirectory('/d');
        const sink = load(disk, directory, file);
        writeAgain(copy, file, sink);
        if (file.compression !== '') assert.deepEqual(load(copy, '/d', file), sink);
        else
          assert.deepEqual(
            Buffer.from(copy.contents(`/d/${file.name}`)),
            readFileSync(join(directory, file.name)),
          );
      }
    });

    test('the newest snapshot is chosen', () => {
      const sink = new SnapshotCollector();
      assert.equal(loadNewestSnapshot(disk, directory, sink, QUIET)?.name, expected.restored.fromSnapshot);
      assert.equal(sink.begins.length, 1);
    });

    test('a flipped bit in the newest snapshot is refused, or changes nothing that was stored', () => {
      const file = listSnapshots(disk, directory).at(-1)!;
      const original = readFileSync(join(directory, file.name));
      const intact = load(disk, directory, file);
      for (let at = 0; at < original.length; at += 1 + Math.floor(original.length / 800)) {
        const damaged = new Uint8Array(original);
        damaged[at]! ^= 1 << (at % 8);
        const copy = new MemoryDisk();
        copy.put(`/d/${file.name}`, damaged);
        try {
          // A compressed stream has bits that do not matter: gzip's time, a match in a run of equal bytes.
          assert.deepEqual(load(copy, '/d', file), intact);
          assert.notEqual(file.compression, '', `offset ${at}`);
        } catch (error) {
          assert.ok(error instanceof CorruptionFailure, String(error));
        }
      }
    });
  });
}

function load(from: Disk, directory: string, file: SnapshotFile): SnapshotCollector {
  const sink = new SnapshotCollector();
  readSnapshot(from, directory, file, sink, QUIET);
  return sink;
}

function copyOf(name: string, directory: string): MemoryDisk {
  const copy = new MemoryDisk();
  copy.put(`/d/${name}`, readFileSync(join(directory, name)));
  return copy;
}

function writeAgain(to: Disk, { zxid, compression }: SnapshotFile, content: SnapshotCollector): void {
  const writer = new SnapshotWriter(to, '/d', zxid, compression);
  const sessions = content.sessions.map(({ id, timeoutMs }) => [int64(id), int32(timeoutMs)]);
  writer.block(Buffer.concat([int32(sessions.length), ...sessions.flat()]));
  const acls = content.acls.map(({ aclId, vector }) => [int64(BigInt(aclId)), vector]);
  writer.block(Buffer.concat([int32(acls.length), ...acls.flat()]));
  for (const { path, data, aclId, stat } of content.nodes) {
    const dataBytes = Buffer.from(data ?? '', 'hex');
    const length = int32(data === null ? -1 : dataBytes.length);
    const tail = [int64(BigInt(aclId)), Buffer.from(stat, 'hex')];
    writer.block(
      Buffer.concat([int32(Buffer.byteLength(path)), Buffer.from(path), length, dataBytes, ...tail]),
    );
  }
  const { digest } = content;
  writer.finish(
    digest && {
      zxid: digest.zxid,
      high: Number(BigInt.asIntN(32, digest.digest >> 32n)),
      low: Number(BigInt.asIntN(32, digest.digest)),
    },
  );
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

function checkSnapshot(file: SnapshotFile, expected: ExpectedSnapshot, directory: string): void {
  const sink = load(disk, directory, file);
  assert.deepEqual(sink.begins, [file.zxid]);
  assert.deepEqual(
    Object.fromEntries(sink.sessions.map(({ id, timeoutMs }) => [hexId(id), timeoutMs])),
    expected.sessions,
  );
  assert.deepEqual(
    Object.fromEntries(sink.acls.map(({ aclId, vector }) => [aclId, decodeAcls(vector)])),
    expected.aclCache,
  );
  assert.deepEqual(
    sink.nodes.map(({ path, data, aclId, stat }) => ({ path, dataHex: data, aclId, stat: decodeStat(stat) })),
    expected.nodesInFileOrder,
  );
  const digest = sink.digest;
  assert.deepEqual(
    digest && { zxid: hexId(BigInt(digest.zxid)), version: digest.version, digest: String(digest.digest) },
    expected.zxidDigest,
  );
}

function namesOf(files: readonly { readonly file: string }[]): string[] {
  return files.map(({ file }) => file).sort(byHexName);
}

function byHexName(a: string, b: string): number {
  return Number.parseInt(a.split('.')[1]!, 16) - Number.parseInt(b.split('.')[1]!, 16);
}

/** Snapshots: what is written is read back, only whole files are chosen, broken ones fall back. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { CorruptionFailure, StorageFailure } from '../../src/base/failure.ts';
import { Prng } from '../../src/base/prng.ts';
import { listSnapshots, SnapshotCompression } from '../../src/storage/data-files.ts';
import type { Disk } from '../../src/storage/disk.ts';
import { loadNewestSnapshot, looksWhole } from '../../src/storage/snapshot-reader.ts';
import {
  type SnapshotDigest,
  type SnapshotSummary,
  SnapshotWriter,
} from '../../src/storage/snapshot-writer.ts';
import { type CollectedNode, DIRECTORY, hex, SnapshotCollector } from './support/collect.ts';
import { MemoryDisk } from './support/memory-disk.ts';

const NO_SESSIONS = new Uint8Array(4);
const ONE_ACL = Buffer.concat([
  Buffer.from('00000001', 'hex'),
  Buffer.from('0000000000000001', 'hex'),
  Buffer.from('000000010000001f00000005', 'hex'),
  Buffer.from('world'),
  Buffer.from('00000006', 'hex'),
  Buffer.from('anyone'),
]);

interface Node {
  readonly path: string;
  readonly data: Uint8Array | null;
}

function stat(seed: number): Uint8Array {
  return new Uint8Array(60).fill(seed % 256);
}

function writeNode(writer: SnapshotWriter, { path, data }: Node, seed: number): void {
  const pathBytes = Buffer.from(path);
  const dataBytes = data?.length ?? 0;
  const length = 4 + pathBytes.length + 4 + dataBytes + 68;
  const start = writer.claim(length + 10);
  writer.view.setInt32(start, pathBytes.length);
  writer.bytes.set(pathBytes, start + 4);
  let at = start + 4 + pathBytes.length;
  writer.view.setInt32(at, data?.length ?? -1);
  if (data !== null) writer.bytes.set(data, at + 4);
  at += 4 + dataBytes;
  writer.view.setBigInt64(at, BigInt(seed % 2 === 0 ? -1 : 1));
  writer.bytes.set(stat(seed), at + 8);
  writer.commit(length);
}

interface Content {
  readonly nodes: readonly Node[];
  readonly sessions?: Uint8Array;
  readonly digest?: SnapshotDigest;
  readonly compression?: SnapshotCompression;
}

function write(disk: MemoryDisk, zxid: number, content: Content): SnapshotSummary {
  if (disk.stat(DIRECTORY) === null) disk.putDirectory(DIRECTORY);
  const writer = new SnapshotWriter(disk, DIRECTORY, zxid, content.compression ?? SnapshotCompression.none);
  try {
    writer.block(content.sessions ?? NO_SESSIONS);
    writer.block(ONE_ACL);
    for (const [i, node] of content.nodes.entries()) writeNode(writer, node, i);
    return writer.finish(content.digest ?? null);
  } catch (error) {
    writer.abort();
    throw error;
  }
}

function expectedNodes(nodes: readonly Node[]): CollectedNode[] {
  return nodes.map(({ path, data }, i) => ({
    path,
    data: data && hex(data),
    aclId: i % 2 === 0 ? -1 : 1,
    stat: hex(stat(i)),
  }));
}

function load(disk: Disk): { sink: SnapshotCollector; name: string | undefined; warnings: string[] } {
  const sink = new SnapshotCollector();
  const warnings: string[] = [];
  const file = loadNewestSnapshot(disk, DIRECTORY, sink, { onWarning: (w) => warnings.push(w) });
  return { sink, name: file?.name, warnings };
}

const TREE: Node[] = [
  { path: '', data: new Uint8Array(0) },
  { path: '/null', data: null },
  { path: '/ümläut', data: Buffer.from('日本') },
];

suite('round trip', () => {
  for (const [method, compression] of Object.entries(SnapshotCompression)) {
    test(`${method}: any nodes, sessions and digest`, () => {
      const nodes = fc.array(
        fc.record({
          path: fc.string({ minLength: 1, maxLength: 40 }).map((name) => `/${name}`),
          data: fc.option(fc.uint8Array({ maxLength: 3000 }), { nil: null }),
        }),
        { maxLength: 60 },
      );
      fc.assert(
        fc.property(nodes, fc.option(fc.maxSafeNat()), (generated, zxid) => {
          const disk = new MemoryDisk();
          const all = [...TREE, ...generated].filter(({ path }) => path !== '/');
          const digest = zxid === null ? undefined : { zxid, high: -5, low: 0x80000001 };
          const sessions = Buffer.from('00000001fffffffffffffffe00007530', 'hex');
          const summary = write(disk, 0x28, { nodes: all, sessions, compression, ...(digest && { digest }) });
          assert.equal(summary.name, `snapshot.28${compression}`);
          assert.equal(summary.fileBytes, disk.stat(`${DIRECTORY}/${summary.name}`)!.bytes);
          const { sink, name, warnings } = load(disk);
          assert.equal(name, summary.name);
          assert.deepEqual(sink.sessions, [{ id: -2n, timeoutMs: 30000 }]);
          assert.deepEqual(sink.acls, [{ aclId: 1, vector: new Uint8Array(ONE_ACL.subarray(12)) }]);
          assert.deepEqual(sink.nodes, expectedNodes(all));
          const value = (-5n << 32n) | 0x80000001n;
          assert.deepEqual(sink.digest, digest ? { zxid, version: 2, digest: value } : null);
          assert.deepEqual(warnings, []);
        }),
        { numRuns: 40 },
      );
    });

    test(`${method}: many chunks, and a node larger than a chunk`, () => {
      const disk = new MemoryDisk();
      const prng = new Prng(7);
      const noise = Uint8Array.from({ length: 2_500_000 }, () => prng.below(200));
      const nodes = Array.from({ length: 3000 }, (_, i) => ({
        path: `/n${i}`,
        data: noise.slice(i, i + (i === 1500 ? 2_400_000 : 700)),
      }));
      write(disk, 1, { nodes, compression });
      assert.deepEqual(load(disk).sink.nodes, expectedNodes(nodes));
    });
  }
});

suite('publication', () => {
  test('a temporary name until it is synced, then rename and directory sync', () => {
    const disk = new MemoryDisk();
    write(disk, 0x10, { nodes: TREE });
    const temporary = `${DIRECTORY}/tmp.snapshot.10`;
    const steps = disk.calls.filter((call) => !call.startsWith('write'));
    assert.deepEqual(steps, [
      `create ${temporary}`,
      `sync ${temporary}`,
      `rename ${temporary} ${DIRECTORY}/snapshot.10`,
      `syncDirectory ${DIRECTORY}`,
    ]);
  });

  test('never leaves the disk more than a chunk to sync', () => {
    const disk = new MemoryDisk();
    const nodes = Array.from({ length: 100 }, (_, i) => ({ path: `/n${i}`, data: new Uint8Array(60_000) }));
    write(disk, 1, { nodes });
    let unsynced = 0;
    let syncs = 0;
    for (const call of disk.calls) {
      if (call.startsWith('write')) unsynced += Number(call.split(' ').at(-1));
      if (call.startsWith('sync ')) {
        syncs++;
        unsynced = 0;
      }
      assert.ok(unsynced <= 1024 * 1024, `${unsynced} bytes wait for a sync`);
    }
    assert.ok(syncs > 5);
  });

  test('a snapshot of the same name is replaced, remains of a temporary one do not disturb', () => {
    const disk = new MemoryDisk();
    write(disk, 1, { nodes: TREE });
    disk.put(`${DIRECTORY}/tmp.snapshot.1`, new Uint8Array(9));
    write(disk, 1, { nodes: TREE.slice(0, 1) });
    assert.equal(load(disk).sink.nodes.length, 1);
    assert.deepEqual(disk.list(DIRECTORY), ['snapshot.1']);
  });

  test('on a full or failing disk nothing appears and nothing is left', () => {
    for (const fault of [{ bytesFree: 300 }, { bytesFree: 0 }, { syncsLeft: 0 }]) {
      const disk: MemoryDisk = Object.assign(new MemoryDisk(), fault);
      assert.throws(() => write(disk, 1, { nodes: TREE }), StorageFailure);
      assert.deepEqual(disk.list(DIRECTORY), []);
    }
  });

  test('power loss at any step leaves the old snapshot or the new one', () => {
    for (let seed = 0; seed < 200; seed++) {
      const disk = new MemoryDisk();
      write(disk, 1, { nodes: TREE });
      disk.syncsLeft = seed % 3;
      try {
        write(disk, 2, { nodes: TREE });
      } catch (error) {
        assert.ok(error instanceof StorageFailure);
      }
      const { name, sink, warnings } = load(disk.crash(new Prng(seed)));
      assert.match(name!, /^snapshot\.[12]$/);
      assert.equal(sink.nodes.length, TREE.length);
      assert.deepEqual(warnings, []);
    }
  });
});

suite('choice', () => {
  test('the newest that loads; the sink begins anew for each attempt', () => {
    const disk = new MemoryDisk();
    write(disk, 1, { nodes: TREE });
    write(disk, 2, { nodes: TREE });
    const broken = disk.contents(`${DIRECTORY}/snapshot.2`);
    broken[60]! ^= 1;
    disk.put(`${DIRECTORY}/snapshot.2`, broken);
    disk.put(`${DIRECTORY}/snapshot.3`, broken.slice(0, -1));
    const { sink, name, warnings } = load(disk);
    assert.equal(name, 'snapshot.1');
    assert.deepEqual(sink.begins, [2, 1]);
    assert.equal(warnings.length, 1, 'snapshot.3 fails the cheap look and is not even tried');
    assert.match(
      warnings[0]!,
      /snapshot\.2 is corrupt at offset \d+ of its contents: .*; trying the snapshot before/,
    );
  });

  test('a sink may refuse a snapshot', () => {
    const disk = new MemoryDisk();
    write(disk, 1, { nodes: TREE });
    write(disk, 2, { nodes: TREE.slice(1) });
    class StrictSink extends SnapshotCollector {
      override onNode(...node: Parameters<SnapshotCollector['onNode']>): void {
        super.onNode(...node);
        if (this.nodes[0]!.path !== '') throw new CorruptionFailure('no root');
      }
    }
    const file = loadNewestSnapshot(disk, DIRECTORY, new StrictSink(), { onWarning: () => {} });
    assert.equal(file?.name, 'snapshot.1');
  });

  test('null without candidates, failure when none loads', () => {
    const disk = new MemoryDisk();
    disk.putDirectory(DIRECTORY);
    assert.equal(load(disk).name, undefined);
    for (const name of ['snapshot.5.tmp', 'snapshot.x', 'snapshot', 'snapshot.5.gz.old']) {
      disk.put(`${DIRECTORY}/${name}`, Buffer.from('x'));
    }
    assert.equal(load(disk).name, undefined);
    disk.put(`${DIRECTORY}/snapshot.5`, Buffer.from('0000000000000000000000000001' + '2f', 'hex'));
    assert.throws(() => load(disk), /none of 1 snapshots in \/d\/version-2 can be loaded/);
  });

  test('a length that lies is refused before memory is spent', () => {
    const disk = new MemoryDisk();
    write(disk, 1, { nodes: [{ path: '/a', data: new Uint8Array(100) }] });
    const bytes = disk.contents(`${DIRECTORY}/snapshot.1`);
    const at = Buffer.from(bytes).indexOf('/a') + 2;
    bytes[at] = 0x7f;
    disk.put(`${DIRECTORY}/snapshot.1`, bytes);
    assert.throws(() => load(disk), /data length 2130706532/);
  });

  test('cut short at any byte, a snapshot never loads, except at the end of a section', () => {
    const disk = new MemoryDisk();
    write(disk, 1, { nodes: TREE, digest: { zxid: 1, high: 0, low: 7 } });
    const bytes = disk.contents(`${DIRECTORY}/snapshot.1`);
    const beforeDigest = bytes.length - 20 - 13;
    for (let at = 0; at < bytes.length; at++) {
      disk.put(`${DIRECTORY}/snapshot.1`, bytes.slice(0, at));
      let loaded = false;
      try {
        loaded = load(disk).name !== undefined;
      } catch (error) {
        assert.ok(error instanceof CorruptionFailure);
      }
      assert.equal(loaded, at === beforeDigest, `cut at ${at}`);
    }
  });
});

test('arbitrary bytes under any snapshot name load or are refused, nothing else', () => {
  const disk = new MemoryDisk();
  const prefixes = Object.values(SnapshotCompression).map((compression) => {
    const { name } = write(disk, 1, { nodes: TREE, compression });
    return { name, good: disk.contents(`${DIRECTORY}/${name}`) };
  });
  const edit = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 10 });
  fc.assert(
    fc.property(
      fc.constantFrom(...prefixes),
      fc.nat(200),
      fc.uint8Array({ maxLength: 300 }),
      edit,
      ({ name, good }, keep, tail, edits) => {
        const bytes = tail.length > 0 ? Buffer.concat([good.subarray(0, keep), tail]) : Buffer.from(good);
        for (const [at, value] of edits) if (bytes.length > 0) bytes[at % bytes.length] = value;
        const only = new MemoryDisk();
        only.put(`${DIRECTORY}/${name}`, bytes);
        try {
          load(only);
        } catch (error) {
          assert.ok(error instanceof CorruptionFailure, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('names are listed by zxid as a number', () => {
  const disk = new MemoryDisk();
  for (const zxid of [0x100000000, 0xff, 0x9]) write(disk, zxid, { nodes: TREE });
  const files = listSnapshots(disk, DIRECTORY);
  assert.deepEqual(
    files.map((file) => file.name),
    ['snapshot.9', 'snapshot.ff', 'snapshot.100000000'],
  );
  assert.ok(files.every((file) => looksWhole(disk, DIRECTORY, file)));
});

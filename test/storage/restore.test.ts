/** Recovery as a whole: snapshot choice, replay range, and every reason to refuse. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { CorruptionFailure, DataDirFailure } from '../../src/base/failure.ts';
import { openDataDir } from '../../src/storage/data-dir.ts';
import { type RestoreOptions, type RestoreResult, restore } from '../../src/storage/restore.ts';
import { range, SnapshotCollector, TxnCollector } from './support/collect.ts';
import { MemoryDisk } from './support/memory-disk.ts';

const ROLLED = join(import.meta.dirname, '../fixtures/apache-3.8.0/standalone-datadir-rolled/version-2');
const DIRECTORY = '/d/version-2';

/** The rolled fixture (snapshots 0 3 6 a e 12, logs 1 5 8 c 10 14; last zxid 14) without some of its files. */
function rolled(keep: (name: string) => boolean = () => true): MemoryDisk {
  const disk = new MemoryDisk();
  disk.putDirectory(DIRECTORY);
  for (const name of readdirSync(ROLLED).filter(keep)) {
    disk.put(`${DIRECTORY}/${name}`, readFileSync(join(ROLLED, name)));
  }
  return disk;
}

interface Restored extends RestoreResult {
  readonly begins: number[];
  readonly nodeCount: number;
  readonly zxids: number[];
  readonly warnings: string[];
}

function restored(disk: MemoryDisk, options: Partial<RestoreOptions> = {}): Restored {
  const dirs = openDataDir(disk, { dataDir: '/d', dataLogDir: '/d', autocreate: true });
  const snapshot = new SnapshotCollector();
  const txns = new TxnCollector();
  const warnings: string[] = [];
  const result = restore(disk, dirs, snapshot, txns, {
    trustEmptySnapshot: false,
    autocreateDatabase: true,
    acceptMissingRecords: false,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  return {
    ...result,
    begins: snapshot.begins,
    nodeCount: snapshot.nodes.length,
    zxids: txns.zxids,
    warnings,
  };
}

suite('restore', () => {
  test('newest snapshot and the records after it', () => {
    const { lastZxid, snapshot, txnCount, zxids, begins, warnings } = restored(rolled());
    assert.equal(lastZxid, 0x14);
    assert.equal(snapshot?.name, 'snapshot.12');
    assert.deepEqual(zxids, [0x13, 0x14]);
    assert.equal(txnCount, 2);
    assert.deepEqual(begins, [0x12]);
    assert.deepEqual(warnings, []);
  });

  test('from each of the snapshots alone', () => {
    for (const zxid of [0, 3, 6, 0xa, 0xe, 0x12]) {
      const name = `snapshot.${zxid.toString(16)}`;
      const { zxids, lastZxid } = restored(rolled((file) => file.startsWith('log.') || file === name));
      assert.deepEqual(zxids, range(zxid + 1, 0x14 - zxid));
      assert.equal(lastZxid, 0x14);
    }
  });

  test('a broken snapshot falls back to the one before, with its records', () => {
    const disk = rolled();
    const bytes = disk.contents(`${DIRECTORY}/snapshot.12`);
    bytes[100]! ^= 4;
    disk.put(`${DIRECTORY}/snapshot.12`, bytes);
    const { snapshot, zxids, begins, warnings } = restored(disk);
    assert.equal(snapshot?.name, 'snapshot.e');
    assert.deepEqual(zxids, range(0xf, 6));
    assert.deepEqual(begins, [0x12, 0xe]);
    assert.match(warnings[0]!, /snapshot\.12 is corrupt/);
  });

  test('a snapshot without any log', () => {
    const { lastZxid, txnCount } = restored(rolled((name) => name === 'snapshot.e'));
    assert.equal(lastZxid, 0xe);
    assert.equal(txnCount, 0);
  });

  test('log records without a snapshot are refused unless an empty one is trusted', () => {
    const onlyLogs = (name: string): boolean => name.startsWith('log.');
    assert.throws(() => restored(rolled(onlyLogs)), {
      name: 'CorruptionFailure',
      message: /No snapshot found, but there are log entries in .* Something is broken!/,
    });
    const { zxids, snapshot } = restored(rolled(onlyLogs), { trustEmptySnapshot: true });
    assert.equal(snapshot, null);
    assert.deepEqual(zxids, range(1, 0x14));
  });

  test('snapshots of which none is whole are refused, with logs or without', () => {
    for (const keep of [/^/, /^snapshot/]) {
      const disk = rolled((name) => keep.test(name));
      for (const name of disk.list(DIRECTORY).filter((file) => file.startsWith('snapshot'))) {
        disk.put(`${DIRECTORY}/${name}`, disk.contents(`${DIRECTORY}/${name}`).slice(0, -3));
      }
      assert.throws(() => restored(disk), /6 snapshot file\(s\)|5 snapshot file\(s\) and none is whole/);
    }
  });

  test('snapshots that look whole and do not load are refused', () => {
    const disk = rolled((name) => name === 'snapshot.0' || name.startsWith('log.'));
    const bytes = disk.contents(`${DIRECTORY}/snapshot.0`);
    bytes[60]! ^= 1;
    disk.put(`${DIRECTORY}/snapshot.0`, bytes);
    assert.throws(() => restored(disk), CorruptionFailure);
  });

  test('nothing at all is an empty database if autocreate or the marker allows it', () => {
    const none = (): MemoryDisk => rolled(() => false);
    assert.deepEqual(restored(none()).lastZxid, 0);
    assert.throws(() => restored(none(), { autocreateDatabase: false }), DataDirFailure);
    const marked = none();
    marked.put('/d/initialize', new Uint8Array(0));
    assert.equal(restored(marked, { autocreateDatabase: false }).lastZxid, 0);
    assert.equal(marked.stat('/d/initialize'), null, 'the marker is used up');
  });

  test('remains of a first start that was cut off do not hinder the next', () => {
    const disk = rolled(() => false);
    disk.put(`${DIRECTORY}/snapshot.0`, Buffer.from('ZKSN'));
    assert.equal(restored(disk).lastZxid, 0);
  });

  test('a torn tail is cut off, once', () => {
    const disk = rolled((name) => name !== 'log.14');
    const path = `${DIRECTORY}/log.10`;
    const lastRecord = disk.contents(path).lastIndexOf(0x42);
    disk.put(path, disk.contents(path).slice(0, lastRecord));
    const first = restored(disk);
    assert.equal(first.lastZxid, 0x12);
    assert.match(first.warnings[0]!, /log\.10 is torn at offset \d+/);
    assert.ok(disk.contents(path).length < lastRecord);
    const second = restored(disk);
    assert.equal(second.lastZxid, 0x12);
    assert.deepEqual(second.warnings, []);
  });

  test('a corrupt log is refused and left as it is', () => {
    const disk = rolled();
    const path = `${DIRECTORY}/log.10`;
    const bytes = disk.contents(path);
    bytes[60]! ^= 8;
    disk.put(path, bytes);
    assert.throws(() => restored(disk), /log\.10 is corrupt at offset 16: CRC check failed/);
    assert.deepEqual(disk.contents(path), bytes);
  });
});

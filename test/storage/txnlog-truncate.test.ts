/** Cutting the history behind a zxid, saving an epoch, and reading a range beside the log: whole at any crash. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { CorruptionFailure, StorageFailure } from '../../src/base/failure.ts';
import { Prng } from '../../src/base/prng.ts';
import { EpochKind, readEpoch, saveEpoch } from '../../src/storage/epoch-files.ts';
import { readSyncedZxid } from '../../src/storage/synced-zxid.ts';
import { TxnlogRange } from '../../src/storage/txnlog-range.ts';
import { discardSnapshots } from '../../src/storage/txnlog-truncate.ts';
import { appendAll, appender, DIRECTORY, payload, range, readBack } from './support/collect.ts';
import { MemoryDisk } from './support/memory-disk.ts';
import { restoreFrom } from './support/restore-from.ts';

/** Records 1 to 12 in log.1, log.5 and log.9; the appender has one more staged. */
function threeFiles(disk = new MemoryDisk()): ReturnType<typeof appender> {
  const log = appender(disk, 0, { preallocBytes: 8192 });
  for (const first of [1, 5, 9]) {
    appendAll(log, first, [40, 700, 50, 60]);
    if (first < 9) log.roll();
  }
  log.append(13, payload(13, 40), 0, 40);
  return log;
}

const logsOf = (disk: MemoryDisk): string[] =>
  disk
    .list(DIRECTORY)
    .filter((name) => name.startsWith('log.'))
    .sort();

suite('truncate', () => {
  test('to every zxid: nothing behind it remains, the log goes on behind it', () => {
    for (let zxid = 0; zxid <= 14; zxid++) {
      const disk = new MemoryDisk();
      const log = threeFiles(disk);
      log.truncate(zxid);
      const last = Math.min(zxid, 13);
      assert.equal(log.durableZxid, last);
      assert.deepEqual(readBack(disk).zxids, range(1, last));
      assert.equal(readSyncedZxid(disk, DIRECTORY), last);
      appendAll(log, last + 1, [80]);
      log.close();
      const { zxids, warnings } = restoreFrom(disk.crash(new Prng(zxid)));
      assert.deepEqual(zxids, range(1, last + 1));
      assert.deepEqual(warnings, []);
    }
  });

  test('to a zxid that is in no record: behind the last one before it, in Apache the next one stays', () => {
    const disk = new MemoryDisk();
    appendAll(appender(disk), 1, [40, 40]);
    const log = appender(disk, 7); // 3 to 7 are in a snapshot
    appendAll(log, 8, [40, 40]);
    log.truncate(7);
    assert.equal(log.durableZxid, 7);
    assert.deepEqual(logsOf(disk), ['log.1']);
  });

  test('a crash at any call leaves a history without a gap that can be cut again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 13 }), fc.nat(25), fc.integer(), (zxid, calls, seed) => {
        const prng = new Prng(seed);
        const disk = new MemoryDisk();
        const log = threeFiles(disk);
        log.commit();
        if (prng.chance(0.5)) log.noteSynced();
        disk.callsLeft = calls;
        let isDone = true;
        try {
          log.truncate(zxid);
        } catch (error) {
          assert.ok(error instanceof StorageFailure, String(error));
          isDone = false;
          assert.throws(() => log.commit(), StorageFailure, 'a log that has failed is not used again');
        }
        disk.callsLeft = Infinity;
        const after = prng.chance(0.7) ? disk.crash(prng) : disk;
        const { zxids } = restoreFrom(after);
        assert.deepEqual(zxids, range(1, zxids.length));
        if (isDone) assert.equal(zxids.length, zxid);
        else assert.ok(zxids.length >= zxid, `${zxids.length} of ${zxid}`);
        appender(after, zxids.length).truncate(zxid);
        assert.deepEqual(restoreFrom(after.crash(prng)).zxids, range(1, zxid));
      }),
      { numRuns: 400 },
    );
  });

  test('damage in front of the place is refused', () => {
    const disk = new MemoryDisk();
    const log = threeFiles(disk);
    log.commit();
    disk.flipBit(`${DIRECTORY}/log.9`, 60, 4);
    assert.throws(() => log.truncate(11), /log\.9 is corrupt at offset 16: .*cannot be cut behind zxid 0xb/);
  });

  test('snapshots behind the zxid go, the newest first', () => {
    const disk = new MemoryDisk();
    for (const name of ['snapshot.3', 'snapshot.7', 'snapshot.9.gz', 'log.1']) {
      disk.put(`${DIRECTORY}/${name}`, new Uint8Array(20));
    }
    discardSnapshots(disk, DIRECTORY, 5);
    assert.deepEqual(disk.list(DIRECTORY).sort(), ['log.1', 'snapshot.3']);
    const [first, second] = disk.calls.filter((call) => call.startsWith('remove'));
    assert.match(first!, /snapshot\.9\.gz$/);
    assert.match(second!, /snapshot\.7$/);
  });
});

suite('a range', () => {
  const zxidsOf = (records: TxnlogRange): number[] => {
    const zxids: number[] = [];
    while (records.next()) {
      const { bytes, start, end, zxid } = records.record;
      assert.deepEqual(bytes.slice(start, end), payload(zxid, end - start));
      zxids.push(zxid);
    }
    return zxids;
  };

  test('of every two zxids, over files, without the marks', () => {
    const disk = new MemoryDisk();
    threeFiles(disk).commit();
    for (let from = 1; from <= 13; from++) {
      for (let to = from; to <= 13; to++) {
        assert.deepEqual(zxidsOf(new TxnlogRange(disk, DIRECTORY, from, to)), range(from, to - from + 1));
      }
    }
  });

  test('is read while the log goes on, and never looks at what is half written', () => {
    const disk = new MemoryDisk();
    const log = threeFiles(disk);
    const to = log.commit();
    const records = new TxnlogRange(disk, DIRECTORY, 3, to);
    assert.ok(records.next());
    appendAll(log, 14, [40, 40]);
    log.roll();
    // Half a record behind the range, as a reader beside the log thread may see it.
    const live = disk.open(`${DIRECTORY}/log.9`, 'update');
    const at = disk.contents(`${DIRECTORY}/log.9`).findLastIndex((byte) => byte !== 0) + 1;
    live.write(new Uint8Array(30).fill(0xaa), 0, 30, at);
    assert.deepEqual(zxidsOf(records), range(4, 10));
    assert.deepEqual(zxidsOf(new TxnlogRange(disk, DIRECTORY, 12, 13)), [12, 13]);
  });

  test('that does not reach back begins later; one that ends early or has lost a file says so', () => {
    const disk = new MemoryDisk();
    threeFiles(disk).commit();
    disk.remove(`${DIRECTORY}/log.1`);
    const late = new TxnlogRange(disk, DIRECTORY, 2, 13);
    assert.ok(late.next());
    assert.equal(late.record.zxid, 5);
    late.close();
    assert.throws(() => zxidsOf(new TxnlogRange(disk, DIRECTORY, 6, 20)), {
      name: 'CorruptionFailure',
      message: /has no record 0x14, which has been synced: it ends at 0xd/,
    });
    const purged = new TxnlogRange(disk, DIRECTORY, 6, 13);
    disk.remove(`${DIRECTORY}/log.9`);
    assert.throws(() => zxidsOf(purged), StorageFailure);
  });
});

suite('epochs', () => {
  test('are read back in the form of Apache, and anything else is refused', () => {
    const disk = new MemoryDisk();
    disk.putDirectory(DIRECTORY);
    assert.equal(readEpoch(disk, DIRECTORY, EpochKind.accepted), null);
    saveEpoch(disk, DIRECTORY, EpochKind.accepted, 12);
    assert.equal(readEpoch(disk, DIRECTORY, EpochKind.accepted), 12);
    assert.equal(Buffer.from(disk.contents(`${DIRECTORY}/acceptedEpoch`)).toString(), '12');
    disk.put(`${DIRECTORY}/currentEpoch`, Buffer.from('3\n'));
    assert.equal(readEpoch(disk, DIRECTORY, EpochKind.current), 3);
    for (const text of ['', '-1', 'x', '12345678901', '1 2']) {
      disk.put(`${DIRECTORY}/currentEpoch`, Buffer.from(text));
      assert.throws(() => readEpoch(disk, DIRECTORY, EpochKind.current), CorruptionFailure, text);
    }
  });

  test('are the old or the new one after a crash at any call, and the new one once it is said', () => {
    for (let calls = 0; calls < 10; calls++) {
      for (let seed = 0; seed < 30; seed++) {
        const disk = new MemoryDisk();
        disk.put(`${DIRECTORY}/currentEpoch`, Buffer.from('4'));
        disk.put(`${DIRECTORY}/currentEpoch.tmp`, Buffer.from('of an attempt before'));
        disk.callsLeft = calls;
        let isSaved = true;
        try {
          saveEpoch(disk, DIRECTORY, EpochKind.current, 5);
        } catch (error) {
          assert.ok(error instanceof StorageFailure, String(error));
          isSaved = false;
        }
        const epoch = readEpoch(disk.crash(new Prng(seed)), DIRECTORY, EpochKind.current);
        assert.ok(isSaved ? epoch === 5 : epoch === 4 || epoch === 5, `${epoch} after ${calls} calls`);
      }
    }
  });
});

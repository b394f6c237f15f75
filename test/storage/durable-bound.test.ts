/**
 * What was acknowledged is never taken for a torn write: marks of batches prove it at once, the bound beside the log a
 * little later for the last batch too. And a torn write is never taken for corruption.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { CorruptionFailure, StorageFailure } from '../../src/base/failure.ts';
import { Prng } from '../../src/base/prng.ts';
import { isMarkable, LEAD_RECORDS_MAX } from '../../src/storage/batch-mark.ts';
import { readSyncedZxid, SYNCED_NAME, SyncedZxid } from '../../src/storage/synced-zxid.ts';
import type { TxnlogAppender } from '../../src/storage/txnlog-appender.ts';
import { appender, DIRECTORY, payload, range } from './support/collect.ts';
import { MemoryDisk } from './support/memory-disk.ts';
import { SECTOR_BYTES } from './support/memory-inode.ts';
import { restoreFrom } from './support/restore-from.ts';
import { damageSomewhere } from './support/sector-faults.ts';

const LOG = `${DIRECTORY}/log.1`;

/** Eight records of 700 bytes, each written and synced on its own. */
function eight(end: (log: TxnlogAppender) => void): MemoryDisk {
  const disk = new MemoryDisk();
  const log = appender(disk, 0, { preallocBytes: 65536 });
  for (const zxid of range(1, 8)) {
    log.append(zxid, payload(zxid, 700), 0, 700);
    log.commit();
  }
  end(log);
  return disk;
}

const killed = (): void => {};
const noted = (log: TxnlogAppender): void => log.noteSynced();
const stopped = (log: TxnlogAppender): void => log.close();

suite('a sector of synced records', () => {
  test('zeroed in the middle: refused with file, offset, reason and what to do, without any bound', () => {
    const disk = eight(killed).crash(new Prng(1));
    disk.zeroSector(LOG, 4); // bytes 2048 to 2560, within record 3
    assert.equal(readSyncedZxid(disk, DIRECTORY), -1);
    assert.throws(() => restoreFrom(disk), {
      name: 'CorruptionFailure',
      message:
        /log\.1 is corrupt at offset 1464: .*, and the batch of zxid 0x5 at offset 2912 was begun when this had been synced; .*restore the file/,
    });
  });

  test('stale, swapped or with a flipped bit: the same', () => {
    for (const damage of [
      (disk: MemoryDisk) => assert.ok(disk.staleSector(LOG, 4)),
      (disk: MemoryDisk) => disk.swapSectors(LOG, 4, 6),
      (disk: MemoryDisk) => disk.swapSectors(LOG, 4, 100),
      (disk: MemoryDisk) => disk.flipBit(LOG, 2100, 4),
    ]) {
      const disk = eight(killed).crash(new Prng(1));
      damage(disk);
      assert.throws(
        () => restoreFrom(disk),
        /log\.1 is corrupt at offset (1464|2188): .*begun when this had been synced/,
      );
    }
  });

  test('zeroed in the last batch: refused once a second or a stop has passed, else no one can tell', () => {
    for (const [end, refused] of [
      [killed, false],
      [noted, true],
      [stopped, true],
    ] as const) {
      const disk = eight(end);
      for (const sector of range(10, 3)) disk.zeroSector(LOG, sector); // records 8 and the end of 7
      if (refused)
        assert.throws(
          () => restoreFrom(disk),
          /synced up to zxid 0x8, and what is there ends at 0x7 \(.*log\.1 is torn at offset/,
        );
      else assert.deepEqual(restoreFrom(disk).zxids, range(1, 7));
    }
  });

  test('the whole file gone, or replaced by an older copy', () => {
    const gone = eight(stopped);
    gone.remove(LOG);
    assert.throws(
      () => restoreFrom(gone),
      /ends at 0x0 \(log files may have been removed or replaced\): .*restore the files/,
    );
    const older = eight(stopped);
    older.put(LOG, older.contents(LOG).subarray(0, 16 + 3 * 724));
    assert.throws(() => restoreFrom(older), /synced up to zxid 0x8, and what is there ends at 0x3/);
    const { zxids, warnings } = restoreFrom(older, { acceptMissingRecords: true });
    assert.deepEqual(zxids, range(1, 3));
    assert.match(warnings.join(), /acknowledged writes are lost/);
    assert.deepEqual(restoreFrom(older).zxids, range(1, 3), 'once is enough');
  });
});

suite('a write that begins with bare headers, which carry no mark', () => {
  const leads = (count: number, length: number): number[] => Array.from({ length: count }, () => length);

  /** Two writes: one record from offset 16 to 1340, and all of `lengths`. */
  function two(lengths: readonly number[], end: (log: TxnlogAppender) => void = killed): MemoryDisk {
    const disk = new MemoryDisk();
    const log = appender(disk, 0, { preallocBytes: 65536 });
    log.append(1, payload(1, 1300), 0, 1300);
    log.commit();
    for (const [i, length] of lengths.entries()) log.append(i + 2, payload(i + 2, length), 0, length);
    log.commit();
    end(log);
    return disk;
  }

  test('the first record that can carry one tells where the write began: what is before it was synced', () => {
    for (const lengths of [
      [44, 60],
      [32, 44, 60],
      [44, 32, 32, 60],
      [...leads(LEAD_RECORDS_MAX, 44), 60],
    ]) {
      const disk = two(lengths);
      assert.deepEqual(restoreFrom(disk).zxids, range(1, 1 + lengths.length));
      disk.zeroSector(LOG, 1); // within record 1
      const marked = (1 + lengths.length).toString(16);
      assert.throws(
        () => restoreFrom(disk),
        new RegExp(
          `log\\.1 is corrupt at offset 16: .*the batch of zxid 0x${marked} at offset 1340 was begun when`,
        ),
        String(lengths),
      );
    }
  });

  test('damage within the write itself is torn, whatever of it is whole: nothing of it was acknowledged', () => {
    for (const [lengths, kept] of [
      [[...leads(5, 44), 700, 700], 4], // the last bare one and the marked one are gone, the one behind is whole
      [[700, 44, 700], 1],
    ] as const) {
      const disk = two(lengths);
      disk.zeroSector(LOG, 3); // bytes 1536 to 2048
      assert.deepEqual(restoreFrom(disk).zxids, range(1, kept));
    }
  });

  test('more of them than a reader looks back over, or nothing else: no mark; the bound tells a little later', () => {
    for (const lengths of [leads(LEAD_RECORDS_MAX + 3, 44), [...leads(LEAD_RECORDS_MAX + 1, 32), 60]]) {
      const disk = two(lengths);
      assert.deepEqual(restoreFrom(disk).zxids, range(1, 1 + lengths.length));
      disk.zeroSector(LOG, 1);
      assert.deepEqual(restoreFrom(disk).zxids, [], 'no one can tell');
      const bounded = two(lengths, noted);
      bounded.zeroSector(LOG, 1);
      assert.throws(
        () => restoreFrom(bounded),
        /synced up to zxid 0x[0-9a-f]+, and what is there ends at 0x0/,
      );
    }
  });
});

suite('the bound', () => {
  test('is read back, and anything else in its place is none', () => {
    const disk = new MemoryDisk();
    disk.putDirectory(DIRECTORY);
    const synced = new SyncedZxid(disk, DIRECTORY);
    synced.note(0x1_0000_0005);
    assert.equal(readSyncedZxid(disk, DIRECTORY), 0x1_0000_0005);
    synced.note(7);
    assert.equal(readSyncedZxid(disk, DIRECTORY), 0x1_0000_0005, 'notes only grow');
    synced.set(7);
    assert.equal(readSyncedZxid(disk, DIRECTORY), 7, 'a cut of the log may lower it');
    synced.close();
    const path = `${DIRECTORY}/${SYNCED_NAME}`;
    const bytes = disk.contents(path);
    for (let at = 0; at < bytes.length; at++) {
      disk.put(
        path,
        bytes.map((byte, i) => (i === at ? byte ^ 0x10 : byte)),
      );
      assert.equal(readSyncedZxid(disk, DIRECTORY), -1, `byte ${at}`);
      disk.put(path, bytes.subarray(0, at));
      assert.equal(readSyncedZxid(disk, DIRECTORY), -1, `cut at ${at}`);
    }
  });

  test('a second of the log costs one write and no sync; a stop syncs it', () => {
    const disk = eight(noted);
    const path = `${DIRECTORY}/${SYNCED_NAME}`;
    const calls = (): string[] => disk.calls.filter((call) => call.includes(SYNCED_NAME));
    assert.deepEqual(calls(), [`create ${path}`, `write ${path} 0 20`]);
    const log = appender(disk, 8);
    log.noteSynced();
    log.noteSynced();
    assert.equal(calls().length, 3, 'nothing new, nothing written');
    log.close();
    assert.equal(calls().at(-1), `sync ${path}`);
  });
});

/** Bare headers, which carry no mark, as often as all else. */
function anyLength(prng: Prng): number {
  return prng.chance(0.5) ? prng.pick([32, 44]) : 33 + prng.below(prng.pick([50, 300, 3000]));
}

/** Lives of a server, each ended by a kill of the process or of the machine, or a stop; then a look at what is there. */
function liveAndDie(
  prng: Prng,
  disk: MemoryDisk,
  zxid: number,
): { readonly acknowledged: number; readonly after: MemoryDisk } {
  let acknowledged = zxid;
  let next = zxid;
  const log = appender(disk, zxid, { preallocBytes: prng.pick([0, 8192]) });
  disk.callsLeft = prng.below(40);
  try {
    for (;;) {
      for (let n = prng.below(6); n >= 0; n--) {
        const length = anyLength(prng);
        next++;
        log.append(next, payload(next, length), 0, length);
      }
      acknowledged = log.commit();
      if (prng.chance(0.3)) log.noteSynced();
      if (prng.chance(0.1)) log.roll();
      if (prng.chance(0.05)) {
        log.close();
        break;
      }
    }
  } catch (error) {
    assert.ok(error instanceof StorageFailure, String(error));
  }
  disk.callsLeft = Infinity;
  return { acknowledged, after: prng.chance(0.5) ? disk : disk.crash(prng) };
}

test('kills of process and machine at any call: nothing acknowledged is lost, nothing healthy is refused', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const prng = new Prng(seed);
      let disk = new MemoryDisk();
      disk.directBlockBytes = prng.pick([1, 4096]);
      disk.putDirectory(DIRECTORY);
      let zxid = 0;
      for (let life = 0; life < 6; life++) {
        const { acknowledged, after } = liveAndDie(prng, disk, zxid);
        disk = after;
        assert.ok(readSyncedZxid(disk, DIRECTORY) <= acknowledged, 'the bound is true');
        const { zxids } = restoreFrom(disk);
        assert.deepEqual(zxids, range(1, zxids.length));
        assert.ok(zxids.length >= acknowledged, `${zxids.length} of ${acknowledged}`);
        zxid = zxids.length;
        if (prng.chance(0.3)) {
          disk = disk.crash(prng);
          assert.equal(restoreFrom(disk).zxids.length, zxid, 'what was restored is on the disk');
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('damaged sectors of synced records: all that was acknowledged, or a refusal', () => {
  let refusals = 0;
  let harmless = 0;
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const prng = new Prng(seed);
      const disk = new MemoryDisk();
      disk.directBlockBytes = prng.pick([1, 4096]);
      const log = appender(disk, 0, { preallocBytes: prng.pick([0, 8192]) });
      let zxid = 0;
      let lastBegun = 0;
      // Of the last batch that has a mark: one that begins with nothing but bare headers has none, and proves nothing.
      let lastWrite = 0;
      for (let batches = 2 + prng.below(12); batches > 0; batches--) {
        const begun = zxid;
        let isMarked = false;
        for (let n = prng.below(prng.pick([5, 5, 12])); n >= 0; n--) {
          const length = anyLength(prng);
          if (zxid - begun <= LEAD_RECORDS_MAX && isMarkable(length)) isMarked = true;
          zxid++;
          log.append(zxid, payload(zxid, length), 0, length);
        }
        log.commit();
        if (!isMarked) continue;
        lastBegun = begun;
        lastWrite = newestWrite(disk)[1];
      }
      const [path] = newestWrite(disk);
      // Only in front of the last batch with a mark, or anywhere if all has been noted.
      const isNoted = lastWrite < SECTOR_BYTES || prng.chance(0.5);
      if (isNoted) log.noteSynced();
      damageSomewhere(prng, disk, path, isNoted ? disk.contents(path).length : lastWrite);
      try {
        const { zxids } = restoreFrom(disk);
        assert.deepEqual(
          zxids,
          range(1, zxid),
          `lost behind ${zxids.length}, last marked batch from ${lastBegun + 1}`,
        );
        harmless++;
      } catch (error) {
        assert.ok(error instanceof CorruptionFailure, String(error));
        refusals++;
      }
    }),
    { numRuns: 600 },
  );
  assert.ok(refusals > 200, `${refusals} refused, ${harmless} harmless`);
});

/** The log that was written last, and where its last write began. */
function newestWrite(disk: MemoryDisk): [path: string, position: number] {
  const words = disk.calls.findLast((call) => /^write .*log\./.test(call))!.split(' ');
  return [words[1]!, Number(words[2])];
}

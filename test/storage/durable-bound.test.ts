/**
 * What was acknowledged is never taken for a torn write: marks of batches prove it at once, the bound beside the log a
 * little later for the last batch too. And a torn write is never taken for corruption.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { CorruptionFailure, StorageFailure } from '../../src/base/failure.ts';
import { Prng } from '../../src/base/prng.ts';
import { isMarkable } from '../../src/storage/batch-mark.ts';
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
        const length = 32 + prng.below(prng.pick([50, 300, 3000]));
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
      // Of the last batch that has a mark: one that begins with an empty closeSession has none, and proves nothing.
      let lastWrite = 0;
      for (let batches = 2 + prng.below(12); batches > 0; batches--) {
        const begun = zxid;
        let isMarked = true;
        for (let n = prng.below(5); n >= 0; n--) {
          const length = 33 + prng.below(prng.pick([50, 300, 3000]));
          if (zxid === begun) isMarked = isMarkable(length);
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

/** The group-commit machine: layout on disk, order of calls, rolling, and what a failing disk may not do. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { AssertionFailure } from '../../src/base/assert.ts';
import { StorageFailure } from '../../src/base/failure.ts';
import { Prng } from '../../src/base/prng.ts';
import { BATCH_MARK_BYTES } from '../../src/storage/batch-mark.ts';
import { SnapshotTrigger } from '../../src/storage/snapshot-trigger.ts';
import { TxnlogAppender } from '../../src/storage/txnlog-appender.ts';
import { LOG_WRITE_BYTES_MAX, paddedSize } from '../../src/storage/txnlog-format.ts';
import { settleTxnlogs } from '../../src/storage/txnlog-reader.ts';
import { appendAll, appender, DIRECTORY, payload, QUIET, range, readBack } from './support/collect.ts';
import { MemoryDisk } from './support/memory-disk.ts';

suite('layout', () => {
  test('header, framing and name are those of the format page', () => {
    const disk = new MemoryDisk();
    const log = appender(disk, 0x1f);
    for (const zxid of [0x20, 0x21]) log.append(zxid, payload(zxid, 40), 0, 40);
    log.commit();
    const bytes = Buffer.from(disk.contents(`${DIRECTORY}/log.20`));
    assert.equal(bytes.toString('latin1', 0, 4), 'ZKLG');
    assert.equal(bytes.readInt32BE(4), 2);
    assert.equal(bytes.readBigInt64BE(8), 0x524b62n, 'batches are marked');
    assert.equal(bytes.readInt32BE(24), 40 + BATCH_MARK_BYTES);
    assert.deepEqual(bytes.subarray(28, 68), Buffer.from(payload(0x20, 40)));
    assert.equal(bytes.toString('hex', 72, 79), '524b62ff726b00');
    assert.equal(bytes[79], 0x42);
    assert.equal(bytes.readInt32BE(88), 40, 'only the first of a write is marked');
    assert.deepEqual(bytes.subarray(92, 132), Buffer.from(payload(0x21, 40)));
    assert.equal(bytes.length, 133);
  });

  test('without syncs nothing is proven, so nothing is marked; nor is what a mark could be misread in', () => {
    const disk = new MemoryDisk();
    appendAll(appender(disk, 0, { forceSync: false }), 1, [40]);
    const bytes = Buffer.from(disk.contents(`${DIRECTORY}/log.1`));
    assert.deepEqual([bytes.readBigInt64BE(8), bytes.length], [0n, 69]);
    const bare = new MemoryDisk();
    appendAll(appender(bare), 1, [32, 44, 33]);
    const recordBytes = [32, 44, 33 + BATCH_MARK_BYTES].map((length) => length + 13);
    assert.equal(bare.contents(`${DIRECTORY}/log.1`).length, 16 + recordBytes.reduce((a, b) => a + b));
    assert.deepEqual(readBack(bare).zxids, [1, 2, 3]);
  });

  test('what is appended is read back, whatever the sizes, by ordinary and by direct writes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 32, max: 5000 }), { minLength: 1, maxLength: 40 }),
        fc.constantFrom(1, 512, 4096),
        (lengths, blockBytes) => {
          const disk = new MemoryDisk();
          disk.directBlockBytes = blockBytes;
          const log = appender(disk, 0, { preallocBytes: 16384 });
          appendAll(log, 1, lengths);
          const { txns } = readBack(disk);
          assert.deepEqual(
            txns.map((txn) => txn.payload),
            lengths.map((length, i) => payload(i + 1, length)),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  test('preallocation follows the rule of Apache: 16 + step, then one step more before it is full', () => {
    const disk = new MemoryDisk();
    const log = appender(disk, 0, { preallocBytes: 16384 });
    appendAll(log, 1, [100]);
    assert.equal(disk.stat(`${DIRECTORY}/log.1`)!.bytes, 16 + 16384);
    appendAll(log, 2, [12_200]);
    assert.equal(disk.stat(`${DIRECTORY}/log.1`)!.bytes, 16 + 16384);
    appendAll(log, 3, [100]);
    assert.equal(disk.stat(`${DIRECTORY}/log.1`)!.bytes, 16 + 2 * 16384);
    appendAll(log, 4, [100_000]);
    appendAll(log, 5, [100]);
    assert.equal(disk.stat(`${DIRECTORY}/log.1`)!.bytes % 16384, 0, 'overtaken: rounded to whole steps');
    assert.deepEqual(readBack(disk).zxids, [1, 2, 3, 4, 5]);
    assert.equal(paddedSize(100, 50, 0), 50, 'no preallocation');
  });

  test('a payload larger than the buffer and one of 2 MiB pass', () => {
    const disk = new MemoryDisk();
    const log = appender(disk);
    appendAll(log, 1, [LOG_WRITE_BYTES_MAX + 1000, 2 * 1024 * 1024, 32]);
    assert.deepEqual(readBack(disk).zxids, [1, 2, 3]);
  });
});

suite('commit', () => {
  test('one write and one sync per batch; the file and its name are durable before the first record', () => {
    const disk = new MemoryDisk();
    const log = appender(disk, 0, { preallocBytes: 65536 });
    for (const zxid of range(1, 10)) log.append(zxid, payload(zxid, 100), 0, 100);
    assert.equal(log.durableZxid, 0);
    assert.equal(log.commit(), 10);
    const path = `${DIRECTORY}/log.1`;
    assert.deepEqual(disk.calls, [
      `create ${path}`,
      `write ${path} 0 16`,
      `truncate ${path} 65552`,
      `sync ${path}`,
      `syncDirectory ${DIRECTORY}`,
      `write ${path} 16 65536`, // zeros for those that follow
      `sync ${path}`,
    ]);
    assert.equal(log.commit(), 10);
    assert.equal(disk.calls.length, 7, 'nothing staged, nothing done');
    assert.equal(log.byteCount, 1130 + BATCH_MARK_BYTES);
  });

  test('small batches find their blocks written, up to the padding and not beyond', () => {
    for (const blockBytes of [1, 4096]) {
      const disk = new MemoryDisk();
      disk.directBlockBytes = blockBytes;
      const preallocBytes = 1024 * 1024;
      const log = appender(disk, 0, { preallocBytes });
      let writtenEnd = 0;
      let growing = 0;
      for (const zxid of range(1, 700)) {
        log.append(zxid, payload(zxid, 1000), 0, 1000);
        log.commit();
        const [position, length] = lastWrite(disk);
        if (position + length > writtenEnd) growing++;
        writtenEnd = Math.max(writtenEnd, position + length);
        assert.ok(writtenEnd <= 16 + preallocBytes);
      }
      assert.ok(growing <= 4, `${growing} of 700 batches made the file system write more than data`);
      assert.deepEqual(readBack(disk).zxids, range(1, 700));
    }
  });

  test('a large batch takes no zeros with it, nor does a log without syncs or padding', () => {
    const lengthOf = (bytes: number, options: Parameters<typeof appender>[2]): number => {
      const disk = new MemoryDisk();
      appendAll(appender(disk, 0, options), 1, [bytes]);
      return lastWrite(disk)[1];
    };
    const preallocBytes = 1024 * 1024;
    assert.equal(lengthOf(100_000, { preallocBytes }), 100_013 + BATCH_MARK_BYTES);
    assert.equal(lengthOf(1000, { preallocBytes, forceSync: false }), 1013);
    assert.equal(lengthOf(1000, { preallocBytes: 0 }), 1013 + BATCH_MARK_BYTES);
    assert.ok(lengthOf(1000, { preallocBytes }) > 200_000);
  });

  test('a batch larger than the buffer is synced piece by piece', () => {
    const disk = new MemoryDisk();
    const log = appender(disk);
    const count = 5;
    for (const zxid of range(1, count)) log.append(zxid, payload(zxid, 1_500_000), 0, 1_500_000);
    assert.equal(log.commit(), count);
    const records = disk.calls.filter((call) => call.startsWith('write ') && !call.endsWith(' 0 16'));
    assert.equal(records.length, 3);
    for (const call of records) assert.ok(Number(call.split(' ').at(-1)) <= LOG_WRITE_BYTES_MAX, call);
    assert.deepEqual(readBack(disk).zxids, range(1, count));
  });

  test('forceSync=no never syncs', () => {
    const disk = new MemoryDisk();
    const log = appender(disk, 0, { forceSync: false });
    appendAll(log, 1, [50, 50]);
    assert.equal(log.durableZxid, 2);
    assert.equal(disk.calls.filter((call) => call.startsWith('sync')).length, 0);
  });

  test('a slow sync is reported with its duration and file', () => {
    let now = 0;
    const slow: string[] = [];
    const options = {
      nowMs: () => (now += 700),
      slowSyncMs: 600,
      onSlowSync: (ms: number, path: string) => slow.push(`${ms} ${path}`),
    };
    appendAll(appender(new MemoryDisk(), 0, options), 1, [50]);
    assert.deepEqual(slow, [`700 ${DIRECTORY}/log.1`, `700 ${DIRECTORY}/log.1`]);
  });

  test('zxids that do not grow and payloads out of bounds are broken invariants', () => {
    const log = appender(new MemoryDisk(), 5);
    assert.throws(() => log.append(5, payload(5, 40), 0, 40), AssertionFailure);
    assert.throws(() => log.append(6, payload(6, 40), 0, 31), AssertionFailure);
  });
});

suite('roll', () => {
  test('the next record opens a file of its name; what was staged goes to the old one', () => {
    const disk = new MemoryDisk();
    const log = appender(disk);
    log.append(1, payload(1, 50), 0, 50);
    log.roll();
    assert.equal(log.durableZxid, 1);
    log.roll();
    appendAll(log, 2, [50, 50]);
    log.close();
    assert.deepEqual(disk.list(DIRECTORY).sort(), ['log.1', 'log.2', 'ringkeeper.synced']);
    assert.deepEqual(readBack(disk).zxids, [1, 2, 3]);
    assert.deepEqual(readBack(disk, 3).zxids, [3]);
  });

  test('a file beyond the size limit is closed after the commit', () => {
    const disk = new MemoryDisk();
    const log = appender(disk, 0, { fileBytesMax: 150, preallocBytes: 4096 });
    appendAll(log, 1, [50, 60, 50]);
    assert.deepEqual(disk.list(DIRECTORY).sort(), ['log.1', 'log.3']);
  });

  test('a process never continues a file of another', () => {
    const disk = new MemoryDisk();
    appendAll(appender(disk), 1, [50]);
    appendAll(appender(disk, 1), 2, [50]);
    assert.deepEqual(disk.list(DIRECTORY).sort(), ['log.1', 'log.2']);
    assert.throws(() => appendAll(appender(disk, 0), 1, [50]), StorageFailure, 'never overwrites records');
  });

  test('the trigger fires between half and all of snapCount, and again after a roll', () => {
    const disk = new MemoryDisk();
    disk.putDirectory(DIRECTORY);
    for (let seed = 1; seed <= 20; seed++) {
      const trigger = new SnapshotTrigger({ snapCount: 10, snapBytesMax: 0 }, new Prng(seed));
      const log = new TxnlogAppender(disk, DIRECTORY, seed * 100, trigger, QUIET);
      for (let zxid = seed * 100 + 1, round = 0; round < 2; round++) {
        let count = 0;
        for (; !log.rollDue; zxid++, count++) log.append(zxid, payload(zxid, 40), 0, 40);
        assert.ok(count >= 6 && count <= 10, `fired after ${count}`);
        log.roll();
        assert.ok(!log.rollDue);
      }
    }
  });

  test('the trigger fires by bytes too', () => {
    const trigger = new SnapshotTrigger({ snapCount: 1_000_000, snapBytesMax: 1000 }, new Prng(3));
    for (let i = 0; i < 5; i++) trigger.onTxn(100);
    assert.ok(!trigger.due);
    for (let i = 0; i < 5; i++) trigger.onTxn(100);
    assert.ok(trigger.due);
  });
});

suite('direct writes', () => {
  test('the file holds the same bytes as by ordinary writes, and zeros to the end of the block', () => {
    const contents = [1, 4096].map((blockBytes) => {
      const disk = new MemoryDisk();
      disk.directBlockBytes = blockBytes;
      const log = appender(disk);
      // Within a block, across one, to exactly its end (16 + 3 × 24 + 100 + 3000 + 908 = 4096), and behind a roll.
      appendAll(log, 1, [100, 3000, 908, 50, 6 * 1024 * 1024]);
      log.roll();
      appendAll(log, 6, [70]);
      return ['log.1', 'log.6'].map((name) => Buffer.from(disk.contents(`${DIRECTORY}/${name}`)));
    });
    const [ordinary, direct] = contents as [Buffer[], Buffer[]];
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(direct[i]!.subarray(0, ordinary[i]!.length), ordinary[i]);
      assert.equal(direct[i]!.length, Math.ceil(ordinary[i]!.length / 4096) * 4096);
      assert.ok(direct[i]!.subarray(ordinary[i]!.length).every((byte) => byte === 0));
    }
  });
});

suite('failing disk', () => {
  for (const fault of ['ENOSPC', 'EIO'] as const) {
    test(`${fault}: nothing more is durable, further use is refused, what was acknowledged is there`, () => {
      for (let budget = 0; budget < 12; budget++) {
        const disk = new MemoryDisk();
        if (fault === 'ENOSPC') disk.bytesFree = budget * 40;
        else disk.syncsLeft = budget;
        const log = appender(disk);
        let failed: unknown = null;
        let acknowledged = 0;
        try {
          for (const zxid of range(1, 20)) {
            log.append(zxid, payload(zxid, 50), 0, 50);
            acknowledged = log.commit();
          }
        } catch (error) {
          failed = error;
        }
        assert.ok(failed instanceof StorageFailure, String(failed));
        assert.match(failed.message, new RegExp(fault));
        assert.equal(log.durableZxid, acknowledged);
        disk.bytesFree = Infinity;
        disk.syncsLeft = Infinity;
        for (const use of [() => log.commit(), () => log.roll(), () => log.close()])
          assert.throws(use, failed);
        assert.throws(() => log.append(100, payload(100, 50), 0, 50), failed);
        const { zxids } = readBack(disk.crash(new Prng(budget)));
        assert.deepEqual(zxids.slice(0, acknowledged), range(1, acknowledged));
      }
    });
  }

  test('after power losses at any moment: all that was acknowledged, and a prefix of what was not', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const prng = new Prng(seed);
        let disk = new MemoryDisk();
        disk.directBlockBytes = seed % 2 === 0 ? 1 : 4096;
        disk.putDirectory(DIRECTORY);
        let zxid = 0;
        let acknowledged = 0;
        for (let life = 0; life < 4; life++) {
          const log = appender(disk, zxid, { preallocBytes: prng.pick([0, 8192]) });
          disk.syncsLeft = prng.below(12);
          try {
            for (;;) {
              for (let n = prng.below(8); n >= 0; n--) {
                const length = 32 + prng.below(prng.pick([50, 300, 3000]));
                zxid++;
                log.append(zxid, payload(zxid, length), 0, length);
              }
              acknowledged = log.commit();
              if (prng.chance(0.1)) log.roll();
            }
          } catch (error) {
            assert.ok(error instanceof StorageFailure, String(error));
          }
          disk = disk.crash(prng);
          const { zxids, result } = readBack(disk);
          assert.deepEqual(zxids, range(1, zxids.length));
          assert.ok(zxids.length >= acknowledged, `${zxids.length} of ${acknowledged}`);
          settleTxnlogs(disk, DIRECTORY, result);
          disk = disk.crash(prng);
          const repaired = readBack(disk);
          assert.deepEqual(repaired.zxids, zxids);
          assert.deepEqual(repaired.result.repairs, []);
          zxid = zxids.length;
          acknowledged = zxid;
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** Position and length. */
function lastWrite(disk: MemoryDisk): [number, number] {
  const words = disk.calls
    .filter((call) => call.startsWith('write '))
    .at(-1)!
    .split(' ');
  return [Number(words[2]), Number(words[3])];
}

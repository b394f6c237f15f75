/** Reading logs back: torn tails are dropped, corruption is refused with file, offset and reason. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { CorruptionFailure } from '../../src/base/failure.ts';
import { makeZxid } from '../../src/base/zxid.ts';
import { BATCH_MARK_BYTES } from '../../src/storage/batch-mark.ts';
import type { TxnlogOptions } from '../../src/storage/txnlog-appender.ts';
import { LOG_WRITE_BYTES_MAX } from '../../src/storage/txnlog-format.ts';
import { readTxnlog, settleTxnlogs } from '../../src/storage/txnlog-reader.ts';
import { appendAll, appender, DIRECTORY, payload, range, readBack } from './support/collect.ts';
import { MemoryDisk } from './support/memory-disk.ts';

const LENGTHS = [40, 33, 700, 32, 90];
/** Offset behind the header and behind each record of a log with these payloads; a bare header of 32 takes no mark. */
const BOUNDARIES = [16];
for (const length of LENGTHS) {
  BOUNDARIES.push(BOUNDARIES.at(-1)! + 13 + length + (length === 32 ? 0 : BATCH_MARK_BYTES));
}
const LAST_RECORD = BOUNDARIES.at(-2)!;
const APACHE: Partial<TxnlogOptions> = { forceSync: false };

/** Each record written and synced on its own. With `APACHE`, as a server of Apache leaves it: without marks. */
function logBytes(
  lengths: readonly number[] = LENGTHS,
  firstZxid = 1,
  options: Partial<TxnlogOptions> = {},
): Uint8Array {
  const disk = new MemoryDisk();
  appendAll(appender(disk, firstZxid - 1, options), firstZxid, lengths);
  return disk.contents(`${DIRECTORY}/log.${firstZxid.toString(16)}`);
}

/** All in one write. */
function batchBytes(lengths: readonly number[], options: Partial<TxnlogOptions> = {}): Uint8Array {
  const disk = new MemoryDisk();
  const log = appender(disk, 0, options);
  for (let i = 0; i < lengths.length; i++) log.append(i + 1, payload(i + 1, lengths[i]!), 0, lengths[i]!);
  log.commit();
  return disk.contents(`${DIRECTORY}/log.1`);
}

function diskWith(files: Record<string, Uint8Array>): MemoryDisk {
  const disk = new MemoryDisk();
  disk.putDirectory(DIRECTORY);
  for (const [name, bytes] of Object.entries(files)) disk.put(`${DIRECTORY}/${name}`, bytes);
  return disk;
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  const result = new Uint8Array(length);
  result.set(bytes);
  return result;
}

function flipped(bytes: Uint8Array, at: number, mask: number): Uint8Array {
  const result = bytes.slice();
  result[at]! ^= mask;
  return result;
}

function zeroed(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return bytes.slice().fill(0, start, end);
}

/** Whole records in the first `bytes` bytes of the log. */
function wholeRecords(bytes: number): number {
  return Math.max(0, BOUNDARIES.filter((end) => end <= bytes).length - 1);
}

suite('torn tail', () => {
  const whole = logBytes();

  for (const [kind, tear] of [
    ['cut short', (at: number) => whole.slice(0, at)],
    ['zeros from there on', (at: number) => padded(whole.slice(0, at), whole.length)],
    ['zeros in a preallocated file', (at: number) => padded(whole.slice(0, at), 16384)],
  ] as const) {
    test(`at every byte, ${kind}: a prefix is read, the repair makes it clean, the log goes on`, () => {
      for (let at = 0; at <= whole.length; at++) {
        const disk = diskWith({ 'log.1': tear(at) });
        const kept = wholeRecords(at);
        const { zxids, result } = readBack(disk);
        assert.deepEqual(zxids, range(1, kept), `torn at ${at}`);
        assert.equal(result.lastZxid, kept === 0 ? -1 : kept);
        settleTxnlogs(disk, DIRECTORY, result);
        assert.deepEqual(disk.list(DIRECTORY), kept === 0 ? [] : ['log.1']);
        appendAll(appender(disk, kept), kept + 1, [50]);
        const after = readBack(disk);
        assert.deepEqual(after.zxids, range(1, kept + 1), `torn at ${at}`);
        assert.deepEqual(after.result.repairs, []);
        assert.deepEqual(after.warnings, []);
      }
    });
  }

  test('the warning names file and offset', () => {
    const { warnings, result } = readBack(diskWith({ 'log.1': whole.slice(0, whole.length - 1) }));
    assert.equal(warnings.length, 1);
    const where = new RegExp(
      `log\\.1 is torn at offset ${LAST_RECORD}: the record of 101 bytes runs past the end`,
    );
    assert.match(warnings[0]!, where);
    assert.deepEqual(result.repairs, [{ name: 'log.1', keepBytes: LAST_RECORD }]);
  });

  test('a lost sector is a torn write even if later sectors of the write arrived', () => {
    const bytes = batchBytes(new Array<number>(12).fill(300));
    for (let sector = 512; sector + 512 < bytes.length; sector += 512) {
      const { zxids } = readBack(diskWith({ 'log.1': zeroed(bytes, sector, sector + 512) }));
      assert.deepEqual(
        zxids,
        range(1, Math.floor((sector - 16 - BATCH_MARK_BYTES) / 313)),
        `sector at ${sector}`,
      );
    }
  });

  test('a lost sector with more valid data behind it than one write holds is corruption', () => {
    const bytes = logBytes([5000, ...new Array<number>(5).fill(LOG_WRITE_BYTES_MAX / 4)], 1, APACHE);
    const disk = diskWith({ 'log.1': zeroed(bytes, 1024, 1536) });
    assert.throws(() => readBack(disk), CorruptionFailure);
    assert.throws(() => readBack(disk, 1, { acceptMissingRecords: true }), CorruptionFailure);
  });

  test('in a file without marks nobody can tell a lost sector from a zeroed one: the operator decides', () => {
    const disk = diskWith({
      'log.1': zeroed(logBytes(new Array<number>(12).fill(300), 1, APACHE), 1024, 1536),
    });
    assert.throws(
      () => readBack(disk),
      /log\.1 is corrupt at offset 955: .*valid record with zxid 0x6 follows at offset 1581; nothing in the file tells .*acceptMissingRecords=true/,
    );
    const { zxids, warnings } = readBack(disk, 1, { acceptMissingRecords: true });
    assert.deepEqual(zxids, [1, 2, 3]);
    assert.match(warnings[0]!, /may have been acknowledged/);
  });

  test('an empty newest file and files without records go away', () => {
    const disk = diskWith({
      'log.1': whole,
      'log.6': padded(whole.slice(0, 16), 4096),
      'log.7': new Uint8Array(0),
    });
    const { zxids, result } = readBack(disk);
    assert.deepEqual(zxids, range(1, 5));
    settleTxnlogs(disk, DIRECTORY, result);
    assert.deepEqual(disk.list(DIRECTORY), ['log.1']);
  });

  suite('in the middle of the history, left by a server of Apache', () => {
    const theirs = logBytes(LENGTHS, 1, APACHE);
    const torn = theirs.slice(0, theirs.length - 60);
    const next = (firstZxid: number): Uint8Array => logBytes([60, 60], firstZxid, APACHE);

    test('read on if nothing is missing', () => {
      const disk = diskWith({ 'log.1': torn, 'log.5': next(5) });
      assert.deepEqual(readBack(disk).zxids, range(1, 6));
    });

    test('a gap behind it: records are missing', () => {
      const disk = diskWith({ 'log.1': torn, 'log.6': next(6) });
      assert.throws(() => readBack(disk), {
        name: 'CorruptionFailure',
        message: /records 0x5 to 0x5 are missing/,
      });
      assert.deepEqual(readBack(disk, 6).zxids, [6, 7], 'a snapshot up to 5 covers the gap');
    });

    test('a new epoch is no gap; but a file of ours is begun only when the one before is whole', () => {
      const first = makeZxid(1, 1);
      const disk = diskWith({ 'log.1': torn, 'log.100000001': next(first) });
      assert.deepEqual(readBack(disk).zxids, [1, 2, 3, 4, first, first + 1]);
      disk.put(`${DIRECTORY}/log.100000001`, logBytes([60], first));
      assert.throws(
        () => readBack(disk),
        /log\.1 is corrupt at offset \d+: .*, and .*log\.100000001 was begun when this had been synced/,
      );
    });
  });
});

suite('a gap of zxids', () => {
  const gapped = (): MemoryDisk => {
    const disk = diskWith({ 'log.1': logBytes([40, 40]) });
    appendAll(appender(disk, 3), 4, [50, 50]);
    appendAll(appender(disk, 7), 8, [50, 50]);
    return disk;
  };

  test('that no digest vouches for is refused, with file, zxids and the switch', () => {
    assert.throws(() => readBack(gapped()), {
      name: 'CorruptionFailure',
      message:
        /log\.4 is corrupt at offset 16: records 0x3 to 0x3 are missing before it \(a log file may have been removed\) and no later digest proves .* or set ringkeeper\.acceptMissingRecords=true for one start/,
    });
  });

  test('that a later digest vouches for is told and passed, however many records later', () => {
    for (const provesFrom of [8, 9]) {
      const { zxids, warnings } = readBack(gapped(), 1, { provesFrom });
      assert.deepEqual(zxids, [1, 2, 4, 5, 8, 9]);
      assert.equal(warnings.length, 1);
      assert.match(
        warnings[0]!,
        new RegExp(`log\\.4: records 0x3 to 0x3 do not exist .*in record 0x${provesFrom} proves`),
      );
    }
    const { warnings } = readBack(gapped(), 1, { provesFrom: 4 });
    assert.equal(warnings.length, 2, 'each gap has its own proof');
    assert.match(warnings[1]!, /log\.8: records 0x6 to 0x7 do not exist/);
  });

  test('a digest before the gap says nothing about it', () => {
    const disk = gapped();
    disk.remove(`${DIRECTORY}/log.8`);
    const proof = { onTxn: (zxid: number) => zxid < 4 };
    const options = { onWarning: () => undefined, acceptMissingRecords: false };
    assert.throws(() => readTxnlog(disk, DIRECTORY, 1, proof, options), /records 0x3 to 0x3 are missing/);
  });

  test('is accepted by the switch, with a warning for each', () => {
    const { zxids, warnings } = readBack(gapped(), 1, { acceptMissingRecords: true });
    assert.deepEqual(zxids, [1, 2, 4, 5, 8, 9]);
    assert.match(warnings[0]!, /log\.4: records 0x3 to 0x3 are missing .*acknowledged writes may be lost/);
    assert.match(warnings[1]!, /log\.8: records 0x6 to 0x7 are missing/);
  });
});

suite('corruption', () => {
  const bytes = logBytes();
  const BEHIND =
    /the batch of zxid 0x\d at offset \d+ was begun when this had been synced|a valid record with/;

  test('a flipped bit in any record but the last is refused with file, offset and reason', () => {
    for (let at = 16; at < LAST_RECORD; at++) {
      for (const mask of [0x01, 0x10, 0x80]) {
        const record = BOUNDARIES.findLast((start) => start <= at)!;
        const read = () => readBack(diskWith({ 'log.1': padded(flipped(bytes, at, mask), 4096) }));
        assert.throws(read, (error: Error) => {
          assert.ok(error instanceof CorruptionFailure, String(error));
          const where = `/d/version-2/log.1 is corrupt at offset ${record}: `;
          assert.ok(error.message.startsWith(where), `${error.message} (bit at ${at})`);
          assert.match(
            error.message,
            /CRC check failed|no end mark|unreasonable record length|runs past the end/,
          );
          assert.match(error.message, BEHIND);
          return true;
        });
      }
    }
  });

  test('a flipped bit in the payload of the very last record is refused: no tear looks like that', () => {
    for (let at = LAST_RECORD + 12; at < bytes.length - 1; at++) {
      const read = () => readBack(diskWith({ 'log.1': flipped(bytes, at, 0x04) }));
      assert.throws(read, new RegExp(`log\\.1 is corrupt at offset ${LAST_RECORD}: CRC check failed;`));
    }
  });

  test('zeros that a client stored are not taken for a lost sector', () => {
    const zeros = new MemoryDisk();
    const log = appender(zeros);
    for (const zxid of range(1, 8)) {
      const bytes = payload(zxid, 2000).fill(0, 40, 1990);
      log.append(zxid, bytes, 0, bytes.length);
    }
    log.close();
    const stored = zeros.contents(`${DIRECTORY}/log.1`);
    for (let record = 0; record < 7; record++) {
      for (const at of [12, 60, 700, 1500, 2008]) {
        const damaged = flipped(stored, 16 + record * 2013 + at, 0x08);
        assert.throws(
          () => readBack(diskWith({ 'log.1': damaged })),
          CorruptionFailure,
          `${record} at ${at}`,
        );
      }
    }
  });

  test('a record that begins just before a sector boundary is no lost sector', () => {
    for (let first = 470; first <= 483; first++) {
      const stored = logBytes([first, 100, 100]);
      const damaged = flipped(stored, 16 + 13 + first + 50, 0x08);
      assert.throws(() => readBack(diskWith({ 'log.1': damaged })), CorruptionFailure, `first ${first}`);
    }
  });

  test('a damaged file header before valid records is refused', () => {
    for (let at = 0; at < 4; at++) {
      const read = () => readBack(diskWith({ 'log.1': flipped(bytes, at, 0x20) }));
      assert.throws(
        read,
        /corrupt at offset 0: the magic number is not "ZKLG", and the batch of zxid 0x1 at offset 16 was begun/,
      );
    }
  });

  test('damage in a file that is not the newest is refused too', () => {
    const disk = diskWith({ 'log.1': flipped(bytes, 100, 1), 'log.6': logBytes([60], 6) });
    assert.throws(() => readBack(disk), new RegExp(`log\\.1 is corrupt at offset ${BOUNDARIES[1]}`));
    assert.deepEqual(readBack(disk, 6).zxids, [6], 'older files are not looked at');
  });

  test('a file name out of range is refused, names of other shapes are left alone', () => {
    const disk = diskWith({
      'log.1': bytes,
      'log.1.bak': bytes,
      'log.x': bytes,
      'xlog.1': bytes,
      log: bytes,
    });
    assert.deepEqual(readBack(disk).zxids, range(1, 5));
    assert.throws(() => readBack(diskWith({ 'log.ffffffffffffffff': bytes })), CorruptionFailure);
  });

  test('zxids out of order are applied in file order with a warning', () => {
    const disk = diskWith({ 'log.1': logBytes([40, 40]), 'log.2': logBytes([40, 40], 2) });
    const { zxids, warnings } = readBack(disk);
    assert.deepEqual(zxids, [1, 2, 2, 3]);
    assert.match(warnings[0]!, /log\.2: zxid 0x2 follows 0x2 at offset 16/);
  });
});

test('records larger than a chunk and files of several chunks are read', () => {
  const disk = new MemoryDisk();
  const lengths = [100, 9_000_000, 3_000_000, 3_000_000, 50];
  appendAll(appender(disk), 1, lengths);
  const { txns } = readBack(disk);
  assert.deepEqual(
    txns.map((txn) => txn.payload.length),
    lengths,
  );
  assert.deepEqual(txns[1]!.payload, payload(2, 9_000_000));
});

test('arbitrary bytes, and damaged logs, are read or refused, nothing else', () => {
  const good = logBytes();
  const input = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 })
      .map((edits) => edits.reduce((bytes, [at, value]) => flipped(bytes, at, value), good)),
  );
  fc.assert(
    fc.property(input, (bytes) => {
      try {
        const { zxids } = readBack(diskWith({ 'log.1': bytes }));
        assert.deepEqual(zxids, range(1, zxids.length));
      } catch (error) {
        assert.ok(error instanceof CorruptionFailure, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

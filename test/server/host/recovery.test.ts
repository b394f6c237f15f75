/** Start-up over directories that are empty, incomplete or damaged: each gives a state or a Failure that says what to do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CorruptionFailure, DataDirFailure, StorageFailure } from '../../../src/base/failure.ts';
import { Prng } from '../../../src/base/prng.ts';
import type { ServerConfig } from '../../../src/server/config/server-config.ts';
import { MarkedCompleteness } from '../../../src/server/host/member-recovery.ts';
import type { Log } from '../../../src/server/logging/logging.ts';
import { isIncomplete } from '../../../src/storage/set-aside.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { DIRS, putSnapshot, restored, withLog } from '../../core/support/data-directory.ts';
import type { LoggedTxn } from '../../core/support/fake-ports.ts';
import { ReplicaHarness } from '../../core/support/replica-harness.ts';
import { create } from '../../core/support/requests.ts';
import { dumpTree } from '../../core/support/tree-dump.ts';
import type { MemoryDisk } from '../../storage/support/memory-disk.ts';

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const LOG = '/d/version-2/log.1';

function server(writes: number): ReplicaHarness {
  const harness = new ReplicaHarness();
  const c = harness.connect();
  for (let i = 0; i < writes; i++) c.ok(create(`/n${i}`, 'some data'));
  return harness;
}

function withSnapshot(harness: ReplicaHarness): MemoryDisk {
  const disk = withLog(harness.log.txns);
  putSnapshot(disk, new ReplicaHarness().replica.beginSnapshot());
  return disk;
}

function damage(disk: MemoryDisk, path: string, at: number): void {
  const bytes = disk.contents(path);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  disk.put(path, bytes);
}

describe('records missing in the log', () => {
  /** What a server logged, without the records at these places. */
  const without = (txns: readonly LoggedTxn[], ...places: readonly number[]): MemoryDisk => {
    const disk = withLog(txns.filter((_, i) => !places.includes(i)));
    putSnapshot(disk, new ReplicaHarness().replica.beginSnapshot());
    return disk;
  };

  test('one that changed nothing: the next digest says so, and the server goes on', () => {
    const harness = new ReplicaHarness();
    const c = harness.connect();
    c.ok(create('/a'));
    assert.equal(c.call(create('/a')).err, ErrorCode.nodeExists);
    c.ok(create('/b'));
    const failed = harness.log.txns.findIndex(
      ({ payload }) => new DataView(payload.buffer).getInt32(28) === -1,
    );
    assert.ok(failed > 0);
    const { harness: after, warnings } = restored(without(harness.log.txns, failed));
    assert.deepEqual(dumpTree(after.parts), dumpTree(harness.parts));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /log\.1: records 0x3 to 0x3 do not exist .*record 0x4 proves/);
  });

  test('one that held a write: refused, unless the switch says otherwise', () => {
    const { log } = server(5);
    const disk = (): MemoryDisk => without(log.txns, 3);
    assert.throws(
      () => restored(disk()),
      /records 0x4 to 0x4 are missing .*ringkeeper\.acceptMissingRecords=true/,
    );
    const { harness, warnings } = restored(disk(), { acceptMissingRecords: true });
    assert.equal(dumpTree(harness.parts).has('/n2'), false);
    assert.equal(dumpTree(harness.parts).has('/n4'), true);
    assert.match(warnings[0]!, /records 0x4 to 0x4 are missing .*acknowledged writes may be lost/);
  });
});

describe('recovery', () => {
  test('nothing there: the tree of a new server, and a snapshot is due', () => {
    const { harness, recovery, warnings } = restored(withLog([]));
    const { costs, ...found } = recovery;
    assert.deepEqual(found, { lastZxid: 0, snapshotZxid: 0, isSnapshotCurrent: false, isFirstStart: true });
    assert.deepEqual([costs.txns, costs.digestMismatches], [0, 0]);
    assert.deepEqual(
      [...dumpTree(harness.parts).keys()],
      ['', '/zookeeper', '/zookeeper/config', '/zookeeper/quota'],
    );
    assert.deepEqual(warnings, []);
  });

  test('nothing there, and an empty database is not allowed', () => {
    assert.throws(
      () => restored(withLog([]), { dbAutocreate: false }),
      (error) => {
        assert.ok(error instanceof DataDirFailure);
        assert.equal(error.exitStatus, 3);
        assert.match(error.message, /create the file \/d\/initialize/);
        return true;
      },
    );
    const disk = withLog([]);
    disk.put('/d/initialize', new Uint8Array(0));
    assert.equal(restored(disk, { dbAutocreate: false }).recovery.isFirstStart, true);
    assert.equal(disk.stat('/d/initialize'), null, 'the permission counts once');
  });

  test('a log without a snapshot is refused unless it is trusted', () => {
    const { log } = server(3);
    assert.throws(
      () => restored(withLog(log.txns)),
      (error) => {
        assert.ok(error instanceof CorruptionFailure);
        assert.equal(error.exitStatus, 10);
        assert.match(error.message, /No snapshot found, but there are log entries/);
        return true;
      },
    );
    assert.equal(restored(withLog(log.txns), { snapshotTrustEmpty: true }).recovery.lastZxid, 4);
  });

  test('every snapshot is damaged: refused, naming one', () => {
    const harness = server(3);
    const disk = withLog(harness.log.txns);
    putSnapshot(disk, harness.replica.beginSnapshot());
    damage(disk, '/d/version-2/snapshot.4', 40);
    assert.throws(
      () => restored(disk),
      (error) => {
        assert.ok(error instanceof CorruptionFailure);
        assert.match(error.message, /none of 1 snapshots in \/d\/version-2 can be loaded.*snapshot\.4/);
        return true;
      },
    );
  });

  test('a damaged record in the middle of the log: refused, naming file and offset', () => {
    const disk = withSnapshot(server(20));
    damage(disk, LOG, 300);
    assert.throws(
      () => restored(disk),
      (error) => {
        assert.ok(error instanceof CorruptionFailure);
        assert.match(error.message, /\/d\/version-2\/log\.1 is corrupt at offset \d+: .*restore/);
        return true;
      },
    );
  });

  test('a torn end is dropped, with a warning, and the file is whole afterwards', () => {
    const harness = server(20);
    const disk = withSnapshot(harness);
    const bytes = disk.contents(LOG);
    disk.put(LOG, bytes.subarray(0, bytes.length - 30));
    assert.throws(
      () => restored(disk),
      /ringkeeper\.synced says that the log had been synced up to zxid 0x15, and what is there ends at 0x14 \(.*log\.1 is torn/,
      'it was, by the stop in order',
    );
    disk.remove('/d/version-2/ringkeeper.synced');
    const first = restored(disk);
    assert.equal(first.recovery.lastZxid, 20, 'all but the last');
    assert.match(first.warnings.join(), /torn at offset \d+.*never acknowledged/);
    assert.deepEqual(restored(disk).warnings, []);
  });

  test('a state whose digest differs is served, with one warning', () => {
    const harness = server(5);
    const txns = harness.log.txns.map(({ zxid, payload }) => {
      const copy = payload.slice();
      if (zxid >= 4) copy[copy.length - 1]! ^= 1;
      return { zxid, payload: copy };
    });
    const { warnings } = restored(withLog(txns), { snapshotTrustEmpty: true });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /the tree digest differs .*"records":3,"firstZxid":"0x4"/);
  });

  test('a snapshot at the end of the log is current', () => {
    const harness = server(2);
    const disk = withLog(harness.log.txns);
    putSnapshot(disk, harness.replica.beginSnapshot());
    const startMs = performance.now();
    const { recovery } = restored(disk);
    const { costs, ...found } = recovery;
    assert.deepEqual(found, { lastZxid: 3, snapshotZxid: 3, isSnapshotCurrent: true, isFirstStart: false });
    const { snapshotMs, txnsMs, ...counts } = costs;
    assert.deepEqual(counts, { txns: 0, digestMismatches: 0 });
    const elapsedMs = performance.now() - startMs;
    assert.ok(
      snapshotMs > 0 && snapshotMs + txnsMs <= elapsedMs,
      `${snapshotMs} + ${txnsMs} of ${elapsedMs}`,
    );
  });
});

describe('recovery of a member', () => {
  /** Server 1 of so many. */
  const member = (voters: number): Partial<ServerConfig> => {
    const lines = Array.from({ length: voters }, (_, i) => `server.${i + 1}=h${i}:1:2:participant`);
    return { ensemble: { sid: 1, quorumText: lines.join('\n') } as ServerConfig['ensemble'] };
  };
  const damaged = (): MemoryDisk => {
    const harness = server(20);
    const disk = withSnapshot(harness);
    damage(disk, LOG, Math.floor(disk.contents(LOG).length / 4));
    return disk;
  };

  test('a damaged history is put aside; until a leader has sent it anew the member has no vote', () => {
    const disk = damaged();
    disk.put('/d/version-2/acceptedEpoch', Buffer.from('7'));
    const names = disk.list('/d/version-2').filter((name) => name !== 'acceptedEpoch');
    const { recovery, warnings } = restored(disk, { ...member(3), dbAutocreate: false });
    assert.equal(recovery.lastZxid, 0);
    assert.equal(recovery.isFirstStart, true);
    assert.match(
      warnings.at(-1)!,
      /damaged and was put aside; it is taken anew from the leader.*has no vote.*log\.1 .*corrupt.*damaged-1/,
    );
    const aside = disk.list('/d/version-2').filter((name) => name.startsWith('damaged-1.'));
    assert.deepEqual(aside.sort(), names.map((name) => `damaged-1.${name}`).sort());
    assert.equal(disk.stat('/d/version-2/acceptedEpoch')?.bytes, 1, 'what was promised stays promised');
    assert.equal(isIncomplete(disk, DIRS), true);
    const completeness = new MarkedCompleteness(disk, DIRS, SILENT);
    assert.equal(completeness.isComplete, false);
    completeness.onInStep();
    assert.equal(completeness.isComplete, true);
    assert.equal(isIncomplete(disk, DIRS), false);
  });

  test('a crash at any moment of it: the next start ends at the same', () => {
    const prng = new Prng(7);
    let crashes = 0;
    for (let isThrough = false; !isThrough; ) {
      const disk = damaged();
      disk.callsLeft = crashes++;
      isThrough = true;
      try {
        restored(disk, member(3));
      } catch (error) {
        assert.ok(error instanceof StorageFailure, String(error));
        isThrough = false;
      }
      const after = disk.crash(prng);
      assert.equal(restored(after, member(3)).recovery.lastZxid, 0);
      assert.equal(isIncomplete(after, DIRS), true, `behind a crash at call ${crashes - 1}`);
    }
    assert.ok(crashes > 5, `${crashes} crashes`);
  });

  test('one without which the others are no quorum, or that is alone, refuses', () => {
    for (const config of [member(1), member(2), {}])
      assert.throws(() => restored(damaged(), config), CorruptionFailure);
  });

  test('nothing there, and an empty database is not allowed: no vote', () => {
    const disk = withLog([]);
    const { recovery } = restored(disk, { ...member(3), dbAutocreate: false });
    assert.equal(recovery.lastZxid, 0);
    assert.equal(isIncomplete(disk, DIRS), true);
  });
});

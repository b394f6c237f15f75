/** Directory layout, the lock that outlives nothing, and purge. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import fc from 'fast-check';
import { DataDirFailure, StorageFailure } from '../../src/base/failure.ts';
import { Prng } from '../../src/base/prng.ts';
import { openDataDir } from '../../src/storage/data-dir.ts';
import { DataDirLock } from '../../src/storage/data-dir-lock.ts';
import { logName, SnapshotCompression, snapshotName } from '../../src/storage/data-files.ts';
import { NodeDisk } from '../../src/storage/node-disk.ts';
import { planPurge, purge } from '../../src/storage/purge.ts';
import { MemoryDisk } from './support/memory-disk.ts';

const temporary = mkdtempSync(join(tmpdir(), 'ringkeeper-storage-'));
after(() => rmSync(temporary, { recursive: true }));

const ONE = { dataDir: '/d', dataLogDir: '/d', autocreate: true };
const TWO = { dataDir: '/d', dataLogDir: '/l', autocreate: true };
const EMPTY = new Uint8Array(0);
/** What the cheap look takes for a whole one. */
const GOOD_SNAPSHOT = Buffer.from('5a4b534e00000000000000012f', 'hex');

suite('layout', () => {
  test('missing directories are made, or refused when autocreate is off', () => {
    const disk = new MemoryDisk();
    const dirs = openDataDir(disk, TWO);
    assert.deepEqual(dirs, {
      snapshotDirectory: '/d/version-2',
      logDirectory: '/l/version-2',
      initializeMarker: '/l/initialize',
    });
    assert.ok(disk.stat('/d/version-2')?.directory);
    assert.ok(disk.stat('/l/version-2')?.directory);
    assert.throws(() => openDataDir(new MemoryDisk(), { ...ONE, autocreate: false }), {
      name: 'DataDirFailure',
      message: /missing data directory \/d\/version-2.*create this directory manually/,
    });
  });

  test('a power loss after the start leaves every directory, and what is synced in it', () => {
    const options = { dataDir: '/srv/zk/data', dataLogDir: '/log/of/zk', autocreate: true };
    for (let cut = 0; cut < 20; cut++) {
      // A first start that is killed after so many calls, and a second one.
      const disk = new MemoryDisk();
      disk.callsLeft = cut;
      try {
        openDataDir(disk, options);
      } catch (error) {
        assert.ok(error instanceof DataDirFailure || error instanceof StorageFailure, String(error));
      }
      disk.callsLeft = Infinity;
      const { snapshotDirectory, logDirectory } = openDataDir(disk, options);
      for (const directory of [snapshotDirectory, logDirectory]) {
        disk.create(`${directory}/x`).close();
        disk.syncDirectory(directory);
        for (let seed = 0; seed < 20; seed++) {
          assert.ok(disk.crash(new Prng(seed)).stat(`${directory}/x`), `${directory}, cut at ${cut}`);
        }
      }
    }
  });

  test('a parent that this user may not open is no hindrance', () => {
    const disk = new MemoryDisk();
    disk.putDirectory('/private/d');
    const { syncDirectory } = disk;
    disk.syncDirectory = (path) => {
      if (path !== '/private') return syncDirectory.call(disk, path);
      throw new StorageFailure('', { cause: Object.assign(new Error(), { code: 'EACCES' }) });
    };
    openDataDir(disk, { dataDir: '/private/d', dataLogDir: '/private/d', autocreate: true });
    assert.deepEqual(disk.list('/private/d'), ['version-2']);
  });

  test('a file in the place of a directory is refused', () => {
    const disk = new MemoryDisk();
    disk.put('/d/version-2', EMPTY);
    assert.throws(() => openDataDir(disk, ONE), /\/d\/version-2 is not a directory/);
  });

  test('snapshots in the log directory and logs in the snapshot directory are refused', () => {
    const swapped = new MemoryDisk();
    swapped.put('/l/version-2/snapshot.5', EMPTY);
    assert.throws(() => openDataDir(swapped, TWO), /log directory \/l\/version-2 has snapshot files/);
    const mixed = new MemoryDisk();
    mixed.put('/d/version-2/log.5', EMPTY);
    assert.throws(() => openDataDir(mixed, TWO), /snapshot directory \/d\/version-2 has log files/);
    assert.ok(openDataDir(mixed, ONE));
  });

  test('unfinished snapshots go, everything else stays', () => {
    const disk = new MemoryDisk();
    for (const name of ['tmp.snapshot.5', 'snapshot.5', 'acceptedEpoch', 'log.1'])
      disk.put(`/d/version-2/${name}`, EMPTY);
    openDataDir(disk, ONE);
    assert.deepEqual(disk.list('/d/version-2').sort(), ['acceptedEpoch', 'log.1', 'snapshot.5']);
  });
});

suite('lock', () => {
  const lockModule = join(import.meta.dirname, '../../src/storage/data-dir-lock.ts');

  async function holder(directory: string): Promise<ReturnType<typeof spawn>> {
    const script = `import { DataDirLock } from ${JSON.stringify(lockModule)};
      globalThis.held = DataDirLock.acquire(${JSON.stringify(directory)});
      process.stdout.write('held');
      setInterval(() => {}, 60_000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout!, 'data');
    return child;
  }

  test('is refused while another process lives, and free at once when it is killed', async () => {
    const directory = mkdtempSync(join(temporary, 'lock-'));
    const child = await holder(directory);
    assert.throws(() => DataDirLock.acquire(directory), {
      name: 'DataDirFailure',
      message: /is in use by another server/,
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = DataDirLock.acquire(directory);
    lock.release();
    DataDirLock.acquire(directory).release();
  });

  test('is refused twice in one process', () => {
    const directory = mkdtempSync(join(temporary, 'lock-'));
    const lock = DataDirLock.acquire(directory);
    assert.throws(() => DataDirLock.acquire(directory), DataDirFailure);
    lock.release();
  });

  test('covers the log directory: two servers with one dataLogDir do not both start', () => {
    const [a, b, logs] = ['a-', 'b-', 'logs-'].map((name) => mkdtempSync(join(temporary, name)));
    const lock = DataDirLock.acquire(a!, logs);
    assert.throws(() => DataDirLock.acquire(b!, logs), {
      name: 'DataDirFailure',
      message: `log directory ${logs} is in use by another server; stop it or choose another dataLogDir`,
    });
    assert.throws(
      () => DataDirLock.acquire(a!, b!),
      /data directory .* is in use .* choose another dataDir$/,
    );
    // What was taken before the refusal is free again.
    DataDirLock.acquire(b!).release();
    lock.release();
    DataDirLock.acquire(b!, logs).release();
  });

  test('is one for two names of one directory', () => {
    const directory = mkdtempSync(join(temporary, 'lock-'));
    const other = `${directory}-link`;
    symlinkSync(directory, other);
    const lock = DataDirLock.acquire(directory, other);
    assert.throws(() => DataDirLock.acquire(other), /is in use by another server/);
    lock.release();
    DataDirLock.acquire(other, `${directory}/.`).release();
  });

  test('says why it cannot be taken at all', () => {
    assert.throws(
      () => DataDirLock.acquire(join(temporary, 'missing')),
      /cannot lock data directory .*missing: ENOENT/,
    );
    const directory = mkdtempSync(join(temporary, 'lock-'));
    writeFileSync(join(directory, 'ringkeeper.lock'), 'not a lock'.repeat(100));
    assert.throws(() => DataDirLock.acquire(directory), /cannot lock data directory/);
  });
});

suite('purge', () => {
  const snapshots = (...zxids: number[]) =>
    zxids.map((zxid) => ({
      name: snapshotName(zxid, SnapshotCompression.none),
      zxid,
      compression: SnapshotCompression.none,
    }));
  const logs = (...zxids: number[]) => zxids.map((zxid) => ({ name: logName(zxid), zxid }));

  test('keeps N good snapshots and every log that may hold a later record', () => {
    const all = snapshots(0, 3, 6, 10, 14, 18);
    const plan = planPurge(all, logs(1, 5, 8, 12, 16, 20), () => true, 3);
    assert.deepEqual(plan.snapshots, snapshots(0, 3, 6));
    assert.deepEqual(plan.logs, logs(1, 5));
    const exact = planPurge(all, logs(1, 5, 10, 12), () => true, 3);
    assert.deepEqual(exact.logs, logs(1, 5));
  });

  test('broken snapshots do not count; without a good one nothing goes', () => {
    const all = snapshots(1, 2, 3, 4, 5, 6);
    const plan = planPurge(all, logs(1, 3, 5), ({ zxid }) => zxid < 5, 3);
    assert.deepEqual(plan.snapshots, snapshots(1));
    assert.deepEqual(plan.logs, logs());
    assert.deepEqual(
      planPurge(all, logs(1, 3), () => false, 3),
      { snapshots: [], logs: [] },
    );
  });

  test('whatever goes, every record after the oldest kept snapshot stays', () => {
    const zxids = fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 12 });
    fc.assert(
      fc.property(zxids, zxids, fc.integer({ min: 3, max: 6 }), (snapshotZxids, logZxids, retainCount) => {
        const ascending = (a: number, b: number): number => a - b;
        const all = snapshots(...snapshotZxids.sort(ascending));
        const allLogs = logs(...logZxids.sort(ascending));
        const plan = planPurge(all, allLogs, () => true, retainCount);
        const kept = all.slice(plan.snapshots.length);
        assert.equal(kept.length, Math.min(all.length, retainCount));
        const keptLogs = allLogs.slice(plan.logs.length);
        if (plan.logs.length > 0) assert.ok(keptLogs[0]!.zxid <= kept[0]!.zxid);
      }),
    );
  });

  test('deletes on disk', () => {
    const disk = new MemoryDisk();
    for (let zxid = 1; zxid <= 5; zxid++) disk.put(`/d/version-2/snapshot.${zxid}`, GOOD_SNAPSHOT);
    for (let zxid = 1; zxid <= 5; zxid++) disk.put(`/d/version-2/log.${zxid}`, EMPTY);
    purge(disk, openDataDir(disk, ONE), 3);
    assert.deepEqual(disk.list('/d/version-2').sort(), [
      ...['log.3', 'log.4', 'log.5'],
      ...['snapshot.3', 'snapshot.4', 'snapshot.5'],
    ]);
  });

  // As often as it is asked (autopurge.purgeInterval) it takes all that has come, however much that is.
  for (const perInterval of [0, 1, 3, 200]) {
    test(`${perInterval} new snapshots and logs between two purges: none piles up`, () => {
      const disk = new MemoryDisk();
      const dirs = openDataDir(disk, ONE);
      let zxid = 0;
      const fill = (count: number): void => {
        for (let i = 0; i < count; i++) {
          zxid++;
          disk.put(`/d/version-2/${logName(zxid)}`, EMPTY);
          disk.put(`/d/version-2/${snapshotName(zxid, SnapshotCompression.none)}`, GOOD_SNAPSHOT);
        }
      };
      const kept = (): string[] => disk.list('/d/version-2').sort();
      const newest = (): string[] =>
        [zxid - 2, zxid - 1, zxid]
          .flatMap((at) => [logName(at), snapshotName(at, SnapshotCompression.none)])
          .sort();
      // What an installation without purge has left.
      fill(1000);
      for (let interval = 0; interval < 10; interval++) {
        purge(disk, dirs, 3);
        assert.deepEqual(kept(), newest());
        fill(perInterval);
      }
    });
  }

  test('a disk that fails in the middle: what is needed is there, and the next purge takes the rest', () => {
    const disk = new MemoryDisk();
    const dirs = openDataDir(disk, ONE);
    for (let zxid = 1; zxid <= 40; zxid++) {
      disk.put(`/d/version-2/${logName(zxid)}`, EMPTY);
      disk.put(`/d/version-2/${snapshotName(zxid, SnapshotCompression.none)}`, GOOD_SNAPSHOT);
    }
    disk.callsLeft = 50;
    assert.throws(() => purge(disk, dirs, 3), StorageFailure);
    for (const zxid of [38, 39, 40]) assert.ok(disk.list('/d/version-2').includes(logName(zxid)));
    disk.callsLeft = Infinity;
    purge(disk, dirs, 3);
    assert.equal(disk.list('/d/version-2').length, 6);
  });
});

suite('the real disk', () => {
  const disk = new NodeDisk();

  test('writes, reads, cuts, renames, lists and removes', () => {
    const directory = join(temporary, 'a/b');
    disk.makeDirectory(directory);
    const file = disk.create(join(directory, 'x'));
    file.write(Buffer.from('-hello-'), 1, 5, 3);
    file.syncData();
    assert.equal(file.size(), 8);
    const read = new Uint8Array(10);
    assert.equal(file.read(read, 1, 9, 2), 6);
    assert.deepEqual(Buffer.from(read), Buffer.from('\0\0hello\0\0\0'));
    file.truncate(4);
    file.close();
    disk.rename(join(directory, 'x'), join(directory, 'y'));
    disk.syncDirectory(directory);
    assert.deepEqual(disk.list(directory), ['y']);
    assert.deepEqual(disk.stat(join(directory, 'y')), { bytes: 4, directory: false });
    disk.remove(join(directory, 'y'));
    assert.equal(disk.stat(join(directory, 'y')), null);
  });

  test('every error is a StorageFailure that names operation and path', () => {
    const missing = join(temporary, 'missing');
    const failing: readonly [RegExp, () => unknown][] = [
      [/cannot open .*missing/, () => disk.open(missing, 'read')],
      [/cannot open .*missing/, () => disk.create(join(missing, 'x'))],
      [/cannot list .*missing/, () => disk.list(missing)],
      [/cannot rename .*missing/, () => disk.rename(missing, `${missing}2`)],
      [/cannot remove .*missing/, () => disk.remove(missing)],
      [/cannot sync directory .*missing/, () => disk.syncDirectory(missing)],
    ];
    for (const [message, use] of failing) {
      assert.throws(use, (error: Error) => {
        assert.ok(error instanceof StorageFailure);
        assert.match(error.message, message);
        return true;
      });
    }
    const path = join(temporary, 'read-only');
    writeFileSync(path, 'x');
    const file = disk.open(path, 'read');
    assert.throws(() => file.write(EMPTY.subarray(), 0, 1, 0), /StorageFailure: cannot write|cannot write/);
    file.close();
    assert.throws(() => file.read(new Uint8Array(1), 0, 1, 0), /cannot read .*EBADF/);
  });
});

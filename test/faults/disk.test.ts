/**
 * Disks that are full or broken: the server says so in one line, ends with its status, has acknowledged nothing that is
 * not there, and works again when the disk does. Mostly by faults in single calls of the real process; once on a real
 * full file system. (A full disk under the log: test/server/server.test.ts; power loss: test/storage.)
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { RawClient } from '../support/raw-client.ts';
import type { DiskFault } from './support/disk-fault.ts';
import { recoveredFrom } from './support/recovered.ts';
import { childrenOf, create, ok, okAll } from './support/requests.ts';
import { Server, THREADING_MODES } from './support/server.ts';
import { Workspace } from './support/workspace.ts';

const STORAGE_STATUS = 10;
const MOUNT = 'mount';
const UNMOUNT = 'umount';
/** Each start and each 20th write or so begins a file and a snapshot. */
const SETTINGS = { snapCount: 20, preAllocSize: 64 };
/** No snapshot but the first: all writes are in the log, so there is something to replay. */
const ONE_LOG = { preAllocSize: 64 };

let workspace: Workspace;

beforeEach(() => {
  workspace = new Workspace();
});

afterEach(() => workspace.dispose());

/** Creates /n0, /n1, ... one after the other until the server is gone; returns the names that were acknowledged. */
async function createUntilGone(port: number): Promise<string[]> {
  const acknowledged: string[] = [];
  try {
    const client = await RawClient.open(port);
    for (let i = 0; ; i++) {
      await ok(client, create(`/n${i}`, new Uint8Array(2000)));
      acknowledged.push(`n${i}`);
    }
  } catch (error) {
    assert.match((error as Error).message, /closed the connection|ECONNREFUSED|ECONNRESET/);
  }
  return acknowledged;
}

/** What is on the disk has all of them, and perhaps the one after them. */
function isThere(acknowledged: readonly string[], found: readonly string[]): void {
  const names = new Set(found);
  const missing = acknowledged.filter((name) => !names.has(name));
  assert.deepEqual(missing, []);
  assert.ok(names.size <= acknowledged.length + 2, 'besides /zookeeper one write was in flight at most');
}

/** And a healthy server serves it. */
async function nothingIsLost(acknowledged: readonly string[]): Promise<void> {
  isThere(acknowledged, recoveredFrom(workspace).names);
  const server = await workspace.start({ settings: SETTINGS });
  isThere(acknowledged, await childrenOf(await RawClient.open(server.port), '/'));
  assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
}

interface Case {
  readonly what: string;
  readonly fault: DiskFault;
  readonly line: RegExp;
  /** How many writes are acknowledged before, where that is certain. */
  readonly acknowledged?: number;
}

const log = '/version-2/log\\.';
const snapshot = '/version-2/(tmp\\.)?snapshot\\.';

const WHILE_SERVING: readonly Case[] = [
  {
    // The first sync is the file's, the second that of the session, so the tenth is that of the eighth create.
    what: 'fdatasync of the log fails',
    fault: { call: 'fdatasyncSync', path: log, nth: 10, effect: 'EIO' },
    line: /fatal in log: cannot sync .*\/log\.1: EIO.*check the disk/,
    acknowledged: 7,
  },
  {
    what: 'the disk is full in the middle of a log record',
    fault: { call: 'writeSync', path: log, nth: 10, effect: 'ENOSPC', partial: true },
    line: /fatal in log: cannot write .*\/log\.1: ENOSPC.*free space/,
    acknowledged: 7,
  },
  {
    what: 'no room for the first log file',
    fault: { call: 'openSync', path: log, nth: 1, effect: 'ENOSPC' },
    line: /fatal in log: cannot open .*\/log\.1: ENOSPC.*free space/,
    acknowledged: 0,
  },
  {
    what: 'no room for the next log file',
    // Opened twice each: to be created, and past the page cache.
    fault: { call: 'openSync', path: `${log}[^1]`, nth: 1, effect: 'ENOSPC' },
    line: /fatal in log: cannot open .*\/log\.\w+: ENOSPC.*free space/,
  },
  {
    what: 'the directory of the log cannot be synced',
    // The first of the log thread is that of its first file; the core's thread has one at the start.
    fault: { call: 'fsyncSync', path: 'version-2$', nth: 2, effect: 'EIO' },
    line: /fatal in log: cannot sync directory .*version-2: EIO.*check the disk/,
  },
  {
    what: 'the disk is full while a snapshot is written',
    fault: { call: 'writeSync', path: 'tmp.snapshot.[^0]', nth: 1, effect: 'ENOSPC', partial: true },
    line: /fatal in snapshot: cannot write .*snapshot\.\w+: ENOSPC.*free space/,
  },
  {
    what: 'fdatasync of a snapshot fails',
    fault: { call: 'fdatasyncSync', path: 'tmp.snapshot.[^0]', nth: 1, effect: 'EIO' },
    line: /fatal in snapshot: cannot sync .*snapshot\.\w+: EIO.*check the disk/,
  },
  {
    what: 'a snapshot cannot be renamed',
    fault: { call: 'renameSync', path: 'tmp.snapshot.[^0]', nth: 1, effect: 'EIO' },
    line: /fatal in snapshot: cannot rename .*snapshot\.\w+: EIO.*check the disk/,
  },
];

describe('while clients are served', () => {
  /** After the first start, with the snapshot of an empty tree. */
  let origin: Workspace;

  before(async () => {
    origin = new Workspace();
    const server = await origin.start({ settings: SETTINGS });
    assert.deepEqual(await server.stop(), { status: 0, signal: null });
  });
  after(() => origin.dispose());

  for (const [i, { what, fault, line, acknowledged }] of WHILE_SERVING.entries()) {
    const threading = THREADING_MODES[i % THREADING_MODES.length]!;
    test(`${what} (${threading})`, async () => {
      cpSync(origin.dataDir, workspace.dataDir, { recursive: true });
      const server = await workspace.start({ threading, settings: SETTINGS, faults: [fault] });
      const names = await createUntilGone(server.port);
      await server.failsWith(STORAGE_STATUS, line);
      if (acknowledged !== undefined) assert.equal(names.length, acknowledged);
      if (fault.path.includes('snapshot')) {
        const unfinished = readdirSync(workspace.files).filter((name) => name.startsWith('tmp.'));
        assert.deepEqual(unfinished, [], 'the space of an unfinished snapshot is given back');
      }
      // One of each mode goes on as a server.
      if (i < THREADING_MODES.length) await nothingIsLost(names);
      else isThere(names, recoveredFrom(workspace).names);
    });
  }
});

describe('at start', () => {
  test('a directory that cannot be synced', async () => {
    const faults: DiskFault[] = [{ call: 'fsyncSync', path: 'version-2$', nth: 1, effect: 'EIO' }];
    const server = workspace.launch({ faults });
    await server.failsWith(
      STORAGE_STATUS,
      /^ringkeeper: cannot sync directory .*version-2: EIO.*check the disk/,
    );
    assert.equal(server.stdout, '', 'it was never ready');
    await nothingIsLost([]);
  });

  test('a disk without room for the first snapshot', async () => {
    const faults: DiskFault[] = [{ call: 'writeSync', path: snapshot, nth: 1, effect: 'ENOSPC' }];
    const line = /^ringkeeper: cannot write .*snapshot\.0: ENOSPC.*free space/;
    for (const threading of THREADING_MODES) {
      const server = workspace.launch({ threading, faults });
      await server.failsWith(
        STORAGE_STATUS,
        threading === 'shared' ? line : /fatal in core: cannot write .*ENOSPC/,
      );
      assert.equal(server.stdout, '', 'it was never ready');
    }
    await nothingIsLost([]);
  });

  test('a disk without room for the snapshot of what was replayed', async () => {
    const names = await serveSome();
    const faults: DiskFault[] = [{ call: 'writeSync', path: snapshot, nth: 1, effect: 'ENOSPC' }];
    const server = workspace.launch({ faults });
    await server.failsWith(STORAGE_STATUS, /fatal in snapshot: cannot write .*ENOSPC.*free space/);
    isThere(names, recoveredFrom(workspace).names);
  });

  test('a torn end that cannot be cut off', async () => {
    const names = await serveSome();
    const newest = join(workspace.files, logsIn(workspace.files).at(-1)!);
    const end = readFileSync(newest).findLastIndex((byte) => byte !== 0) + 1;
    truncateSync(newest, end + 8);
    writeFileSync(newest, readFileSync(newest).fill(1, end));
    const faults: DiskFault[] = [{ call: 'ftruncateSync', path: log, nth: 1, effect: 'EIO' }];
    const server = workspace.launch({ faults });
    await server.failsWith(STORAGE_STATUS, /^ringkeeper: cannot truncate .*\/log\.\w+: EIO.*check the disk/);
    assert.equal(server.stdout, '', 'it was never ready');
    await nothingIsLost(names);
  });

  test('files that this user may not read', async () => {
    const names = await serveSome();
    for (const path of [log, snapshot]) {
      const faults: DiskFault[] = [{ call: 'openSync', path, nth: 1, effect: 'EACCES' }];
      const server = workspace.launch({ faults });
      await server.failsWith(STORAGE_STATUS, /EACCES.*check owner and permissions/);
      assert.equal(server.stdout, '', 'it was never ready');
    }
    isThere(names, recoveredFrom(workspace).names);
  });

  /** Serves a few writes, none of them in a snapshot, and stops in order; returns their names. */
  async function serveSome(): Promise<string[]> {
    const server = await workspace.start({ settings: ONE_LOG });
    const names = Array.from({ length: 50 }, (_, i) => `n${i}`);
    const client = await RawClient.open(server.port);
    await okAll(
      client,
      names.map((name) => create(`/${name}`)),
      5,
    );
    assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
    return names;
  }
});

describe('a file system that is really full', () => {
  test('under a snapshot, at start, and when there is room again', async (t) => {
    const disk = join(workspace.directory, 'disk');
    mkdirSync(disk);
    if (spawnSync(MOUNT, ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]).status !== 0) {
      t.skip('needs the right to mount a tmpfs: run as root with CAP_SYS_ADMIN');
      return;
    }
    const dataDir = join(disk, 'data');
    const filler = join(disk, 'filler');
    const servers: Server[] = [];
    const start = (): Server => {
      const server = new Server({ dataDir, settings: { ...SETTINGS, snapCount: 100 } });
      servers.push(server);
      return server;
    };
    try {
      const first = start();
      const client = await RawClient.open(await first.ready());
      const data = new Uint8Array(100_000);
      const large = Array.from({ length: 30 }, (_, i) => create(`/large-${i}`, data));
      await okAll(client, large, 1);
      // Room for the log to go on, not for a snapshot of 3 MB.
      writeFileSync(filler, new Uint8Array(freeBytes(disk) - 1_000_000));
      const names = await createUntilGone(first.port);
      // Whichever of the two asks for space first: the snapshot, or the log that rolls because of it.
      await first.failsWith(STORAGE_STATUS, /fatal in (?:snapshot|log): cannot write .*ENOSPC.*free space/);
      assert.ok(names.length > 0);
      await start().failsWith(STORAGE_STATUS, /fatal in snapshot: cannot write .*ENOSPC.*free space/);
      rmSync(filler);
      const last = start();
      const children = new Set(await childrenOf(await RawClient.open(await last.ready()), '/'));
      assert.equal(large.length + names.length + 1 <= children.size, true);
      assert.ok(names.every((name) => children.has(name)));
      await last.logged(/snapshot snapshot\.\w+ written/);
      assert.deepEqual(await last.stop(), { status: 0, signal: null }, last.stderr);
    } finally {
      for (const server of servers) await server.stop('SIGKILL');
      spawnSync(UNMOUNT, ['-l', disk]);
    }
  });
});

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

function logsIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith('log.'))
    .sort((a, b) => Number.parseInt(a.slice(4), 16) - Number.parseInt(b.slice(4), 16));
}

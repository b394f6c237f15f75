/**
 * What can happen to the files of a data directory while no server runs, and what a start must make of it: everything is
 * there (from an older snapshot and the log, with a line that names the file), or it refuses and leaves the files alone.
 * There is no third.
 */
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** The newest is last. */
export interface DataFiles {
  readonly directory: string;
  readonly logs: readonly string[];
  readonly snapshots: readonly string[];
}

export interface Damage {
  readonly what: string;
  readonly make: (files: DataFiles) => void;
  /** It starts, has everything, and has said this (null: nothing needs to be said). */
  readonly starts?: RegExp | null;
  /** It refuses with status 10 and this last line. */
  readonly refuses?: RegExp;
}

export function dataFilesIn(directory: string): DataFiles {
  const names = readdirSync(directory);
  const byZxid = (prefix: string): string[] =>
    names
      .filter((name) => new RegExp(`^${prefix}\\.[0-9a-f]+$`).test(name))
      .sort((a, b) => Number.parseInt(a.split('.')[1]!, 16) - Number.parseInt(b.split('.')[1]!, 16))
      .map((name) => join(directory, name));
  return { directory, logs: byZxid('log'), snapshots: byZxid('snapshot') };
}

export const DAMAGES: readonly Damage[] = [
  // ---- snapshots -------------------------------------------------------------------------------------------
  {
    what: 'newest snapshot cut in half',
    make: ({ snapshots }) => cut(snapshots.at(-1)!),
    starts: /snapshot\.\w+ is no whole snapshot; snapshot\.\w+ and the log behind it are used instead/,
  },
  {
    what: 'newest snapshot empty',
    make: ({ snapshots }) => writeFileSync(snapshots.at(-1)!, ''),
    starts: /snapshot\.\w+ is no whole snapshot; snapshot\.\w+ and the log behind it are used instead/,
  },
  {
    what: 'a flipped bit in the newest snapshot',
    make: ({ snapshots }) => flip(snapshots.at(-1)!, 200),
    starts: /snapshot\.\w+ is corrupt at offset .*trying the snapshot before it/,
  },
  {
    what: 'newest snapshot begins with something else',
    make: ({ snapshots }) => flip(snapshots.at(-1)!, 0),
    starts: /snapshot\.\w+ is corrupt at offset 0 .*magic.*trying the snapshot before it/,
  },
  {
    what: 'newest snapshot removed',
    make: ({ snapshots }) => rmSync(snapshots.at(-1)!),
    starts: null,
  },
  {
    what: 'newest snapshot damaged, and the log that it stood for removed',
    make: ({ snapshots, logs }) => {
      cut(snapshots.at(-1)!);
      rmSync(logs.at(-1)!);
    },
    refuses:
      /snapshot\.\w+ is damaged, and the log behind snapshot\.\w+ ends at zxid 0x\w+: .*restore the file/,
  },
  {
    what: 'two newest snapshots removed, and the log between them',
    make: ({ snapshots, logs }) => {
      for (const file of snapshots.slice(-2)) rmSync(file);
      rmSync(logs.at(-2)!);
    },
    refuses: /log\.\w+ is corrupt at offset 16: records 0x\w+ to 0x\w+ are missing before it .*restore/,
  },
  {
    what: 'every snapshot cut in half',
    make: ({ snapshots }) => snapshots.forEach(cut),
    refuses:
      /version-2 has \d+ snapshot file\(s\) and none is whole.*restore the data directory from a backup/,
  },
  {
    what: 'a flipped bit in every snapshot',
    make: ({ snapshots }) => {
      for (const file of snapshots) flip(file, 60);
    },
    refuses: /none of \d+ snapshots in .*version-2 can be loaded.*restore the data directory from a backup/,
  },
  {
    what: 'every snapshot removed',
    make: ({ snapshots }) => {
      for (const file of snapshots) rmSync(file);
    },
    refuses: /No snapshot found, but there are log entries in .*version-2.*Restore the snapshot files/,
  },
  // ---- logs ------------------------------------------------------------------------------------------------
  {
    what: 'a flipped bit in the middle of the newest log',
    make: ({ logs }) => flip(logs.at(-1)!, 100),
    refuses: /log\.\w+ is corrupt at offset \d+: .*restore the file from a copy/,
  },
  {
    what: 'a flipped bit in the last record of the newest log',
    make: ({ logs }) => flip(logs.at(-1)!, endOfData(logs.at(-1)!) - 30),
    refuses: /log\.\w+ is corrupt at offset \d+: .*restore the file from a copy/,
  },
  {
    what: 'a zeroed sector in the middle of the newest log',
    make: ({ logs }) => zeroSector(logs.at(-1)!, 2),
    refuses: /log\.\w+ is corrupt at offset \d+: .*was begun when this had been synced; .*restore the file/,
  },
  {
    what: 'a zeroed sector at the end of the newest log, the newest snapshot has it all',
    make: ({ logs }) => zeroSector(logs.at(-1)!, lastSector(logs.at(-1)!)),
    starts: /log\.\w+ is torn at offset/,
  },
  {
    what: 'a zeroed sector at the end of the newest log, and no snapshot behind it',
    make: ({ logs, snapshots }) => {
      rmSync(snapshots.at(-1)!);
      zeroSector(logs.at(-1)!, lastSector(logs.at(-1)!));
    },
    refuses:
      /ringkeeper\.synced says .* synced up to zxid 0x\w+, and what is there ends at .*restore the files/,
  },
  {
    what: 'a stale sector in the newest log: as it was before the last write to it',
    make: ({ logs }) => staleSector(logs.at(-1)!, 2),
    refuses: /log\.\w+ is corrupt at offset \d+: .*was begun when this had been synced/,
  },
  {
    what: 'two sectors of the newest log swapped',
    make: ({ logs }) => swapSectors(logs.at(-1)!, 1, 3),
    refuses: /log\.\w+ is corrupt at offset \d+: .*was begun when this had been synced/,
  },
  {
    what: 'a sector of the newest log swapped with an empty one',
    make: ({ logs }) => swapSectors(logs.at(-1)!, 2, lastSector(logs.at(-1)!) + 1),
    refuses: /log\.\w+ is corrupt at offset \d+: /,
  },
  {
    what: 'a zeroed sector in the middle of the newest log, and no snapshot behind it',
    make: ({ logs, snapshots }) => {
      rmSync(snapshots.at(-1)!);
      zeroSector(logs.at(-1)!, 2);
    },
    refuses: /log\.\w+ is corrupt at offset \d+: .*was begun when this had been synced/,
  },
  {
    what: 'a stale sector in the newest log, and no snapshot behind it',
    make: ({ logs, snapshots }) => {
      rmSync(snapshots.at(-1)!);
      staleSector(logs.at(-1)!, 2);
    },
    refuses: /log\.\w+ is corrupt at offset \d+: .*was begun when this had been synced/,
  },
  {
    what: 'two sectors of the newest log swapped, and no snapshot behind it',
    make: ({ logs, snapshots }) => {
      rmSync(snapshots.at(-1)!);
      swapSectors(logs.at(-1)!, 1, 3);
    },
    refuses: /log\.\w+ is corrupt at offset \d+: .*was begun when this had been synced/,
  },
  {
    what: 'newest log replaced by an older copy of itself, and no snapshot behind it',
    make: ({ logs, snapshots }) => {
      rmSync(snapshots.at(-1)!);
      writeFileSync(logs.at(-1)!, readFileSync(logs.at(-1)!).fill(0, nthRecord(logs.at(-1)!, 5)));
    },
    refuses: /ringkeeper\.synced says .* synced up to zxid 0x\w+, and what is there ends at /,
  },
  {
    what: 'newest log removed, and the snapshot that has it all',
    make: ({ logs, snapshots }) => {
      rmSync(logs.at(-1)!);
      rmSync(snapshots.at(-1)!);
    },
    refuses:
      /ringkeeper\.synced says .* synced up to zxid 0x\w+, and what is there ends at .*may have been removed/,
  },
  {
    what: 'the note of how far the log is synced damaged',
    make: ({ directory }) => flip(join(directory, 'ringkeeper.synced'), 12),
    starts: null,
  },
  {
    what: 'newest log begins with something else',
    make: ({ logs }) => flip(logs.at(-1)!, 0),
    refuses: /log\.\w+ is corrupt at offset 0: the magic number is not "ZKLG"/,
  },
  {
    what: 'half a record behind the last of the newest log',
    make: ({ logs }) => tear(logs.at(-1)!),
    starts: /log\.\w+ is torn at offset \d+: .*never acknowledged and is dropped/,
  },
  {
    what: 'an empty log behind the newest',
    make: ({ directory }) => writeFileSync(join(directory, 'log.fffff'), ''),
    starts: null,
  },
  {
    what: 'two newest snapshots removed, and the log between them emptied',
    make: ({ logs, snapshots }) => {
      for (const file of snapshots.slice(-2)) rmSync(file);
      writeFileSync(logs.at(-2)!, '');
    },
    refuses: /log\.\w+ is corrupt at offset 0: .*log\.\w+ was begun when this had been synced/,
  },
  {
    what: 'every log removed, the newest snapshot has it all',
    make: ({ logs }) => {
      for (const file of logs) rmSync(file);
    },
    starts: null,
  },
  // ---- other things ----------------------------------------------------------------------------------------
  {
    what: 'copies and notes beside the files',
    make: ({ directory, logs, snapshots }) => {
      copyFileSync(logs.at(-1)!, `${logs.at(-1)}.bak`);
      copyFileSync(snapshots.at(-1)!, join(directory, 'snapshot.old'));
      writeFileSync(join(directory, 'README'), 'do not touch');
    },
    starts: null,
  },
  {
    what: 'an unfinished snapshot',
    make: ({ directory }) => writeFileSync(join(directory, 'tmp.snapshot.ffff'), 'half'),
    starts: null,
  },
  {
    what: 'a folder by the name of a log',
    make: ({ directory }) => mkdirSync(join(directory, 'log.fffff')),
    refuses: /cannot read .*log\.fffff: EISDIR.*move it away/,
  },
];

function cut(file: string): void {
  truncateSync(file, Math.floor(readFileSync(file).length / 2));
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 1;
  writeFileSync(file, bytes);
}

const SECTOR_BYTES = 512;

function zeroSector(file: string, index: number): void {
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0, index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES));
}

/** The beginning of the records that go beyond the sector is not there yet. */
function staleSector(file: string, index: number): void {
  const bytes = readFileSync(file);
  const end = (index + 1) * SECTOR_BYTES;
  let start = 16;
  for (let at = start; at < end; at += 13 + bytes.readInt32BE(at + 8)) start = at;
  writeFileSync(file, bytes.fill(0, Math.max(start, index * SECTOR_BYTES), end));
}

function swapSectors(file: string, a: number, b: number): void {
  const bytes = readFileSync(file);
  const sector = (index: number): Buffer => bytes.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES);
  const kept = Buffer.from(sector(a));
  sector(b).copy(sector(a));
  kept.copy(sector(b));
  writeFileSync(file, bytes);
}

function lastSector(file: string): number {
  return Math.floor((endOfData(file) - 1) / SECTOR_BYTES);
}

/** Where the record number `n`, from 0, begins. */
function nthRecord(file: string, n: number): number {
  const bytes = readFileSync(file);
  let at = 16;
  for (let i = 0; i < n; i++) at += 13 + bytes.readInt32BE(at + 8);
  return at;
}

/** One past the last byte that is not padding. */
function endOfData(file: string): number {
  return readFileSync(file).findLastIndex((byte) => byte !== 0) + 1;
}

/** The beginning of the last record once more behind it: what a crash leaves of a write. */
function tear(file: string): void {
  const bytes = readFileSync(file);
  const end = endOfData(file);
  bytes.copy(bytes, end, 16, 16 + 50);
  writeFileSync(file, bytes);
}

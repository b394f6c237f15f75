/**
 * Stat, the metadata of a znode: 68 bytes to clients, 60 in snapshots. The core writes single fields through the
 * offsets (a znode record keeps the client form ready to send); clients and tests use the values. Pure, any thread.
 *
 *     Stat:          czxid 8 | mzxid 8 | ctime 8 | mtime 8 | version 4 | cversion 4 | aversion 4
 *                    | ephemeralOwner 8 | dataLength 4 | numChildren 4 | pzxid 8            = 68 bytes
 *     StatPersisted: czxid 8 | mzxid 8 | ctime 8 | mtime 8 | version 4 | cversion 4 | aversion 4
 *                    | ephemeralOwner 8 | pzxid 8                                           = 60 bytes
 *
 * `cversion` differs: snapshots hold the count of children ever created, clients see 2·count − numChildren.
 */
import type { Zxid } from '../base/zxid.ts';
import type { JuteReader } from './jute-reader.ts';

export const STAT_BYTES = 68;

export const StatOffset = {
  czxid: 0,
  mzxid: 8,
  ctime: 16,
  mtime: 24,
  version: 32,
  cversion: 36,
  aversion: 40,
  ephemeralOwner: 44,
  dataLength: 52,
  numChildren: 56,
  pzxid: 60,
} as const;

export const STAT_PERSISTED_BYTES = 60;

export const StatPersistedOffset = {
  czxid: 0,
  mzxid: 8,
  ctime: 16,
  mtime: 24,
  version: 32,
  cversion: 36,
  aversion: 40,
  ephemeralOwner: 44,
  pzxid: 52,
} as const;

export interface StatPersisted {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: bigint;
  readonly pzxid: Zxid;
}

export interface Stat extends StatPersisted {
  readonly dataLength: number;
  readonly numChildren: number;
}

export function readStat(reader: JuteReader): Stat {
  return {
    czxid: reader.readLong(),
    mzxid: reader.readLong(),
    ctime: reader.readLong(),
    mtime: reader.readLong(),
    version: reader.readInt(),
    cversion: reader.readInt(),
    aversion: reader.readInt(),
    ephemeralOwner: reader.readBigLong(),
    dataLength: reader.readInt(),
    numChildren: reader.readInt(),
    pzxid: reader.readLong(),
  };
}

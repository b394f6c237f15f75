/**
 * Tags are unique, so a history says itself which write each read saw. A cluster is one value of one key: its write
 * and everything that saw it. All rules about data walk over clusters.
 *
 *     rows    | w7 r7 r7 | w9 | r12 r12 w12 |     by key and tag
 *     start   ^          ^    ^             ^
 *
 * `mzxid` and `version` are those that the first of them was told (write-order.ts: all were told the same); UNPLACED when
 * nobody was.
 */
import { assert } from '../../src/base/assert.ts';
import { NO_MZXID, NO_TAG, OpKind } from './history.ts';
import { type History, StateKind } from './merged-history.ts';
import { firstRows, orderedBy } from './stable-order.ts';

/** The mzxid of a value that nobody saw and whose write has no reply. */
export const UNPLACED = -1;

/** Where the value came from. */
export const Origin = { written: 0, initial: 1, foreign: 2 } as const;

export interface ValueClusters {
  readonly history: History;
  readonly count: number;
  /** Rows of all clusters, one cluster after the other. */
  readonly rows: Uint32Array;
  /** By cluster: its first place in `rows`; one more for the end. */
  readonly start: Uint32Array;
  readonly key: Int32Array;
  /** Row of its write, -1 = none in the history. */
  readonly writeRow: Int32Array;
  readonly origin: Uint8Array;
  readonly mzxid: Float64Array;
  readonly version: Int32Array;
  /** Clusters by key and mzxid: a key's unplaced ones come first. */
  readonly byMzxid: Uint32Array;
}

export function valueClusters(history: History): ValueClusters {
  const rows = orderedBy(orderedBy(dataRows(history), history.tag), history.key);
  const start = clusterStarts(history, rows);
  const count = start.length - 1;
  const key = new Int32Array(count);
  const writeRow = new Int32Array(count).fill(-1);
  const origin = new Uint8Array(count);
  const mzxid = new Float64Array(count).fill(UNPLACED);
  const version = new Int32Array(count);
  for (let cluster = 0; cluster < count; cluster++) {
    const first = rows[start[cluster]!]!;
    key[cluster] = history.key[first]!;
    origin[cluster] = isInitialTag(history, first) ? Origin.initial : Origin.foreign;
    for (let i = start[cluster]!; i < start[cluster + 1]!; i++) {
      const row = rows[i]!;
      const kind = history.kind[row]!;
      if (kind === OpKind.write) {
        assert(
          writeRow[cluster] === -1,
          () => `two writes of value ${history.tag[row]} to key ${key[cluster]}`,
        );
        writeRow[cluster] = row;
        origin[cluster] = Origin.written;
      } else if (kind === StateKind.initial) {
        origin[cluster] = Origin.initial;
      }
      if (mzxid[cluster] === UNPLACED && history.mzxid[row] !== NO_MZXID) {
        mzxid[cluster] = history.mzxid[row]!;
        version[cluster] = history.version[row]!;
      }
    }
  }
  const byMzxid = orderedBy(orderedBy(firstRows(count), mzxid), key);
  return { history, count, rows, start, key, writeRow, origin, mzxid, version, byMzxid };
}

/** Writes, whatever became of them, and replies that carry a value. */
function dataRows(history: History): Uint32Array {
  const rows = new Uint32Array(history.rowCount);
  let used = 0;
  for (let row = 0; row < history.rowCount; row++) if (carriesValue(history, row)) rows[used++] = row;
  return rows.subarray(0, used);
}

function carriesValue(history: History, row: number): boolean {
  const kind = history.kind[row]!;
  if (kind === OpKind.write || kind === StateKind.initial || kind === StateKind.final) return true;
  const reads = kind === OpKind.read || kind === OpKind.freshRead || kind === OpKind.watchSet;
  return reads && history.tag[row] !== NO_TAG;
}

function clusterStarts(history: History, rows: Uint32Array): Uint32Array {
  const start = new Uint32Array(rows.length + 1);
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const previous = rows[i - 1];
    const same =
      previous !== undefined &&
      history.key[row] === history.key[previous] &&
      history.tag[row] === history.tag[previous];
    if (!same) start[count++] = i;
  }
  start[count] = rows.length;
  return start.subarray(0, count + 1);
}

function isInitialTag({ tag, key, context }: History, row: number): boolean {
  return tag[row] === 0 && context.initial?.has(key[row]!) !== true;
}

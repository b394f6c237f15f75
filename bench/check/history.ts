/**
 * The history of a run: what every session asked and was told, and when. One recorder per generator worker, written
 * by that worker alone in the hot path of the load: no object, no allocation, one cache line per record, about 40 ns
 * a request. The main thread reads after the phase (merged-history.ts) and checks (check.ts).
 *
 *     line 0      i32 records | - | f64 cut us                           the rest is unused
 *     line 1..n   one record of 64 bytes each, in the order of sending:
 *
 *          0          8          16     24    32      40       44    48       52        56      60
 *         | f64      | f64      | f64  | f64 | f64   | i32     | i32 | i32     | i32     | i32   | i32  |
 *         | invokeUs | returnUs | zxid | tag | mzxid | session | key | arrival | version | error | kind |
 *
 *     arrival   numbers the replies and events of a worker as they came, from 1; 0 = no reply: outcome unknown
 *     version   of an event: its type; both its instants are that of its arrival
 *
 * A record is complete or unknown, never wrong, because it begins before the request is sent:
 *
 *         invoke() --> bytes to the socket --> reply read --> complete()
 *            |___ lost here: the write may have happened, at any later time ____|
 *
 * Rules for the caller, per session: `invoke` in the order of sending, `complete` and `event` in the order of arrival.
 * `invokeUs` is read before the bytes are handed to the socket, `returnUs` after they came back, both from the machine's
 * monotonic clock in microseconds, the same for all workers: the recorded interval then contains the true one.
 *
 *     const recorder = new HistoryRecorder(memory);                // in the worker; main made it: allocate(capacity)
 *     writeTag(value, 0, tag);                                     // tag = 1 + workerIndex + workerCount * n
 *     slots[at] = recorder.invoke(session, OpKind.write, key, tag, nowUs);
 *     socket.write(frame);
 *     ...                                                          // the reply to it has come
 *     recorder.complete(slots[at], nowUs, zxid, NO_TAG, version, mzxid, error);
 *
 * - A session number stands for one connection: after a reconnect it is a new number, and watches are gone.
 * - Keys of writes and reads are registers: they exist before the phase and are never deleted in it. A key may appear
 *   once in a multi. Keys of creates and deletes are own znodes: used by one sender, neither TTL nor container.
 * - A fresh read is invoked when its getData is sent, with the instant at which its sync was.
 * - Tags are unique per key over the whole run; 0 is the value before the first write.
 * - Full: recording stops, `cutUs` is the earliest instant of what was refused. Only what ended before the earliest cut
 *   of all workers is judged. That is safe: a reply read before the cut can only tell of writes sent before it, and
 *   those were recorded when they were sent, by every worker.
 */
import { assert } from '../../src/base/assert.ts';

/** What a record is about. `mzxid` and `version` are those of the reply's Stat unless said otherwise. */
export const OpKind = {
  /** setData. The tag is that of the value sent. */
  write: 1,
  /** getData or exists: sequentially consistent, never judged as linearizable. */
  read: 2,
  /** sync and then getData in one session. Its interval begins with the sync. */
  freshRead: 3,
  /** getData that leaves a watch. */
  watchSet: 4,
  /** exists that leaves a watch, also when the znode is missing. Tag: NO_TAG. */
  existsWatchSet: 5,
  /** getChildren2. `mzxid` is the pzxid. Tag: NO_TAG. */
  childRead: 6,
  /** getChildren2 that leaves a watch. `mzxid` is the pzxid. Tag: NO_TAG. */
  childWatchSet: 7,
  /** Of an own znode. */
  create: 8,
  delete: 9,
  /** Written by `event`. */
  event: 10,
} as const;
export type OpKind = (typeof OpKind)[keyof typeof OpKind];

/** Given and returned where there is no record: the history is full. */
export const NO_SLOT = -1;

/** The request or reply carries no value. */
export const NO_TAG = -1;
/** The reply carries a value that no `writeTag` made. */
export const BAD_TAG = -2;
/** The reply carries no Stat. */
export const NO_MZXID = 0;
export const NO_VERSION = -1;

/** A value that is checked is at least this long. */
export const TAG_BYTES = 8;

const RECORD_BYTES = 64;
/** Doubles and words per record, and the place of each field in it. */
export const RECORD_DOUBLES = RECORD_BYTES / 8;
export const RECORD_WORDS = RECORD_BYTES / 4;
export const DoubleAt = { invokeUs: 0, returnUs: 1, zxid: 2, tag: 3, mzxid: 4 } as const;
export const WordAt = { session: 10, key: 11, arrival: 12, version: 13, error: 14, kind: 15 } as const;
const COUNT_WORD = 0;
const CUT_DOUBLE = 1;

export class HistoryRecorder {
  private readonly doubles: Float64Array;
  private readonly words: Int32Array;
  private readonly capacity: number;
  private count = 0;
  private arrivals = 0;

  /** On the one thread that records; `memory` is of `allocate` and not used before. */
  constructor(memory: SharedArrayBuffer) {
    this.doubles = new Float64Array(memory);
    this.words = new Int32Array(memory);
    this.capacity = memory.byteLength / RECORD_BYTES - 1;
  }

  /** Memory for `capacity` records of requests and events, 64 bytes each. */
  static allocate(capacity: number): SharedArrayBuffer {
    assert(capacity > 0, 'a history holds at least one record');
    const memory = new SharedArrayBuffer((capacity + 1) * RECORD_BYTES);
    new Float64Array(memory)[CUT_DOUBLE] = Number.POSITIVE_INFINITY;
    return memory;
  }

  /** A request is about to be sent. Returns what `complete` wants, `NO_SLOT` when the history is full. */
  invoke(session: number, kind: OpKind, key: number, tag: number, invokeUs: number): number {
    const slot = this.count;
    if (slot === this.capacity) return this.refuse(invokeUs);
    const line = slot + 1;
    const double = line * RECORD_DOUBLES;
    const word = line * RECORD_WORDS;
    this.doubles[double + DoubleAt.invokeUs] = invokeUs;
    this.doubles[double + DoubleAt.tag] = tag;
    this.words[word + WordAt.session] = session;
    this.words[word + WordAt.key] = key;
    this.words[word + WordAt.kind] = kind;
    this.words[COUNT_WORD] = this.count = slot + 1;
    return slot;
  }

  /**
   * The reply came. `zxid` and `error` are the header's (of a multi: the error of this operation's result). `tag` is
   * that of the value read; NO_TAG leaves the one given to `invoke`. NO_VERSION and NO_MZXID: there is no Stat.
   */
  complete(
    slot: number,
    returnUs: number,
    zxid: number,
    tag: number,
    version: number,
    mzxid: number,
    error: number,
  ): void {
    if (slot === NO_SLOT) return;
    const double = (slot + 1) * RECORD_DOUBLES;
    const word = (slot + 1) * RECORD_WORDS;
    this.doubles[double + DoubleAt.returnUs] = returnUs;
    this.doubles[double + DoubleAt.zxid] = zxid;
    if (tag !== NO_TAG) this.doubles[double + DoubleAt.tag] = tag;
    this.doubles[double + DoubleAt.mzxid] = mzxid;
    this.words[word + WordAt.version] = version;
    this.words[word + WordAt.error] = error;
    this.words[word + WordAt.arrival] = ++this.arrivals;
  }

  /**
   * A watch event came. `key` is -1 when the path is none of the run's; `type` is of EventType; `zxid` is the header's,
   * -1 from servers that do not tell.
   */
  event(session: number, key: number, type: number, zxid: number, atUs: number): void {
    const slot = this.invoke(session, OpKind.event, key, NO_TAG, atUs);
    this.complete(slot, atUs, zxid, NO_TAG, type, NO_MZXID, 0);
  }

  private refuse(atUs: number): number {
    // Not simply the first: requests of one batch share an instant that was read before it.
    if (atUs < this.doubles[CUT_DOUBLE]!) this.doubles[CUT_DOUBLE] = atUs;
    return NO_SLOT;
  }
}

/** A recorder's memory as the checker reads it, when its worker has stopped. Record `i` begins at line `i + 1`. */
export interface RecordedLines {
  readonly count: number;
  /** Infinity when everything was recorded. */
  readonly cutUs: number;
  readonly doubles: Float64Array;
  readonly words: Int32Array;
}

export function recordedLines(memory: SharedArrayBuffer): RecordedLines {
  const doubles = new Float64Array(memory);
  const words = new Int32Array(memory);
  return { count: words[COUNT_WORD]!, cutUs: doubles[CUT_DOUBLE]!, doubles, words };
}

/** Marks a value: its first 8 bytes, big-endian. `0 <= tag < 2^53`. */
export function writeTag(bytes: Uint8Array, offset: number, tag: number): void {
  putWord(bytes, offset, Math.floor(tag / 4294967296));
  putWord(bytes, offset + 4, tag >>> 0);
}

/** The tag of a value of `length` bytes; BAD_TAG when it has none. */
export function readTag(bytes: Uint8Array, offset: number, length: number): number {
  if (length < TAG_BYTES) return BAD_TAG;
  const tag = wordAt(bytes, offset) * 4294967296 + wordAt(bytes, offset + 4);
  return Number.isSafeInteger(tag) ? tag : BAD_TAG;
}

function putWord(bytes: Uint8Array, offset: number, word: number): void {
  bytes[offset] = word >>> 24;
  bytes[offset + 1] = word >>> 16;
  bytes[offset + 2] = word >>> 8;
  bytes[offset + 3] = word;
}

function wordAt(bytes: Uint8Array, offset: number): number {
  const high = (bytes[offset]! << 24) | (bytes[offset + 1]! << 16);
  return (high | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>> 0;
}

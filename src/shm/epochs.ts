/**
 * When may the memory of a replaced record be reused? When no reader can still hold its offset. A reader marks the
 * stretch in which it follows offsets with the epoch it entered in; the writer tags what it retires with the epoch of
 * that moment and frees it once every reader inside has entered later.
 *
 *     line 0     line 1      line k
 *     | epoch    | reader 0  | reader k-1      reader i: 0 = outside, else the epoch it saw on entering
 *
 *     reader   enter: load(epoch) -> store(reader)       ... load(slot), read the record ...       leave: store(0)
 *     writer   store(slot, new) -> retire(old), tagged e -> store(epoch, e + 1) -> load(readers) -> free
 *
 * Why it is safe; all of these are sequentially consistent. The writer frees a record tagged e only after it saw
 * each reader (a) outside: that reader's next store(reader) comes after the look, so its load(slot) comes after the
 * swap and finds the new record; or (b) inside with an epoch later than e: it loaded that epoch after the writer
 * stored it, hence after the swap, and again finds the new record. An epoch that was loaded long before it is stored
 * only makes the reader look older than it is.
 *
 * With no reader inside, a record is freed at once and the list stays empty. A reader that stays inside makes the
 * list grow by what is retired meanwhile, so readers of much leave and enter again between pieces.
 */
import { assert } from '../base/assert.ts';
import { controlWords, createRegion, LINE_WORDS } from './region.ts';

const EPOCH_WORD = 0;
const OUTSIDE = 0;
const FIRST_EPOCH = 1;

const LIST_ENTRIES_MIN = 1024;

/** Plain values, so it can be posted to a worker. */
export interface EpochsHandle {
  readonly buffer: SharedArrayBuffer;
  readonly readers: number;
}

export function createEpochs(readers: number): EpochsHandle {
  const buffer = createRegion(1 + readers, 0);
  controlWords(buffer, 1)[EPOCH_WORD] = FIRST_EPOCH;
  return { buffer, readers };
}

function readerWord(reader: number): number {
  return (1 + reader) * LINE_WORDS;
}

/** One reader's side, on its own thread. Between `enter` and `leave` every offset it loads stays valid. */
export class EpochReader {
  private readonly words: Int32Array;
  private readonly word: number;

  constructor(handle: EpochsHandle, reader: number) {
    assert(reader >= 0 && reader < handle.readers, 'epoch reader index out of range');
    this.words = controlWords(handle.buffer, 1 + handle.readers);
    this.word = readerWord(reader);
  }

  enter(): void {
    Atomics.store(this.words, this.word, Atomics.load(this.words, EPOCH_WORD));
  }

  leave(): void {
    Atomics.store(this.words, this.word, OUTSIDE);
  }

  /** May be asked on any thread. */
  get isInside(): boolean {
    return Atomics.load(this.words, this.word) !== OUTSIDE;
  }
}

/** Where reclaimed records go; an `Arena` is one. */
export interface BlockOwner {
  free(offset: number): void;
}

/** The writer's side, on the thread that owns the arena. */
export class EpochWriter {
  private readonly words: Int32Array;
  private readonly readers: number;
  private readonly owner: BlockOwner;
  private epoch: number;
  /** Circular list of (offset, tag) pairs, oldest first; a power of two of entries. */
  private list = new Int32Array(LIST_ENTRIES_MIN * 2);
  private first = 0;
  private count = 0;

  constructor(handle: EpochsHandle, owner: BlockOwner) {
    this.words = controlWords(handle.buffer, 1 + handle.readers);
    this.readers = handle.readers;
    this.owner = owner;
    this.epoch = Atomics.load(this.words, EPOCH_WORD);
  }

  /** Records waiting for readers. */
  get retiredCount(): number {
    return this.count;
  }

  /** Call after the record has been replaced in its slot: freed now, or when the readers inside have left. */
  retire(offset: number): void {
    if (!this.anyReaderInside()) {
      this.owner.free(offset);
      return;
    }
    if (this.count * 2 === this.list.length) this.growList();
    const at = ((this.first + this.count) * 2) & (this.list.length - 1);
    this.list[at] = offset;
    this.list[at + 1] = this.epoch;
    this.count++;
  }

  /** Frees at most `limit` retired records that no reader can hold, and returns how many. Once per turn. */
  reclaim(limit: number): number {
    if (this.count === 0) return 0;
    this.advance();
    // One look at the readers does for the whole list: everything on it was replaced before.
    const oldestAge = this.oldestReaderAge();
    const mask = this.list.length - 1;
    let freed = 0;
    while (freed < limit && this.count > 0) {
      const at = (this.first * 2) & mask;
      if (((this.epoch - this.list[at + 1]!) | 0) <= oldestAge) break;
      this.owner.free(this.list[at]!);
      this.first = (this.first + 1) & (mask >> 1);
      this.count--;
      freed++;
    }
    return freed;
  }

  /** Begins a new epoch if something was retired in the current one. */
  private advance(): void {
    const newest = ((this.first + this.count - 1) * 2) & (this.list.length - 1);
    if (this.list[newest + 1] !== this.epoch) return;
    this.epoch = (this.epoch + 1) | 0;
    // Epochs wrap around (after hours of a busy writer); only their differences count, but 0 means outside.
    if (this.epoch === OUTSIDE) this.epoch = FIRST_EPOCH;
    Atomics.store(this.words, EPOCH_WORD, this.epoch);
  }

  /** How many epochs ago the oldest reader inside entered; -1 with none inside. */
  private oldestReaderAge(): number {
    let oldest = -1;
    for (let reader = 0; reader < this.readers; reader++) {
      const entered = Atomics.load(this.words, readerWord(reader));
      if (entered === OUTSIDE) continue;
      const age = (this.epoch - entered) | 0;
      if (age > oldest) oldest = age;
    }
    return oldest;
  }

  private anyReaderInside(): boolean {
    for (let reader = 0; reader < this.readers; reader++) {
      if (Atomics.load(this.words, readerWord(reader)) !== OUTSIDE) return true;
    }
    return false;
  }

  private growList(): void {
    const entries = this.list.length / 2;
    const longer = new Int32Array(this.list.length * 2);
    longer.set(this.list.subarray(this.first * 2));
    longer.set(this.list.subarray(0, this.first * 2), (entries - this.first) * 2);
    this.list = longer;
    this.first = 0;
  }
}

/**
 * Ring of variable-length records from one producer thread to k consumer threads; every consumer sees every
 * record, in order. With k = 1 (the default) it is the plain single-producer single-consumer queue. One
 * implementation serves both, because the consumers only differ in which head they own and the producer looks at
 * the heads only when its cached gate says "full".
 *
 * Guarantees: a record is visible whole or not at all; its memory is not written again before every consumer has
 * moved past it; nothing here waits, allocates or copies. A full ring is an answer (-1), never a pause.
 * Ordering rests on two pairs: `store(tail)` / `load(tail)` hands records over, `store(head)` / `load(head)` hands
 * their memory back. Everything else is plain reads and writes between those.
 *
 *        head 1      head 0                 tail          position
 *     ---|-----------|----------------------|-------------|-------------------> bytes
 *        gate: the   consumer 0 reads here  published     committed, unpublished
 *        slowest     |<-- usedBytes of 0 -->|
 *
 * Exactly one RingProducer and one RingConsumer per index may be in use at a time. Each end is built on the thread
 * that uses it, from the posted handle, and goes on from the positions it finds there.
 */
import { assert } from '../base/assert.ts';
import { controlWords, createRegion, LINE_BYTES, LINE_WORDS } from './region.ts';
import {
  assertCapacity,
  FIRST_HEAD_LINE,
  PADDING_KIND,
  RECORD_HEADER_BYTES,
  recordBytesMax,
  recordSpan,
  TAIL_LINE,
} from './ring-record.ts';

/** What both ends are built from; plain values, so it can be posted to a worker. */
export interface RingHandle {
  readonly buffer: SharedArrayBuffer;
  readonly capacity: number;
  readonly consumers: number;
}

/** A ring of `capacity` bytes (a power of two) that `consumers` consumers must all have read before it is reused. */
export function createRing(capacity: number, consumers = 1): RingHandle {
  assertCapacity(capacity);
  assert(consumers >= 1, 'a ring needs a consumer');
  return { buffer: createRegion(FIRST_HEAD_LINE + consumers, capacity), capacity, consumers };
}

const TAIL_WORD = TAIL_LINE * LINE_WORDS;

function headWord(consumer: number): number {
  return (FIRST_HEAD_LINE + consumer) * LINE_WORDS;
}

function controlLines(handle: RingHandle): number {
  return FIRST_HEAD_LINE + handle.consumers;
}

export class RingProducer {
  /** The data of the ring; `claim` returns offsets into these two. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The largest payload of one record. */
  readonly recordBytesMax: number;
  private readonly control: Int32Array;
  private readonly words: Int32Array;
  private readonly capacity: number;
  private readonly consumers: number;
  /** End of the last committed record. */
  private position: number;
  /** Value of the shared tail. */
  private published: number;
  /** The slowest head as last looked up; the true one can only be further on. */
  private gate: number;
  // The open claim; claimLength is -1 when there is none.
  private claimPosition = 0;
  private claimKind = 0;
  private claimLength = -1;

  constructor(handle: RingHandle) {
    const dataStart = controlLines(handle) * LINE_BYTES;
    this.bytes = new Uint8Array(handle.buffer, dataStart, handle.capacity);
    this.view = new DataView(handle.buffer, dataStart, handle.capacity);
    this.words = new Int32Array(handle.buffer, dataStart, handle.capacity / 4);
    this.control = controlWords(handle.buffer, controlLines(handle));
    this.recordBytesMax = recordBytesMax(handle.capacity);
    this.capacity = handle.capacity;
    this.consumers = handle.consumers;
    this.published = Atomics.load(this.control, TAIL_WORD);
    this.position = this.published;
    this.gate = this.slowestHead();
  }

  /**
   * Room for a payload of at most `length` bytes, to be filled with plain writes and then committed or aborted.
   * Returns its offset in `bytes`, 8-byte aligned, or -1 when the ring is full now. One claim at a time.
   */
  claim(kind: number, length: number): number {
    assert(this.claimLength === -1, 'ring claim while another is open');
    assert(kind >= 0, 'ring record kinds are not negative');
    assert(length >= 0 && length <= this.recordBytesMax, 'ring record longer than half the ring');
    const span = recordSpan(length);
    const index = this.position & (this.capacity - 1);
    const toEnd = this.capacity - index;
    const wraps = span > toEnd;
    if (!this.hasRoom(wraps ? toEnd + span : span)) return -1;
    this.claimKind = kind;
    this.claimLength = length;
    if (!wraps) {
      this.claimPosition = this.position;
      return index + RECORD_HEADER_BYTES;
    }
    // toEnd is a multiple of 8 and not 0, so the padding's header always fits. An abort simply forgets it.
    this.words[index >> 2] = toEnd - RECORD_HEADER_BYTES;
    this.words[(index >> 2) + 1] = PADDING_KIND;
    this.claimPosition = (this.position + toEnd) | 0;
    return RECORD_HEADER_BYTES;
  }

  /** Keeps the first `length` bytes of the claim as a record; it stays invisible until `publish`. */
  commit(length: number): void {
    assert(length >= 0 && length <= this.claimLength, 'ring commit without a claim or longer than it');
    const word = (this.claimPosition & (this.capacity - 1)) >> 2;
    this.words[word] = length;
    this.words[word + 1] = this.claimKind;
    this.position = (this.claimPosition + recordSpan(length)) | 0;
    this.claimLength = -1;
  }

  /** Gives back the open claim. */
  abort(): void {
    assert(this.claimLength !== -1, 'ring abort without a claim');
    this.claimLength = -1;
  }

  /** Makes all committed records visible; false when there is nothing new, and so nobody to wake. */
  publish(): boolean {
    if (this.position === this.published) return false;
    this.published = this.position;
    Atomics.store(this.control, TAIL_WORD, this.published);
    return true;
  }

  /** Bytes from the slowest consumer to the last committed record. */
  get usedBytes(): number {
    this.gate = this.slowestHead();
    return (this.position - this.gate) | 0;
  }

  private hasRoom(bytes: number): boolean {
    const limit = this.capacity - bytes;
    if (((this.position - this.gate) | 0) <= limit) return true;
    this.gate = this.slowestHead();
    return ((this.position - this.gate) | 0) <= limit;
  }

  private slowestHead(): number {
    let slowest = Atomics.load(this.control, headWord(0));
    for (let consumer = 1; consumer < this.consumers; consumer++) {
      const head = Atomics.load(this.control, headWord(consumer));
      if (((head - slowest) | 0) < 0) slowest = head;
    }
    return slowest;
  }
}

export interface RecordHandler {
  /**
   * One record; its payload is `bytes[offset, offset + length)` of the consumer and valid only during the call.
   * False stops the drain and leaves this record to be delivered again.
   */
  onRecord(kind: number, offset: number, length: number): boolean;
}

export class RingConsumer {
  /** The data of the ring; `onRecord` gets offsets into these two. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  private readonly control: Int32Array;
  private readonly words: Int32Array;
  private readonly capacity: number;
  private readonly headWord: number;
  /** Value of the shared head. */
  private position: number;

  constructor(handle: RingHandle, index = 0) {
    assert(index >= 0 && index < handle.consumers, 'ring consumer index out of range');
    const dataStart = controlLines(handle) * LINE_BYTES;
    this.bytes = new Uint8Array(handle.buffer, dataStart, handle.capacity);
    this.view = new DataView(handle.buffer, dataStart, handle.capacity);
    this.words = new Int32Array(handle.buffer, dataStart, handle.capacity / 4);
    this.control = controlWords(handle.buffer, controlLines(handle));
    this.capacity = handle.capacity;
    this.headWord = headWord(index);
    this.position = Atomics.load(this.control, this.headWord);
  }

  /**
   * Hands out the records that are published now, at most `limit` of them, and returns how many were consumed.
   * Their memory goes back to the producer once, at the end.
   */
  drain(handler: RecordHandler, limit: number): number {
    const tail = Atomics.load(this.control, TAIL_WORD);
    const start = this.position;
    let position = start;
    let count = 0;
    while (position !== tail && count < limit) {
      const index = position & (this.capacity - 1);
      const length = this.words[index >> 2]!;
      const kind = this.words[(index >> 2) + 1]!;
      if (kind !== PADDING_KIND) {
        if (!handler.onRecord(kind, index + RECORD_HEADER_BYTES, length)) break;
        count++;
      }
      position = (position + recordSpan(length)) | 0;
    }
    if (position !== start) {
      this.position = position;
      Atomics.store(this.control, this.headWord, position);
    }
    return count;
  }

  /** Positions that wrap: how far records are published, and how far they are consumed. */
  get tail(): number {
    return Atomics.load(this.control, TAIL_WORD);
  }

  get head(): number {
    return this.position;
  }

  get isEmpty(): boolean {
    return Atomics.load(this.control, TAIL_WORD) === this.position;
  }

  /** Bytes published and not yet consumed by this consumer. */
  get usedBytes(): number {
    return (Atomics.load(this.control, TAIL_WORD) - this.position) | 0;
  }
}

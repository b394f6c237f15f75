/**
 * Named numbers that one thread writes and any thread reads: positions such as the durable zxid, which must be
 * read exactly, and statistics. Values are safe integers, |n| < 2^53; each counter has one writer and its own line.
 *
 * A 64-bit value is two words, which JavaScript cannot store at once (Float64 is not atomic in its memory model, and
 * BigInt64 atomics make garbage). The high half hardly ever changes, so a counter has two slots and a turn:
 *
 *     word 0    1    2       3      4       5
 *     | turn  | -  | high0 | low0 | high1 | low1 | ...    the value is in slot `turn & 1`
 *
 *     set, same high half     store(low of the current slot)
 *     set, new high half      fill the other slot -> store(turn + 1)
 *     get                     load(low of the slot of the turn last seen) -> load(turn): if it is still that turn,
 *                             the high half is the one remembered; else read the new slot and look again
 *
 * The high half of a turn never changes, so it is remembered with the turn. A low half read before the turn is found
 * unchanged belongs to it: its slot is refilled only after the turn has moved on. A reader repeats only if the writer
 * has made progress, so it never waits for one that was interrupted half-way. An atomic load costs about 5 ns, a plain
 * one nearly nothing: two of them per `get` is what this buys.
 */
import { assert } from '../base/assert.ts';
import { highHalf } from '../base/int64.ts';
import { controlWords, createRegion, LINE_WORDS } from './region.ts';

const FIRST_SLOT_WORD = 2;
const SLOT_WORDS = 2;
const TWO_32 = 4294967296;

/** Plain values, so it can be posted to a worker. */
export interface CountersHandle {
  readonly buffer: SharedArrayBuffer;
  readonly names: readonly string[];
}

/** Counters numbered in the order of `names`, all 0. */
export function createCounters(names: readonly string[]): CountersHandle {
  return { buffer: createRegion(names.length, 0), names };
}

export class Counters {
  readonly names: readonly string[];
  private readonly words: Int32Array;
  // By counter: a turn that was current once, and its high half.
  private readonly turns: Int32Array;
  private readonly highs: Int32Array;

  constructor(handle: CountersHandle) {
    this.names = handle.names;
    this.words = controlWords(handle.buffer, handle.names.length);
    this.turns = new Int32Array(handle.names.length);
    this.highs = new Int32Array(handle.names.length);
    for (let index = 0; index < handle.names.length; index++) this.refresh(index);
  }

  /** Only on the counter's writer thread. */
  set(index: number, value: number): void {
    assert(Number.isSafeInteger(value), 'counter value is not a safe integer');
    const words = this.words;
    const line = index * LINE_WORDS;
    const high = highHalf(value);
    if (Atomics.load(words, line) !== this.turns[index]) this.refresh(index);
    const turn = this.turns[index]!;
    if (this.highs[index] === high) {
      Atomics.store(words, lowWord(line, turn), value | 0);
      return;
    }
    Atomics.store(words, highWord(line, turn + 1), high);
    Atomics.store(words, lowWord(line, turn + 1), value | 0);
    Atomics.store(words, line, (turn + 1) | 0);
  }

  get(index: number): number {
    const words = this.words;
    const line = index * LINE_WORDS;
    for (;;) {
      const turn = this.turns[index]!;
      const low = Atomics.load(words, lowWord(line, turn));
      if (Atomics.load(words, line) === turn) return this.highs[index]! * TWO_32 + (low >>> 0);
      this.refresh(index);
    }
  }

  /** Only on the counter's writer thread. */
  add(index: number, amount: number): void {
    this.set(index, this.get(index) + amount);
  }

  /** Remembers the current turn and its high half. */
  private refresh(index: number): void {
    const line = index * LINE_WORDS;
    let turn = Atomics.load(this.words, line);
    for (;;) {
      const high = Atomics.load(this.words, highWord(line, turn));
      const after = Atomics.load(this.words, line);
      if (after === turn) {
        this.turns[index] = turn;
        this.highs[index] = high;
        return;
      }
      turn = after;
    }
  }
}

function highWord(line: number, turn: number): number {
  return line + FIRST_SLOT_WORD + (turn & 1) * SLOT_WORDS;
}

function lowWord(line: number, turn: number): number {
  return highWord(line, turn) + 1;
}

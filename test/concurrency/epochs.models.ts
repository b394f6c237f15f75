/**
 * Epochs and counters under the explorer. Epochs: a writer replaces the record of one slot again and again, reusing
 * memory as soon as it gets it back, while readers follow the slot's offset. Record memory is declared, so a record
 * that is overwritten while a reader looks at it shows as a changed value.
 */
import assert from 'node:assert/strict';
import {
  type BlockOwner,
  createEpochs,
  EpochReader,
  type EpochsHandle,
  EpochWriter,
} from '../../src/shm/epochs.ts';
import { controlWords } from '../../src/shm/region.ts';
import type { Model, Program, Step } from './model.ts';

interface Shared {
  readonly epochs: EpochsHandle;
  /** Word 0: the slot. Words 1 ...: one-word records. */
  readonly store: SharedArrayBuffer;
}

const RECORDS = 4;
const FREED = -1;
const SLOT = 0;
const FIRST_RECORD = 1;
const FIRST_VALUE = 100;

function epochsModel(readers: number, ...programs: readonly Program<Shared>[]): Model<Shared> {
  return {
    createShared: () => ({
      epochs: createEpochs(readers),
      store: new SharedArrayBuffer(4 * (1 + RECORDS)),
    }),
    reset: ({ epochs, store }) => {
      new Int32Array(epochs.buffer).fill(0);
      // The epoch is about to wrap around, and to skip the 0 that means "outside".
      controlWords(epochs.buffer, 1)[0] = -1;
      const words = new Int32Array(store);
      words.fill(FREED);
      words[SLOT] = FIRST_RECORD;
      words[FIRST_RECORD] = FIRST_VALUE;
    },
    programs,
  };
}

/** Marks what is freed and hands it out again, oldest first. */
class TinyArena implements BlockOwner {
  readonly free: (offset: number) => void;
  private readonly available: number[] = [];
  private readonly words: Int32Array;
  private readonly step: Step;

  constructor(words: Int32Array, step: Step) {
    this.words = words;
    this.step = step;
    for (let offset = FIRST_RECORD + 1; offset <= RECORDS; offset++) this.available.push(offset);
    this.free = (offset) => {
      this.write(offset, FREED);
      this.available.unshift(offset);
    };
  }

  allocate(value: number): number {
    const offset = this.available.shift();
    assert.ok(offset !== undefined);
    this.write(offset, value);
    return offset;
  }

  private write(offset: number, value: number): void {
    this.step.access(offset, true);
    this.words[offset] = value;
  }
}

function writer(replacements: number): Program<Shared> {
  return ({ epochs, store }, step) => {
    const words = new Int32Array(store);
    const arena = new TinyArena(words, step);
    const retired = new EpochWriter(epochs, arena);
    let current = FIRST_RECORD;
    for (let value = FIRST_VALUE + 1; value <= FIRST_VALUE + replacements; value++) {
      const replaced = current;
      current = arena.allocate(value);
      Atomics.store(words, SLOT, current);
      retired.retire(replaced);
      retired.reclaim(10);
    }
  };
}

/** Frees what it has replaced without asking. */
function impatientWriter({ store }: Shared, step: Step): void {
  const words = new Int32Array(store);
  const arena = new TinyArena(words, step);
  Atomics.store(words, SLOT, arena.allocate(FIRST_VALUE + 1));
  arena.free(FIRST_RECORD);
}

function reader(index: number, sections: number): Program<Shared> {
  return ({ epochs, store }, step) => {
    const words = new Int32Array(store);
    const section = new EpochReader(epochs, index);
    let newest = FIRST_VALUE;
    for (let turn = 0; turn < sections; turn++) {
      section.enter();
      newest = readSlot(words, Atomics.load(words, SLOT), newest, step);
      section.leave();
    }
  };
}

/** Loads the slot before it enters. */
function lateReader({ epochs, store }: Shared, step: Step): void {
  const words = new Int32Array(store);
  const section = new EpochReader(epochs, 0);
  const offset = Atomics.load(words, SLOT);
  section.enter();
  readSlot(words, offset, FIRST_VALUE, step);
  section.leave();
}

function readSlot(words: Int32Array, offset: number, newest: number, step: Step): number {
  step.access(offset, false);
  const first = words[offset]!;
  step.access(offset, false);
  assert.notEqual(first, FREED, 'a reader found a freed record');
  assert.equal(words[offset], first, 'a record changed under its reader');
  assert.ok(first >= newest, 'a reader went back in time');
  return first;
}

export const models: Readonly<Record<string, Model<Shared>>> = {
  oneReader: epochsModel(1, writer(3), reader(0, 2)),
  twoReaders: epochsModel(2, writer(2), reader(0, 1), reader(1, 1)),
  writerDoesNotAsk: epochsModel(1, impatientWriter, reader(0, 1)),
  readerEntersTooLate: epochsModel(1, writer(1), lateReader),
};

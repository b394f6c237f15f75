/** Programs whose orders can be counted by hand: the explorer under its own test. */
import assert from 'node:assert/strict';
import type { Model, Program } from './model.ts';

function tiny(check: (words: Int32Array) => void, ...programs: readonly Program<SharedArrayBuffer>[]) {
  return {
    createShared: () => new SharedArrayBuffer(16),
    reset: (buffer: SharedArrayBuffer) => new Int32Array(buffer).fill(0),
    programs,
    check: (buffer: SharedArrayBuffer) => check(new Int32Array(buffer)),
  };
}

function writes(word: number): Program<SharedArrayBuffer> {
  return (buffer) => {
    Atomics.store(new Int32Array(buffer), word, 1);
    Atomics.store(new Int32Array(buffer), word, 2);
  };
}

function increment(buffer: SharedArrayBuffer): void {
  const words = new Int32Array(buffer);
  Atomics.store(words, 0, Atomics.load(words, 0) + 1);
}

function waiter(buffer: SharedArrayBuffer): void {
  Atomics.wait(new Int32Array(buffer), 0, 0);
}

export const models: Readonly<Record<string, Model<SharedArrayBuffer>>> = {
  sameWord: tiny(() => {}, writes(0), writes(0)),
  differentWords: tiny(() => {}, writes(0), writes(1)),
  lostUpdate: tiny((words) => assert.equal(words[0], 2, 'lost update'), increment, increment),
  deadlock: tiny(() => {}, waiter, waiter),
};

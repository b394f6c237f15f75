/** Setting and reading a shared 64-bit counter, beside what the BigInt64 atomics of the language cost. */
import { Counters, createCounters } from '../../src/shm/counters.ts';
import { type MicroResult, measure, runIfMain } from './harness.ts';

const EPOCH_7 = 7 * 2 ** 32;

export function benchCounters(iterations: number): MicroResult[] {
  const counters = new Counters(createCounters(['durableZxid']));
  const big = new BigInt64Array(new SharedArrayBuffer(8));
  let sink = 0;
  return [
    measure('counters set', iterations, (count) => {
      for (let i = 0; i < count; i++) counters.set(0, EPOCH_7 + i);
    }),
    measure('counters set, high half changes', iterations, (count) => {
      for (let i = 0; i < count; i++) counters.set(0, i * 2 ** 32);
    }),
    measure('counters get', iterations, (count) => {
      for (let i = 0; i < count; i++) sink += counters.get(0);
    }),
    measure('counters add', iterations, (count) => {
      counters.set(0, sink % 2);
      for (let i = 0; i < count; i++) counters.add(0, 1);
    }),
    measure('BigInt64 store, for comparison', iterations, (count) => {
      for (let i = 0; i < count; i++) Atomics.store(big, 0, BigInt(EPOCH_7 + i));
    }),
    measure('BigInt64 load, for comparison', iterations, (count) => {
      for (let i = 0; i < count; i++) sink += Number(Atomics.load(big, 0));
    }),
  ];
}

await runIfMain(import.meta.url, benchCounters, 2_000_000);

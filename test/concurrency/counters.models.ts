/** A counter under the explorer: values whose halves change one by one and together; a torn read is in no list. */
import assert from 'node:assert/strict';
import { Counters, type CountersHandle, createCounters } from '../../src/shm/counters.ts';
import type { Model } from './model.ts';

const HIGH = 2 ** 32;
const VALUES = [0, HIGH + 5, HIGH + 6, 2 * HIGH + 1, 3 * HIGH, 3 * HIGH + 7];

export const models: Readonly<Record<string, Model<CountersHandle>>> = {
  reader: {
    createShared: () => createCounters(['zxid']),
    reset: ({ buffer }) => new Int32Array(buffer).fill(0),
    programs: [
      (handle) => {
        const counters = new Counters(handle);
        for (const value of VALUES.slice(1)) counters.set(0, value);
      },
      (handle) => {
        const counters = new Counters(handle);
        let newest = 0;
        for (let read = 0; read < 2; read++) {
          const value = counters.get(0);
          assert.ok(VALUES.includes(value), `${value} was never written`);
          assert.ok(value >= newest, 'a reader went back in time');
          newest = value;
        }
      },
    ],
    check: (handle) => assert.equal(new Counters(handle).get(0), VALUES.at(-1)),
  },
};

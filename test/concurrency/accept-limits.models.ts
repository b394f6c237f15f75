/**
 * The accept limits under the explorer: io threads that admit and let go connections of one address at once. In every
 * order no more than the limit are in, and at the end every count is 0.
 */
import assert from 'node:assert/strict';
import {
  AcceptLimits,
  type AcceptLimitsHandle,
  type Admission,
  createAcceptLimits,
  REFUSED,
} from '../../src/net/accept-limits.ts';
import { HASH_KEY } from '../core/support/hash.ts';
import type { Model, Program } from './model.ts';

interface Shared {
  readonly limits: AcceptLimitsHandle;
  /** Connections of the address that are in, by the programs' own count. */
  readonly inside: SharedArrayBuffer;
}

const ADDRESS = '10.0.0.1';
/** Cells of the only set; of another address in both: see `reset`. */
const WAYS = 2;
const LIMIT = 1;
/** As `admit` counts them when nothing else is there. */
const FIRST_CELL: Admission = 1;
const UNCOUNTED: Admission = 0;

function model(
  prepare: (limits: AcceptLimits) => void,
  ...programs: readonly Program<Shared>[]
): Model<Shared> {
  return {
    createShared: () => ({
      limits: createAcceptLimits(0, LIMIT, HASH_KEY, 1, WAYS),
      inside: new SharedArrayBuffer(4),
    }),
    reset: ({ limits, inside }) => {
      new BigInt64Array(limits.buffer).fill(0n);
      new Int32Array(inside).fill(0);
      prepare(new AcceptLimits(limits));
    },
    programs,
    check: ({ limits }) => {
      const words = new BigInt64Array(limits.buffer);
      assert.equal(words[0], 0n, 'connections in all');
      for (const cell of words.subarray(1)) assert.equal(cell & 0xffffffffn, 0n, 'a count is left over');
    },
  };
}

/** Comes, counts itself, and goes. */
function visit({ limits, inside }: Shared): void {
  const accept = new AcceptLimits(limits);
  const admission = accept.admit(ADDRESS);
  if (admission === REFUSED) return;
  const words = new Int32Array(inside);
  assert.ok(Atomics.add(words, 0, 1) < LIMIT, 'more connections of one address than the limit');
  Atomics.add(words, 0, -1);
  accept.leave(admission);
}

/** Of an address that has no other connection: whoever takes the cell that it has found free, it is never refused. */
function visitAlone(address: string): Program<Shared> {
  return ({ limits }) => {
    const accept = new AcceptLimits(limits);
    const admission = accept.admit(address);
    assert.notEqual(admission, REFUSED, `${address} is alone`);
    accept.leave(admission);
  };
}

function leave(admission: Admission): Program<Shared> {
  return ({ limits }) => new AcceptLimits(limits).leave(admission);
}

/** Of a strange address, which frees its cell in the middle of things. */
const leaveFirstCell = leave(FIRST_CELL);

function leaveAndVisit(admission: Admission): Program<Shared> {
  return (shared) => {
    new AcceptLimits(shared.limits).leave(admission);
    visit(shared);
  };
}

/** Takes a count from whatever cell has the address now, as it was done before admissions. */
function leaveBySearch({ limits }: Shared): void {
  const words = new BigInt64Array(limits.buffer);
  Atomics.add(words, 0, -1n);
  for (let cell = 1; cell <= WAYS; cell++) {
    const seen = Atomics.load(words, cell);
    if ((seen & 0xffffffffn) === 0n) continue;
    Atomics.add(words, cell, -1n);
    return;
  }
}

/** One connection is counted in the first cell; another one came when the set was full, and is in none. */
function oneCountedOneNot(limits: AcceptLimits): void {
  const strangers = [limits.admit('stranger-1'), limits.admit('stranger-2')];
  assert.equal(limits.admit(ADDRESS), UNCOUNTED);
  for (const stranger of strangers) limits.leave(stranger);
  assert.equal(limits.admit(ADDRESS), FIRST_CELL);
}

export const models: Readonly<Record<string, Model<Shared>>> = {
  twoLeave: model(oneCountedOneNot, leaveAndVisit(FIRST_CELL), leaveAndVisit(UNCOUNTED)),
  twoLeaveBySearch: model(oneCountedOneNot, leaveBySearch, leaveBySearch),
  twoCome: model(() => {}, visit, visit),
  twoAddresses: model(() => {}, visitAlone(ADDRESS), visitAlone('10.0.0.2')),
  // Each may find another free cell: the first becomes free in between.
  twoComeOneGoes: model((limits) => limits.admit('stranger'), visit, visit, leaveFirstCell),
};

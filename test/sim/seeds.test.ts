/**
 * 1,000 seeds of the sound server, none of which may fail and which reach everything; and the promise that a seed is a
 * run. Servers that are broken on purpose: `variants.test.ts`.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OpCode } from '../../src/wire/opcodes.ts';
import { FAULT_KINDS } from './faults.ts';
import { runSeed } from './run-seed.ts';
import { Summary } from './summary.ts';

const SEEDS = 1000;

/** Reached in many seeds, or the simulator has become quiet. */
const STATES = [
  ...FAULT_KINDS.map((kind) => `fault ${kind}`),
  ...[
    OpCode.create,
    OpCode.create2,
    OpCode.createContainer,
    OpCode.createTtl,
    OpCode.delete,
    OpCode.setData,
  ].map((op) => `op ${op}`),
  ...[OpCode.getData, OpCode.exists, OpCode.getChildren, OpCode.getChildren2, OpCode.sync, OpCode.multi].map(
    (op) => `op ${op}`,
  ),
  ...[OpCode.addWatch, OpCode.setWatches2, OpCode.closeSession].map((op) => `op ${op}`),
  ...[OpCode.getAcl, OpCode.setAcl, OpCode.multiRead, OpCode.removeWatches, OpCode.checkWatches].map(
    (op) => `op ${op}`,
  ),
  'mode shared',
  'mode pipeline',
  'mode dedicated',
  'a power loss took unacknowledged writes back',
  'a session expired',
  'a watch fired',
  'a word was compared',
  'a znode was ended',
  'a permission was missing',
  'a quota was exceeded',
  'a ring was full',
  'a snapshot was written',
  'damage refused',
  'damage survived',
];
const STATE_SEEDS_MIN = SEEDS / 50;

/** A test each, so that none comes near the runner's limit on a busy machine. */
const BLOCK_SEEDS = 200;

describe(`${SEEDS} seeds`, () => {
  const summary = new Summary();

  for (let from = 1; from <= SEEDS; from += BLOCK_SEEDS) {
    test(`everything holds from seed ${from} on`, async () => {
      const failures: string[] = [];
      for (let seed = from; seed < from + BLOCK_SEEDS; seed++) {
        const result = await runSeed(seed);
        summary.add(result);
        if (result.violation !== null) failures.push(summary.failureText(result));
      }
      assert.deepEqual(failures, []);
    });
  }

  test('everything is reached', () => {
    console.log(summary.text());
    assert.equal(summary.seeds, SEEDS);
    const quiet = STATES.filter((state) => (summary.covered.get(state) ?? 0) < STATE_SEEDS_MIN);
    assert.deepEqual(quiet, [], 'hardly ever reached');
  });
});

test('a seed is a run: twice the same, to the last line', async () => {
  for (const seed of [3, 4]) {
    const first = await runSeed(seed, undefined, true);
    const second = await runSeed(seed, undefined, true);
    assert.ok(first.lines.length > 100);
    assert.deepEqual(first.lines, second.lines);
  }
});

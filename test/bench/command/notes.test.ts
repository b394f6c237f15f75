/** What is said of a plan before it runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notesOn } from '../../../bench/command/notes.ts';
import { buildPlan } from '../../../bench/plan/schema.ts';
import { parseTargetSpec } from '../../../bench/target/target-spec.ts';
import { labelsOf, planOf, runTiny } from '../run/support.ts';

const EMBEDDED = parseTargetSpec('embedded');

function notesOf(mix: object): string[] {
  return notesOn(buildPlan({ phases: { a: { mix } } }, 'the test'), EMBEDDED);
}

test('weights of creates and deletes that cannot be kept are named, with what is sent instead', () => {
  assert.deepEqual(notesOf({ get: 60, create: 30, delete: 10 }), [
    'phase a: creates and deletes are sent equally often, so that the tree keeps its size: about 20 % each, not 30 % creates and 10 % deletes',
  ]);
  assert.deepEqual(notesOf({ get: 60, create: 20, delete: 20 }), []);
  assert.deepEqual(notesOf({ get: 60, create: 40 }), []);
});

test('and that is what is sent', async () => {
  const plan = planOf({
    churn: { mix: { get: 60, create: 30, delete: 10 }, warmup: '100ms', measure: '400ms' },
  });
  const outcome = await runTiny(plan, 'null');
  assert.deepEqual(labelsOf(outcome!), { churn: ['get', 'create', 'delete'] });
  const [, created, deleted] = outcome!.run.phases[0]!.ops.map(({ latency }) => latency.count);
  // Each session may hold twice its window of creates that are not deleted yet.
  assert.ok(Math.abs(created! - deleted!) <= 3 * 4 * 10, `${created} and ${deleted}`);
});

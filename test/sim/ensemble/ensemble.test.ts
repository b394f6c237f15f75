/**
 * A few dozen seeds of whole ensembles, none of which may fail and which together reach everything; and the broken ones, each of
 * which must. Many more: `npm run sim:ensemble`.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runEnsemble } from './ensemble-run.ts';
import { EnsembleSummary } from './ensemble-summary.ts';
import { ENSEMBLE_VARIANTS } from './ensemble-variants.ts';
import { LEARNER_VARIANTS } from './learner-variants.ts';
import { REGRESSIONS } from './regressions.ts';

const SEEDS = 16;
/** Of these a broken ensemble must not survive all. */
const VARIANT_SEEDS = 40;
/** Reached in some seed, or the simulator has become quiet. */
const REACHED = [
  'serves as leader',
  'serves as follower',
  'sync by DIFF',
  'sync by SNAP',
  'a session expired',
  'clients were kept by what is now follower',
  'a held write is asked again',
];

describe(`${SEEDS} seeds of ensembles`, () => {
  const summary = new EnsembleSummary();

  test('everything holds', async () => {
    const failures: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const result = await runEnsemble(seed);
      summary.add(result);
      if (result.violation !== null) failures.push(summary.failureText(result));
    }
    assert.deepEqual(failures, []);
  });

  test('everything is reached', () => {
    console.log(summary.lines().join('\n'));
    assert.deepEqual(
      REACHED.filter((state) => !summary.covered.has(state)),
      [],
    );
  });

  for (const { seed, reason } of REGRESSIONS) {
    test(`seed ${seed}: ${reason}`, async () => {
      assert.equal((await runEnsemble(seed)).violation, null);
    });
  }
});

describe('a broken ensemble is found', () => {
  const variants = [...ENSEMBLE_VARIANTS, ...LEARNER_VARIANTS];
  for (const variant of variants.filter(({ seeds }) => seeds !== null)) {
    const seeds = variant.seeds ?? VARIANT_SEEDS;
    test(`${variant.name}: ${variant.breaks}`, async () => {
      for (let seed = 1; seed <= seeds; seed++) {
        const { violation } = await runEnsemble(seed, variant);
        if (violation === null) continue;
        console.log(`${variant.name}: seed ${seed}: ${violation}`);
        assert.match(violation, variant.found);
        return;
      }
      assert.fail(`not in ${seeds} seeds`);
    });
  }
});

test('a seed is a run: twice the same, to the last line', async () => {
  const first = await runEnsemble(3, undefined, true);
  const second = await runEnsemble(3, undefined, true);
  assert.ok(first.lines.length > 100);
  assert.deepEqual(first.lines, second.lines);
});

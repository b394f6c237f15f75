/** Each server that is broken on purpose must fail within its number of seeds. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runSeed } from './run-seed.ts';
import { VARIANTS } from './variants.ts';

/** Of these a broken server must not survive all. */
const VARIANT_SEEDS = 400;

describe('a broken server is found', () => {
  for (const variant of VARIANTS) {
    test(`${variant.name}: ${variant.breaks}`, async () => {
      for (let seed = 1; seed <= VARIANT_SEEDS; seed++) {
        const { violation } = await runSeed(seed, variant);
        if (violation === null) continue;
        console.log(`${variant.name}: seed ${seed}: ${violation}`);
        assert.match(violation, variant.found);
        return;
      }
      assert.fail(`not in ${VARIANT_SEEDS} seeds`);
    });
  }
});

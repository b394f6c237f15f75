import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withConfigReference } from '../../../src/server/config/config-reference.ts';
import { findSetting, SETTINGS } from '../../../src/server/config/defaults.ts';

const README = join(import.meta.dirname, '..', '..', '..', 'README.md');

describe('configuration reference', () => {
  it('has one row per key', () => {
    const keys = SETTINGS.map((row) => row.key);
    assert.equal(new Set(keys).size, keys.length);
    for (const row of SETTINGS) {
      assert.equal(findSetting(row.key.replace('*', 'x').replace('<n>', '1'))?.key, row.key);
    }
  });

  it('is up to date in the README', () => {
    const readme = readFileSync(README, 'utf8');
    const message = 'run: node src/bin/config-reference.ts --write README.md';
    assert.equal(readme, withConfigReference(readme), message);
  });

  it('says when the document has no place for it', () => {
    assert.throws(() => withConfigReference('# no marks'), {
      name: 'ConfigFailure',
      message: /config:begin/,
    });
  });
});

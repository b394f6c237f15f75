import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { README_FILE, readmeWithTable } from './differential/readme-table.ts';

test('the README quotes the table of deliberate differences', () => {
  assert.equal(
    readFileSync(README_FILE, 'utf8'),
    readmeWithTable(),
    'bring it up to date: node test/compat/record.ts readme',
  );
});

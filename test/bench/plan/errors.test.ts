/** Every error of a plan file: the exact line that a person reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readPlanText } from '../../../bench/plan/plan-text.ts';
import { buildPlan } from '../../../bench/plan/schema.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { ALL_KEYS, ERROR_CASES, OPS } from './support/error-cases.ts';

for (const [yaml, place, message] of ERROR_CASES) {
  test(message, () => {
    const { document, locate } = readPlanText(yaml, 'p.yaml');
    assert.throws(() => buildPlan(document, locate), {
      name: 'ConfigFailure',
      message: `p.yaml${place}: ${message}`,
    });
  });
}

test('the first error is given, with the number of others', () => {
  assert.throws(() => buildPlan({ seed: 'x', workers: 0, phases: { a: { mix: { get: 1 } } } }, 'p.yaml'), {
    message: 'p.yaml: seed: "x" - allowed: a whole number from 0 to 4294967295 (and 1 more)',
  });
});

test('a misspelt key comes before the key that is missing because of it', () => {
  assert.throws(
    () => buildPlan({ phase: {} }, 'p.yaml'),
    /^ConfigFailure: p\.yaml: phase: unknown key - did you mean "phases"/,
  );
});

test('what is not YAML is named with line and column', () => {
  const wrong: readonly (readonly [string, string])[] = [
    ['a: 1\nb: [', 'p.yaml:2:5: not valid YAML: '],
    ['a: 1\na: 2', 'p.yaml:2:1: not valid YAML: '],
    ['a: 1\n\tb: 2', 'p.yaml:2:1: not valid YAML: '],
    ['a: !thing 1', 'p.yaml:1:4: not valid YAML: '],
    ['a: 1\n---\nb: 2', 'p.yaml:2:1: not valid YAML: '],
    ['a: *nowhere', 'p.yaml:1:4: not valid YAML: '],
  ];
  for (const [yaml, start] of wrong) {
    assert.throws(
      () => readPlanText(yaml, 'p.yaml'),
      (error) => error instanceof ConfigFailure && error.message.startsWith(start),
      yaml,
    );
  }
});

test('a file of aliases of aliases is refused, not expanded', () => {
  const levels = Array.from(
    { length: 12 },
    (_, i) => `l${i}: &l${i} [${`*l${i - 1}, `.repeat(i === 0 ? 0 : 9)}x]`,
  );
  assert.throws(() => readPlanText(levels.join('\n'), 'p.yaml'), ConfigFailure);
});

test('whatever the document, buildPlan gives a plan or a ConfigFailure of one line', () => {
  const leaf = fc.oneof(
    fc.constantFrom(
      0,
      1,
      50,
      '1s',
      '10ms',
      '50%',
      '1KiB',
      'uniform',
      'closed',
      'lock',
      'get',
      null,
      true,
      '',
      '\n',
    ),
    fc.integer(),
    fc.double(),
    fc.string(),
  );
  const key = fc.oneof(
    fc.constantFrom(
      ...ALL_KEYS.split(', '),
      ...OPS.split(', '),
      'a',
      'mix',
      'recipe',
      'keys',
      'values',
      'arrival',
    ),
    fc.constantFrom(
      'rate',
      'steps',
      'for',
      'weight',
      'op',
      'zipf',
      'hotSet',
      'from',
      'to',
      'step',
      'p99',
      'label',
    ),
    fc.string(),
  );
  const document = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 6 },
      leaf,
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(key, tie('node'), { maxKeys: 6 }),
    ),
  })).node;
  fc.assert(
    fc.property(fc.oneof(document, fc.anything()), (value) => {
      try {
        buildPlan(value, 'p.yaml');
      } catch (error) {
        assert.ok(error instanceof ConfigFailure, String((error as Error).stack));
        assert.ok(!error.message.includes('\n') && error.message.startsWith('p.yaml: '), error.message);
      }
    }),
    { numRuns: 2_000 },
  );
});

/** The texts behind `--targets`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTargetList } from '../../../bench/target/target-list.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';

function places(...texts: string[]) {
  return parseTargetList(texts).map(({ spec, label, voters, observers, service }) => [
    spec.text,
    label,
    voters,
    observers,
    service,
  ]);
}

test('sizes of one service differ in their servers alone', () => {
  assert.deepEqual(places('embedded:1,embedded:3, apache:5+2', 'mixed:2+1,mixed:3+2+1'), [
    ['embedded:1', 'embedded-1', 1, 0, 'embedded'],
    ['embedded:3', 'embedded-3', 3, 0, 'embedded'],
    ['apache:5+2', 'apache-5+2', 5, 2, 'apache'],
    ['mixed:2+1', 'mixed-2+1', 3, 0, 'mixed'],
    ['mixed:3+2+1', 'mixed-3+2+1', 5, 1, 'mixed'],
  ]);
});

test('a comma within a target separates nothing', () => {
  assert.deepEqual(places('embedded:3:tickTime=500,initLimit=9,apache', '127.0.0.1:1,127.0.0.1:2,null'), [
    ['embedded:3:tickTime=500,initLimit=9', 'embedded-3', 3, 0, 'embedded tickTime=500 initLimit=9'],
    ['apache', 'apache-1', 1, 0, 'apache'],
    ['127.0.0.1:1,127.0.0.1:2', 'external', 2, 0, 'external'],
    ['null', 'null', 1, 0, 'null'],
  ]);
});

test('two of the same size and kind are told apart by their texts', () => {
  assert.deepEqual(
    parseTargetList(['mixed:2+1,mixed:1+2,mixed:3+2']).map(({ service }) => service),
    ['mixed:2+1', 'mixed:1+2', 'mixed'],
  );
});

test('--sizes are of each target that says none', () => {
  const texts = (sizes: string, ...targets: string[]) =>
    parseTargetList(targets, sizes).map(({ spec }) => spec.text);
  assert.deepEqual(texts('1, 3,5+2', 'embedded,apache:maxCnxns=9', 'apache:3'), [
    ...['embedded:1', 'embedded:3', 'embedded:5+2'],
    ...['apache:1:maxCnxns=9', 'apache:3:maxCnxns=9', 'apache:5+2:maxCnxns=9', 'apache:3'],
  ]);
  assert.throws(() => texts('3,x', 'embedded'), /^ConfigFailure: --sizes: "x" - allowed: numbers of servers/);
  assert.throws(
    () => texts('1,3', 'embedded:3'),
    /^ConfigFailure: --sizes: allowed: with a target that says no size/,
  );
});

test('what cannot be meant is one line', () => {
  for (const [text, words] of [
    ['embedded:1,embedded:1', /^--targets: "embedded:1" - allowed: each target once$/],
    ['embedded:1,apach', /^--targets: "apach" - allowed: embedded, /],
    ['embedded:0', /^--targets: "embedded:0" - allowed: .*1 to 25 servers/],
    ['embedded:1,', /^--targets: "" - allowed: /],
    [Array.from({ length: 65 }, (_, at) => `host:${at + 1}`).join(';'), /^--targets: /],
  ] as const) {
    assert.throws(
      () => parseTargetList([text]),
      (error) => error instanceof ConfigFailure && words.test(error.message) && !error.message.includes('\n'),
      text,
    );
  }
  const many = Array.from({ length: 65 }, (_, at) => `embedded:1:tickTime=${at + 1}`);
  assert.throws(() => parseTargetList(many), /65 targets - allowed: at most 64/);
});

/** CSV and JSON of results, and figures as text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, formatRate, formatShare } from '../../../bench/figures/format.ts';
import { jsonText } from '../../../bench/figures/json-text.ts';
import { markdownTable } from '../../../bench/figures/markdown.ts';
import { closingLines, runVerdict } from '../../../bench/figures/verdict.ts';
import { latencyCsv, samplesCsv, seriesCsv } from '../../../bench/report/csv.ts';
import { parseRun } from '../../../bench/result/older-results.ts';
import type { RunResult } from '../../../bench/result/run-json.ts';
import { sampleRun } from './support/sample-run.ts';

const run = sampleRun();

function withPhase(changes: Partial<RunResult['phases'][number]>): RunResult {
  return { ...run, phases: [{ ...run.phases[0]!, ...changes }] };
}

test('an outage is rows of zeros, one per step', () => {
  const rows = seriesCsv(run).trimEnd().split('\n');
  assert.equal(rows.length, 1 + 600 + 200);
  for (let atMs = 27_400; atMs < 29_100; atMs += 100) {
    assert.match(rows[1 + atMs / 100]!, new RegExp(`^mixed,${atMs},0,`));
  }
});

test('errors beyond the last reply keep their rows', () => {
  const text = seriesCsv(withPhase({ series: [5], errorSeries: [0, 3] }));
  assert.equal(text, 'phase,at_ms,replies,errors\nmixed,0,5,0\nmixed,100,0,3\n');
});

test('what does not exist is an empty cell, never 0', () => {
  const point = { atMs: 500, count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 };
  assert.equal(latencyCsv(withPhase({ latencySeries: [point] })).split('\n')[1], 'mixed,500,0,,,');
  const sample = { atMs: 1000, cpuCores: null, rssBytes: 10, outstanding: null };
  assert.equal(samplesCsv(withPhase({ samples: [sample] })).split('\n')[1], 'mixed,1000,,10,');
});

test('a phase name with a comma is quoted', () => {
  const plan = { ...run.phases[0]!.plan, name: 'a,"b"' };
  assert.match(seriesCsv(withPhase({ plan, series: [1], errorSeries: [] })), /^"a,""b""",0,1,0$/m);
});

test('JSON for people is the same JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      assert.deepEqual(JSON.parse(jsonText(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
  assert.deepEqual(parseRun(jsonText(run)), run);
});

test('series fill their lines, keys have their own', () => {
  const lines = jsonText(run).split('\n');
  assert.ok(lines.some((line) => /^\s+"series": \[$/.test(line)));
  const longest = Math.max(
    ...lines.filter((line) => !line.includes('"histogram"')).map((line) => line.length),
  );
  assert.ok(longest <= 180, `a line has ${longest} characters`);
  assert.ok(lines.length < 700, `${lines.length} lines`);
});

test('shares never round to all or nothing', () => {
  assert.equal(formatShare(1), '100 %');
  assert.equal(formatShare(0.999_999_99), '99.999 %');
  assert.equal(formatShare(0), '0 %');
});

test('small rates and long durations keep their meaning', () => {
  assert.deepEqual([0, 0.25, 12.34, 20_000].map(formatRate), ['0 /s', '0.250 /s', '12.3 /s', '20,000 /s']);
  assert.deepEqual([0.5, 250, 1500, 60_000, 5_400_000].map(formatDuration), [
    '0.5 ms',
    '250 ms',
    '1.5 s',
    '60 s',
    '1 h 30 min',
  ]);
});

test('a bar in a cell does not end it', () => {
  assert.equal(markdownTable(['a'], [['x|y\nz']])[2], '| x\\|y z |');
});

test('that a running service is gone is told once, not in each of the phases that it left unanswered', () => {
  const [first] = run.phases;
  const text = 'no request was answered';
  const dead = { ...first!, latency: null, findings: [{ rule: 'allReplies', kind: 'void' as const, text }] };
  const named = (name: string) => ({ ...dead, plan: { ...dead.plan, name } });
  const target = { ...run.target, failure: 'connect ECONNREFUSED' };
  const said = JSON.stringify(runVerdict({ ...run, target, phases: [first!, named('two'), named('three')] }));
  assert.match(said, /"two, three: nothing was answered"/);
  assert.doesNotMatch(said, /no request was answered/);
});

test('the last sentence of a void run gives what makes it void, in whichever phase that is', () => {
  const [first] = run.phases;
  const named = (name: string, rule: string, kind: 'void' | 'unsteady'): RunResult['phases'][number] => ({
    ...first!,
    plan: { ...first!.plan, name },
    findings: [{ rule, kind, text: `${kind} by ${rule}` }],
    check: null,
  });
  const phases = [named('one', 'steadyState', 'unsteady'), named('two', 'ceiling', 'void')];
  const both: RunResult = { ...run, target: { ...run.target, failure: null }, complete: true, phases };
  const [sentence, next] = closingLines(both, 'report.html');
  assert.match(sentence!, /Do not use these figures: two: void by ceiling\.$/);
  assert.match(next!, /more threads/);
  assert.deepEqual(runVerdict(both).lines.slice(0, 2), [
    'two: void by ceiling',
    'one: unsteady by steadyState',
  ]);
});

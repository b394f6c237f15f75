/** Results of the versions before, as they lie in `results/`, are read as what they would be today. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runVerdict } from '../../../bench/figures/verdict.ts';
import { parseComparison, parseRun, parseSweep } from '../../../bench/result/older-results.ts';
import { runDirName, verdictOfRun } from '../../../bench/result/run-json.ts';
import { sampleComparison } from './support/sample-comparison.ts';
import { sampleRun } from './support/sample-run.ts';
import { sampleSweep } from './support/sample-sweep.ts';

/** As version 2 wrote it: one kind of finding, and nothing of what came later. */
function asVersion2(findings: readonly { rule: string; text: string }[]): string {
  const run = sampleRun({ outage: null });
  const phases = run.phases.map(({ waited, othersCores, warming, ...phase }) => ({
    ...phase,
    findings,
    valid: findings.length === 0,
  }));
  return JSON.stringify({ ...run, schemaVersion: 2, phases });
}

test('a run of version 2 that was not steady keeps its figures; one that lost replies does not', () => {
  const unsteady = parseRun(asVersion2([{ rule: 'steadyState', text: 'throughput did not become steady' }]))!;
  assert.equal(verdictOfRun(unsteady), 'unsteady');
  assert.ok(
    unsteady.phases.every(({ valid, waited, warming }) => valid && waited === null && warming === null),
  );
  assert.doesNotMatch(runDirName(unsteady), /invalid|void/);
  assert.equal(runVerdict(unsteady).look, 'warn');
  const lost = parseRun(asVersion2([{ rule: 'allReplies', text: '3 requests were never answered' }]))!;
  assert.equal(verdictOfRun(lost), 'void');
  assert.match(runDirName(lost), /-void$/);
});

test('a comparison of version 2 asks its runs what they were', () => {
  const { comparison } = sampleComparison();
  const runs = comparison.runs.map(({ verdict, ...run }, at) => ({ ...run, valid: at !== 0 && at !== 1 }));
  const text = JSON.stringify({ ...comparison, schemaVersion: 2, runs });
  const read = parseComparison(text, (dir) => (dir === runs[0]!.dir ? 'unsteady' : null))!;
  assert.deepEqual(
    read.runs.slice(0, 3).map(({ verdict }) => verdict),
    ['unsteady', 'void', 'sound'],
  );
});

test('a sweep of version 1, and what is none', () => {
  const sweep = sampleSweep();
  assert.equal(
    parseSweep(JSON.stringify({ ...sweep, schemaVersion: 1 }))?.points.length,
    sweep.points.length,
  );
  assert.equal(parseSweep(JSON.stringify({ ...sweep, schemaVersion: 7 })), null);
  assert.equal(parseRun('{"schema":"ringkeeper-bench-run","schemaVersion":1}'), null);
  assert.equal(parseRun('not JSON'), null);
});

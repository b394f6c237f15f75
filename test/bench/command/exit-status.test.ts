/** One table of exit statuses for single runs, series and comparisons (bench/command/README.md). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ExitStatus,
  statusOfComparison,
  statusOfRun,
  statusOfSeries,
} from '../../../bench/command/exit-status.ts';
import type { PhaseResult, RunResult } from '../../../bench/result/run-json.ts';
import { sampleRun } from '../report/support/sample-run.ts';

const base = sampleRun();

function runWith(phase: Partial<PhaseResult>, more: Partial<RunResult> = {}): RunResult {
  const whole = { findings: [], unanswered: 0, check: null, ...phase };
  return { ...base, complete: true, phases: base.phases.map((one) => ({ ...one, ...whole })), ...more };
}

const sound = runWith({});
const unsteady = runWith({ findings: [{ rule: 'steadyState', kind: 'unsteady', text: '' }] });
const broken = runWith({ findings: [{ rule: 'lag', kind: 'void', text: '' }] });
const waiting = runWith({ unanswered: 3, findings: [{ rule: 'allReplies', kind: 'void', text: '' }] });
const dead = runWith({}, { target: { ...base.target, failure: 'it ended' } });
const wrong = runWith(
  { check: { passed: false, operations: 1, keys: 1, truncated: false, rules: [] } },
  { target: { ...base.target, failure: 'it ended' } },
);

test('of one run, or a replay', () => {
  const statuses = [sound, unsteady, broken, waiting, dead, wrong].map(statusOfRun);
  assert.deepEqual(statuses, [0, 0, 4, 1, 1, 3]);
});

test('a series may have void points and unanswered requests, where it goes beyond what the service can do', () => {
  const statuses = [[], [sound, waiting], [broken, waiting], [sound, dead], [sound, wrong]].map(
    statusOfSeries,
  );
  assert.deepEqual(statuses, [0, 0, 4, 1, 3]);
});

test('one void run makes a comparison void, but for a gate that lets it pass', () => {
  const gate = (ok: boolean) => ({ ok, lines: [] });
  assert.equal(statusOfComparison([sound, unsteady], null), ExitStatus.done);
  assert.equal(statusOfComparison([sound, broken], null), ExitStatus.void);
  assert.equal(statusOfComparison([sound, broken], gate(true)), ExitStatus.done);
  assert.equal(statusOfComparison([sound, broken], gate(false)), ExitStatus.refused);
  assert.equal(statusOfComparison([sound, dead], gate(true)), ExitStatus.failed);
});

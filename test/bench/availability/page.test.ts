/** The page of a run under faults: the proof is on top, targets stand beside each other, faults are bands in the figure. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderAvailabilityPage } from '../../../bench/availability/availability-page.ts';
import { availabilityLines } from '../../../bench/availability/availability-text.ts';
import { timeCharts } from '../../../bench/availability/fault-charts.ts';
import type { TargetUnderFaults } from '../../../bench/availability/measure-faults.ts';
import { sampleRun } from '../report/support/sample-run.ts';

const { environment } = sampleRun();
const HEAD = {
  ...{ schema: 'ringkeeper-bench-availability', schemaVersion: 1, startedAt: '2026-11-30T10:00:00.000Z' },
  ...{ command: 'npx ringkeeper bench availability a b', environment, complete: true },
};
const UP = {
  ...{ byTime: 0.9, byCount: 0.9, downMs: 1_000, longestOutageMs: 600, worstWindow: { 1000: 0.4 } },
  ...{ outcomes: { ok: 9, late: 0, failed: 1, unknown: 0 }, outages: [{ fromMs: 1_000, toMs: 1_600 }] },
};

function target(name: string, downMs: number, more: Partial<TargetUnderFaults> = {}): TargetUnderFaults {
  const cost = { firstFailureMs: 0, downMs };
  const classes = { write: UP, read: UP, freshRead: UP, session: UP };
  return {
    target: name,
    totalMs: 10_000,
    faults: [
      {
        ...({
          name: 'kill leader',
          kind: 'kill',
          victim: 'leader',
          fromMs: 1_000,
          wholeMs: 4_000,
          toMs: 6_000,
        } as const),
        costs: { write: cost, read: cost, freshRead: cost, session: cost },
        electionMs: 210,
        load: { to95Ms: 700, lostSeconds: 0.65, connectionsLost: 12, sessionsExpired: 0 },
      },
    ],
    availability: { byTime: 0.9, classes },
    elections: [],
    load: {
      ...{ bucketMs: 100, startMs: 0, duePerBucket: 50, good: Array.from({ length: 100 }, () => 50) },
      ...{ connectionsLostAtMs: [], sessionsExpiredAtMs: [] },
    },
    lagMsMax: 12,
    acknowledged: 1_234,
    missing: [],
    ...more,
  };
}

test('two targets: side by side in text and page, median and worst', () => {
  const results = [target('embedded:3', 600), target('apache:3', 2_400)];
  const page = renderAvailabilityPage(HEAD, results, 4);
  assert.match(page, /Nothing acknowledged was lost/);
  const lines = availabilityLines(results, 4);
  assert.ok(lines.some((line) => line.startsWith('| kill leader | 600 (600) | 2400 (2400) | 0.65 (0.65)')));
  assert.match(page, /up to 12 ms late\./);
  assert.match(page, />2400 \(2400\)</);
});

test('the figure has a band from the fault until all serve again', () => {
  const [goodput, availability] = timeCharts(target('embedded:3', 600));
  assert.equal(availability!.title, 'Availability');
  const drawn = JSON.stringify(goodput!.option);
  assert.match(drawn, /\{"xAxis":1,.*?"name":"kill leader"\},\{"xAxis":4\}/);
  assert.equal(timeCharts(target('embedded:3', 600, { load: null })).length, 1);
});

test('what was lost is the first thing that both say', () => {
  const results = [target('a<b>:3', 600, { missing: ['127.0.0.1:1: n7'] })];
  const page = renderAvailabilityPage(HEAD, results, 4);
  assert.match(page, /Acknowledged writes were lost/);
  assert.ok(!page.includes('a<b>'), 'names are escaped');
  assert.match(availabilityLines(results, 4).join('\n'), /\*\*LOST: of 1,234 .*n7 \(1 in all\)\*\*/);
});

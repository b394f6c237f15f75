/** The verdicts of the campaign, on results that are made up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  LargeTreeResult,
  LoadResult,
  ServerName,
  StartResult,
} from '../../../../bench/campaigns/large-tree/large-tree-json.ts';
import type { ReplyTimes } from '../../../../bench/campaigns/large-tree/reply-times.ts';
import { renderLargeTreeSummary, targetLines } from '../../../../bench/campaigns/large-tree/summary.ts';
import { type Outcome, targetRows } from '../../../../bench/campaigns/large-tree/targets.ts';

const MB = 1e6;

function replies(maxMs: number): ReplyTimes {
  const latency = {
    ...{ count: 1_000, meanMs: 1, p50Ms: 1, p90Ms: 2, p99Ms: 3, p999Ms: 4, p9999Ms: 5 },
    maxMs,
  };
  return { all: latency, reads: latency, writes: latency };
}

function load(server: ServerName, parts: Partial<LoadResult> = {}, worstMs = 30): LoadResult {
  return {
    server,
    target: server,
    peakPerSecond: 100_000,
    ratePerSecond: 20_000,
    reachedPerSecond: 20_001,
    measuredMs: 60_000,
    snapCount: 100_000,
    snapshotsWanted: 1,
    snapshots: [{ atMs: 1_000, ms: 300, bytes: 200 * MB }],
    replies: { whole: replies(400), during: replies(worstMs), outside: replies(400) },
    uncorrected: null,
    worst: [
      {
        atMs: 1_000,
        readMs: 29,
        writeMs: worstMs,
        snapshot: 1,
        sinceBeginMs: 100,
        sinceEndMs: -200,
        generatorLateMs: 1.5,
      },
    ],
    generator: { lateness: null, gcPauseMaxMs: 2, busy: 0.3 },
    findings: [],
    gcPauseMaxMs: 5,
    threadPauses: [{ thread: 'core', maxMs: 5 }],
    extremes: {},
    residentBytes: 430 * MB,
    residentPeakBytes: 440 * MB,
    cpuPressure: null,
    ...parts,
  };
}

function start(server: ServerName, ms: number, residentBytes = 400 * MB): StartResult {
  return { server, ms, residentBytes, own: { startup_snap_load_time: ms / 2 } };
}

function result(parts: Partial<LargeTreeResult> = {}): LargeTreeResult {
  return {
    schema: 'ringkeeper-bench-large-tree',
    schemaVersion: 2,
    startedAt: '2026-01-02T03:04:05.000Z',
    command: 'npx ringkeeper bench campaign large-tree',
    complete: true,
    environment: {
      ...{ cpuModel: 'CPU', cpuCount: 2, memoryBytes: 8 * 1024 ** 3, kernel: 'Linux', nodeVersion: 'v26' },
      ...{ commit: 'abcdef0123', dirty: false, dataFilesystem: 'ext4' },
    },
    nodes: 1_000_000,
    share: 0.2,
    shapes: [
      {
        ...{ shape: 'wide', znodes: 1_000_000, createMs: 5_000, residentBytes: 440 * MB, childList: null },
        ...{ snapshotsMs: [250, 300], restartMs: 1_500, residentAfterRestartBytes: 410 * MB },
      },
    ],
    starts: [
      start('ringkeeper', 1_400),
      start('apache', 3_000),
      start('apache', 3_200),
      start('ringkeeper', 1_600),
    ],
    loads: [load('ringkeeper'), load('apache', { residentBytes: 1_200 * MB }, 800)],
    ...parts,
  };
}

function outcomes(parts: Partial<LargeTreeResult> = {}): Outcome[] {
  return targetRows(result(parts)).map(({ outcome }) => outcome);
}

const MEMORY = 0;
const WORST = 1;
const START = 2;
const GC = 3;

test('every target met', () => {
  assert.deepEqual(outcomes(), ['met', 'met', 'met', 'met']);
});

test('memory is the largest of every look at the server', () => {
  for (const parts of [
    { loads: [load('ringkeeper', { residentBytes: 451 * MB })] },
    { starts: [start('ringkeeper', 1_000, 451 * MB), start('apache', 2_000)] },
    { shapes: [{ ...result().shapes[0]!, residentBytes: 451 * MB }] },
    { shapes: [{ ...result().shapes[0]!, residentAfterRestartBytes: 450 * MB }] },
  ]) {
    assert.equal(outcomes(parts)[MEMORY], 'missed');
  }
  assert.match(targetRows(result())[MEMORY]!.apache, /^1200 MB$/);
});

test('the worst reply is that of the snapshots, not of the rest of the time', () => {
  assert.equal(outcomes()[WORST], 'met', '400 ms outside of snapshots is not of this row');
  assert.equal(outcomes({ loads: [load('ringkeeper', {}, 50)] })[WORST], 'missed');
});

test('a load without snapshots, or with errors, does not meet the target; with errors it may miss it', () => {
  assert.equal(outcomes({ loads: [load('ringkeeper', { snapshots: [] })] })[WORST], 'not measured');
  const doubtful = { findings: ['3 replies with NoNode'] };
  assert.equal(outcomes({ loads: [load('ringkeeper', doubtful)] })[WORST], 'not measured');
  assert.equal(outcomes({ loads: [load('ringkeeper', doubtful, 60)] })[WORST], 'missed');
});

test('starts are compared by their medians; without the other server there is no verdict', () => {
  const slow = [start('ringkeeper', 3_200), start('ringkeeper', 900), start('ringkeeper', 3_300)];
  assert.equal(outcomes({ starts: [...slow, start('apache', 3_100)] })[START], 'missed');
  assert.equal(outcomes({ starts: slow })[START], 'not measured');
});

test('pauses of the collector', () => {
  assert.equal(outcomes({ loads: [load('ringkeeper', { gcPauseMaxMs: 20 })] })[GC], 'missed');
  assert.equal(outcomes({ loads: [load('ringkeeper', { gcPauseMaxMs: null })] })[GC], 'not measured');
});

test('another number of znodes, or another share of the peak, proves nothing', () => {
  assert.deepEqual(outcomes({ nodes: 20_000 }), ['other size', 'other size', 'other size', 'other size']);
  assert.equal(outcomes({ share: 0.1 })[WORST], 'other size');
  assert.match(
    renderLargeTreeSummary(result({ nodes: 20_000 })),
    /\*\*this run says nothing about them\.\*\*/,
  );
});

test('the summary says what is missed, what is doubtful, and how to make it again', () => {
  const text = renderLargeTreeSummary(
    result({ loads: [load('ringkeeper', { findings: ['3 replies with NoNode'] }, 77)], complete: false }),
  );
  assert.match(text, /worst reply during snapshots.*\| 77\.0 ms \| - \| \*\*missed\*\* \|/);
  assert.match(text, /\*\*Doubtful, ringkeeper\*\*: 3 replies with NoNode\./);
  assert.match(text, /\*\*Not complete\*\*/);
  assert.match(text, /npx ringkeeper bench campaign large-tree/);
  assert.match(text, /1\.50 s \(1\.40 to 1\.60, 2 starts\).*3\.10 s \(3\.00 to 3\.20, 2 starts\)/);
  assert.match(text, /\| ringkeeper \| 1\.50 s .*\| 750 \| - \| - \|/);
  assert.match(targetLines(result())[START]!, /^met +start with the tree on disk: 1\.50 s/);
});

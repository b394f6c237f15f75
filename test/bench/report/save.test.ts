/** Results on disk: what a directory holds, and that a full disk leaves no half result. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { diskFiles, type FileSystem, prepareOut } from '../../../bench/report/result-dir.ts';
import {
  comparisonDirName,
  saveComparison,
  saveSingleRun,
  saveSweep,
  sweepDirName,
} from '../../../bench/report/save-comparison.ts';
import { saveRun } from '../../../bench/report/save-run.ts';
import { parseRun } from '../../../bench/result/older-results.ts';
import { runDirName } from '../../../bench/result/run-json.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { sampleComparison } from './support/sample-comparison.ts';
import { sampleIntervals } from './support/sample-intervals.ts';
import { sampleRun } from './support/sample-run.ts';
import { sampleSweep } from './support/sample-sweep.ts';
import { tempDir } from './support/temp-dir.ts';

const run = sampleRun();
const { comparison, runs } = sampleComparison();

test('a run has all its files in a directory named after it', (t) => {
  const out = tempDir(t);
  const dir = saveRun(run, out, sampleIntervals(2));
  assert.equal(dir, join(out, '2026-11-20-073259-sample-mix-embedded-1a2b3c4-void'));
  assert.equal(dir, join(out, runDirName(run)));
  const ops = ['get', 'list', 'set', 'create', 'multi', 'watch', 'watch-event'].map(
    (op) => `mixed.${op}.hgrm`,
  );
  const expected = [
    ...[
      'run.json',
      'summary.md',
      'report.html',
      'series.csv',
      'latency.csv',
      'samples.csv',
      'sample-mix.hlog',
    ],
    ...['mixed.hgrm', ...ops, 'read.hgrm', 'read.get.hgrm'],
  ];
  assert.deepEqual(readdirSync(dir).sort(), expected.sort());
  assert.deepEqual(parseRun(readFileSync(join(dir, 'run.json'), 'utf8')), run);
});

test('without intervals there is no log', (t) => {
  const dir = saveRun(run, tempDir(t));
  assert.ok(!readdirSync(dir).some((name) => name.endsWith('.hlog')));
});

test('a second result of the same second does not touch the first', (t) => {
  const out = tempDir(t);
  const first = saveRun(run, out);
  const second = saveRun(run, out);
  assert.equal(second, `${first}-2`);
  assert.ok(existsSync(join(first, 'run.json')));
});

test('a target that is a list of addresses makes no path', (t) => {
  const out = tempDir(t);
  const dir = saveRun({ ...run, target: { ...run.target, name: '10.0.0.1:2181,a/b' } }, out);
  assert.deepEqual(readdirSync(out), [dir.slice(out.length + 1)]);
  assert.match(dir, /-10\.0\.0\.1-2181-a-b-1a2b3c4/);
});

/** Fails the write of the given number, counted from 0, as a full disk does: with half of the file there. */
function fullDisk(failingWrite: number): FileSystem {
  let count = 0;
  return {
    ...diskFiles,
    write: (path, content) => {
      if (count++ !== failingWrite) return diskFiles.write(path, content);
      writeFileSync(path, 'half');
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    },
  };
}

test('a full disk at any file leaves nothing and says what to do in one line', (t) => {
  const out = tempDir(t);
  const small = { ...run, phases: run.phases.slice(1) };
  const fileCount = readdirSync(saveRun(small, out, sampleIntervals(1))).length;
  const before = readdirSync(out);
  for (let failing = 0; failing < fileCount; failing++) {
    assert.throws(
      () => saveRun(small, out, sampleIntervals(1), fullDisk(failing)),
      (error: Error) =>
        error.name === 'SaveFailure' &&
        /no space left on the device; free some space in .* or choose another place with --out$/.test(
          error.message,
        ) &&
        !error.message.includes('\n'),
    );
    assert.deepEqual(readdirSync(out), before);
  }
});

test('a full disk at the document of a comparison keeps the runs that were saved before', (t) => {
  const dir = join(tempDir(t), 'comparison');
  comparison.runs.forEach(({ dir: place }, index) => {
    saveSingleRun(runs[index]!, join(dir, place));
  });
  assert.throws(() => saveComparison(comparison, runs, dir, fullDisk(2)), /no space left/);
  assert.deepEqual(readdirSync(dir), ['runs']);
  assert.equal(readdirSync(join(dir, 'runs')).length, runs.length);
});

test('a comparison holds its runs, its document and its report', (t) => {
  const out = tempDir(t);
  const name = comparisonDirName(comparison);
  assert.equal(name, '2026-11-20-080000-sample-mix-embedded-vs-apache-1a2b3c4');
  const dir = join(out, name);
  saveComparison(comparison, runs, dir);
  assert.deepEqual(readdirSync(dir).sort(), ['compare.json', 'report.html', 'runs', 'summary.md']);
  assert.deepEqual(
    JSON.parse(readFileSync(join(dir, 'compare.json'), 'utf8')),
    JSON.parse(JSON.stringify(comparison)),
  );
  assert.deepEqual(readdirSync(join(dir, comparison.runs[0]!.dir)).sort(), ['run.json', 'summary.md']);
});

test('two versions of one target are told apart by name', () => {
  const same = { ...comparison, b: comparison.a, complete: false };
  assert.equal(
    comparisonDirName(same),
    '2026-11-20-080000-sample-mix-embedded-vs-embedded-2-1a2b3c4-partial',
  );
});

test('a sweep is saved with its report', (t) => {
  const sweep = sampleSweep();
  const dir = join(tempDir(t), sweepDirName(sweep));
  saveSweep(sweep, dir);
  assert.match(dir, /2026-11-20-090000-sample-mix-sweep-embedded-1a2b3c4$/);
  assert.deepEqual(readdirSync(dir).sort(), ['report.html', 'summary.md', 'sweep.json']);
});

test('--out is made where it is missing', (t) => {
  const out = join(tempDir(t), 'a', 'b');
  prepareOut(out);
  assert.ok(existsSync(out));
});

test('--out where the file system takes no directory is refused, not waited for', () => {
  assert.throws(() => prepareOut('/proc/self/results/here'), ConfigFailure);
});

test('--out that is a file is refused before the run', (t) => {
  const file = join(tempDir(t), 'file');
  writeFileSync(file, '');
  for (const out of [file, join(file, 'below')]) {
    assert.throws(
      () => prepareOut(out),
      (error: Error) =>
        error instanceof ConfigFailure && /^--out: .*file.* - .*not a directory; name/.test(error.message),
    );
  }
});

/** `bench report DIR`: files made again from what was saved, and clear refusals. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { regenerate } from '../../../bench/report/regenerate.ts';
import { writeResultsReadme } from '../../../bench/report/results-readme.ts';
import { saveComparison, saveSweep } from '../../../bench/report/save-comparison.ts';
import { saveRun } from '../../../bench/report/save-run.ts';
import { saveTuning } from '../../../bench/report/save-tune.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { sampleComparison } from './support/sample-comparison.ts';
import { sampleRun } from './support/sample-run.ts';
import { sampleSweep } from './support/sample-sweep.ts';
import { sampleTuning } from './support/sample-tuning.ts';
import { tempDir } from './support/temp-dir.ts';

const run = sampleRun();

function refuses(dir: string, message: RegExp): void {
  assert.throws(
    () => regenerate(dir),
    (error: Error) =>
      error instanceof ConfigFailure && message.test(error.message) && !error.message.includes('\n'),
  );
}

test('all files of a run come again, the document is not touched', (t) => {
  const dir = saveRun(run, tempDir(t));
  const before = ['summary.md', 'report.html', 'mixed.get.hgrm', 'run.json'].map((name) => [
    name,
    readFileSync(join(dir, name), 'utf8'),
  ]);
  for (const [name] of before) if (name !== 'run.json') rmSync(join(dir, name!));
  const { kind, files } = regenerate(dir);
  assert.equal(kind, 'run');
  assert.ok(files.includes(join(dir, 'report.html')));
  for (const [name, text] of before) assert.equal(readFileSync(join(dir, name!), 'utf8'), text);
});

test('a comparison is drawn again from its runs', (t) => {
  const dir = join(tempDir(t), 'comparison');
  const { comparison, runs } = sampleComparison();
  saveComparison(comparison, runs, dir);
  const before = readFileSync(join(dir, 'report.html'), 'utf8');
  rmSync(join(dir, 'report.html'));
  assert.equal(regenerate(dir).kind, 'comparison');
  assert.equal(readFileSync(join(dir, 'report.html'), 'utf8'), before);
  rmSync(join(dir, comparison.runs[2]!.dir), { recursive: true });
  refuses(dir, /a run of the comparison is missing/);
});

test('a sweep is drawn again', (t) => {
  const dir = join(tempDir(t), 'sweep');
  saveSweep(sampleSweep(), dir);
  rmSync(join(dir, 'summary.md'));
  assert.equal(regenerate(dir).kind, 'sweep');
  assert.ok(existsSync(join(dir, 'summary.md')));
});

test('a directory of results: each of them and the README', (t) => {
  const out = tempDir(t);
  const dir = saveRun(run, out);
  rmSync(join(dir, 'summary.md'));
  const { kind, files } = regenerate(out);
  assert.equal(kind, 'results');
  assert.ok(files.includes(join(dir, 'summary.md')) && files.includes(join(out, 'README.md')));
});

test('a search for settings comes again too, with its lines for zoo.cfg, and is listed with its answer', async (t) => {
  const out = tempDir(t);
  const dir = join(out, '2026-11-20-100000-sample-tune-embedded-abcdef0');
  mkdirSync(dir);
  saveTuning(await sampleTuning(), dir);
  const saved = readFileSync(join(dir, 'zoo.cfg.fragment'), 'utf8');
  assert.match(saved, /^flushDelay=1$/m);
  rmSync(join(dir, 'zoo.cfg.fragment'));
  const { kind, files } = regenerate(dir);
  assert.equal(kind, 'tuning');
  assert.deepEqual(
    files,
    ['summary.md', 'report.html', 'zoo.cfg.fragment'].map((name) => join(dir, name)),
  );
  assert.equal(readFileSync(join(dir, 'zoo.cfg.fragment'), 'utf8'), saved);
  const page = readFileSync(writeResultsReadme(out), 'utf8');
  assert.match(page, /## Tuned settings\n[\s\S]*Better than the default for throughput: flushDelay=1/);
});

test('the README above is renewed when it is ours, and left alone when it is not', (t) => {
  const out = tempDir(t);
  const dir = saveRun(run, out);
  writeFileSync(join(out, 'README.md'), '# Mine\n');
  regenerate(dir);
  assert.equal(readFileSync(join(out, 'README.md'), 'utf8'), '# Mine\n');
  writeResultsReadme(out);
  const ours = readFileSync(join(out, 'README.md'), 'utf8');
  saveRun(sampleRun({ targetName: 'apache' }), out);
  assert.ok(regenerate(dir).files.includes(join(out, 'README.md')));
  assert.notEqual(readFileSync(join(out, 'README.md'), 'utf8'), ours);
});

test('what is no result is refused with what would be one', (t) => {
  const out = tempDir(t);
  refuses(join(out, 'missing'), /no such directory/);
  refuses(out, /holds no result \(run\.json: ringkeeper-bench-run version 3, compare\.json/);
});

test('another schema is refused with the versions that are known', (t) => {
  const out = tempDir(t);
  writeFileSync(join(out, 'run.json'), JSON.stringify({ schema: 'ringkeeper-bench-run', schemaVersion: 1 }));
  refuses(out, /run\.json - ringkeeper-bench-run version 1; this version reads .*version 3/);
  writeFileSync(join(out, 'run.json'), '{"schema": "ringkeeper-');
  refuses(out, /not JSON, or cut off/);
  for (const text of ['{"large": "tree"}', '{"schema": 1}', '{"schema": "other"}']) {
    writeFileSync(join(out, 'run.json'), text);
    refuses(out, /run\.json - no schema; this version reads/);
  }
});

test('the result of a campaign is refused by its name', (t) => {
  const out = tempDir(t);
  const head = { schema: 'ringkeeper-bench-faults-kill', schemaVersion: 1 };
  writeFileSync(join(out, 'faults-kill.json'), JSON.stringify(head));
  writeFileSync(join(out, 'summary.md'), '');
  refuses(out, /- the result of a campaign \(faults-kill\); .* read its summary\.md/);
});

test('results of older schemas are listed with their summary', (t) => {
  const out = tempDir(t);
  for (const [name, files] of Object.entries({
    '2026-11-01-old-run': { 'run.json': '{"schemaVersion":1}', 'summary.md': '' },
    '2026-11-02-campaign': { 'summary.md': '' },
    '2026-11-03-empty': {},
  })) {
    mkdirSync(join(out, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(out, name, file), text);
  }
  saveRun(run, out);
  writeResultsReadme(out);
  const readme = readFileSync(join(out, 'README.md'), 'utf8');
  const [, older] = readme.split('## Campaigns and older results');
  assert.match(older!, /\[2026-11-02-campaign\]\(2026-11-02-campaign\/summary\.md\)/);
  assert.match(older!, /2026-11-01-old-run/);
  assert.doesNotMatch(older!, /empty/);
  assert.match(readme, /\| void \|/);
});

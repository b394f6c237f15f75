/** What is copied for a start, and when snapshots were written by the times of their files. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { monotonicMs } from '../../../../bench/base/phase-clock.ts';
import {
  copyDataDir,
  neededFiles,
  removeDataDir,
  snapshotSpans,
} from '../../../../bench/campaigns/large-tree/data-dir.ts';

const home = mkdtempSync(join(tmpdir(), 'large-tree-files-'));
after(() => rmSync(home, { recursive: true, force: true }));

/** File times are as fine as the kernel's tick. */
const TICK_MS = 20;

test('recovery needs the newest snapshot and the logs from the last that begins at or before it', () => {
  const names = ['log.1', 'log.9', 'log.b', 'log.1f', 'snapshot.0', 'snapshot.a', 'snapshot.10'];
  assert.deepEqual(neededFiles(names), ['snapshot.10', 'log.b', 'log.1f']);
  assert.deepEqual(neededFiles([...names, 'snapshot.b', 'tmp.snapshot.99', 'log.5.bak']), [
    'snapshot.10',
    'log.b',
    'log.1f',
  ]);
  assert.deepEqual(neededFiles(['log.20', 'snapshot.10']), ['snapshot.10', 'log.20']);
  assert.deepEqual(neededFiles(['snapshot.10']), ['snapshot.10']);
  assert.deepEqual(neededFiles(['log.2', 'log.1']), ['log.1', 'log.2']);
});

test('a copy holds what is needed, and the original stays as it is', () => {
  const from = mkdtempSync(join(home, 'data-'));
  mkdirSync(join(from, 'version-2'));
  const names = ['log.1', 'log.9', 'snapshot.0', 'snapshot.9', '.lock'];
  for (const name of names) writeFileSync(join(from, 'version-2', name), `content of ${name}`);
  const copy = copyDataDir(from, home);
  assert.deepEqual(readdirSync(join(copy, 'version-2')).sort(), ['log.9', 'snapshot.9']);
  assert.equal(readFileSync(join(copy, 'version-2/log.9'), 'utf8'), 'content of log.9');
  assert.deepEqual(readdirSync(join(from, 'version-2')).sort(), [...names].sort());
  removeDataDir(copy);
  assert.ok(!readdirSync(home).includes(copy.slice(home.length + 1)));
});

test('a snapshot lasts from the birth of its file to its rename; one under way lasts until now', () => {
  const dataDir = mkdtempSync(join(home, 'data-'));
  const dir = join(dataDir, 'version-2');
  mkdirSync(dir);
  const beforeMs = monotonicMs();
  writeFileSync(join(dir, 'tmp.snapshot.5'), 'nodes');
  const bornMs = monotonicMs();
  const [underWay] = snapshotSpans(dataDir);
  assert.ok(underWay!.toMs >= bornMs - TICK_MS && underWay!.toMs <= monotonicMs() + TICK_MS);
  while (monotonicMs() < bornMs + 3 * TICK_MS);
  renameSync(join(dir, 'tmp.snapshot.5'), join(dir, 'snapshot.5'));
  const renamedMs = monotonicMs();
  writeFileSync(join(dir, 'log.1'), 'no snapshot');
  const [span, ...others] = snapshotSpans(dataDir);
  assert.deepEqual(others, []);
  assert.equal(span!.bytes, 5);
  assert.ok(span!.fromMs >= beforeMs - TICK_MS && span!.fromMs <= bornMs + TICK_MS);
  assert.ok(span!.toMs >= bornMs + TICK_MS && span!.toMs <= renamedMs + TICK_MS);
});

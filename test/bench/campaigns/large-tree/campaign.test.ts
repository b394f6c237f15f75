/** The campaign on a small tree: snapshots under load are recognised, nothing is left behind. Figures mean nothing here. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeDataDir, neededFiles } from '../../../../bench/campaigns/large-tree/data-dir.ts';
import { measureShape } from '../../../../bench/campaigns/large-tree/measure-shape.ts';
import { measureStarts } from '../../../../bench/campaigns/large-tree/starts.ts';
import { SHAPES, type Shape, treePaths, wideTree } from '../../../../bench/campaigns/large-tree/trees.ts';
import {
  measureLoad,
  SNAP_COUNT_DEFAULT,
  snapCountFor,
} from '../../../../bench/campaigns/large-tree/under-load.ts';
import { KeySpace } from '../../../../bench/load/key-space.ts';
import { LAUNCHER } from '../../../support/program.ts';

const NODES = 2_000;
const home = mkdtempSync(join(tmpdir(), 'large-tree-test-'));
const place = { tempParent: home, build: null, apacheHeap: null };
after(() => rmSync(home, { recursive: true, force: true }));

test('trees: as many znodes as asked for, each behind its parent; the wide one has the keys of the load', () => {
  for (const shape of SHAPES) {
    const paths = treePaths(shape, NODES);
    const seen = new Set(['']);
    for (const path of paths) {
      assert.ok(seen.has(path.slice(0, path.lastIndexOf('/'))), path);
      seen.add(path);
    }
    assert.equal(seen.size, NODES + 1, shape);
  }
  const space = new KeySpace(wideTree(NODES));
  const wide = new Set(treePaths('wide', NODES));
  for (let key = 0; key < space.keyCount; key++) assert.ok(wide.has(space.keyPath(key)));
});

test('snapCount: as often as wanted, and never rarer than the default', () => {
  // 30 % of 1,000 /s are writes; a snapshot comes after three quarters of snapCount on average.
  assert.equal(snapCountFor(1_000, 10), 4_000);
  assert.equal(snapCountFor(1_000_000, 10), SNAP_COUNT_DEFAULT);
});

test('a list, a restart, starts in turn, and whole snapshots under the load', async () => {
  const flatDir = makeDataDir(home);
  const flat = await measureShape('flat', NODES, flatDir, place);
  assert.equal(flat.znodes, NODES);
  assert.ok(flat.childList !== null && flat.childList.pings > 0 && flat.residentBytes! > 0);
  const template = makeDataDir(home);
  const wide: Shape = 'wide';
  assert.equal((await measureShape(wide, NODES, template, place)).childList, null);
  const files = readdirSync(join(template, 'version-2')).sort();
  const newest = statSync(join(template, 'version-2', neededFiles(files)[0]!));
  assert.ok(newest.size > NODES * 100, 'the newest snapshot has the whole tree');
  const abort = new AbortController().signal;

  const starts = await measureStarts(template, {
    servers: ['ringkeeper'],
    rounds: 2,
    path: new KeySpace(wideTree(NODES)).keyPath(7),
    ...place,
    abort,
    onStart: () => {},
  });
  assert.ok(starts.every(({ own }) => own['startup_snap_load_time'] !== undefined));
  assert.deepEqual(
    starts.map(({ server, ms, residentBytes }) => [server, ms > 0, residentBytes! > 0]),
    [
      ['ringkeeper', true, true],
      ['ringkeeper', true, true],
    ],
  );

  const load = await measureLoad('ringkeeper', template, {
    warmUpMsMax: 500,
    nodes: NODES,
    share: 0.02,
    snapshots: 2,
    snapshotSeconds: 0.3,
    peak: { warmupMs: 100, measureMs: 300 },
    paced: { warmupMs: 300, measureMs: 20_000 },
    ...place,
    abort,
  });
  assert.ok(load !== null);
  assert.ok(load.snapshots.length >= 2, JSON.stringify(load.snapshots));
  for (const { atMs, ms, bytes } of load.snapshots) {
    assert.ok(
      atMs >= 0 && atMs + ms <= load.measuredMs && bytes > NODES * 100,
      'of the tree, and within the time',
    );
  }
  assert.ok(load.measuredMs < 20_000, 'it ends with the snapshots');
  const { whole, during, outside } = load.replies;
  assert.ok((during.reads?.count ?? 0) > 0 && (during.writes?.count ?? 0) > 0);
  assert.equal((during.all?.count ?? 0) + (outside.all?.count ?? 0), whole.all?.count);
  assert.ok(load.worst.some(({ snapshot }) => snapshot !== null) || outside.all !== null);
  assert.ok(load.threadPauses.some(({ thread }) => thread === 'log'));
  assert.ok(load.generator.lateness !== null && load.gcPauseMaxMs !== null);
  assert.deepEqual(
    load.findings.filter((finding) => !finding.includes('reached of')),
    [],
  );
  assert.deepEqual(readdirSync(join(template, 'version-2')).sort(), files, 'servers ran on copies');
  assert.deepEqual(readdirSync(home).length, 2, 'copies and servers are gone');
});

test('flags that are wrong are one line and exit status 2', async () => {
  const wrong: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [['--nodes', '7'], /^ringkeeper: --nodes: "7" - allowed: a number from 100 to /],
    [['--shapes', 'round'], /^ringkeeper: --shapes: "round" - allowed: flat, deep, /],
    [['--vs', 'etcd'], /^ringkeeper: --vs: "etcd" - allowed: apache or none/],
    [['--apache-heap', 'big'], /^ringkeeper: --apache-heap: "big" - allowed: a size/],
    [['--share', '20'], /^ringkeeper: --share: "20" - allowed: a percentage/],
    [['--every', '5'], /^ringkeeper: --every: "5" - allowed: a time with its unit/],
  ];
  await Promise.all(
    wrong.map(async ([args, says]) => {
      const { status, stderr } = await run(...args, '--out', home);
      assert.equal(status, 2, stderr);
      assert.match(stderr, says);
      assert.equal(stderr.trim().split('\n').length, 1);
    }),
  );
});

function run(...args: readonly string[]): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(process.execPath, [LAUNCHER, 'bench', 'campaign', 'large-tree', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stderr })));
}

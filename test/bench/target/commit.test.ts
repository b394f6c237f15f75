/** ringkeeper of another commit, from a clone of this repository, so that this one stays as it is. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { PACKAGE_ROOT } from '../../../bench/base/package-root.ts';
import { withSession } from '../../../bench/session/session.ts';
import { removeCommitTrees, startCommit } from '../../../bench/target/commit.ts';
import type { Target } from '../../../bench/target/target.ts';
import { parseTargetSpec } from '../../../bench/target/target-spec.ts';

const tempDir = mkdtempSync(join(tmpdir(), 'commit-test-'));
const clone = join(tempDir, 'clone');
const data = join(tempDir, 'data');
const modules = join(PACKAGE_ROOT, 'node_modules');
const options = { serverArgs: [], tempParent: data, valueBytes: 100, extendedTypes: false };

before(() => {
  mkdirSync(data);
  execFileSync('git', ['clone', '--quiet', PACKAGE_ROOT, clone]);
  symlinkSync(modules, join(clone, 'node_modules'), 'dir');
});
after(() => {
  removeCommitTrees();
  rmSync(tempDir, { recursive: true });
});

function start(text: string, checkout = clone): Promise<Target> {
  const spec = parseTargetSpec(text);
  assert.ok(spec.kind === 'commit');
  return startCommit(spec, options, checkout);
}

function worktrees(): string[] {
  const text = execFileSync('git', ['worktree', 'list', '--porcelain'], { cwd: clone, encoding: 'utf8' });
  return text.split('\n').filter((line) => line.startsWith('worktree '));
}

test('a commit is checked out beside, started with its settings, and removed afterwards', async () => {
  const head = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: clone, encoding: 'utf8' }).trim();
  const target = await start('commit:HEAD:snapCount=5000');
  assert.equal(target.name, `commit-${head.slice(0, 7)}`);
  assert.match(target.description, new RegExp(`^ringkeeper ${head.slice(0, 7)} snapCount=5000$`));
  await withSession(target.addresses[0]!, 10_000, async () => {});
  assert.equal(worktrees().length, 2);
  await target.stop();
  const again = await start(`commit:${head.slice(0, 10)}`);
  assert.equal(worktrees().length, 2, 'the tree serves all runs of this process');
  await again.stop();
  removeCommitTrees();
  assert.equal(worktrees().length, 1);
  assert.deepEqual(readdirSync(data), []);
});

test('with other dependencies they are installed in the tree', async () => {
  const bin = join(tempDir, 'bin');
  const called = join(tempDir, 'npm-called');
  mkdirSync(bin);
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\necho "$@" > '${called}'\nln -s '${modules}' node_modules\n`);
  chmodSync(join(bin, 'npm'), 0o755);
  const { PATH } = process.env;
  writeFileSync(join(clone, 'package-lock.json'), '{}');
  try {
    process.env['PATH'] = `${bin}${delimiter}${PATH}`;
    const target = await start('commit:HEAD');
    await target.stop();
    assert.match(readFileSync(called, 'utf8'), /^ci /);
  } finally {
    process.env['PATH'] = PATH;
    removeCommitTrees();
  }
});

test('what is no commit, and what is no checkout, is refused', async () => {
  await assert.rejects(start('commit:no-such-branch'), {
    name: 'ConfigFailure',
    message:
      /^--target: "commit:no-such-branch" - "no-such-branch" is no commit here - allowed: a hash, branch, tag/,
  });
  await assert.rejects(start('commit:HEAD', data), { name: 'ConfigFailure', message: /is no git checkout/ });
  const inside = join(clone, 'src');
  await assert.rejects(start('commit:HEAD', inside), {
    name: 'ConfigFailure',
    message: /is no git checkout/,
  });
});

test('a commit without a server is refused, and its tree is gone', async () => {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.org'];
  const empty = execFileSync('git', ['hash-object', '-t', 'tree', '-w', '--stdin'], {
    cwd: clone,
    input: '',
    encoding: 'utf8',
  }).trim();
  const rev = execFileSync('git', [...identity, 'commit-tree', empty, '-m', 'empty'], {
    cwd: clone,
    encoding: 'utf8',
  }).trim();
  await assert.rejects(start(`commit:${rev}`), {
    name: 'ConfigFailure',
    message: /has no src\/bin\/ringkeeper\.js yet/,
  });
  assert.equal(worktrees().length, 1);
  assert.ok(existsSync(clone));
  assert.deepEqual(readdirSync(data), []);
});

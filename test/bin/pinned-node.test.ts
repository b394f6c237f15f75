/**
 * What stands in place of a self-check at start (src/decisions/32): one exact Node on all platforms, and the part of its
 * compiler that moved numbers switched off before any code of ours can have been compiled.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..');
const LAUNCHER = join(ROOT, 'src', 'bin', 'ringkeeper.js');
const FLAG = '--no-maglev-escape-analysis';

/** Tells, in order, of the flags that are set and of the first module of the program. */
const PRELOAD = `
  import v8 from 'node:v8';
  import { registerHooks } from 'node:module';
  const { setFlagsFromString } = v8;
  v8.setFlagsFromString = (flag) => { console.error('flag ' + flag); setFlagsFromString(flag); };
  registerHooks({ load(url, context, next) {
    if (/\\/src\\/bin\\/main\\.(ts|js)$/.test(url)) console.error('program');
    return next(url, context);
  } });
`;

test('each platform gets the same exact Node, the one that the decision is about', () => {
  const text = readFileSync(join(ROOT, 'package.json'), 'utf8');
  const { optionalDependencies } = JSON.parse(text) as { optionalDependencies: Record<string, string> };
  const launched = [...readFileSync(LAUNCHER, 'utf8').matchAll(/^ {2}'[a-z]+-\w+': '([\w-]+)',$/gm)].map(
    ([, name]) => name,
  );
  const pinned = Object.entries(optionalDependencies).filter(([name]) => name.startsWith('node-'));
  assert.deepEqual(pinned.map(([name]) => name).sort(), launched.sort());
  const versions = new Set(pinned.map(([, version]) => version));
  assert.equal(versions.size, 1, `one version: ${[...versions]}`);
  const [version] = versions;
  assert.match(version!, /^\d+\.\d+\.\d+$/, 'exact, not a range');
  const decision = readFileSync(join(ROOT, 'src/decisions/32-maglev-without-escape-analysis.md'), 'utf8');
  assert.ok(decision.includes(version!), 'a new Node is tried first, and the decision says so');
});

test('the launcher switches escape analysis off before it loads the program', () => {
  const preload = `data:text/javascript,${encodeURIComponent(PRELOAD)}`;
  const { status, stderr } = spawnSync(process.execPath, ['--import', preload, LAUNCHER, '--version'], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const told = stderr.split('\n').filter((line) => /^(flag|program)/.test(line));
  assert.ok(told.includes(`flag ${FLAG}`), stderr);
  assert.ok(told.indexOf(`flag ${FLAG}`) < told.indexOf('program'), stderr);
});

/**
 * `npm test`: type check, linter and formatter, dead code, then every test. Each part runs whatever became of the one
 * before, so one run tells everything; the status is non-zero if any part failed. The test runner comes last, so that
 * the output ends with its summary.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { V8_FLAGS } from './support/v8-flags.ts';

const ROOT = join(import.meta.dirname, '..');
/** A test that hangs must not hang the run. Longer than the slowest compatibility suite. */
const TEST_TIMEOUT_MS = 240_000;
const SLOWEST_FIRST: readonly string[] = [
  'test/compat/kazoo.test.ts',
  'test/sim/seeds.test.ts',
  'test/sim/variants.test.ts',
];

// The tools of this checkout, and with them the pinned Node, before anything else that is installed.
const env = {
  ...process.env,
  PATH: `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
};

const checks: readonly (readonly [title: string, command: string, args: readonly string[]])[] = [
  ['types', 'tsc', ['-b']],
  ['lint and format', 'biome', ['check', '.']],
  ['dead code', 'knip', []],
  ['code that only tests use', 'knip', ['--production', '--config', '.knip.production.jsonc']],
];

const failed: string[] = [];
for (const [title, command, args] of checks) {
  const startedMs = performance.now();
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: ROOT, env, encoding: 'utf8' });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${status === 0 ? '✔' : '✖'} ${title} (${[command, ...args].join(' ')}, ${seconds} s)`);
  if (status === 0) continue;
  failed.push(title);
  console.log(error === undefined ? `${stdout}${stderr}` : `${error.message}: run npm ci first`);
}
if (failed.length > 0) console.log(`✖ failed before the tests: ${failed.join(', ')}\n`);

await runTests();

/** The slowest files first, so that no core waits for one of them at the end. One more at a time than there are cores: many wait. */
async function runTests(): Promise<void> {
  const files = globSync('test/**/*.test.ts', { cwd: ROOT }).sort();
  const unknown = SLOWEST_FIRST.filter((file) => !files.includes(file));
  assert.deepEqual(unknown, [], 'there are no such tests');
  const inOrder = [...SLOWEST_FIRST, ...files.filter((file) => !SLOWEST_FIRST.includes(file))];
  Object.assign(process.env, env);
  // Until the summary says otherwise.
  process.exitCode = 1;
  const results = run({
    cwd: ROOT,
    files: inOrder.map((file) => join(ROOT, file)),
    concurrency: availableParallelism() + 1,
    execArgv: [...V8_FLAGS, `--test-timeout=${TEST_TIMEOUT_MS}`],
  });
  results.on('test:summary', ({ file, success }) => {
    if (file === undefined && success && failed.length === 0) process.exitCode = 0;
  });
  await pipeline(results.compose(spec), process.stdout, { end: false });
}

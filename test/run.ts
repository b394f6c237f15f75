/**
 * `npm test`: type check, linter and formatter, dead code, then every test. Each part runs whatever became of the one
 * before, so one run tells everything; the status is non-zero if any part failed. The test runner comes last, so that
 * the output ends with its summary.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { V8_FLAGS } from './support/v8-flags.ts';

const ROOT = join(import.meta.dirname, '..');
/** A test that hangs must not hang the run. Longer than the slowest compatibility suite. */
const TEST_TIMEOUT_MS = 240_000;

// The tools of this checkout, and with them the pinned Node, before anything else that is installed.
const env = {
  ...process.env,
  PATH: `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
};

const checks: readonly (readonly [title: string, command: string, args: readonly string[]])[] = [
  ['types', 'tsc', ['-b']],
  ['lint and format', 'biome', ['check', '.']],
  ['dead code', 'knip', []],
  ['code that only tests use', 'knip', ['--production', '--config', '.knip.production.json']],
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

const tests = spawnSync(
  process.execPath,
  [
    // The runner hands them on to the process of each test file.
    ...V8_FLAGS,
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${availableParallelism()}`,
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    'test/**/*.test.ts',
  ],
  { cwd: ROOT, env, stdio: 'inherit' },
);
process.exitCode = failed.length > 0 ? 1 : (tests.status ?? 1);

/**
 * `npm test`: type check, linter and formatter, dead code, then every test. Each part runs whatever became of the one
 * before, so one run tells everything; the status is non-zero if any part failed. The test runner comes last, so that
 * the output ends with its summary, with what the slowest files cost and with the files that failed or were unsteady
 * (`support/run-files.ts`). `npm test -- test/core test/wire`: only the test files whose paths begin so, and no checks.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FILE_TIMEOUT } from './support/bound-file.ts';
import { bundleProgram } from './support/bundle.ts';
import { TEST_LAUNCHER } from './support/program.ts';
import { runFiles } from './support/run-files.ts';
import { costTable, TEST_COSTS_FILE } from './support/test-costs.ts';
import { together } from './support/together.ts';
import { GC_FLAGS, V8_FLAGS } from './support/v8-flags.ts';

const ROOT = join(import.meta.dirname, '..');
/** A test that hangs must not hang the run. Longer than the slowest compatibility suite. */
const TEST_TIMEOUT_MS = 240_000;
/** A file whose process does not end must not either. Longer than any file takes on a busy machine. */
const FILE_TIMEOUT_MS = 600_000;
/** In this order before all others, by the table of a run. */
const SLOWEST_FIRST: readonly string[] = [
  'test/server/pause.test.ts',
  'test/client/faults.test.ts',
  'test/sim/seeds.test.ts',
  'test/sim/ensemble/ensemble.test.ts',
  'test/recipes/kills.test.ts',
  'test/compat/kazoo.test.ts',
  'test/bench/campaigns/commands.test.ts',
  'test/faults/disk.test.ts',
  'test/server/server.test.ts',
  'test/faults/connections.test.ts',
  'test/server/ensemble/leader.test.ts',
  'test/bench/command/run.test.ts',
  'test/bench/command/compare.test.ts',
  'test/faults/kill.test.ts',
  'test/compat/differential.test.ts',
  'test/bench/run/refusals.test.ts',
  'test/bench/run/workloads.test.ts',
  'test/faults/slow-clients.test.ts',
  'test/recipes/mixed.test.ts',
  'test/sim/zab/zab.test.ts',
  'test/faults/large.test.ts',
  'test/bin/surroundings.test.ts',
  'test/compat/apache-opens-our-data.test.ts',
  'test/server/ensemble/follower-apache.test.ts',
  'test/bench/report/browser.test.ts',
  'test/recipes/pauses.test.ts',
  'test/faults/greedy-requests.test.ts',
  'test/bench/load/unanswered.test.ts',
  'test/client/package.test.ts',
  'test/bench/campaigns/large-tree/campaign.test.ts',
  'test/bench/command/tune.test.ts',
  'test/bench/run/run-plan.test.ts',
  'test/bench/run/warm-up.test.ts',
  'test/bench/load/watch-delays.test.ts',
  'test/bench/target/commit.test.ts',
  'test/bench/command/sweep.test.ts',
  'test/client/ensemble.test.ts',
  'test/client/cache/model.test.ts',
];
/** Each in one process, but for the files above. */
const TOGETHER: readonly (readonly string[])[] = [
  ['test/core/'],
  ['test/recipes/'],
  ['test/client/'],
  ['campaigns', 'check', 'command', 'compare', 'measure', 'plan', 'report', 'stats', 'target'].map(
    (folder) => `test/bench/${folder}/`,
  ),
  ['config', 'host', 'io', 'log', 'logging', 'monitor', 'reports', 'snapshot', 'words'].map(
    (folder) => `test/server/${folder}/`,
  ),
  ['test/storage/', 'test/base/', 'test/fuzz/', 'test/interaction/', 'test/net/', 'test/shm/', 'test/wire/'],
];
/** More at a time than there are cores: many files wait for their servers, for timeouts, for a disk. */
const WAITING_FILES = 1;

const CHECKS: readonly (readonly [title: string, command: string, args: readonly string[]])[] = [
  ['types', 'tsc', ['-b']],
  ['lint and format', 'biome', ['check', '.']],
  ['dead code', 'knip', []],
  ['code that only tests use', 'knip', ['--production', '--config', '.knip.production.jsonc']],
];

const startedMs = performance.now();
const asked = process.argv.slice(2);
// The tools of this checkout, and with them the pinned Node, before anything else that is installed.
process.env['PATH'] = `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`;
// Until the summary says otherwise.
process.exitCode = 1;

const failed = asked.length > 0 ? [] : await failedChecks();
if (failed.length > 0) console.log(`✖ failed before the tests: ${failed.join(', ')}\n`);
const temporary = mkdtempSync(join(tmpdir(), 'ringkeeper-npm-test-'));
const bundle = bundleProgram(ROOT);
if (bundle === null)
  console.log('esbuild is not installed: servers start from sources, at twice the CPU (npm ci)');
else process.env[TEST_LAUNCHER] = bundle.launcher;
try {
  if ((await runTests(temporary)) && failed.length === 0) process.exitCode = 0;
} finally {
  for (const made of [temporary, bundle?.directory ?? temporary])
    rmSync(made, { recursive: true, force: true });
}

/** All at once: two of them are mostly one thread. */
async function failedChecks(): Promise<string[]> {
  const titles = await Promise.all(
    CHECKS.map(async ([title, command, args]) => {
      const { problem, output, seconds } = await check(command, args);
      console.log(
        `${problem ? '✖' : '✔'} ${title} (${[command, ...args].join(' ')}, ${seconds.toFixed(1)} s)`,
      );
      if (problem) console.log(output);
      return problem ? [title] : [];
    }),
  );
  return titles.flat();
}

function check(
  command: string,
  args: readonly string[],
): Promise<{ readonly problem: boolean; readonly output: string; readonly seconds: number }> {
  const fromMs = performance.now();
  return new Promise((resolve) => {
    execFile(command, args, { cwd: ROOT, maxBuffer: Number.POSITIVE_INFINITY }, (error, stdout, stderr) => {
      const isMissing = error !== null && typeof error.code === 'string';
      resolve({
        problem: error !== null,
        output: isMissing ? `${error.message}: run npm ci first` : `${stdout}${stderr}`,
        seconds: (performance.now() - fromMs) / 1000,
      });
    });
  });
}

/**
 * The slowest files first, so that no core waits for one of them at the end. True if all passed.
 */
async function runTests(directory: string): Promise<boolean> {
  const files = globSync('test/**/*.test.ts', { cwd: ROOT }).sort();
  const unknown = SLOWEST_FIRST.filter((file) => !files.includes(file));
  assert.deepEqual(unknown, [], 'there are no such tests');
  const inOrder = [...SLOWEST_FIRST, ...files.filter((file) => !SLOWEST_FIRST.includes(file))].filter(
    (file) => asked.length === 0 || asked.some((path) => file.startsWith(path)),
  );
  assert.ok(inOrder.length > 0, `no test file begins with ${asked.join(' or ')}`);
  const runs = together(inOrder, {
    root: ROOT,
    directory,
    processes: TOGETHER,
    alone: new Set(SLOWEST_FIRST),
  });
  const costsFile = join(directory, 'costs');
  writeFileSync(costsFile, '');
  process.env[TEST_COSTS_FILE] = costsFile;
  process.env[FILE_TIMEOUT] = `${FILE_TIMEOUT_MS}`;
  // Each module is stripped of its types and compiled once for all files.
  process.env['NODE_COMPILE_CACHE'] = join(directory, 'compiled');
  const preloaded = ['untracked-promises.ts', 'measure-cost.ts', 'bound-file.ts'].map(
    (file) => `--import=${pathToFileURL(join(ROOT, 'test', 'support', file))}`,
  );
  const coreCount = availableParallelism();
  const { passed, remarks } = await runFiles({
    root: ROOT,
    files: runs,
    concurrency: coreCount + WAITING_FILES,
    execArgv: [...V8_FLAGS, ...GC_FLAGS, ...preloaded, `--test-timeout=${TEST_TIMEOUT_MS}`],
  });
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(`\n${costTable(readFileSync(costsFile, 'utf8'), seconds, coreCount)}`);
  for (const remark of remarks) console.log(`\n✖ ${remark}`);
  return passed;
}

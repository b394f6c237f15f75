/**
 * `npm start`: the benchmark engine's command. Starts a server, drives it, prints a table and saves the result.
 *
 * Ways out: the end of the run; one line and an exit status for what the user can mend; a signal, which ends
 * the running phase, saves what there is and exits with 128 + signal. A second signal leaves at once. Servers and
 * temporary directories are gone after all of them (target/child-server.ts).
 */
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { Failure } from '../src/base/failure.ts';
import { pairOrder, type RunPair, renderComparison } from './compare.ts';
import { type BenchOptions, parseOptions, RESULTS_DIR } from './options.ts';
import { terminalProgress } from './report/progress.ts';
import { writeResultsReadme } from './report/results-readme.ts';
import type { RunResult } from './report/run-json.ts';
import { saveComparison } from './report/save-comparison.ts';
import { prepareOut, saveRun } from './report/save-run.ts';
import { renderRun } from './report/table.ts';
import { runScenario } from './run.ts';

/** A terminal's Ctrl-C may arrive twice, from the terminal and from npm: only a later one counts as a second. */
const SECOND_SIGNAL_MS_MIN = 1_000;

const abort = new AbortController();
let exitStatus = 0;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  let firstAt = 0;
  process.on(signal, () => {
    exitStatus = 128 + constants.signals[signal];
    if (abort.signal.aborted && Date.now() - firstAt > SECOND_SIGNAL_MS_MIN) process.exit(exitStatus);
    if (abort.signal.aborted) return;
    firstAt = Date.now();
    process.stderr.write('\nstopping; what was measured is saved\n');
    abort.abort();
  });
}

try {
  const options = await parseOptions(process.argv.slice(2));
  prepareOut(options.out);
  if (options.vs === null) await single(options);
  else await paired(options, options.vs);
} catch (error) {
  exitStatus ||= error instanceof Failure ? error.exitStatus : 1;
  process.stderr.write(`${error instanceof Failure ? error.message : (error as Error).stack}\n`);
}
process.exit(exitStatus);

async function single(options: BenchOptions): Promise<void> {
  const run = await measure(options, options.target, options.serverArgs);
  if (run === null) process.stderr.write('nothing was measured\n');
}

async function paired(options: BenchOptions, vs: string): Promise<void> {
  const pairs: RunPair[] = [];
  for (const order of pairOrder(options.pairs)) {
    const runs: Partial<Record<'a' | 'b', RunResult>> = {};
    for (const side of order) {
      const run =
        side === 'a'
          ? await measure(options, options.target, options.serverArgs)
          : await measure(options, vs, options.vsServerArgs);
      if (run === null || !run.complete) break;
      runs[side] = run;
    }
    if (runs.a === undefined || runs.b === undefined) break;
    pairs.push({ a: runs.a, b: runs.b });
  }
  if (pairs.length === 0) return;
  process.stdout.write(`\n${renderComparison(pairs)}\n`);
  try {
    process.stdout.write(`saved in ${saveComparison(pairs, options.out)}\n`);
    if (resolve(options.out) === RESULTS_DIR) writeResultsReadme(options.out);
  } catch (error) {
    exitStatus = 1;
    process.stderr.write(
      `the comparison could not be saved in ${options.out}: ${(error as Error).message}\n`,
    );
  }
}

async function measure(
  options: BenchOptions,
  targetName: string,
  serverArgs: readonly string[],
): Promise<RunResult | null> {
  const run = await runScenario(options.scenario, {
    targetName,
    setting: {
      valueBytes: options.scenario.tree.valueBytes,
      serverArgs,
      tempParent: options.tempParent,
    },
    command: options.command,
    progress: terminalProgress(),
    abort: abort.signal,
  });
  if (run === null) return null;
  process.stdout.write(`${renderRun(run)}\n`);
  save(run, options.out);
  if (run.target.failure !== null) exitStatus ||= 1;
  return run;
}

/** A full disk must not cost the figures, which are on the terminal already. */
function save(run: RunResult, out: string): void {
  try {
    process.stdout.write(`saved in ${saveRun(run, out)}\n`);
    if (resolve(out) === RESULTS_DIR) writeResultsReadme(out);
  } catch (error) {
    exitStatus = 1;
    process.stderr.write(`the result could not be saved in ${out}: ${(error as Error).message}\n`);
  }
}

/**
 * Runs test files side by side, for `test/run.ts`. A file that fails there is run once more, alone, behind all others:
 * if it passes alone it is unsteady, which is said loudly and fails nothing, because nobody could tell a change from a
 * busy machine by it. Three bounds keep that from hiding faults: more than `UNSTEADY_MAX` such files fail the run, the
 * first failure stays in the output, and what needs no socket, process or clock is never run again: its failure is real.
 */
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** Machines without sockets, processes or real time: they fail for a reason of their own. */
const FINAL_FOLDERS: readonly string[] = ['test/base/', 'test/core/', 'test/sim/', 'test/wire/'];
const UNSTEADY_MAX = 3;

export interface FileRun {
  readonly root: string;
  /** Relative to the root, in the order in which they begin. */
  readonly files: readonly string[];
  readonly concurrency: number;
  /** For the process of each file. */
  readonly execArgv: readonly string[];
}

export interface FileRunVerdict {
  readonly passed: boolean;
  /** What the summary has to say of files that failed, once or for good. */
  readonly remarks: readonly string[];
}

interface Failure {
  readonly name: string;
  readonly firstLine: string;
}

interface Pass {
  readonly success: boolean;
  /** The first failed test of each file. */
  readonly failures: ReadonlyMap<string, Failure>;
}

export async function runFiles(fileRun: FileRun): Promise<FileRunVerdict> {
  const besides = await runOnce(fileRun);
  if (besides.success) return { passed: true, remarks: [] };
  const failed = [...besides.failures.keys()];
  // Those that share a process are run by a file elsewhere, in folders of the same names.
  const final = failed.filter((file) => FINAL_FOLDERS.some((folder) => `/${file}`.includes(`/${folder}`)));
  const remarks = final.map((file) => `failed: ${describe(file, besides)}`);
  const suspects = failed.filter((file) => !final.includes(file));
  if (suspects.length > UNSTEADY_MAX) {
    remarks.push(
      `${suspects.length} files failed, too many to be unsteady (${UNSTEADY_MAX}): none is run again`,
    );
    remarks.push(...suspects.map((file) => `failed: ${describe(file, besides)}`));
    return { passed: false, remarks };
  }
  let passed = final.length === 0 && suspects.length > 0;
  for (const file of suspects) {
    console.log(`\nonce more, alone: ${file}\n`);
    const alone = await runOnce({ ...fileRun, files: [file], concurrency: 1 });
    if (!alone.success) passed = false;
    remarks.push(
      alone.success
        ? `unsteady: ${file} failed beside others and passed alone: ${cause(file, besides)}`
        : `failed: ${describe(file, besides)}; and alone: ${cause(file, alone)}`,
    );
  }
  return { passed, remarks };
}

async function runOnce({ root, files, concurrency, execArgv }: FileRun): Promise<Pass> {
  const results = run({
    cwd: root,
    files: files.map((file) => join(root, file)),
    concurrency,
    execArgv: [...execArgv],
  });
  let success = false;
  const failures = new Map<string, Failure>();
  results.on('test:summary', (summary) => {
    if (summary.file === undefined) success = summary.success;
  });
  results.on('test:fail', ({ name, file, todo, details }) => {
    // A test that fails because of a test inside it came behind that one.
    if (todo !== undefined && todo !== false) return;
    const path = file === undefined ? '' : relative(root, file);
    if (!failures.has(path)) failures.set(path, { name, firstLine: firstLine(details.error) });
  });
  await pipeline(results.compose(spec), process.stdout, { end: false });
  return { success, failures };
}

function firstLine(error: Error): string {
  const { cause: inner } = error;
  const message = inner instanceof Error ? inner.message : error.message;
  return message.split('\n', 1)[0] ?? '';
}

function describe(file: string, pass: Pass): string {
  return `${file}: ${cause(file, pass)}`;
}

function cause(file: string, { failures }: Pass): string {
  const failure = failures.get(file);
  return failure === undefined ? 'no test of it is named' : `${failure.name}, ${failure.firstLine}`;
}

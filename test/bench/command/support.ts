/** Runs `ringkeeper bench ...` as its users do. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import yargs from 'yargs';
import { benchCommand } from '../../../bench/command/bench.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { LAUNCHER } from '../../support/program.ts';

/** Of a run on a busy machine: figures were measured, and may be void. What a test is about is not that. */
export function assertMeasured(status: number | null, stderr: string): void {
  assert.ok(status === 0 || status === VOID_STATUS, `status ${status}: ${stderr}`);
}

const VOID_STATUS = 4;

/** Gone when the tests of the file are over. */
export const tempDir = mkdtempSync(join(tmpdir(), 'bench-command-'));
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(tempDir, { recursive: true, force: true });
});

/** In this process, for commands that are refused: what the program would print is thrown. */
export async function refusal(...args: string[]): Promise<ConfigFailure> {
  const parser = yargs(['bench', ...args])
    .scriptName('ringkeeper')
    .command(benchCommand)
    .strict()
    .recommendCommands()
    .exitProcess(false)
    .fail((message, error) => {
      throw message ? new ConfigFailure(message) : error;
    });
  try {
    await parser.parseAsync();
  } catch (error) {
    assert.ok(error instanceof ConfigFailure, String((error as Error).stack));
    return error;
  }
  return assert.fail(`bench ${args.join(' ')} was not refused`);
}

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** When the text has appeared on stderr. Rejects when the command ends without it. */
  untilStderr(pattern: RegExp): Promise<RegExpMatchArray>;
}

export function startBench(...args: string[]): Started {
  return startNode([LAUNCHER, 'bench', ...args]);
}

/** Waits for the end of the command. */
export function bench(...args: string[]): Promise<Finished> {
  return startBench(...args).finished;
}

export function startNode(args: readonly string[]): Started {
  const child = spawn(process.execPath, args, { cwd: tempDir, stdio: ['pipe', 'pipe', 'pipe'] });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (status) => {
      running.delete(child);
      resolve({ status, stdout, stderr });
    });
  });
  const untilStderr = (pattern: RegExp): Promise<RegExpMatchArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = stderr.match(pattern);
        if (match !== null) resolve(match);
      };
      child.stderr.on('data', look);
      child.on('close', () => reject(new Error(`ended without ${pattern}: ${stderr}`)));
      look();
    });
  return { child, finished, untilStderr };
}

/** A plan of a few tenths of a second, as a file. */
export function planFile(name: string, more = ''): string {
  const file = join(tempDir, `${name}.yaml`);
  const phases = 'phases: {mixed: {readPercent: 50, warmup: 50ms, measure: 300ms}}';
  writeFileSync(
    file,
    `connections: 2\noutstanding: 4\ntree: {root: /bench/tiny, znodes: 20, values: 50B}\n${phases}\n${more}\n`,
  );
  return file;
}

/** A new directory for results. */
export function outDir(): string {
  return mkdtempSync(join(tempDir, 'out-'));
}

/** The only result in a directory. */
export function onlyResult(out: string): string {
  const names = readdirSync(out);
  assert.equal(names.length, 1, names.join(', '));
  return join(out, names[0]!);
}

/**
 * Where a campaign leaves what it found: `results/<date>-faults-<what>/` with `run.json` (everything) and `summary.md`
 * (for people). No host names and no paths of the machine.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');

export interface Environment {
  readonly cpuModel: string;
  readonly cpuCount: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly nodeVersion: string;
  readonly commit: string;
  /** The work tree had changes that the commit does not have. */
  readonly dirty: boolean;
  /** Of the data directories. */
  readonly filesystem: string;
}

export function environment(): Environment {
  return {
    cpuModel: cpus()[0]?.model ?? 'unknown',
    cpuCount: cpus().length,
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    nodeVersion: process.version,
    commit: output('git', ['rev-parse', 'HEAD']),
    dirty: output('git', ['--no-optional-locks', 'status', '--porcelain', '--', 'src']) !== '',
    filesystem: output('stat', ['--file-system', '--format=%T', tmpdir()]),
  };
}

/** One line for a summary. */
export function environmentText({
  cpuCount,
  cpuModel,
  kernel,
  nodeVersion,
  commit,
  dirty,
  filesystem,
}: Environment): string {
  const state = dirty ? `${commit.slice(0, 7)} with changes` : commit.slice(0, 7);
  return `${cpuCount} x ${cpuModel}, ${kernel}, Node ${nodeVersion}, commit ${state}, data on ${filesystem}`;
}

/** Writes both files; returns their folder, from the root of the repository. */
export function writeResult(date: string, what: string, run: object, summary: string): string {
  const folder = join('results', `${date}-faults-${what}`);
  mkdirSync(join(ROOT, folder), { recursive: true });
  writeFileSync(join(ROOT, folder, 'run.json'), `${JSON.stringify(run, null, 2)}\n`);
  writeFileSync(join(ROOT, folder, 'summary.md'), summary);
  return folder;
}

function output(command: string, args: readonly string[]): string {
  return spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' }).stdout.trim();
}

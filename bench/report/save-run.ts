/** Puts a run on disk: `<parent>/<date>-<scenario>-<target>-<commit>/{run.json,summary.md}`. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigFailure } from '../../src/base/failure.ts';
import { type RunResult, runDirName } from './run-json.ts';
import { renderSummary } from './summary-md.ts';

/** Before the run, so that a wrong `--out` costs no measurement. @throws ConfigFailure */
export function prepareOut(parent: string): void {
  try {
    if (!existsSync(parent)) mkdirSync(parent);
  } catch (error) {
    throw new ConfigFailure(`--out: ${parent} - it cannot be made: ${(error as Error).message}`);
  }
}

/** Returns the directory. @throws what the file system says. */
export function saveRun(run: RunResult, parent: string): string {
  const dir = join(parent, runDirName(run));
  mkdirSync(dir);
  writeFileSync(join(dir, 'run.json'), JSON.stringify(run, null, 2) + '\n');
  writeFileSync(join(dir, 'summary.md'), renderSummary(run));
  return dir;
}

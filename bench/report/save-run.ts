/** Puts a run on disk: `<parent>/<date>-<scenario>-<target>-<commit>/{run.json,summary.md}`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunResult, runDirName } from './run-json.ts';
import { renderSummary } from './summary-md.ts';

/** Returns the directory. @throws what the file system says. */
export function saveRun(run: RunResult, parent: string): string {
  const dir = join(parent, runDirName(run));
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'run.json'), JSON.stringify(run, null, 2) + '\n');
  writeFileSync(join(dir, 'summary.md'), renderSummary(run));
  return dir;
}

/**
 * `bench report DIR`: makes the files for people again from a saved result, after a change of their looks, or for a run
 * of a comparison that was saved without charts. The document itself is never touched.
 *
 *     DIR has run.json, compare.json, sweep.json or tune.json    its files; the README above it, when it is ours
 *     DIR holds such directories                      each of them, and README.md
 *     DIR is of a campaign                            refused: its text is made when it is measured
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigFailure } from '../../src/base/failure.ts';
import {
  campaignIn,
  KNOWN_SCHEMAS,
  listResults,
  readResult,
  readRunsOf,
  type SavedResult,
} from './read-results.ts';
import { type ResultFile, replaceFiles } from './result-dir.ts';
import { README_MARK, writeResultsReadme } from './results-readme.ts';
import { comparisonFiles, sweepFiles } from './save-comparison.ts';
import { runFiles } from './save-run.ts';
import { tuneFiles } from './save-tune.ts';

export interface Regenerated {
  readonly kind: 'run' | 'comparison' | 'sweep' | 'tuning' | 'results';
  /** Paths of the files that were written. */
  readonly files: readonly string[];
}

/** @throws ConfigFailure when `dir` holds no result that this version knows; SaveFailure when it cannot be written */
export function regenerate(dir: string): Regenerated {
  if (!existsSync(dir) || !statSync(dir).isDirectory()) {
    throw new ConfigFailure(`bench report: ${dir} - no such directory; name one that a run was saved in`);
  }
  const result = readResult(dir);
  if (result !== null) {
    const files = renewResult(result, dir);
    return { kind: kindOf(result, dir), files: [...files, ...renewParentReadme(dir)] };
  }
  const campaign = campaignIn(dir);
  if (campaign !== null) {
    throw new ConfigFailure(
      `bench report: ${dir} - the result of a campaign (${campaign}); its pages are made only when it is measured: read its ` +
        `summary.md, or measure again with the command at its end`,
    );
  }
  const known = listResults(dir).filter((listed) => listed.result.kind !== 'unknown');
  if (known.length === 0) {
    throw new ConfigFailure(
      `bench report: ${dir} - holds no result (${KNOWN_SCHEMAS}); name a directory that a run, a comparison or a sweep ` +
        'was saved in, or the directory of such directories',
    );
  }
  const files = known.flatMap((listed) => renewResult(listed.result, join(dir, listed.dirName)));
  return { kind: 'results', files: [...files, writeResultsReadme(dir)] };
}

function renewResult(result: SavedResult, dir: string): string[] {
  return replaceFiles(dir, filesOf(result, dir));
}

function filesOf(result: SavedResult, dir: string): ResultFile[] {
  if (result.kind === 'run') return runFiles(result.run);
  if (result.kind === 'sweep') return sweepFiles(result.sweep);
  if (result.kind === 'tuning') return tuneFiles(result.tuning);
  if (result.kind === 'unknown') throw unknownSchema(result, dir);
  const runs = readRunsOf(result.comparison, dir);
  if (runs === null) {
    throw new ConfigFailure(
      `bench report: ${dir} - a run of the comparison is missing or of another version under runs/, so its curves cannot ` +
        'be drawn; compare again with this version',
    );
  }
  return comparisonFiles(result.comparison, runs);
}

function kindOf(result: SavedResult, dir: string): Exclude<Regenerated['kind'], 'results'> {
  if (result.kind === 'unknown') throw unknownSchema(result, dir);
  return result.kind;
}

function unknownSchema(
  { file, found }: Extract<SavedResult, { kind: 'unknown' }>,
  dir: string,
): ConfigFailure {
  return new ConfigFailure(
    `bench report: ${join(dir, file)} - ${found}; this version reads ${KNOWN_SCHEMAS}; use the version of ringkeeper that ` +
      'made it, or measure again',
  );
}

/** A directory of results that somebody keeps without our README gets none. */
function renewParentReadme(dir: string): string[] {
  const parent = dirname(resolve(dir));
  const file = join(parent, 'README.md');
  if (!existsSync(file) || !readFileSync(file, 'utf8').includes(README_MARK)) return [];
  return [writeResultsReadme(parent)];
}

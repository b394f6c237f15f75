/**
 * Puts a comparison or a sweep on disk. Their runs are saved one by one as they end (`saveSingleRun`), so that what was
 * measured survives whatever comes later; the documents that make them a result come last.
 *
 *     <parent>/<date>-<plan>-<a>-vs-<b>-<commit>/    compare.json  summary.md  report.html  runs/01-a/run.json ...
 *     <parent>/<date>-<plan>-sweep-<target>-<commit>/ sweep.json   summary.md  report.html
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { jsonText } from '../figures/json-text.ts';
import { fileNameText } from '../latency/hdr-files.ts';
import type { Comparison, Sweep } from '../result/compare-json.ts';
import type { RunResult } from '../result/run-json.ts';
import { renderCompareReport } from './html/compare-report.ts';
import { renderSweepReport } from './html/sweep-report.ts';
import { diskFiles, type FileSystem, type ResultFile, SaveFailure, writeResult } from './result-dir.ts';
import { RUN_FILE } from './save-run.ts';
import { renderComparisonSummary } from './summary-compare.ts';
import { renderRunSummary } from './summary-run.ts';
import { renderSweepSummary } from './summary-sweep.ts';

export const COMPARE_FILE = 'compare.json';
export const SWEEP_FILE = 'sweep.json';

/** `2026-11-20-080000-prod-mix-embedded-vs-apache-1a2b3c4`; `embedded-vs-embedded-2` of two versions of one target. */
export function comparisonDirName({ startedAt, plan, a, b, environment, complete }: Comparison): string {
  const other = a.name === b.name ? `${b.name}-2` : b.name;
  return dirName(startedAt, `${plan.name}-${a.name}-vs-${other}`, environment.commit, complete);
}

export function sweepDirName({ startedAt, plan, target, environment, complete }: Sweep): string {
  return dirName(startedAt, `${plan.name}-sweep-${target.name}`, environment.commit, complete);
}

/**
 * Into `dir`, which is made where it is missing. `runs` are in the order of `comparison.runs`; those that are not in
 * their directories yet are written too. @throws SaveFailure
 */
export function saveComparison(
  comparison: Comparison,
  runs: readonly RunResult[],
  dir: string,
  files?: FileSystem,
): void {
  const own = makeDir(dir, files);
  runs.forEach((run, index) => {
    const place = join(dir, comparison.runs[index]!.dir);
    if (!existsSync(join(place, RUN_FILE))) saveSingleRun(run, place, files);
  });
  writeResult(
    dir,
    comparisonFiles(comparison, runs),
    { name: COMPARE_FILE, content: jsonText(comparison) },
    { own, files },
  );
}

/** Into `dir`, which is made where it is missing. @throws SaveFailure */
export function saveSweep(sweep: Sweep, dir: string, files?: FileSystem): void {
  const own = makeDir(dir, files);
  writeResult(dir, sweepFiles(sweep), { name: SWEEP_FILE, content: jsonText(sweep) }, { own, files });
}

/**
 * A run of a comparison or a sweep: the figures without charts, because the whole has them. `bench report` makes the
 * other files from `run.json`. @throws SaveFailure
 */
export function saveSingleRun(run: RunResult, dir: string, files?: FileSystem): void {
  const own = makeDir(dir, files);
  const summary = { name: 'summary.md', content: renderRunSummary(run) };
  writeResult(dir, [summary], { name: RUN_FILE, content: jsonText(run) }, { own, files });
}

/** All files that are made from a comparison, without `compare.json`. */
export function comparisonFiles(comparison: Comparison, runs: readonly RunResult[]): ResultFile[] {
  return [
    { name: 'summary.md', content: renderComparisonSummary(comparison) },
    { name: 'report.html', content: renderCompareReport(comparison, runs) },
  ];
}

export function sweepFiles(sweep: Sweep): ResultFile[] {
  return [
    { name: 'summary.md', content: renderSweepSummary(sweep) },
    { name: 'report.html', content: renderSweepReport(sweep) },
  ];
}

/** Of a series of runs: when, what, of which commit. */
export function dirName(startedAt: string, name: string, commit: string | null, complete: boolean): string {
  const stamp = startedAt.slice(0, 19).replace('T', '-').replaceAll(':', '');
  const mark = complete ? '' : '-partial';
  return `${stamp}-${fileNameText(name)}-${commit?.slice(0, 7) ?? 'nocommit'}${mark}`;
}

function makeDir(dir: string, files: FileSystem = diskFiles): boolean {
  try {
    return files.makeDir(dir);
  } catch (error) {
    throw new SaveFailure(`the result could not be saved in ${dir}: ${(error as Error).message}`);
  }
}

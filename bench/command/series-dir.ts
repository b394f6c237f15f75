/**
 * The directory of a comparison, sweep or search while it grows. Each run is saved as soon as it is done, so that what
 * was measured survives whatever comes later; the name that tells the result is given at the end.
 *
 *     2026-11-20-080000-prod-mix-unfinished/runs/01-floor, 02-floor ...
 *         -> 2026-11-20-080000-prod-mix-embedded-vs-apache-1a2b3c4/
 */
import { renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { NumberedRun } from '../compare/measure.ts';
import { createResultDir } from '../report/result-dir.ts';
import { saveSingleRun } from '../report/save-comparison.ts';
import type { RunResult } from '../result/run-json.ts';

export class SeriesDir {
  readonly runs: RunResult[] = [];
  private readonly out: string;
  private dir: string | null;

  /** `dir`: of a series that was begun earlier. */
  constructor(out: string, dir: string | null = null) {
    this.out = out;
    this.dir = dir;
  }

  /** Where it is now; null before anything is in it. */
  get path(): string | null {
    return this.dir;
  }

  /** Before the first run, for what says what the series is. Returns the path. @throws SaveFailure */
  begin(name: string, startedAt: string): string {
    this.dir = createResultDir(this.out, `${stampOf(startedAt)}-${name}-unfinished`);
    return this.dir;
  }

  /** @throws SaveFailure */
  save({ dir, result }: NumberedRun): void {
    this.runs.push(result);
    this.dir ??= createResultDir(this.out, `${stampOf(result.startedAt)}-${result.plan.name}-unfinished`);
    saveSingleRun(result, join(this.dir, dir));
  }

  /** When nothing was measured. */
  discard(): void {
    if (this.dir !== null) rmSync(this.dir, { recursive: true, force: true });
    this.dir = null;
  }

  /** Returns the directory under its last name. @throws SaveFailure */
  finish(name: string, saveWhole: (dir: string) => void): string {
    if (this.dir !== null && basename(this.dir) === name) {
      saveWhole(this.dir);
      return this.dir;
    }
    const place = createResultDir(this.out, name);
    // A directory that is there and empty is replaced.
    if (this.dir !== null) renameSync(this.dir, place);
    this.dir = place;
    saveWhole(place);
    return place;
  }
}

/** `2026-11-20-080000` of an ISO instant. */
function stampOf(startedAt: string): string {
  return startedAt.slice(0, 19).replace('T', '-').replaceAll(':', '');
}

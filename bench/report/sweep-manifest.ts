/**
 * `manifest.json`: what a sweep of services is, in its directory from before the first run on, so that one that was
 * interrupted, killed or failed can go on. What of it is done is not written here but seen: the saved runs themselves.
 *
 *     manifest.json            once, whole or not at all
 *     runs/01-embedded-1/run.json, runs/02-...      each whole or not at all
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigFailure } from '../../src/base/failure.ts';
import { jsonText } from '../figures/json-text.ts';
import { parseRun } from '../result/older-results.ts';
import type { RunResult } from '../result/run-json.ts';
import { replaceFiles } from './result-dir.ts';
import { RUN_FILE } from './save-run.ts';

export const MANIFEST_FILE = 'manifest.json';
const MANIFEST_SCHEMA = 'ringkeeper-bench-sweep-manifest';
const MANIFEST_SCHEMA_VERSION = 1;

export interface SweepManifest {
  readonly schema: typeof MANIFEST_SCHEMA;
  readonly schemaVersion: typeof MANIFEST_SCHEMA_VERSION;
  readonly startedAt: string;
  /** That began it, and repeats it. */
  readonly command: string;
  /** Of the program that measures; null outside a checkout. */
  readonly commit: string | null;
  /** Where the plan came from, for messages; and the plan as it was written, flags included. */
  readonly origin: string;
  readonly document: unknown;
  /** Flags that changed it, in words. */
  readonly changed: readonly string[];
  /** As `--targets` takes them. */
  readonly targets: readonly string[];
  readonly replicates: number;
  readonly ceiling: boolean;
  readonly warmMax: string;
  readonly publish: boolean;
}

/** @throws SaveFailure */
export function writeManifest(dir: string, facts: Omit<SweepManifest, 'schema' | 'schemaVersion'>): void {
  const manifest: SweepManifest = {
    schema: MANIFEST_SCHEMA,
    schemaVersion: MANIFEST_SCHEMA_VERSION,
    ...facts,
  };
  replaceFiles(dir, [{ name: MANIFEST_FILE, content: jsonText(manifest) }]);
}

/** @throws ConfigFailure when the directory is of no sweep that this version can go on with */
export function readManifest(dir: string): SweepManifest {
  const file = join(dir, MANIFEST_FILE);
  const refusal = (why: string): ConfigFailure =>
    new ConfigFailure(`--resume: ${dir} - ${why}; name the directory of a sweep that was interrupted`);
  if (!existsSync(file)) throw refusal(`there is no ${MANIFEST_FILE}`);
  let manifest: Partial<SweepManifest> | null;
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8')) as Partial<SweepManifest> | null;
  } catch (error) {
    throw refusal(`${MANIFEST_FILE} cannot be read: ${(error as Error).message}`);
  }
  if (manifest?.schema !== MANIFEST_SCHEMA || manifest.schemaVersion !== MANIFEST_SCHEMA_VERSION) {
    throw refusal(`${MANIFEST_FILE} is of another kind or version`);
  }
  return manifest as SweepManifest;
}

/** Of each place below `dir` the run, when it is whole; null: it is to be measured. */
export function readDoneRuns(dir: string, places: readonly string[]): (RunResult | null)[] {
  return places.map((place) => {
    const file = join(dir, place, RUN_FILE);
    const run = existsSync(file) ? parseRun(readFileSync(file, 'utf8')) : null;
    return run?.complete ? run : null;
  });
}

/**
 * Saved results, read back. A directory is what the JSON document in it says; a document of another schema version is
 * an older result, of which only the summary is known.
 *
 *     run.json | compare.json | sweep.json | tune.json   known schema -> result
 *                                                 other -> older, when there is a summary.md
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  COMPARE_SCHEMA,
  COMPARE_SCHEMA_VERSION,
  type Comparison,
  SWEEP_SCHEMA,
  SWEEP_SCHEMA_VERSION,
  type Sweep,
} from '../result/compare-json.ts';
import { parseComparison, parseRun, parseSweep } from '../result/older-results.ts';
import {
  RUN_SCHEMA,
  RUN_SCHEMA_VERSION,
  type RunResult,
  type Verdict,
  verdictOfRun,
} from '../result/run-json.ts';
import { TUNE_SCHEMA, TUNE_SCHEMA_VERSION, type Tuning } from '../result/tune-json.ts';
import { COMPARE_FILE, SWEEP_FILE } from './save-comparison.ts';
import { RUN_FILE } from './save-run.ts';
import { TUNE_FILE } from './save-tune.ts';

export type SavedResult =
  | { readonly kind: 'run'; readonly run: RunResult }
  | { readonly kind: 'comparison'; readonly comparison: Comparison }
  | { readonly kind: 'sweep'; readonly sweep: Sweep }
  | { readonly kind: 'tuning'; readonly tuning: Tuning }
  /** There is a document, but of a version or schema that is not known here; `found` says which. */
  | { readonly kind: 'unknown'; readonly file: string; readonly found: string };

export interface ListedResult {
  readonly dirName: string;
  readonly result: SavedResult;
}

/** Null when no document of a result is there. */
export function readResult(dir: string): SavedResult | null {
  const file = [COMPARE_FILE, SWEEP_FILE, TUNE_FILE, RUN_FILE].find((name) => existsSync(join(dir, name)));
  if (file === undefined) return null;
  const text = readFileSync(join(dir, file), 'utf8');
  if (file === RUN_FILE) {
    const run = parseRun(text);
    return run === null ? unknown(file, text) : { kind: 'run', run };
  }
  if (file === COMPARE_FILE) {
    const comparison = parseComparison(text, (place) => verdictIn(join(dir, place)));
    return comparison === null ? unknown(file, text) : { kind: 'comparison', comparison };
  }
  if (file === TUNE_FILE) {
    const tuning = parseTuning(text);
    return tuning === null ? unknown(file, text) : { kind: 'tuning', tuning };
  }
  const sweep = parseSweep(text);
  return sweep === null ? unknown(file, text) : { kind: 'sweep', sweep };
}

/** The name of the campaign whose result lies there; null when none does. Its text is made once, when it has been measured. */
export function campaignIn(dir: string): string | null {
  for (const name of readdirSync(dir)) {
    if (!name.endsWith('.json')) continue;
    const campaign = CAMPAIGN_SCHEMA.exec(
      String(parseHead(readFileSync(join(dir, name), 'utf8'))?.schema),
    )?.[1];
    if (campaign !== undefined && name === `${campaign}.json`) return campaign;
  }
  return null;
}

/** As campaigns name theirs, and their document after it. */
const CAMPAIGN_SCHEMA = /^ringkeeper-bench-([\w-]+)$/;

/** Of a single run; null where none is. */
function verdictIn(dir: string): Verdict | null {
  const result = readResult(dir);
  return result?.kind === 'run' ? verdictOfRun(result.run) : null;
}

/** Results directly under `resultsDir`, oldest first: the names of their directories begin with the time. */
export function listResults(resultsDir: string): ListedResult[] {
  const found: ListedResult[] = [];
  for (const entry of readdirSync(resultsDir, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const dir = join(resultsDir, entry.name);
    const result = readResult(dir);
    if (result !== null) found.push({ dirName: entry.name, result });
    else if (existsSync(join(dir, 'summary.md'))) {
      found.push({
        dirName: entry.name,
        result: { kind: 'unknown', file: 'summary.md', found: 'no document' },
      });
    }
  }
  return found.sort((a, b) => (a.dirName < b.dirName ? -1 : 1));
}

/** The runs of a comparison in its order, without those whose files are gone. */
export function readRunsOf(comparison: Comparison, dir: string): RunResult[] | null {
  const runs: RunResult[] = [];
  for (const { dir: place } of comparison.runs) {
    const result = readResult(join(dir, place));
    if (result?.kind !== 'run') return null;
    runs.push(result.run);
  }
  return runs;
}

/** What this version reads, for messages. */
export const KNOWN_SCHEMAS = [
  `${RUN_FILE}: ${RUN_SCHEMA} version ${RUN_SCHEMA_VERSION}`,
  `${COMPARE_FILE}: ${COMPARE_SCHEMA} version ${COMPARE_SCHEMA_VERSION}`,
  `${SWEEP_FILE}: ${SWEEP_SCHEMA} version ${SWEEP_SCHEMA_VERSION}`,
  `${TUNE_FILE}: ${TUNE_SCHEMA} version ${TUNE_SCHEMA_VERSION}`,
].join(', ');

function parseTuning(text: string): Tuning | null {
  const head = parseHead(text);
  const isKnown = head?.schema === TUNE_SCHEMA && head.schemaVersion === TUNE_SCHEMA_VERSION;
  return isKnown ? (JSON.parse(text) as Tuning) : null;
}

interface Headed {
  readonly schema: string;
  readonly schemaVersion: number;
}

function parseHead(text: string): Partial<Headed> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}

function unknown(file: string, text: string): SavedResult {
  const head = parseHead(text);
  if (head === null) return { kind: 'unknown', file, found: 'not JSON, or cut off' };
  if (typeof head.schema !== 'string' || head.schemaVersion === undefined)
    return { kind: 'unknown', file, found: 'no schema' };
  return { kind: 'unknown', file, found: `${head.schema} version ${head.schemaVersion}` };
}

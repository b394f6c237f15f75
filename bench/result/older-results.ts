/**
 * Results of earlier versions, read as what they would be today, so that their pages still render. What was not measured
 * then is null. Only what is published is worth it: run.json 2, compare.json 2, sweep.json 1.
 *
 *     run 2 -> 3        one kind of finding: the rule says which of the two it is; latencies without what got no reply
 *     compare 2 -> 3    runs were valid or not: their own files say what they were
 *     sweep 1 -> 2      phases as in a run
 */
import {
  COMPARE_SCHEMA,
  COMPARE_SCHEMA_VERSION,
  type Comparison,
  SWEEP_SCHEMA,
  SWEEP_SCHEMA_VERSION,
  type Sweep,
} from './compare-json.ts';
import {
  type Finding,
  type PhaseResult,
  RUN_SCHEMA,
  RUN_SCHEMA_VERSION,
  type RunResult,
  UNSTEADY_RULES,
  type Verdict,
} from './run-json.ts';

const RUN_BEFORE = 2;
const COMPARE_BEFORE = 2;
const SWEEP_BEFORE = 1;

interface Headed {
  readonly schema: string;
  readonly schemaVersion: number;
}

/** The result of a `run.json`, or null when the text is something else. */
export function parseRun(text: string): RunResult | null {
  const value = parseDocument(text, RUN_SCHEMA);
  if (value?.schemaVersion === RUN_SCHEMA_VERSION) return value as unknown as RunResult;
  if (value?.schemaVersion !== RUN_BEFORE) return null;
  const run = value as unknown as RunResult;
  return { ...run, schemaVersion: RUN_SCHEMA_VERSION, phases: run.phases.map(upgradePhase) };
}

/** `verdictOf` reads the run in a directory of the comparison; null when it is not there. */
export function parseComparison(text: string, verdictOf: (dir: string) => Verdict | null): Comparison | null {
  const value = parseDocument(text, COMPARE_SCHEMA);
  if (value?.schemaVersion === COMPARE_SCHEMA_VERSION) return value as unknown as Comparison;
  if (value?.schemaVersion !== COMPARE_BEFORE) return null;
  const comparison = value as unknown as Comparison;
  const runs = (comparison.runs as readonly (Comparison['runs'][number] & { readonly valid: boolean })[]).map(
    ({ side, pair, dir, valid }) => ({
      side,
      pair,
      dir,
      verdict: verdictOf(dir) ?? (valid ? ('sound' as const) : ('void' as const)),
    }),
  );
  return { ...comparison, schemaVersion: COMPARE_SCHEMA_VERSION, runs };
}

export function parseSweep(text: string): Sweep | null {
  const value = parseDocument(text, SWEEP_SCHEMA);
  if (value?.schemaVersion === SWEEP_SCHEMA_VERSION) return value as unknown as Sweep;
  if (value?.schemaVersion !== SWEEP_BEFORE) return null;
  const sweep = value as unknown as Sweep;
  const points = sweep.points.map((point) => ({
    ...point,
    runs: point.runs.map((run) => ({ ...run, phases: run.phases.map(upgradePhase) })),
  }));
  return { ...sweep, schemaVersion: SWEEP_SCHEMA_VERSION, points };
}

function upgradePhase(phase: PhaseResult): PhaseResult {
  const findings = phase.findings.map(
    (finding): Finding => ({ ...finding, kind: UNSTEADY_RULES.has(finding.rule) ? 'unsteady' : 'void' }),
  );
  return {
    ...phase,
    findings,
    valid: findings.every(({ kind }) => kind !== 'void'),
    waited: null,
    othersCores: null,
    warming: null,
  };
}

function parseDocument(text: string, schema: string): Headed | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && (value as Headed).schema === schema
      ? (value as Headed)
      : null;
  } catch {
    return null;
  }
}

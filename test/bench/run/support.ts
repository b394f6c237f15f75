/** Tiny runs of the whole engine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Plan } from '../../../bench/plan/plan.ts';
import { buildPlan } from '../../../bench/plan/schema.ts';
import { CeilingMeter } from '../../../bench/run/ceiling.ts';
import type { Progress } from '../../../bench/run/progress.ts';
import { type RunOutcome, runPlan } from '../../../bench/run/run-plan.ts';
import { parseTargetSpec } from '../../../bench/target/target-spec.ts';

/** Servers keep their data here; it must be empty when a run is over. */
export const tempDir = mkdtempSync(join(tmpdir(), 'bench-test-'));
after(() => rmSync(tempDir, { recursive: true, force: true }));

export const silent: Progress = { start: () => {}, stage: () => {}, update: () => {}, stop: () => {} };

export function planOf(phases: object, parts: object = {}): Plan {
  return buildPlan(
    {
      name: 'tiny',
      description: 'a test',
      tree: { root: '/bench/tiny', znodes: 50, values: '100B' },
      connections: 3,
      outstanding: 10,
      phases,
      ...parts,
    },
    'the test',
  );
}

export interface TinyOptions {
  readonly abort?: AbortSignal;
  readonly progress?: Progress;
  readonly ceiling?: boolean;
  readonly warmUpMsMax?: number;
}

export function runTiny(plan: Plan, target: string, options: TinyOptions = {}): Promise<RunOutcome | null> {
  return runPlan(plan, {
    target: parseTargetSpec(target),
    serverArgs: [],
    tempParent: tempDir,
    command: 'npx ringkeeper bench run tiny',
    progress: options.progress ?? silent,
    abort: options.abort ?? new AbortController().signal,
    warmUpMsMax: options.warmUpMsMax ?? 0,
    ceilings: options.ceiling ? new CeilingMeter(tempDir) : null,
  });
}

/** `{ phase: { label: replies } }` of those that have any. */
export function labelsOf({ run }: RunOutcome): Record<string, string[]> {
  return Object.fromEntries(run.phases.map(({ plan, ops }) => [plan.name, ops.map(({ label }) => label)]));
}

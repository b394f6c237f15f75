/**
 * A differential run: draws steps from a seed, lets both servers do each, and stops at the first difference; at the
 * end compares all that the servers hold. The report names the seed and the step, so that it can be run again.
 */
import { isDeepStrictEqual } from 'node:util';
import { errorName } from '../../../src/wire/error-codes.ts';
import { opName } from '../../../src/wire/opcodes.ts';
import type { ServerOptions, TestServer } from '../../support/server.ts';
import { difference, type StepOutcome } from './comparer.ts';
import { type FinalState, readTree, readWords, SUPER } from './final-state.ts';
import { Generator } from './generator.ts';
import type { NormalFrame } from './normaliser.ts';
import { describe, type Step } from './step.ts';
import { Target } from './target.ts';

const SESSION_TIMEOUT_MIN_MS = 600_000;
const SETTLE_MS = 5000;
const HISTORY_STEPS = 6;

/** What both servers are started with. Quotas are enforced and reconfig is allowed for half of the seeds. */
export function serverOptions(seed: number): ServerOptions {
  return {
    config: {
      extendedTypesEnabled: 'true',
      forceSync: 'no',
      minSessionTimeout: String(SESSION_TIMEOUT_MIN_MS),
      maxSessionTimeout: String(2 * SESSION_TIMEOUT_MIN_MS),
      enforceQuota: String(seed % 2 === 0),
      reconfigEnabled: String(seed % 2 === 1),
      'DigestAuthenticationProvider.superDigest': SUPER.digest,
    },
  };
}

export interface RunResult {
  readonly requestCount: number;
  readonly stepCount: number;
  /** How often each operation ended in each error code, e.g. `create NODEEXISTS`. */
  readonly coverage: ReadonlyMap<string, number>;
  /** The report of the first difference; undefined: none. */
  readonly divergence: string | undefined;
}

export interface RunPlan {
  readonly seed: number;
  readonly stepCount: number;
  readonly oracle: TestServer;
  readonly subject: TestServer;
}

/** Both servers must be running and empty. */
export async function run(plan: RunPlan): Promise<RunResult> {
  const generator = new Generator(plan.seed);
  const oracle = new Target(plan.oracle);
  const subject = new Target(plan.subject);
  const coverage = new Map<string, number>();
  const history: string[] = [];
  let requestCount = 0;
  let divergence: string | undefined;
  let index = 0;
  try {
    for (; index < plan.stepCount && divergence === undefined; index++) {
      const step = generator.next();
      const outcomes = await both(oracle.perform(step), subject.perform(step));
      const reason =
        'failure' in outcomes ? outcomes.failure : difference(step, outcomes.oracle, outcomes.subject);
      if (step.kind === 'requests') requestCount += step.requests.length;
      if (reason !== undefined) {
        divergence = report(plan, index, step, history, reason, 'failure' in outcomes ? undefined : outcomes);
        break;
      }
      if ('failure' in outcomes) break;
      count(coverage, outcomes.oracle);
      history.push(`  ${index} ${describe(step)}`);
      if (history.length > HISTORY_STEPS) history.shift();
      generator.observe(step, outcomes.oracle);
    }
    divergence ??= await finalDifference(plan, oracle, subject);
  } finally {
    oracle.dispose();
    subject.dispose();
  }
  return { requestCount, stepCount: index, coverage, divergence };
}

type Both = { readonly oracle: StepOutcome; readonly subject: StepOutcome } | { readonly failure: string };

/** A server that stops answering is a difference too, and which of the two it was matters. */
async function both(oracle: Promise<StepOutcome>, subject: Promise<StepOutcome>): Promise<Both> {
  const [a, b] = await Promise.allSettled([oracle, subject]);
  if (a.status === 'rejected') return { failure: `the oracle failed: ${a.reason}` };
  if (b.status === 'rejected') return { failure: `the subject failed: ${b.reason}` };
  return { oracle: a.value, subject: b.value };
}

async function finalDifference(plan: RunPlan, oracle: Target, subject: Target): Promise<string | undefined> {
  // Servers learn of a dropped connection in their own time, and its watches stay until then.
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const a = await readWords(plan.oracle, oracle.normaliser);
    const b = await readWords(plan.subject, subject.normaliser);
    const reason = firstDifference(a, b);
    if (reason === undefined) break;
    if (performance.now() > deadline) return `seed ${plan.seed}, four-letter words at the end: ${reason}`;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const treeA = await readTree(plan.oracle, oracle.normaliser);
  const treeB = await readTree(plan.subject, subject.normaliser);
  const reason = firstDifference(treeA, treeB);
  return reason === undefined ? undefined : `seed ${plan.seed}, tree at the end: ${reason}`;
}

function firstDifference(oracle: FinalState, subject: FinalState): string | undefined {
  for (const key of new Set([...Object.keys(oracle), ...Object.keys(subject)])) {
    if (isDeepStrictEqual(oracle[key], subject[key])) continue;
    return `${key}\n  oracle:  ${JSON.stringify(oracle[key])}\n  subject: ${JSON.stringify(subject[key])}`;
  }
  return undefined;
}

function count(coverage: Map<string, number>, outcome: StepOutcome): void {
  for (const { frames } of outcome.received) {
    for (const frame of frames) {
      const key = 'event' in frame ? `event ${frame.event}` : `${opName(frame.op)} ${errorName(frame.err)}`;
      coverage.set(key, (coverage.get(key) ?? 0) + 1);
    }
  }
}

function report(
  plan: RunPlan,
  index: number,
  step: Step,
  history: readonly string[],
  reason: string,
  outcomes: { readonly oracle: StepOutcome; readonly subject: StepOutcome } | undefined,
): string {
  const lines = [
    `seed ${plan.seed}, step ${index}: ${reason}`,
    `replay: node test/compat/differential/main.ts --seed ${plan.seed} --steps ${index + 1}`,
    'the steps before:',
    ...history,
    'the step:',
    `  ${describe(step)}`,
  ];
  if (step.kind === 'requests') {
    for (const request of step.requests)
      lines.push(`    body ${Buffer.from(request.body).toString('hex').slice(0, 400)}`);
  }
  if (outcomes !== undefined) {
    lines.push('oracle:', ...outcomeLines(outcomes.oracle), 'subject:', ...outcomeLines(outcomes.subject));
  }
  return lines.join('\n');
}

function outcomeLines(outcome: StepOutcome): string[] {
  const lines = outcome.connect === undefined ? [] : [`  connect ${JSON.stringify(outcome.connect)}`];
  for (const { slot, frames, closed } of outcome.received) {
    lines.push(
      `  slot ${slot}${closed ? ', closed' : ''}`,
      ...frames.map((frame) => `    ${frameLine(frame)}`),
    );
  }
  return lines;
}

function frameLine(frame: NormalFrame): string {
  if ('event' in frame) return `event ${frame.event} ${frame.path} zxid ${frame.zxid}`;
  const body = JSON.stringify(frame.body) ?? '';
  return `xid ${frame.xid} ${opName(frame.op)} zxid ${frame.zxid} ${errorName(frame.err)} ${body.slice(0, 1000)}`;
}

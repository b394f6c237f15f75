/**
 * One run: a fresh target, the plan's phases one after another, availability probes beside them, and the result. Main
 * thread. Whatever happens after the target has started, it is stopped again; an abort ends the running phase and
 * gives what was measured until then.
 *
 *     target up -> ceiling (null server) -> sessions -> tree -> probes, sampler on -> phase, phase, ...
 *         -> probes, sampler off -> (tree off) -> target down
 *
 * The target comes first, so that one that cannot be had is told at once. While the generator's ceiling is measured it
 * only waits.
 */

import { monotonicMs } from '../base/phase-clock.ts';
import { LoadController } from '../generator/controller.ts';
import type { IntervalHistogram } from '../latency/hdr-files.ts';
import { captureEnvironment } from '../measure/environment.ts';
import { AvailabilityProbes } from '../measure/probes.ts';
import { ServerSampler } from '../measure/server-sampler.ts';
import { maxBytes, type Plan, plannedMs } from '../plan/plan.ts';
import type { Environment } from '../result/environment-facts.ts';
import { RUN_SCHEMA, RUN_SCHEMA_VERSION, type RunResult } from '../result/run-json.ts';
import { type Progress, stoppedOnce } from '../run/progress.ts';
import { ServiceFailure } from '../session/refusal.ts';
import { startTarget } from '../target/start-target.ts';
import type { Target, TargetOptions } from '../target/target.ts';
import type { TargetSpec } from '../target/target-spec.ts';
import type { Ceiling, CeilingMeter } from './ceiling.ts';
import { refuseLeaderKill } from './leader-kill.ts';
import { intervalHistograms, phaseResult } from './phase-result.ts';
import { loadAddresses } from './placement.ts';
import { type MeasuredPhase, runPhase } from './run-phase.ts';
import { sayDrift, stateAfter, stateBefore } from './service-state.ts';
import { endedText, inServiceWords, refuseTooMany } from './service-trouble.ts';

export interface RunOptions {
  readonly target: TargetSpec;
  /** Extra arguments of a server that is started here. */
  readonly serverArgs: readonly string[];
  /** Where servers keep their data. */
  readonly tempParent: string;
  /** What repeats the run, for the result. */
  readonly command: string;
  readonly progress: Progress;
  readonly abort: AbortSignal;
  /** Shared by runs of one process, so that the same load is measured against the null server once; null = not at all. */
  readonly ceilings: CeilingMeter | null;
  /** How long a fresh server may take to become warm before each phase; absent or 0: it is not warmed. */
  readonly warmUpMsMax?: number;
}

export interface RunOutcome {
  readonly run: RunResult;
  /** Of all phases; made anew each time it is walked through. */
  readonly intervals: Iterable<IntervalHistogram>;
}

/** Null when the run was aborted before anything was measured. */
export async function runPlan(plan: Plan, options: RunOptions): Promise<RunOutcome | null> {
  refuseLeaderKill(plan, options.target);
  const progress = stoppedOnce(options.progress);
  progress.start(plannedMs(plan));
  try {
    return await runFromStart(plan, { ...options, progress });
  } finally {
    progress.stop();
  }
}

async function runFromStart(plan: Plan, options: RunOptions): Promise<RunOutcome | null> {
  const startedAt = new Date().toISOString();
  options.progress.stage(
    `${options.target.kind === 'external' ? 'connecting to' : 'starting'} ${options.target.text}`,
  );
  const target = await startTarget(options.target, {
    serverArgs: options.serverArgs,
    tempParent: options.tempParent,
    abort: options.abort,
    ...targetNeeds(plan),
  });
  try {
    const environment = await lookAtService(plan, target);
    const ceilings = await measureCeilings(plan, options);
    if (options.abort.aborted) return null;
    try {
      return await runWithSessions(plan, options, { startedAt, ceilings, target, environment });
    } catch (error) {
      throw await inServiceWords(error, { plan, target, environment });
    }
  } finally {
    await target.stop();
  }
}

interface RunContext {
  readonly startedAt: string;
  readonly ceilings: readonly (Ceiling | null)[];
  readonly target: Target;
  readonly environment: Environment;
}

/** What it is, before anything is asked of it. @throws Failure when the plan asks for more than it takes */
async function lookAtService(plan: Plan, target: Target): Promise<Environment> {
  let environment: Environment | null = null;
  try {
    environment = await captureEnvironment(target);
    refuseTooMany(plan, target, environment);
    return environment;
  } catch (error) {
    throw await inServiceWords(error, { plan, target, environment });
  }
}

async function runWithSessions(
  plan: Plan,
  options: RunOptions,
  context: RunContext,
): Promise<RunOutcome | null> {
  const { target } = context;
  const isForeign = !target.isOurs;
  const before = isForeign ? await stateBefore(target) : null;
  const { connectionCount, tree } = plan;
  options.progress.stage(`opening ${connectionCount} sessions, making ${tree.keyCount} znodes`);
  const controller = await LoadController.open(plan, await loadAddresses(plan.connectTo, target));
  try {
    await controller.createTree({ showSize: isForeign });
    const probes = new AvailabilityProbes(target.servers, plan.probes, `${plan.tree.root}/probe`);
    await probes.start();
    let measured: MeasuredPhases;
    try {
      measured = await runPhases(plan, controller, target, options);
    } finally {
      await probes.stop();
    }
    const { phases } = measured;
    if (phases.length === 0) {
      if (target.failure === null || options.abort.aborted) return null;
      throw new ServiceFailure(endedText(target.failure));
    }
    if (isForeign) sayDrift(phases);
    const failure = measured.gone ?? (isForeign ? await target.whyNotServing() : target.failure);
    return outcomeOf(plan, options, context, { ...measured, probes, failure });
  } finally {
    if (isForeign) await cleanUp(controller, target);
    await controller.close();
    if (before !== null) await stateAfter(target, before);
  }
}

interface MeasuredPhases {
  readonly phases: readonly MeasuredPhase[];
  /** Why phases that were planned were not begun: a service without a server that gives a session. */
  readonly gone: string | null;
}

async function runPhases(
  plan: Plan,
  controller: LoadController,
  target: Target,
  options: RunOptions,
): Promise<MeasuredPhases> {
  const measured: MeasuredPhase[] = [];
  let gone: string | null = null;
  let done = (): number => 0;
  let doneMs = 0;
  const sampler = new ServerSampler(target, () => done());
  sampler.start();
  try {
    const over = (): boolean => options.abort.aborted || target.failure !== null || gone !== null;
    for (let index = 0; index < plan.phases.length && !over(); index++) {
      const phase = await runPhase(index, {
        plan,
        controller,
        target,
        sampler,
        doneBeforeMs: doneMs,
        openWrites: measured.some(lostRequests),
        warmUpMsMax: options.warmUpMsMax ?? 0,
        onStart: (running) => {
          done = () => running.counters.reduce((sum, counters) => sum + counters.done, 0);
        },
        progress: options.progress,
        abort: options.abort,
      });
      if (phase.measureEndMs > phase.grid.measureStartMs) measured.push(phase);
      doneMs += phase.plan.warmupMs + phase.plan.measureMs;
      // Within a phase an outage is what is measured; one that lasts beyond it leaves nothing to measure.
      const more = index + 1 < plan.phases.length;
      if (more && !target.isOurs && lostRequests(phase)) gone = await target.whyNotServing();
    }
  } finally {
    options.progress.stop();
    await sampler.stop();
  }
  return { phases: measured, gone };
}

function lostRequests({ reports }: MeasuredPhase): boolean {
  return reports.some(({ lost, unanswered }) => lost + unanswered > 0);
}

function outcomeOf(
  plan: Plan,
  options: RunOptions,
  { startedAt, ceilings, target, environment }: RunContext,
  measured: MeasuredPhases & { readonly probes: AvailabilityProbes; readonly failure: string | null },
): RunOutcome {
  const { probes, phases, gone, failure } = measured;
  const last = phases[phases.length - 1]!;
  // The server ended in the last of them: the others are whole.
  const results = phases.map((phase) =>
    phaseResult(phase, {
      plan,
      probes,
      failure: phase === last ? failure : null,
      ceiling: ceilings[phase.index] ?? null,
    }),
  );
  const run: RunResult = {
    schema: RUN_SCHEMA,
    schemaVersion: RUN_SCHEMA_VERSION,
    startedAt,
    command: options.command,
    complete: !options.abort.aborted && target.failure === null && gone === null,
    target: { name: target.name, description: target.description, failure },
    plan,
    environment,
    availability: probes.result(phases[0]!.grid.startMs, last.measureEndMs),
    probeLagMsMax: probes.lagMsMax,
    phases: results,
  };
  const epochOffsetMs = Date.now() - monotonicMs();
  const intervals = {
    *[Symbol.iterator]() {
      for (const [i, phase] of phases.entries()) {
        yield* intervalHistograms(phase, results[i]!.steady.cutMs, epochOffsetMs);
      }
    },
  };
  return { run, intervals };
}

async function measureCeilings(plan: Plan, options: RunOptions): Promise<(Ceiling | null)[]> {
  const ceilings: (Ceiling | null)[] = [];
  for (let index = 0; index < plan.phases.length && !options.abort.aborted; index++) {
    if (options.ceilings !== null)
      options.progress.stage(`what the generator itself can do: ${plan.phases[index]!.name}`);
    ceilings.push(options.ceilings === null ? null : await options.ceilings.measure(plan, index));
  }
  return ceilings;
}

/** Of a server that is started for the plan. TTL znodes are an extended type, which servers accept only when told to. */
export function targetNeeds({ phases, tree }: Plan): Pick<TargetOptions, 'valueBytes' | 'extendedTypes'> {
  const extendedTypes = phases.some(
    ({ load }) =>
      load.kind === 'mix' && load.entries.some((entry) => entry.op === 'create' && entry.mode === 'ttl'),
  );
  return { valueBytes: maxBytes(tree.values), extendedTypes };
}

/** What a service that was there before is left with: nothing of ours, or it is named. */
async function cleanUp(controller: LoadController, target: Target): Promise<void> {
  if (!controller.hasTree) return;
  let left: readonly string[] = controller.footprint;
  let reason = await target.whyNotServing();
  try {
    if (reason === null) left = await controller.deleteTree();
  } catch (error) {
    reason = (error as Error).message;
  }
  if (left.length === 0) return;
  process.stderr.write(
    `left behind on the service: ${left.join(', ')} (${reason ?? 'others use it, or still write below it'}) - ` +
      `remove it with zkCli: deleteall ${left[0]}\n`,
  );
}

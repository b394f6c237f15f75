/**
 * Runs small programs on real threads in every order of their shared accesses. The programs use the real classes,
 * unchanged: in the threads of an exploration the global `Atomics` is replaced by one that asks the schedule before
 * every access (`interleave-thread.ts`), so that only one thread runs at a time and the explorer decides which.
 * What the explored code does between two atomic accesses is one indivisible step; programs that want their plain
 * accesses to be torn apart as well declare them with `Step.access`.
 *
 * The exploration is sequentially consistent, which is what the language promises for Atomics. Timeouts never expire:
 * a thread that only a timeout would wake is stuck, which is how a lost wake-up shows.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Model, ThreadSetup } from './model.ts';
import { CONTROLLER, createControl, type Decision, dependent, Outcome, Schedule } from './schedule.ts';

export interface Exploration {
  /** Complete executions, none equivalent to another. */
  readonly executions: number;
  /** Of those, the ones that ended with every thread asleep. */
  readonly stuck: number;
  /** The first failed check, after which the exploration stops. */
  readonly failure: string | null;
}

/** Explores every order of the model `name` among those that the module at `url` exports as `models`. */
export async function explore(url: URL, name: string): Promise<Exploration> {
  const module = (await import(url.href)) as { readonly models: Readonly<Record<string, Model<unknown>>> };
  const model = module.models[name]!;
  const shared = model.createShared();
  const control = createControl(model.programs.length);
  const schedule = new Schedule(control);
  const workers: Worker[] = [];
  for (let thread = 0; thread < model.programs.length; thread++) {
    const workerData: ThreadSetup = { url: url.href, name, thread, shared, control };
    workers.push(new Worker(new URL('./interleave-thread.ts', import.meta.url), { workerData }));
  }
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  try {
    return exploreAll(model, shared, schedule);
  } finally {
    schedule.close();
    for (let thread = 0; thread < schedule.threads; thread++) schedule.give(thread);
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
  }
}

/** A decision on the current path of the search. */
interface Branch extends Decision {
  /** Threads chosen here so far. */
  tried: number;
  current: number;
}

function exploreAll<S>(model: Model<S>, shared: S, schedule: Schedule): Exploration {
  const path: Branch[] = [];
  let sleep = 0;
  let executions = 0;
  let stuck = 0;
  for (;;) {
    model.reset(shared);
    const outcome = execute(model, shared, schedule, path, sleep);
    if (outcome === Outcome.failed) return { executions, stuck, failure: schedule.failure };
    if (outcome === Outcome.tooLong) return { executions, stuck, failure: 'an execution does not end' };
    if (outcome !== Outcome.redundant) executions++;
    if (outcome === Outcome.stuck) stuck++;
    for (let step = path.length; step < schedule.stepCount; step++) {
      const decision = schedule.decision(step);
      path.push({ ...decision, tried: 1 << decision.chosen, current: decision.chosen });
    }
    let branch = path.at(-1);
    while (branch !== undefined && (branch.enabled & ~branch.asleep & ~branch.tried) === 0) {
      path.pop();
      branch = path.at(-1);
    }
    if (branch === undefined) return { executions, stuck, failure: null };
    sleep = nextBranch(branch);
  }
}

/** Turns to an untried thread and returns who sleeps after its step. */
function nextBranch(branch: Branch): number {
  const before = branch.asleep | branch.tried;
  const untried = branch.enabled & ~before;
  branch.current = 31 - Math.clz32(untried & -untried);
  branch.tried |= 1 << branch.current;
  let sleep = 0;
  for (let thread = 0; thread < branch.operations.length; thread++) {
    const independent = !dependent(branch.operations[thread]!, branch.operations[branch.current]!);
    if ((before & (1 << thread)) !== 0 && independent) sleep |= 1 << thread;
  }
  return sleep;
}

function execute<S>(
  model: Model<S>,
  shared: S,
  schedule: Schedule,
  path: readonly Branch[],
  sleep: number,
): Outcome {
  schedule.begin(
    path.map((branch) => branch.current),
    sleep,
  );
  schedule.handOver(CONTROLLER, schedule.next(CONTROLLER));
  const outcome = schedule.outcome;
  schedule.abandon();
  for (let thread = 0; thread < schedule.threads; thread++) {
    if (!schedule.isFinished(thread)) schedule.handOver(CONTROLLER, thread);
  }
  if (outcome !== Outcome.finished) return outcome;
  try {
    model.check?.(shared);
  } catch (error) {
    schedule.fail(String(error));
    return Outcome.failed;
  }
  return outcome;
}

/**
 * One load of durable writes on a fresh server, and what it says about a write's way. Where a client has one request in
 * flight, one in twenty is a read: what it takes beyond the server's part of it is what network and io cost at that
 * moment, on the same connections and threads. In a pipeline a read's reply has to wait for the writes before it, so it
 * would show nothing.
 */

import { phaseLine, planLine } from '../../figures/describe.ts';
import type { Plan } from '../../plan/plan.ts';
import { buildPlan } from '../../plan/schema.ts';
import type { Finding, PhaseResult } from '../../result/run-json.ts';
import { type RunOptions, runPlan } from '../../run/run-plan.ts';
import { parseTargetSpec } from '../../target/target-spec.ts';
import { type WritePath, writePath } from './path.ts';

export interface PathLoad {
  readonly name: string;
  readonly title: string;
  readonly connections: number;
  readonly outstanding: number;
  readonly mix: Readonly<Record<string, number>>;
}

export const PATH_LOADS: readonly PathLoad[] = [
  {
    name: 'single',
    title: '8 clients, one write each at a time',
    connections: 8,
    outstanding: 1,
    mix: { set: 19, get: 1 },
  },
  {
    name: 'pipelined',
    title: '50 clients, 100 writes each in flight',
    connections: 50,
    outstanding: 100,
    mix: { set: 1 },
  },
];

export interface MeasuredPath {
  readonly name: string;
  readonly title: string;
  /** In words. */
  readonly load: string;
  readonly writesPerSecond: number;
  readonly threading: string;
  readonly findings: readonly Finding[];
  readonly path: WritePath;
}

export interface PathTimes {
  readonly warmupMs: number;
  readonly measureMs: number;
}

/** That the generator is not the limit is no matter for a latency that is taken apart, not compared. */
const NOT_NEEDED = 'ceiling';

/** Null when it was aborted. */
export async function measurePath(
  load: PathLoad,
  times: PathTimes,
  options: Omit<RunOptions, 'target' | 'serverArgs' | 'ceilings'>,
): Promise<MeasuredPath | null> {
  const plan = writesPlan(load, times);
  const target = parseTargetSpec('embedded');
  const outcome = await runPlan(plan, { ...options, target, serverArgs: [], ceilings: null });
  if (outcome === null || !outcome.run.complete) return null;
  const { run } = outcome;
  const phase = run.phases[0]!;
  const writes = phase.ops.find(({ label }) => label === 'set');
  if (writes === undefined) throw new Error('no write was answered');
  return {
    name: load.name,
    title: load.title,
    load: `${planLine(plan)}; ${phaseLine(phase.plan)}`,
    writesPerSecond: writes.perSecond,
    threading: run.environment.serverSettings?.['threading'] ?? 'unknown',
    findings: phase.findings.filter(({ rule }) => rule !== NOT_NEEDED),
    path: writePath({
      counters: phase.metrics?.values ?? {},
      writeMicros: writes.latency.meanMs * 1000,
      readMicros: meanMicrosOf(phase, 'get'),
    }),
  };
}

function meanMicrosOf(phase: PhaseResult, label: string): number | null {
  const op = phase.ops.find((candidate) => candidate.label === label);
  return op === undefined ? null : op.latency.meanMs * 1000;
}

function writesPlan(load: PathLoad, { warmupMs, measureMs }: PathTimes): Plan {
  const { name, connections, outstanding, mix } = load;
  return buildPlan(
    {
      name: `writes-${name}`,
      description: 'durable writes of 1 KiB',
      connections,
      outstanding,
      tree: { root: '/write-path', znodes: 10_000, values: '1KiB' },
      // Each probe is a write or a session of its own: rarely, so that they change nothing.
      probes: { period: '1s' },
      phases: { writes: { mix, warmup: `${warmupMs}ms`, measure: `${measureMs}ms` } },
    },
    'the write path',
  );
}

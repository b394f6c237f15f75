/**
 * What is compared: the threading modes that make sense on a machine, and the loads under which they differ.
 *
 *     shared             io and core on one thread, the log on its own
 *     pipeline           io, core and log on three threads
 *     dedicated, n io    the same with n io threads, and a main thread that only supervises
 */
import { ConfigFailure } from '../../../src/base/failure.ts';
import type { Plan } from '../../plan/plan.ts';
import { buildPlan } from '../../plan/schema.ts';

/** Besides io: core, log, and a core for the load. */
const OTHER_THREADS = 3;
const IO_THREADS_TRIED = [1, 2, 4, 8];
const GENERATOR_THREADS_MAX = 4;
const CORES_PER_GENERATOR = 4;

/** `shared`, `pipeline`, `dedicated:2`. */
export type ModeName = string;

/** Where cores are few, two io threads are tried all the same: that they do not help is a result. */
export function modesFor(cores: number): ModeName[] {
  const ioMax = Math.max(2, cores - OTHER_THREADS);
  const dedicated = IO_THREADS_TRIED.filter((count) => count <= ioMax).map((count) => `dedicated:${count}`);
  return ['shared', 'pipeline', ...dedicated];
}

/** @throws ConfigFailure naming what is not a mode. */
export function parseModes(text: string): ModeName[] {
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !/^(?:shared|pipeline|dedicated:[1-9]\d?)$/.test(name));
  if (wrong === undefined) return names;
  throw new ConfigFailure(`--modes: "${wrong}" - allowed: shared, pipeline, dedicated:N with N io threads`);
}

/** As text behind `--target`. */
export function targetOf(mode: ModeName): string {
  const [name, ioThreads] = mode.split(':');
  const threads = ioThreads === undefined ? '' : `,ringkeeper.ioThreads=${ioThreads}`;
  return `embedded:ringkeeper.threadingMode=${name}${threads}`;
}

/** Threads of the load generator: one does 3 million requests a second, and the server needs the cores more. */
export function generatorThreads(cores: number): number {
  return Math.max(1, Math.min(GENERATOR_THREADS_MAX, Math.floor(cores / CORES_PER_GENERATOR)));
}

export interface LoadTimes {
  readonly warmupMs: number;
  readonly measureMs: number;
}

/** Many requests in flight, where throughput is the question; and one per client, where latency is. */
export function plansFor(cores: number, times: LoadTimes): Plan[] {
  const phase = { warmup: `${times.warmupMs}ms`, measure: `${times.measureMs}ms` };
  const tree = { znodes: 10_000, values: '1KiB' };
  const description = 'threading modes of one server side by side; 1 KiB values';
  const workers = generatorThreads(cores);
  return [
    buildPlan(
      {
        ...{ name: 'pipelined', description, tree, workers, connections: 50, outstanding: 100 },
        phases: {
          reads: { mix: { get: 1 }, ...phase },
          writes: { mix: { set: 1 }, ...phase },
          mixed: { mix: { get: 70, set: 30 }, ...phase },
        },
      },
      'the cores campaign',
    ),
    buildPlan(
      {
        ...{ name: 'single', description, tree, workers, connections: 8, outstanding: 1 },
        phases: { reads: { mix: { get: 1 }, ...phase }, writes: { mix: { set: 1 }, ...phase } },
      },
      'the cores campaign',
    ),
  ];
}

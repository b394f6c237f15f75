/**
 * Which resource a phase was limited by, as far as its figures show: the first of these that holds.
 *
 *     offered rate     open loop, and it was met: nothing was at its end
 *     CPU              everything on this machine together used its cores; who used most of them is named
 *     load generator   its threads were full, though the machine was not
 *     disk sync        each server's log spent most of its time in syncs
 *     a server's core  one server used a core, which may be all that its busiest thread can
 *     none             requests waited for each other and for round trips: more of them in flight may give more
 *
 * A figure that was limited by a CPU which the load and all servers share is not what the same servers reach on machines of
 * their own. What can be said of that is arithmetic: the server that works most for a request, with a core of its own.
 */
import type { PhaseResult } from '../result/run-json.ts';
import { isOpenLoop } from './describe.ts';
import { formatPercent } from './format.ts';

export type LimitKind =
  | 'rate'
  | 'server CPU'
  | 'load CPU'
  | 'others CPU'
  | 'generator'
  | 'disk'
  | 'core'
  | 'none';

export interface Limit {
  readonly kind: LimitKind;
  /** With its figures, in a few words. */
  readonly text: string;
}

/** Of all cores: the engine's own main thread and the kernel take the rest. */
const CPU_FULL = 0.85;
const GENERATOR_FULL = 0.9;
const DISK_FULL = 0.7;
const CORE_FULL = 0.9;
const CORES_WORTH_SAYING = 0.1;

/** Time in syncs, in ms; Apache counts whole ms of each, so that what is shorter is not seen. */
const SYNC_COUNTER = 'sum_fsynctime';

/** Null where neither the servers nor the load show what they used: services that run elsewhere. */
export function limitOf(phase: PhaseResult, cpuCount: number): Limit | null {
  const isRateMet = !phase.findings.some(({ rule }) => rule === 'rateMet');
  if (isOpenLoop(phase.plan) && isRateMet) return { kind: 'rate', text: 'the offered rate' };
  const { server, generator } = phase;
  const isGeneratorFull = generator.busy > GENERATOR_FULL;
  const full: Limit = {
    kind: 'generator',
    text: `load generator ${formatPercent(Math.min(1, generator.busy))} busy`,
  };
  if (server === null) return isGeneratorFull ? full : null;
  const load = ((generator.cpuMicrosPerOp ?? 0) * phase.throughputPerSecond) / 1e6;
  const others = phase.othersCores ?? 0;
  const all = server.cpuCores + load + others;
  if (all >= CPU_FULL * cpuCount) {
    const users = (
      [
        ['server CPU', 'servers', server.cpuCores],
        ['load CPU', 'load', load],
        ['others CPU', 'others', others],
      ] as const
    ).toSorted(([, , a], [, , b]) => b - a);
    const parts = users
      .filter(([, , cores]) => cores >= CORES_WORTH_SAYING)
      .map(([, name, cores]) => `${name} ${cores.toFixed(1)}`);
    return { kind: users[0]![0], text: `CPU: ${parts.join(', ')} of ${cpuCount}` };
  }
  if (isGeneratorFull) return full;
  const syncing = syncShare(phase);
  if (syncing !== null && syncing >= DISK_FULL)
    return { kind: 'disk', text: `disk sync ${formatPercent(syncing)} of the time` };
  const busiest = busiestServerCores(phase);
  if (busiest !== null && busiest >= CORE_FULL)
    return { kind: 'core', text: `a server's core: ${busiest.toFixed(1)}` };
  return { kind: 'none', text: `none full: CPU ${all.toFixed(1)} of ${cpuCount}` };
}

/** Requests per second if the server that works most had one core of its own, and the load were elsewhere. */
export function coreEachPerSecond(phase: PhaseResult): number | null {
  const busiest = busiestServerCores(phase);
  return busiest === null || busiest <= 0 ? null : phase.throughputPerSecond / busiest;
}

function busiestServerCores({ server, servers }: PhaseResult): number | null {
  const each = (servers ?? []).flatMap(({ cpuCores }) => cpuCores ?? []);
  return each.length > 0 ? Math.max(...each) : (server?.cpuCores ?? null);
}

/** Of the time, as a mean over the servers. */
function syncShare({ metrics, measuredMs, servers }: PhaseResult): number | null {
  const sumMs = metrics?.values[SYNC_COUNTER];
  if (sumMs === undefined || measuredMs <= 0) return null;
  return Math.min(1, sumMs / measuredMs / (servers?.length ?? 1));
}

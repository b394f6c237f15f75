/**
 * What was run, in words: the load of a plan and of each phase, the machine, the verdict. One wording for the
 * terminal, the summaries and the reports.
 */

import {
  type Arrival,
  type KeyChoice,
  type MixEntry,
  maxBytes,
  meanBytes,
  type PhasePlan,
  type Plan,
  type RecipeLoad,
  type Sizes,
} from '../plan/plan.ts';
import type { Environment } from '../result/environment-facts.ts';
import type { RunResult } from '../result/run-json.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMiB,
  formatPercent,
  formatRate,
  plural,
} from './format.ts';

/** Older results say `all`. */
const PLACES: Readonly<Record<string, string>> = {
  leader: ' to the leader',
  followers: ' to the followers',
  observers: ' to the observers',
  nearest: ' to the nearest server',
};

/** `50 connections x 100 outstanding, 10,000 znodes of 1 KiB, 2 generator threads, seed 1`. */
export function planLine(plan: Plan): string {
  const { connectionCount, outstanding, tree, workerCount, seed } = plan;
  const place = PLACES[plan.connectTo] ?? '';
  return [
    `${plural(connectionCount, 'connection')}${place} x ${outstanding} outstanding`,
    `${plural(tree.keyCount, 'znode')} of ${sizesText(tree.values)}`,
    plural(workerCount, 'generator thread'),
    `seed ${seed}`,
  ].join(', ');
}

/** `closed loop: get 70 %, set 30 %; keys Zipf 0.99; values 100 B`. */
export function phaseLine({ load }: PhasePlan): string {
  if (load.kind !== 'mix') return recipeText(load);
  const parts = [`${arrivalText(load.arrival)}: ${mixText(load.entries)}`, `keys ${keysText(load.keys)}`];
  if (load.entries.some(({ op }) => op === 'set' || op === 'create' || op === 'multi')) {
    parts.push(`values ${sizesText(load.values)}`);
  }
  return parts.join('; ');
}

/** The load of a phase in a few characters, for a table: `open, 20,000 /s`. */
export function phaseBrief({ load }: PhasePlan): string {
  if (load.kind !== 'mix') return load.kind;
  if (load.arrival.kind === 'closed') return 'closed loop';
  const rates = load.arrival.steps.map(({ ratePerSecond }) => ratePerSecond);
  if (rates.length === 1) return `open, ${formatRate(rates[0]!)}`;
  return `open, ${formatCount(Math.min(...rates))} .. ${formatRate(Math.max(...rates))}`;
}

export function isOpenLoop({ load }: PhasePlan): boolean {
  return load.kind === 'mix' && load.arrival.kind === 'open';
}

export function environmentLine(environment: Environment): string {
  const { cpuModel, cpuCount, cpuGovernor, memoryBytes, kernel, nodeVersion, javaVersion, dataFilesystem } =
    environment;
  const parts = [`${cpuCount} x ${cpuModel}`, formatMiB(memoryBytes), kernel, `Node ${nodeVersion}`];
  if (cpuGovernor != null) parts.splice(1, 0, `governor ${cpuGovernor}`);
  if (javaVersion != null) parts.push(`Java ${javaVersion}`);
  parts.push(buildText(environment));
  if (dataFilesystem !== null) parts.push(`data on ${dataFilesystem}`);
  return parts.join(', ');
}

/** What the server ran with and how busy the machine was before: where it is known. */
export function environmentFacts({
  serverSettings,
  pressureAtStart,
}: Environment): [name: string, text: string][] {
  const facts: [string, string][] = [];
  const settings = Object.entries(serverSettings ?? {}).map(([name, value]) => `${name}=${value}`);
  if (settings.length > 0) facts.push(['Server settings', settings.join(', ')]);
  const waits = (['cpu', 'io'] as const).flatMap((resource) => {
    const shares = pressureAtStart?.[resource];
    return shares == null
      ? []
      : [`${resource === 'cpu' ? 'a CPU' : 'a disk'} ${formatPercent(shares.avg60)} of the time`];
  });
  if (waits.length > 0) facts.push(['In the minute before', `some task waited for ${waits.join(', for ')}`]);
  return facts;
}

/** `commit 1a2b3c4 + changes`. */
export function buildText({ commit, dirty }: Environment): string {
  return commit === null ? 'no commit' : `commit ${commit.slice(0, 7)}${dirty ? ' + changes' : ''}`;
}

/** What availability means here, with the plan's numbers. */
export function availabilityDefinition({ plan, availability }: RunResult): string {
  if ('requests' in availability.classes) {
    return (
      'Availability = up time / time, told by the replayed requests themselves: up means answered in time; what the ' +
      'replay itself delayed is not charged to the target.'
    );
  }
  const { probes } = plan;
  return (
    `Availability = up time / time. Probes of each class go out every ${formatDuration(probes.periodMs)} on sessions ` +
    `apart from the load, whatever became of the one before; up means answered within ` +
    `${formatDuration(probes.deadlineMs)} of the instant the probe was due. An outage lasts from the first probe that ` +
    'failed to the first of three in a row that succeeded; each edge is known to one probe period.'
  );
}

export function sizesText(sizes: Sizes): string {
  if (sizes.kind === 'fixed') return formatBytes(sizes.bytes);
  if (sizes.kind === 'uniform') return `${sizes.min} .. ${formatBytes(sizes.max)}`;
  return `mean ${formatBytes(meanBytes(sizes))}, max ${formatBytes(maxBytes(sizes))}`;
}

function arrivalText(arrival: Arrival): string {
  if (arrival.kind === 'closed') {
    const pause = arrival.thinkTimeMs > 0 ? `, think time ${formatDuration(arrival.thinkTimeMs)}` : '';
    return `closed loop${pause}`;
  }
  const steps = arrival.steps.map(({ ratePerSecond, forMs }, index) =>
    index === arrival.steps.length - 1
      ? formatRate(ratePerSecond)
      : `${formatRate(ratePerSecond)} for ${formatDuration(forMs)}`,
  );
  const gaps = arrival.gaps === 'poisson' ? 'Poisson' : 'constant gaps';
  const late = arrival.late === 'drop' ? 'late slots dropped' : 'late slots sent later';
  return `open loop, ${steps.join(', then ')}, ${gaps}, ${late}`;
}

function mixText(entries: readonly MixEntry[]): string {
  const total = entries.reduce((sum, { weight }) => sum + weight, 0);
  return entries.map(({ label, weight }) => `${label} ${shareText(weight / total)}`).join(', ');
}

function shareText(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

function keysText(keys: KeyChoice): string {
  if (keys.kind === 'zipf') return `Zipf ${keys.exponent}`;
  if (keys.kind !== 'hotSet') return keys.kind;
  return `hot set, ${shareText(keys.requestShare)} of the requests to ${shareText(keys.keyShare)} of the keys`;
}

function recipeText(load: RecipeLoad): string {
  switch (load.kind) {
    case 'sessionStorm':
      return `session storm: open, one read, ${load.abrupt ? 'connection dropped' : 'close'}, again`;
    case 'watchFanout':
      return (
        `watch fan-out: one writer sets ${plural(load.znodes, 'znode')} in turn at ${formatRate(load.writesPerSecond)}, ` +
        'all others watch them'
      );
    case 'lock':
      return `lock contention: ${plural(load.locks, 'lock')}, held for ${formatDuration(load.holdMs)}`;
    case 'doubleBarrier':
      return `double barriers: ${formatCount(load.barriers)} entered, then left, by all connections`;
    case 'library':
      return `${load.recipe} of the recipes library on ${plural(load.objects, 'object')}, held for ${formatDuration(load.holdMs)}`;
    case 'createThenDelete':
      return `create of ${sizesText(load.values)}, wait, delete without waiting, again`;
  }
}

/**
 * What others do on this machine: CPU time of everything but the server and the engine, which compete with both for the
 * same cores. Linux only, and only where server and engine can be told apart from the rest: elsewhere it is null.
 *
 *     others = (busy time of all cores, time taken by other virtual machines) - server - engine, per wall time
 */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { readProcessUsage } from './process-usage.ts';

/** USER_HZ, which Linux fixes at 100. */
const TICK_MICROS = 10_000;
/** user, nice, system, irq, softirq, steal: by their place behind `cpu`. Guests are within user. */
const BUSY_FIELDS: readonly number[] = [0, 1, 2, 5, 6, 7];
const LOOK_MS = 500;
/** From here on the figures of a run are about the others too. */
const BUSY_CORES_SHARE = 0.15;

export interface MachineReading {
  readonly atMs: number;
  readonly busyMicros: number;
  readonly ownMicros: number;
}

/** `serverPids`: of servers that are to be left out: those that run here, and as ours. */
export function readMachine(serverPids: readonly number[]): MachineReading | null {
  const busyMicros = readBusyMicros();
  const servers = serverPids.map((pid) => readProcessUsage(pid)?.cpuMicros ?? null);
  if (busyMicros === null || servers.includes(null)) return null;
  const { user, system } = process.cpuUsage();
  const ownMicros = servers.reduce<number>((sum, micros) => sum + micros!, user + system);
  return { atMs: performance.now(), busyMicros, ownMicros };
}

/** In cores, between two readings; null without either of them. */
export function othersCores(before: MachineReading | null, after: MachineReading | null): number | null {
  if (before === null || after === null || after.atMs <= before.atMs) return null;
  const others = after.busyMicros - before.busyMicros - (after.ownMicros - before.ownMicros);
  return Math.max(0, others / 1000 / (after.atMs - before.atMs));
}

/** How much of this machine others use just now. */
export async function lookAtMachine(): Promise<number | null> {
  const before = readMachine([]);
  await delay(LOOK_MS);
  return othersCores(before, readMachine([]));
}

/** One line before a run on a machine that is not its own; null when it is quiet enough. */
export function busyWarning(cores: number | null, coreCount = cpus().length): string | null {
  if (cores === null || cores < BUSY_CORES_SHARE * coreCount) return null;
  return (
    `this machine is busy: other programs use ${cores.toFixed(1)} of its ${coreCount} cores; ` +
    'figures will be lower and vary more than on a quiet one'
  );
}

export function parseBusyMicros(stat: string): number | null {
  const line = /^cpu +(.*)$/m.exec(stat);
  if (line === null) return null;
  const fields = line[1]!.split(' ').map(Number);
  return BUSY_FIELDS.reduce((sum, field) => sum + (fields[field] ?? 0), 0) * TICK_MICROS;
}

function readBusyMicros(): number | null {
  try {
    return parseBusyMicros(readFileSync('/proc/stat', 'utf8'));
  } catch {
    return null;
  }
}

/**
 * CPU time and memory of a process from /proc, all threads included, and the CPU pressure of the machine.
 * Linux only: elsewhere, and for servers on other machines, there is no figure and the result says null.
 */
import { readFileSync } from 'node:fs';

/** USER_HZ, which Linux fixes at 100 for /proc on every architecture Node runs on. */
const TICK_MICROS = 10_000;
const UTIME_FIELD = 11;
const STIME_FIELD = 12;

export interface ProcessUsage {
  /** User and system time since its start. */
  readonly cpuMicros: number;
  readonly rssBytes: number;
  readonly rssPeakBytes: number;
}

/** Null when the process is gone or its figures are out of reach. */
export function readProcessUsage(pid: number): ProcessUsage | null {
  const stat = readText(`/proc/${pid}/stat`);
  const status = readText(`/proc/${pid}/status`);
  if (stat === null || status === null) return null;
  return {
    cpuMicros: parseCpuMicros(stat),
    rssBytes: parseStatusBytes(status, 'VmRSS'),
    rssPeakBytes: parseStatusBytes(status, 'VmHWM'),
  };
}

/** `pid (name) state ppid ...`: the name may hold spaces and brackets, so fields count from its last bracket. */
export function parseCpuMicros(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[UTIME_FIELD]) + Number(fields[STIME_FIELD])) * TICK_MICROS;
}

export function parseStatusBytes(status: string, key: string): number {
  const line = status.split('\n').find((candidate) => candidate.startsWith(key + ':'));
  return line === undefined ? 0 : Number.parseInt(line.slice(key.length + 1), 10) * 1024;
}

/** Microseconds in which some runnable task had to wait for a CPU, since boot; null without PSI. */
export function readCpuPressureMicros(): number | null {
  const text = readText('/proc/pressure/cpu');
  const total = text === null ? null : /^some .*total=(\d+)/m.exec(text);
  return total === null ? null : Number(total[1]);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/**
 * CPU time, memory and context switches of a process from /proc, all threads included, and the pressure that the
 * machine reports. Linux only: elsewhere, and for servers on other machines, there is no figure and it is null.
 */
import { readdirSync, readFileSync } from 'node:fs';

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

/**
 * Null when the process is gone or its figures are out of reach. One that has ended and that nobody has waited for yet
 * still has a CPU time, but no memory: it is gone too.
 */
export function readProcessUsage(pid: number): ProcessUsage | null {
  const stat = readText(`/proc/${pid}/stat`);
  const status = readText(`/proc/${pid}/status`);
  return stat === null || status === null ? null : parseUsage(stat, status);
}

/** Of `stat` and `status`. */
export function parseUsage(stat: string, status: string): ProcessUsage | null {
  const rssBytes = parseStatusBytes(status, 'VmRSS');
  const rssPeakBytes = parseStatusBytes(status, 'VmHWM');
  if (rssBytes === null || rssPeakBytes === null) return null;
  return { cpuMicros: parseCpuMicros(stat), rssBytes, rssPeakBytes };
}

/** `pid (name) state ppid ...`: the name may hold spaces and brackets, so fields count from its last bracket. */
export function parseCpuMicros(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[UTIME_FIELD]) + Number(fields[STIME_FIELD])) * TICK_MICROS;
}

function parseStatusBytes(status: string, key: string): number | null {
  const kib = parseStatusNumber(status, key);
  return kib === null ? null : kib * 1024;
}

/** Null without such a line. */
function parseStatusNumber(status: string, key: string): number | null {
  const line = status.split('\n').find((candidate) => candidate.startsWith(key + ':'));
  return line === undefined ? null : Number.parseInt(line.slice(key.length + 1), 10);
}

/**
 * Context switches of all threads of a process, since the first reading. /proc counts them per thread and forgets
 * a thread that has ended, so they are added up from reading to reading; what a thread did after the last reading
 * of its life is missing.
 */
export class ContextSwitches {
  private readonly taskDir: string;
  private byThread = new Map<string, number>();
  private total: number | null = null;

  constructor(pid: number) {
    this.taskDir = `/proc/${pid}/task`;
  }

  /** Null when the process is gone or its figures are out of reach. */
  read(): number | null {
    let threads: string[];
    try {
      threads = readdirSync(this.taskDir);
    } catch {
      return null;
    }
    const seen = new Map<string, number>();
    let grown = 0;
    for (const thread of threads) {
      const status = readText(`${this.taskDir}/${thread}/status`);
      if (status === null) continue; // it has just ended
      const waits = parseStatusNumber(status, 'voluntary_ctxt_switches');
      const turns = parseStatusNumber(status, 'nonvoluntary_ctxt_switches');
      if (waits === null || turns === null) continue;
      const switches = waits + turns;
      seen.set(thread, switches);
      grown += switches - (this.byThread.get(thread) ?? 0);
    }
    this.byThread = seen;
    this.total = this.total === null ? 0 : this.total + grown;
    return this.total;
  }
}

/** Share of the last seconds in which some task of the machine waited for the resource. */
export interface Pressure {
  readonly avg10: number;
  readonly avg60: number;
  /** Microseconds of waiting since boot. */
  readonly totalMicros: number;
}

/** Pressure stall information; null without it. Shares are 0 to 1. */
export function readPressure(resource: 'cpu' | 'io' | 'memory'): Pressure | null {
  return parsePressure(readText(`/proc/pressure/${resource}`) ?? '');
}

export function parsePressure(text: string): Pressure | null {
  const some = /^some avg10=([\d.]+) avg60=([\d.]+) .*total=(\d+)/m.exec(text);
  if (some === null) return null;
  return { avg10: shareOf(some[1]!), avg60: shareOf(some[2]!), totalMicros: Number(some[3]) };
}

/** Of percent with two decimals. */
function shareOf(percent: string): number {
  return Math.round(Number(percent) * 100) / 10_000;
}

/** Microseconds in which some runnable task had to wait for a CPU, since boot; null without PSI. */
export function readCpuPressureMicros(): number | null {
  return readPressure('cpu')?.totalMicros ?? null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

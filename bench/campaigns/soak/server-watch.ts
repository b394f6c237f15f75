/**
 * Looks at the server under a soak: its memory every second, and once per period everything else it and its process
 * tell. It begins with the measured time and ends with it, so that neither set-up nor tear-down is in the samples; at the
 * beginning the server's own statistics start afresh (`srst`), or a pause from its start would count for ever.
 *
 *     set-up, warm-up |. . . . . . M|. . . . . . M| ... | tear-down
 *                   begin   period        period      end          . resident memory   M `mntr`, open files, disk
 *
 * A server that does not answer in time costs the period its sample, nothing more: `missed` counts them.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { median } from 'simple-statistics';
import type { Address } from '../../base/address.ts';
import { monotonicMs } from '../../base/phase-clock.ts';
import { type MonitorValues, parseMonitor } from '../../measure/mntr.ts';
import { readProcessUsage } from '../../measure/process-usage.ts';
import { askWord } from '../../target/four-letter-word.ts';
import type { Target } from '../../target/target.ts';
import type { ServerSample } from './soak-json.ts';

const MEMORY_PERIOD_MS = 1_000;
const ANSWER_MS_MAX = 5_000;
const BLOCK_BYTES = 512;
const OWN = 'ringkeeper_';
const GC_MAX = /^ringkeeper_thread_(\w+)_gc_ms_max$/;
const TIMER_DELAY_MAX = /^ringkeeper_thread_(\w+)_timer_delay_ms_max$/;
const MEMORY = /^ringkeeper_store_\w+_bytes_now$/;

export class ServerWatch {
  readonly samples: ServerSample[] = [];
  /** Periods without an answer. */
  missed = 0;
  private readonly address: Address;
  private readonly pid: number;
  private readonly dataDir: string;
  private readonly periodMs: number;
  private readonly onSample: (sample: ServerSample) => void;
  private startedMs: number | null = null;
  private timers: readonly NodeJS.Timeout[] = [];
  private residents: number[] = [];
  private asking: Promise<unknown> | null = null;

  constructor(target: Target, periodMs: number, onSample: (sample: ServerSample) => void) {
    const { dataDir } = target;
    const pid = target.servers[0]?.pid ?? null;
    if (pid === null || dataDir === null) throw new Error('a soak looks at a server that was started here');
    this.address = target.addresses[0]!;
    this.pid = pid;
    this.dataDir = dataDir;
    this.periodMs = periodMs;
    this.onSample = onSample;
  }

  /** The first call counts. */
  begin(): void {
    if (this.startedMs !== null) return;
    this.startedMs = monotonicMs();
    this.ask(() => askWord(this.address, 'srst', ANSWER_MS_MAX));
    this.readMemory();
    this.timers = [
      setInterval(() => this.readMemory(), Math.min(MEMORY_PERIOD_MS, this.periodMs)),
      setInterval(() => this.ask(() => this.sample()), this.periodMs),
    ];
  }

  /** No sample begins any more. */
  end(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  /** Ends, and waits for the sample under way. */
  async close(): Promise<void> {
    this.end();
    await this.asking;
  }

  /** One question at a time; while the server still owes an answer a period goes without. */
  private ask(question: () => Promise<unknown>): void {
    if (this.asking !== null) {
      this.missed++;
      return;
    }
    this.asking = question().finally(() => {
      this.asking = null;
    });
  }

  private readMemory(): void {
    const usage = readProcessUsage(this.pid);
    if (usage !== null) this.residents.push(usage.rssBytes);
  }

  private async sample(): Promise<void> {
    const atMs = monotonicMs() - this.startedMs!;
    const residents = this.residents.splice(0);
    const answer = await askWord(this.address, 'mntr', ANSWER_MS_MAX);
    const openFiles = countOpenFiles(this.pid);
    if (answer === null || openFiles === null || residents.length === 0) {
      this.missed++;
      return;
    }
    const sample: ServerSample = {
      atMs,
      rssBytes: median(residents),
      rssMaxBytes: Math.max(...residents),
      openFiles,
      diskBytes: diskBytes(this.dataDir),
      ...serverFigures(parseMonitor(answer)),
    };
    this.samples.push(sample);
    this.onSample(sample);
  }
}

/** What a reading of `mntr` tells. */
export function serverFigures(
  values: MonitorValues,
): Omit<ServerSample, 'atMs' | 'rssBytes' | 'rssMaxBytes' | 'openFiles' | 'diskBytes'> {
  const figure = (name: string): number => values.get(name) ?? 0;
  const own = (name: string): number | null => values.get(OWN + name) ?? null;
  return {
    sessions: figure('global_sessions'),
    connections: figure('num_alive_connections'),
    znodes: figure('znode_count'),
    ephemerals: figure('ephemerals_count'),
    watches: figure('watch_count'),
    outstanding: figure('outstanding_requests'),
    snapshots: own('snapshot_count'),
    snapshotMsMax: own('snapshot_ms_max'),
    fsyncMsMax: own('log_fsync_ms_max'),
    gcPause: largest(values, GC_MAX),
    timerDelayMsMax: largest(values, TIMER_DELAY_MAX)?.maxMs ?? null,
    memory: Object.fromEntries(
      [...values].flatMap(([name, value]) => (MEMORY.test(name) ? [[name.slice(OWN.length), value]] : [])),
    ),
  };
}

/** Of all threads; null when nothing has such a name. */
function largest(values: MonitorValues, names: RegExp): { thread: string; maxMs: number } | null {
  let found: { thread: string; maxMs: number } | null = null;
  for (const [name, maxMs] of values) {
    const thread = names.exec(name)?.[1];
    if (thread !== undefined && (found === null || maxMs > found.maxMs)) found = { thread, maxMs };
  }
  return found;
}

function countOpenFiles(pid: number): number | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return null; // the server is gone
  }
}

/** What the files take up, not how long they claim to be: log files are allocated ahead. */
function diskBytes(dir: string): number {
  let bytes = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    try {
      bytes += statSync(join(entry.parentPath, entry.name)).blocks * BLOCK_BYTES;
    } catch {
      // Purged since the directory was read.
    }
  }
  return bytes;
}

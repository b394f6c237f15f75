/**
 * Watches the servers while the load runs: their processes every 250 ms, what they say of themselves every second, each with
 * the count of answered requests of the same instant, so that figures per request divide what belongs together. Of several
 * servers all figures are sums, and each server has some of its own beside them.
 * Main thread; asking never holds the run up, and a server that is gone leaves nulls.
 *
 *     new -> start -> (sampleNow at the edges of the measured time) -> stop -> usage, metrics, samples
 */
import { addressText } from '../base/address.ts';
import { monotonicMs } from '../base/phase-clock.ts';
import type { ServerMetrics, ServerPart, ServerSample, ServerUsage } from '../result/run-json.ts';
import { askWord } from '../target/four-letter-word.ts';
import type { Target, TargetServer } from '../target/target.ts';
import { GcLog, type PauseSum } from './gc-pauses.ts';
import { type MonitorValues, mergeMonitors, parseMonitor, parseServerStatus } from './mntr.ts';
import { SampleSeries, type Timed } from './sample-series.ts';
import { type MonitorSample, summarizeMonitor } from './server-metrics.ts';
import { ServerProcesses, type ServiceUsage } from './server-processes.ts';
import { roleIn, ServerRoles } from './server-roles.ts';

const PROCESS_PERIOD_MS = 250;
const MONITOR_PERIOD_MS = 1_000;
/** A server under full load may take a while; longer than this the reading would be of another time. */
const ANSWER_MS_MAX = 900;
/** An hour at full resolution. */
const PROCESS_SAMPLES_MAX = 16_384;
/** Each holds some hundred numbers; eight minutes at full resolution. */
const MONITOR_SAMPLES_MAX = 512;
const SAMPLE_STEP_MS = 1_000;

interface ProcessSample extends Timed, ServiceUsage {
  /** Answered requests so far. */
  readonly done: number;
}

/** What is kept of each server. */
interface WatchedServer {
  readonly server: TargetServer;
  readonly processes: SampleSeries<ServiceUsage & Timed>;
  readonly monitors: SampleSeries<MonitorSample>;
  readonly roles: ServerRoles;
  /** By file: a process that is started again writes another one. */
  readonly gcLogs: Map<string, GcLog>;
}

/** What the servers' side knows of a part; the load knows the rest. */
export type ServerFacts = Omit<ServerPart, 'connections' | 'answeredPerSecond'>;

export class ServerSampler {
  private readonly target: Target;
  private readonly done: () => number;
  private readonly processes = new SampleSeries<ProcessSample>(PROCESS_SAMPLES_MAX);
  private readonly monitors = new SampleSeries<MonitorSample>(MONITOR_SAMPLES_MAX);
  private readonly usages: ServerProcesses;
  private readonly watched: readonly WatchedServer[];
  private timers: readonly NodeJS.Timeout[] = [];
  /** The readings asked for, one after another: samples stay in the order of time. */
  private asking: Promise<void> | null = null;
  private startedMs = 0;
  private lastMs = 0;

  /** `done`: requests answered so far, by the generator's count. */
  constructor(target: Target, done: () => number) {
    this.target = target;
    this.done = done;
    this.usages = new ServerProcesses(target.servers);
    this.watched = target.servers.map((server) => ({
      server,
      processes: new SampleSeries(PROCESS_SAMPLES_MAX),
      monitors: new SampleSeries(MONITOR_SAMPLES_MAX),
      roles: new ServerRoles(),
      gcLogs: new Map(),
    }));
  }

  start(): void {
    this.startedMs = monotonicMs();
    this.sampleProcess();
    void this.sampleMonitor();
    this.timers = [
      setInterval(() => this.sampleProcess(), PROCESS_PERIOD_MS).unref(),
      setInterval(() => {
        if (this.asking === null) void this.sampleMonitor();
      }, MONITOR_PERIOD_MS).unref(),
    ];
  }

  stop(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.sampleProcess();
    this.pollGcLogs();
    for (const { gcLogs } of this.watched) for (const log of gcLogs.values()) log.close();
  }

  /** The processes at this very instant; resolves when the server has answered too, or has not. */
  sampleNow(): Promise<void> {
    this.sampleProcess();
    return this.sampleMonitor();
  }

  /** Between the first and the last sample in `[fromMs, toMs]`; null when there are no two. */
  usage(fromMs: number, toMs: number): ServerUsage | null {
    const first = this.processes.firstFrom(fromMs);
    const last = this.processes.lastUntil(toMs);
    if (first === null || last === null || last.atMs <= first.atMs) return null;
    const ops = last.done - first.done;
    const cpuMicros = last.cpuMicros - first.cpuMicros;
    const switches =
      first.switches === null || last.switches === null ? null : last.switches - first.switches;
    return {
      cpuMicrosPerOp: ops > 0 ? cpuMicros / ops : null,
      cpuCores: cpuMicros / 1000 / (last.atMs - first.atMs),
      contextSwitchesPerOp: ops > 0 && switches !== null ? switches / ops : null,
      rssBytes: last.rssBytes,
      rssPeakBytes: last.rssPeakBytes,
    };
  }

  /** Of all servers together. Null when they said nothing of themselves. */
  metrics(fromMs: number, toMs: number): ServerMetrics | null {
    const logs = this.watched.flatMap(({ gcLogs }) => [...gcLogs.values()]);
    const pauses = logs.length === 0 ? null : addPauses(logs.map((log) => log.sum(fromMs, toMs)));
    return summarizeMonitor(this.monitors, pauses, fromMs, toMs);
  }

  /** Of each server over `[fromMs, toMs]`; roles from `startMs` on, and counted from there. */
  parts(startMs: number, fromMs: number, toMs: number): ServerFacts[] {
    return this.watched.map(({ server, processes, monitors, roles }) => {
      const first = processes.firstFrom(fromMs);
      const last = processes.lastUntil(toMs);
      const isKnown = first !== null && last !== null && last.atMs > first.atMs;
      const said = summarizeMonitor(monitors, null, fromMs, toMs);
      return {
        name: server.name,
        address: addressText(server.address),
        roles: roles.spans(startMs, toMs),
        cpuCores: isKnown ? (last.cpuMicros - first.cpuMicros) / 1000 / (last.atMs - first.atMs) : null,
        rssBytes: isKnown ? last.rssBytes : null,
        packetsReceived: said?.packetsReceived ?? null,
        fsyncMeanMs: said?.fsyncMeanMs ?? null,
      };
    });
  }

  /** One per second since `fromMs`, as far as sampling went; nulls where the server was silent. */
  samples(fromMs: number, toMs: number): ServerSample[] {
    const samples: ServerSample[] = [];
    const endMs = Math.min(toMs, this.lastMs);
    for (let startMs = fromMs; startMs + SAMPLE_STEP_MS <= endMs; startMs += SAMPLE_STEP_MS) {
      if (startMs + SAMPLE_STEP_MS < this.startedMs) continue;
      samples.push(this.sampleOf(startMs, startMs + SAMPLE_STEP_MS, fromMs));
    }
    return samples;
  }

  private sampleOf(startMs: number, endMs: number, zeroMs: number): ServerSample {
    const process = within(this.processes.lastUntil(endMs), startMs);
    const before = this.processes.lastUntil(startMs) ?? this.processes.firstFrom(startMs);
    // Of those that answer: of a service that has lost a server it is still the requests it works on.
    const outstanding = this.watched.flatMap(({ monitors }) => {
      const said = within(monitors.lastUntil(endMs), startMs - MONITOR_PERIOD_MS / 2);
      return said?.values.get('outstanding_requests') ?? [];
    });
    const known = process !== null && before !== null && process.atMs > before.atMs;
    return {
      atMs: endMs - zeroMs,
      cpuCores: known ? (process.cpuMicros - before.cpuMicros) / 1000 / (process.atMs - before.atMs) : null,
      rssBytes: process?.rssBytes ?? null,
      outstanding: outstanding.length === 0 ? null : outstanding.reduce((sum, count) => sum + count),
    };
  }

  private sampleProcess(): void {
    this.lastMs = monotonicMs();
    if (!this.target.isOurs) return;
    const { all, each } = this.usages.read();
    const atMs = this.lastMs;
    if (all !== null) this.processes.add({ atMs, done: this.done(), ...all });
    for (const [at, usage] of each.entries()) {
      if (usage !== null) this.watched[at]!.processes.add({ atMs, ...usage });
    }
  }

  private async sampleMonitor(): Promise<void> {
    const turn = (this.asking ?? Promise.resolve()).then(() => this.readMonitor());
    this.asking = turn;
    await turn;
    if (this.asking === turn) this.asking = null;
  }

  /** The server reads its counters somewhere between question and answer: the middle is the best guess. */
  private async readMonitor(): Promise<void> {
    const askedMs = monotonicMs();
    const answers = await Promise.all(this.watched.map((one) => this.readOne(one)));
    const values = answers.filter((answer) => answer !== null);
    // With a server missing, sums over all of them would jump.
    if (values.length > 0 && values.length === answers.length) {
      this.monitors.add({ atMs: (askedMs + monotonicMs()) / 2, values: mergeMonitors(values) });
    }
    this.pollGcLogs();
  }

  private async readOne({ server, monitors, roles }: WatchedServer): Promise<MonitorValues | null> {
    const askedMs = monotonicMs();
    const full = await askWord(server.address, 'mntr', ANSWER_MS_MAX);
    const answer = full ?? (await askWord(server.address, 'srvr', ANSWER_MS_MAX));
    const atMs = (askedMs + monotonicMs()) / 2;
    roles.note(atMs, answer === null ? null : roleIn(answer));
    if (answer === null) return null;
    const values = full === null ? parseServerStatus(answer) : parseMonitor(answer);
    // A server of an ensemble that serves nobody says so, and no figures.
    if (values.size === 0) return null;
    monitors.add({ atMs, values });
    return values;
  }

  private pollGcLogs(): void {
    for (const { server, gcLogs } of this.watched) {
      const file = server.gcLogFile;
      if (file !== null && !gcLogs.has(file)) gcLogs.set(file, new GcLog(file));
      for (const log of gcLogs.values()) log.poll();
    }
  }
}

/** Of several servers: the longest of any, the sum of all. */
function addPauses(all: readonly PauseSum[]): PauseSum {
  return {
    count: all.reduce((sum, { count }) => sum + count, 0),
    totalMs: all.reduce((sum, { totalMs }) => sum + totalMs, 0),
    maxMs: Math.max(...all.map(({ maxMs }) => maxMs)),
  };
}

function within<T extends Timed>(sample: T | null, afterMs: number): T | null {
  return sample !== null && sample.atMs > afterMs ? sample : null;
}

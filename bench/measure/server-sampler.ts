/**
 * Watches the server while the load runs: its process every 250 ms, what it says of itself every second, each with
 * the count of answered requests of the same instant, so that figures per request divide what belongs together.
 * Main thread; asking never holds the run up, and a server that is gone leaves nulls.
 *
 *     new -> start -> (sampleNow at the edges of the measured time) -> stop -> usage, metrics, samples
 */
import { monotonicMs } from '../base/phase-clock.ts';
import type { ServerMetrics, ServerSample, ServerUsage } from '../result/run-json.ts';
import { askWord } from '../target/four-letter-word.ts';
import type { Target } from '../target/target.ts';
import { GcLog } from './gc-pauses.ts';
import { type MonitorValues, mergeMonitors, parseMonitor, parseServerStatus } from './mntr.ts';
import { ContextSwitches, type ProcessUsage, readProcessUsage } from './process-usage.ts';
import { SampleSeries, type Timed } from './sample-series.ts';
import { type MonitorSample, summarizeMonitor } from './server-metrics.ts';

const PROCESS_PERIOD_MS = 250;
const MONITOR_PERIOD_MS = 1_000;
/** A server under full load may take a while; longer than this the reading would be of another time. */
const ANSWER_MS_MAX = 900;
/** An hour at full resolution. */
const PROCESS_SAMPLES_MAX = 16_384;
/** Each holds some hundred numbers; eight minutes at full resolution. */
const MONITOR_SAMPLES_MAX = 512;
const SAMPLE_STEP_MS = 1_000;

interface ProcessSample extends Timed, ProcessUsage {
  /** Answered requests so far. */
  readonly done: number;
  readonly switches: number | null;
}

export class ServerSampler {
  private readonly target: Target;
  private readonly done: () => number;
  private readonly processes = new SampleSeries<ProcessSample>(PROCESS_SAMPLES_MAX);
  private readonly monitors = new SampleSeries<MonitorSample>(MONITOR_SAMPLES_MAX);
  private readonly switches: ContextSwitches | null;
  private readonly gcLog: GcLog | null;
  private timers: readonly NodeJS.Timeout[] = [];
  /** The readings asked for, one after another: samples stay in the order of time. */
  private asking: Promise<void> | null = null;
  private startedMs = 0;
  private lastMs = 0;

  /** `done`: requests answered so far, by the generator's count. */
  constructor(target: Target, done: () => number) {
    this.target = target;
    this.done = done;
    this.switches = target.pid === null ? null : new ContextSwitches(target.pid);
    this.gcLog = target.gcLogFile === null ? null : new GcLog(target.gcLogFile);
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
    this.gcLog?.poll();
    this.gcLog?.close();
  }

  /** The process at this very instant; resolves when the server has answered too, or has not. */
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

  /** Null when the server said nothing of itself. */
  metrics(fromMs: number, toMs: number): ServerMetrics | null {
    const pauses = this.gcLog === null ? null : this.gcLog.sum(fromMs, toMs);
    return summarizeMonitor(this.monitors, pauses, fromMs, toMs);
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
    const monitor = within(this.monitors.lastUntil(endMs), startMs - MONITOR_PERIOD_MS / 2);
    const known = process !== null && before !== null && process.atMs > before.atMs;
    return {
      atMs: endMs - zeroMs,
      cpuCores: known ? (process.cpuMicros - before.cpuMicros) / 1000 / (process.atMs - before.atMs) : null,
      rssBytes: process?.rssBytes ?? null,
      outstanding: monitor?.values.get('outstanding_requests') ?? null,
    };
  }

  private sampleProcess(): void {
    this.lastMs = monotonicMs();
    const { pid } = this.target;
    const usage = pid === null ? null : readProcessUsage(pid);
    if (usage === null) return;
    this.processes.add({
      atMs: this.lastMs,
      done: this.done(),
      switches: this.switches?.read() ?? null,
      ...usage,
    });
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
    const answers = await Promise.all(this.target.addresses.map(askMonitor));
    const values = answers.filter((answer) => answer !== null);
    // With a server missing, sums over all of them would jump.
    if (values.length > 0 && values.length === answers.length) {
      this.monitors.add({ atMs: (askedMs + monotonicMs()) / 2, values: mergeMonitors(values) });
    }
    this.gcLog?.poll();
  }
}

async function askMonitor(address: Target['addresses'][number]): Promise<MonitorValues | null> {
  const full = await askWord(address, 'mntr', ANSWER_MS_MAX);
  if (full !== null) return parseMonitor(full);
  const brief = await askWord(address, 'srvr', ANSWER_MS_MAX);
  return brief === null ? null : parseServerStatus(brief);
}

function within<T extends Timed>(sample: T | null, afterMs: number): T | null {
  return sample !== null && sample.atMs > afterMs ? sample : null;
}

/**
 * Replays a recorded workload against any ZooKeeper-protocol service, on one event loop.
 *
 *     file --> dispatcher --each record when it is due--> its connection --> target
 *                 ^                                            |
 *                 '------- room again, something answered -----'
 *
 * Timed (`speed` a number): a record is due at start + recorded time / speed, whatever the target does. What is late
 * stays in the connection's backlog, and latency counts from the intended instant (corrected) and from the sending
 * (uncorrected). Requests of different connections keep their recorded order by time only: a target that is slower
 * than the recorded one may see them in another order, as it would from those clients.
 *
 * Full speed (`max`): no clock. A connection sends a request when the replies that its client had before have come, so
 * it has as many requests in flight as it had. Connections run independently of each other (order `connection`), or a
 * request also waits for all replies that any client had before it (order `all`): slower, and then every result that
 * depends on another client's finished request is the same.
 *
 * The file is the long backlog: when too much is due and undone, no more of it is read. Memory holds the open
 * connections, the requests in flight, and at most `backlogBytesMax` of waiting ones.
 */
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Address } from '../base/address.ts';
import { GcPauseMeter } from '../measure/gc-pauses.ts';
import { PathMap } from './path-map.ts';
import type { RecordingHeader } from './recording-format.ts';
import { type RecordingEnding, RecordingReader } from './recording-reader.ts';
import { Backlog, type ReplayContext } from './replay-context.ts';
import { ReplayDispatcher } from './replay-dispatcher.ts';
import { checkSpeed, type ReplaySpeed } from './replay-schedule.ts';
import { SessionBook } from './replay-sessions.ts';
import { ReplayTally } from './replay-tally.ts';

const OUTSTANDING_MAX = 1_000;
/** Timed, one connection that stands still must not soon stop the others; at full speed, what waits only costs. */
const BACKLOG_BYTES_MAX = { timed: 64 * 1024 * 1024, fullSpeed: 4 * 1024 * 1024 };
const RECONNECT_MS_MAX = 10_000;
const READ_BUFFER_BYTES = 256 * 1024;
/** Without any reply for so long while some are owed, a replay at full speed would wait for ever. */
const STALL_MS = 60_000;
/** The same behind the last request. */
const DRAIN_MS = 10_000;
const TICK_MS = 250;

export interface ReplayProgress {
  /** 0 to 1, of the file. */
  readonly share: number;
  readonly elapsedMs: number;
  readonly sent: number;
  readonly replies: number;
  readonly differing: number;
  readonly openConnections: number;
  /** How far the replay is behind its schedule; 0 at full speed. */
  readonly lagMs: number;
}

export interface ReplayOptions {
  /** A connection goes to the target at the place of its recorded server, and to the others when that fails. */
  readonly target: readonly Address[];
  readonly speed: ReplaySpeed;
  /** At full speed only; default `connection`. */
  readonly order?: 'connection' | 'all';
  /** Sessions that the recording leaves open are left to expire; default: closed at the end. */
  readonly keepSessions?: boolean;
  /** Requests in flight per connection. */
  readonly outstandingMax?: number;
  /** Of all requests that are due and wait for their connections; default 64 MiB timed, 4 MiB at full speed. */
  readonly backlogBytesMax?: number;
  /** A connection that finds no server for so long is given up. */
  readonly reconnectMsMax?: number;
  /** The replay is given up when replies are owed and none comes for so long; default 60 s, behind the last request 10 s. */
  readonly stallMsMax?: number;
  readonly progress?: (progress: ReplayProgress) => void;
  /** Ends the replay where it is; what was measured is the result. */
  readonly abort?: AbortSignal;
}

/** What a replay came to, before it is put into words (replay-result.ts). */
export interface ReplayOutcome {
  readonly file: string;
  readonly header: RecordingHeader;
  readonly ending: RecordingEnding | null;
  readonly speed: ReplaySpeed;
  readonly startedAt: string;
  /** False when it was aborted or stalled. */
  readonly complete: boolean;
  /** The target answered nothing for a long time and the replay gave up. */
  readonly stalled: boolean;
  /** Until everything was answered or given up. */
  readonly elapsedMs: number;
  /** Between the first and the last record of the file. */
  readonly recordedMs: number;
  readonly tally: ReplayTally;
  readonly outstandingMax: number;
  readonly backlogBytesPeak: number;
  readonly cpuMicros: number;
  readonly gcPauseMaxMs: number;
}

/** @throws ConfigFailure for a file that is no readable recording, no target, or an impossible speed. */
export async function replayRecording(file: string, options: ReplayOptions): Promise<ReplayOutcome> {
  checkSpeed(options.speed);
  if (options.target.length === 0)
    throw new ConfigFailure('--target: no server - name at least one host:port');
  const reader = await RecordingReader.open(file);
  try {
    return await new Replay(file, reader, options).run();
  } finally {
    await reader.close();
  }
}

class Replay {
  private readonly file: string;
  private readonly reader: RecordingReader;
  private readonly options: ReplayOptions;
  private readonly tally: ReplayTally;
  private readonly backlog = new Backlog();
  private readonly dispatcher: ReplayDispatcher;
  private readonly startMs = performance.now();
  private readonly over = Promise.withResolvers<void>();
  private stalled = false;
  private repliesBefore = 0;
  private quietSinceMs = this.startMs;

  constructor(file: string, reader: RecordingReader, options: ReplayOptions) {
    this.file = file;
    this.reader = reader;
    this.options = options;
    const { speed } = options;
    this.tally = new ReplayTally(this.startMs);
    const rules = {
      speed,
      order: options.order ?? 'connection',
      backlogBytesMax: options.backlogBytesMax ?? BACKLOG_BYTES_MAX[speed === 'max' ? 'fullSpeed' : 'timed'],
      startMs: this.startMs,
    };
    this.dispatcher = new ReplayDispatcher(reader, this.makeContext(), rules, {
      onAllDispatched: () => this.endIfDone(),
      onFailure: (error) => this.over.reject(error),
    });
  }

  async run(): Promise<ReplayOutcome> {
    const startedAt = new Date().toISOString();
    const cpuBefore = threadCpuMicros();
    const pauses = new GcPauseMeter();
    const { abort } = this.options;
    const ticker = setInterval(() => this.onTick(), TICK_MS);
    let aborted = false;
    const onAbort = (): void => {
      aborted = true;
      this.end();
    };
    abort?.addEventListener('abort', onAbort);
    try {
      if (abort?.aborted) onAbort();
      else this.dispatcher.pump();
      await this.over.promise;
    } finally {
      this.dispatcher.stop();
      clearInterval(ticker);
      abort?.removeEventListener('abort', onAbort);
    }
    const elapsedMs = performance.now() - this.startMs;
    const cpuMicros = threadCpuMicros() - cpuBefore;
    const gcPauseMaxMs = pauses.take().maxMs;
    pauses.stop();
    const complete = this.dispatcher.allDispatched && !this.stalled && !aborted;
    await this.concludeAll();
    this.report();
    return {
      file: this.file,
      header: this.reader.header,
      ending: this.reader.ending,
      speed: this.options.speed,
      startedAt,
      complete,
      stalled: this.stalled,
      elapsedMs,
      recordedMs: this.dispatcher.recordedMs,
      tally: this.tally,
      outstandingMax: this.options.outstandingMax ?? OUTSTANDING_MAX,
      backlogBytesPeak: this.backlog.bytesPeak,
      cpuMicros,
      gcPauseMaxMs,
    };
  }

  private makeContext(): ReplayContext {
    const { options } = this;
    return {
      targets: options.target,
      timed: options.speed !== 'max',
      credentialsKept: this.reader.header.credentialsKept,
      outstandingMax: options.outstandingMax ?? OUTSTANDING_MAX,
      reconnectMsMax: options.reconnectMsMax ?? RECONNECT_MS_MAX,
      readBuffer: Buffer.alloc(READ_BUFFER_BYTES),
      tally: this.tally,
      paths: new PathMap(),
      sessions: new SessionBook(),
      backlog: this.backlog,
      onProgress: () => {
        this.dispatcher.onProgress();
        this.endIfDone();
      },
      onFinished: (connection) => this.dispatcher.connections.delete(connection),
    };
  }

  private onTick(): void {
    const nowMs = performance.now();
    const { tally, dispatcher } = this;
    for (const connection of dispatcher.connections.values()) connection.keepAlive(nowMs);
    this.report();
    const awaits = tally.inFlight > 0 || this.backlog.items > 0;
    if (tally.replyCount !== this.repliesBefore || !awaits) this.quietSinceMs = nowMs;
    this.repliesBefore = tally.replyCount;
    const limitMs = this.options.stallMsMax ?? (dispatcher.allDispatched ? DRAIN_MS : STALL_MS);
    if (nowMs - this.quietSinceMs <= limitMs) return;
    this.stalled = !dispatcher.allDispatched || this.backlog.items > 0;
    this.end();
  }

  private report(): void {
    const { tally } = this;
    this.options.progress?.({
      share: this.reader.progress,
      elapsedMs: performance.now() - this.startMs,
      sent: tally.sentCount,
      replies: tally.replyCount,
      differing: tally.differing,
      openConnections: tally.openConnections,
      lagMs: this.dispatcher.lagMs,
    });
  }

  private endIfDone(): void {
    if (this.dispatcher.isIdle) this.end();
  }

  private end(): void {
    this.dispatcher.stop();
    this.over.resolve();
  }

  /** Sessions that nobody closed; in a fixed time, since `conclude` bounds the wait. */
  private async concludeAll(): Promise<void> {
    const closeSessions = !(this.options.keepSessions ?? false);
    const left = [...this.dispatcher.connections.values()];
    await Promise.all(
      left.map((connection) => new Promise<void>((resolve) => connection.conclude(closeSessions, resolve))),
    );
  }
}

function threadCpuMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

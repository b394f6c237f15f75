/**
 * What a replay counts while it runs. A reply counts at the moment it comes (rate, latency), and again when the
 * recorded one is known too (same result or not); either may be first.
 *
 *     request:   recorded = sent + skipped + unsent            sent = replies + lost + abandoned + unanswered
 *     reply:     replies = same + differing + uncompared
 *
 * What gets no reply (lost, unanswered, due but unsent) counts in the latencies as long as it waited, or a target that
 * freezes would look fast; rates count replies only. An abandoned request waits for nobody.
 */
import { ErrorCode, errorName } from '../../src/wire/error-codes.ts';
import { OpCode, opName } from '../../src/wire/opcodes.ts';
import { LATENCY_BUCKETS, latencyBucket, recordableUs } from '../latency/latency-recorder.ts';
import type { Exchange } from './exchange.ts';
import { ReplayCurve } from './replay-curve.ts';

const EXAMPLES_MAX = 3;
/** Kinds of differences that are told apart; the rest is one sum. */
const DIFFERENCES_MAX = 1_000;
/** Words of a recording that are told apart. */
const WORDS_MAX = 100;

/** Counts of one operation. */
export class OpTally {
  /** Requests of the recording. */
  recorded = 0;
  sent = 0;
  replies = 0;
  differing = 0;
  /** Replies with an error that the recording does not have. */
  errors = 0;
  lost = 0;
  /** The recorded client left without waiting for the reply, and so did the replayed one. */
  abandoned = 0;
  /** No reply by the end of the replay. */
  unanswered = 0;
  /** Not sent, because its credential was not recorded. */
  skipped = 0;
  /** Not sent, because its connection was gone or the replay ended before. */
  unsent = 0;
  /** Latency by bucket (latency-recorder.ts): from the intended instant, from sending, and as recorded. */
  readonly corrected = new Uint32Array(LATENCY_BUCKETS);
  readonly uncorrected = new Uint32Array(LATENCY_BUCKETS);
  readonly original = new Uint32Array(LATENCY_BUCKETS);
  /** Requests without a reply that are in the latencies as long as they waited, and the longest of them. */
  waited = 0;
  longestWaitMs = 0;

  /** `sentMs` null when it never was. */
  addWait(dueMs: number, sentMs: number | null, nowMs: number): void {
    this.waited++;
    this.longestWaitMs = Math.max(this.longestWaitMs, nowMs - dueMs);
    this.corrected[latencyBucket(recordableUs(nowMs - dueMs))]!++;
    if (sentMs !== null) this.uncorrected[latencyBucket(recordableUs(nowMs - sentMs))]!++;
  }
}

/** What sessions need, apart from the work of their clients. */
export function isStep(op: number): boolean {
  switch (op) {
    case OpCode.createSession:
    case OpCode.closeSession:
    case OpCode.ping:
    case OpCode.auth:
    case OpCode.sasl:
      return true;
    default:
      return false;
  }
}

/** A place where the replay got another result. */
export interface DifferenceExample {
  /** Number of the recorded connection. */
  readonly connection: number;
  /** Seconds since the start of the recording. */
  readonly atSeconds: number;
  readonly path: string | null;
}

export interface Difference {
  readonly op: string;
  /** Error names. */
  readonly recorded: string;
  readonly replayed: string;
  readonly count: number;
  /** The first ones. */
  readonly examples: readonly DifferenceExample[];
}

interface MutableDifference extends Difference {
  count: number;
  readonly examples: DifferenceExample[];
}

export class ReplayTally {
  readonly ops = new Map<number, OpTally>();
  /** How late requests were handed to their connections; empty at full speed. */
  readonly lag = new Uint32Array(LATENCY_BUCKETS);
  readonly curve: ReplayCurve;
  /** Replayed error -> replies, where the recording has another result, or none. */
  readonly errors = new Map<number, number>();
  readonly words = new Map<string, number>();
  sentCount = 0;
  replyCount = 0;
  /** Requests that may still get a reply. */
  inFlight = 0;
  connections = 0;
  openConnections = 0;
  openConnectionsMax = 0;
  /** Recorded connections that no server was there for. */
  recordedUnreachable = 0;
  /** Recorded connections whose recording ended early. */
  notes = 0;
  events = 0;
  recordedEvents = 0;
  sameResults = 0;
  differing = 0;
  /** Differences beyond `DIFFERENCES_MAX` kinds. */
  otherDifferences = 0;
  /** Replies for which the recording has none. */
  uncompared = 0;
  disorder = 0;
  reconnects = 0;
  connectFailures = 0;
  /** Sessions that the recording resumed and the target did not have. */
  sessionsReplaced = 0;
  /** Names of sequential znodes that differ from the recorded ones. */
  namesMapped = 0;
  bytesSent = 0;
  bytesReceived = 0;
  private readonly differences = new Map<string, MutableDifference>();

  /** `startMs` on `performance.now()`. */
  constructor(startMs: number) {
    this.curve = new ReplayCurve(startMs);
  }

  op(op: number): OpTally {
    let tally = this.ops.get(op);
    if (tally === undefined) {
      tally = new OpTally();
      this.ops.set(op, tally);
    }
    return tally;
  }

  /** A request was handed to its connection so late, through no fault of the target. */
  onHandedOver(lagMs: number): void {
    this.lag[latencyBucket(recordableUs(lagMs))]!++;
  }

  onSent(exchange: Exchange): void {
    const op = this.op(exchange.op);
    op.recorded++;
    op.sent++;
    this.sentCount++;
    this.inFlight++;
  }

  onSkipped(exchange: Exchange): void {
    const op = this.op(exchange.op);
    op.recorded++;
    op.skipped++;
  }

  /** `waited`: it was due at a time of its own, which is past; at full speed a request is due when it is sent. */
  onUnsent(exchange: Exchange, waited: boolean, nowMs: number): void {
    const op = this.op(exchange.op);
    op.recorded++;
    op.unsent++;
    if (waited) op.addWait(exchange.dueMs, null, nowMs);
    this.curve.onJudged(exchange.dueMs, 'failed');
  }

  onReply(exchange: Exchange, nowMs: number): void {
    const op = this.op(exchange.op);
    op.replies++;
    this.replyCount++;
    this.inFlight--;
    const corrected = recordableUs(nowMs - exchange.dueMs);
    op.corrected[latencyBucket(corrected)]!++;
    op.uncorrected[latencyBucket(recordableUs(nowMs - exchange.sentMs))]!++;
    this.curve.onAnswered(nowMs, exchange);
    if (!isStep(exchange.op)) this.curve.onReply(nowMs, corrected);
  }

  onRecordedReply(exchange: Exchange, replyUs: number): void {
    const us = recordableUs((replyUs - exchange.requestUs) / 1000);
    this.op(exchange.op).original[latencyBucket(us)]!++;
  }

  onLost(exchange: Exchange, nowMs: number): void {
    const op = this.op(exchange.op);
    op.lost++;
    op.addWait(exchange.dueMs, exchange.sentMs, nowMs);
    this.inFlight--;
    this.curve.onJudged(exchange.dueMs, 'failed');
    this.curve.onError(nowMs);
  }

  onUnanswered(exchange: Exchange, nowMs: number): void {
    const op = this.op(exchange.op);
    op.unanswered++;
    op.addWait(exchange.dueMs, exchange.sentMs, nowMs);
    this.inFlight--;
    this.curve.onJudged(exchange.dueMs, 'failed');
  }

  onAbandoned(exchange: Exchange): void {
    this.op(exchange.op).abandoned++;
    this.inFlight--;
  }

  /** Both results are known. */
  compare(exchange: Exchange, nowMs: number): void {
    const recorded = exchange.recordedError!;
    const replayed = exchange.replayedError!;
    if (recorded === replayed) {
      this.sameResults++;
      return;
    }
    this.differing++;
    this.op(exchange.op).differing++;
    this.onError(exchange, nowMs);
    this.addDifference(exchange, recorded, replayed);
  }

  /** A reply that the recording does not have. */
  onUncompared(exchange: Exchange, nowMs: number): void {
    this.uncompared++;
    this.onError(exchange, nowMs);
  }

  onWord(word: string): void {
    if (this.words.size < WORDS_MAX || this.words.has(word))
      this.words.set(word, (this.words.get(word) ?? 0) + 1);
  }

  onConnectionOpened(): void {
    this.connections++;
    this.openConnections++;
    this.openConnectionsMax = Math.max(this.openConnectionsMax, this.openConnections);
  }

  /** The most frequent first. */
  get differenceList(): readonly Difference[] {
    return [...this.differences.values()].sort((a, b) => b.count - a.count);
  }

  sum(count: (tally: OpTally, op: number) => number): number {
    let sum = 0;
    for (const [op, tally] of this.ops) sum += count(tally, op);
    return sum;
  }

  private onError(exchange: Exchange, nowMs: number): void {
    const code = exchange.replayedError!;
    if (code === ErrorCode.ok) return;
    this.op(exchange.op).errors++;
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
    this.curve.onError(nowMs);
  }

  private addDifference(exchange: Exchange, recorded: number, replayed: number): void {
    const key = `${exchange.op} ${recorded} ${replayed}`;
    let difference = this.differences.get(key);
    if (difference === undefined) {
      if (this.differences.size === DIFFERENCES_MAX) {
        this.otherDifferences++;
        return;
      }
      const names = { recorded: errorName(recorded), replayed: errorName(replayed) };
      difference = { op: opName(exchange.op), ...names, count: 0, examples: [] };
      this.differences.set(key, difference);
    }
    difference.count++;
    if (difference.examples.length === EXAMPLES_MAX) return;
    const { connection, requestUs, path } = exchange;
    difference.examples.push({ connection, atSeconds: requestUs / 1e6, path });
  }
}

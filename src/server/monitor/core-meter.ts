/**
 * What the core measures. It is also the thread that answers the four-letter words, so nothing here is shared. The
 * clock is read once more per batch of requests and per batch of commits, never per request:
 *
 *     requests   first frame of a batch ──▶ its last frame has been worked on
 *                reads are answered meanwhile and leave together with the batch, so each of them took this long;
 *                writes have become proposals
 *     commits    the durable zxid is seen to have moved ──▶ everything up to it is committed and answered
 *                each write took from the turn in which it arrived to here; so did the reads that waited for it
 *
 *     turn       its first call ──▶ the last reading of the clock in it: so long nobody else was looked at
 *
 * Times in microseconds.
 */

import type { ClientLimit } from '../../core/client/limit-ends.ts';
import type { Incarnations } from '../../core/incarnations.ts';
import type { Replica } from '../../core/replica.ts';
import { FRAME_PREFIX_BYTES } from '../../wire/limits.ts';
import { Distribution } from './distribution.ts';

export class CoreMeter {
  /** Requests per batch, transactions per batch of commits. */
  readonly requestBatches = new Distribution();
  readonly commitBatches = new Distribution();
  /** A batch's time, divided evenly among what was in it. */
  readonly requestTimes = new Distribution();
  readonly commitTimes = new Distribution();
  /** Until the reply. */
  readonly readLatency = new Distribution();
  readonly updateLatency = new Distribution();
  /** From a transaction's proposal until it is known to be durable: the log's queue and its sync. */
  readonly durableWaits = new Distribution();
  /** Of the longest turn. */
  turnMax = 0;
  /** Frames received, lengths included. */
  requestBytes = 0;
  /** Most transactions that were proposed and not committed. */
  inFlightMax = 0;
  /** Connections that their client or the network has ended. */
  droppedConnections = 0;
  /** A snapshot was due while the one before was being written. */
  skippedSnapshots = 0;
  /** 0 or 1; a reset changes nothing. */
  runningSnapshots = 0;
  /** How long the one under way has been; 0 = none is. */
  snapshotAgeMs = 0;
  /** Snapshots that made no progress. */
  givenUpSnapshots = 0;
  private readonly incarnations: Incarnations;
  /** What the store's compactor had done at the last reset. */
  private compactionBase = { rounds: 0, movedBytes: 0 };
  private endsBase: Readonly<Record<ClientLimit, number>>;
  private requests = 0;
  private beginMs = 0;
  /** The clock when it was read last. */
  private seenMs = 0;
  private answeredBefore = 0;
  private latencyBefore = 0;
  private headBefore = 0;

  constructor(incarnations: Incarnations) {
    this.incarnations = incarnations;
    this.endsBase = { ...incarnations.surroundings.clients.limitEnds.counts };
  }

  private get replica(): Replica {
    return this.incarnations.replica;
  }

  get isInBatch(): boolean {
    return this.requests > 0;
  }

  beginRequests(nowMs: number): void {
    this.beginMs = nowMs;
    this.answeredBefore = this.replica.parts.statistics.latencyCount;
  }

  onRequest(bytes: number): void {
    this.requests++;
    this.requestBytes += bytes + FRAME_PREFIX_BYTES;
  }

  endRequests(nowMs: number): void {
    const { statistics, proposals } = this.replica.parts;
    const { requests } = this;
    this.seenMs = nowMs;
    const micros = (nowMs - this.beginMs) * 1000;
    const answered = statistics.latencyCount - this.answeredBefore;
    this.requests = 0;
    this.requestBatches.add(requests);
    this.requestTimes.add(micros / requests, requests);
    if (answered > 0) this.readLatency.add(micros, answered);
    if (proposals.length > this.inFlightMax) this.inFlightMax = proposals.length;
  }

  beginCommits(nowMs: number): void {
    const { statistics, proposals } = this.replica.parts;
    this.beginMs = nowMs;
    this.headBefore = proposals.head;
    this.answeredBefore = statistics.latencyCount;
    this.latencyBefore = statistics.totalLatencyMs;
  }

  endCommits(nowMs: number): void {
    const { replica, headBefore } = this;
    this.seenMs = nowMs;
    const commits = replica.parts.proposals.head - headBefore;
    if (commits === 0) return;
    this.commitBatches.add(commits);
    this.commitTimes.add(((nowMs - this.beginMs) * 1000) / commits, commits);
    const writesMs = this.addWrites(headBefore, nowMs);
    const { latencyCount, totalLatencyMs } = replica.parts.statistics;
    const reads = latencyCount - this.answeredBefore - commits;
    if (reads <= 0) return;
    // The replier counts up to the begin of the turn; of the reads only the sum is known.
    const readsMs = Math.max(0, totalLatencyMs - this.latencyBefore - writesMs);
    this.readLatency.add((readsMs / reads + nowMs - replica.clock.nowMs) * 1000, reads);
  }

  /** What a tick does is part of its turn. */
  endTick(nowMs: number): void {
    this.seenMs = nowMs;
  }

  endTurn(): void {
    const micros = (this.seenMs - this.replica.clock.nowMs) * 1000;
    if (micros > this.turnMax) this.turnMax = micros;
  }

  /** What compaction of the store has done since the last reset. */
  get compaction(): { readonly rounds: number; readonly movedBytes: number } {
    const { rounds, movedBytes } = this.replica.parts.tree.compactor;
    const { compactionBase } = this;
    return { rounds: rounds - compactionBase.rounds, movedBytes: movedBytes - compactionBase.movedBytes };
  }

  /** Another replica has begun; its compactor counts from 0. */
  onRenewed(): void {
    this.compactionBase = { rounds: 0, movedBytes: 0 };
  }

  /** Connections ended at a limit for clients since the last reset. */
  closedAt(limit: ClientLimit): number {
    return this.replica.parts.clients.limitEnds.counts[limit] - this.endsBase[limit];
  }

  /** What Apache's `srst` resets, and ours with it. */
  reset(): void {
    this.requestBatches.reset();
    this.commitBatches.reset();
    this.requestTimes.reset();
    this.commitTimes.reset();
    this.readLatency.reset();
    this.updateLatency.reset();
    this.durableWaits.reset();
    this.requestBytes = 0;
    this.turnMax = 0;
    this.incarnations.surroundings.work.reset();
    this.inFlightMax = 0;
    this.droppedConnections = 0;
    this.skippedSnapshots = 0;
    this.givenUpSnapshots = 0;
    const { rounds, movedBytes } = this.replica.parts.tree.compactor;
    this.compactionBase = { rounds, movedBytes };
    this.endsBase = { ...this.replica.parts.clients.limitEnds.counts };
  }

  /**
   * The transactions committed since `from`; those of one turn lie together and have one time of arrival. Returns
   * their sum of milliseconds until the begin of this turn.
   */
  private addWrites(from: number, nowMs: number): number {
    const { head, tail, receivedMs } = this.replica.parts.proposals;
    const turnMs = this.replica.clock.nowMs;
    const mask = receivedMs.length - 1;
    let sumMs = 0;
    // A queue that filled up again meanwhile has written over the oldest.
    let at = Math.max(from, tail - receivedMs.length);
    while (at < head) {
      const arrivedMs = receivedMs[at & mask]!;
      const first = at;
      while (at < head && receivedMs[at & mask] === arrivedMs) at++;
      this.updateLatency.add((nowMs - arrivedMs) * 1000, at - first);
      this.durableWaits.add((this.beginMs - arrivedMs) * 1000, at - first);
      sumMs += (turnMs - arrivedMs) * (at - first);
    }
    return sumMs;
  }
}

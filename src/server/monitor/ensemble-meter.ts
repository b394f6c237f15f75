/**
 * What a server measures of its life among others: elections, terms, what it was sent. Written by whoever holds elections and by
 * the terms, read by the words; one thread. Times are milliseconds of the monotonic clock.
 *
 *     looking ──elected──▶ discovery ──epoch agreed──▶ synchronization ──serving──▶ broadcast
 *        ▲  election_time                follower_sync_time, observer_sync_time        │
 *        └───────────── unavailable_time: from here to the next broadcast ◀────────────┘
 */
import { Distribution, type Summary } from './distribution.ts';

export type PeerRole = 'looking' | 'leading' | 'following' | 'observing';
type Phase = 'election' | 'discovery' | 'synchronization' | 'broadcast';

export class EnsembleMeter {
  role: PeerRole = 'looking';
  phase: Phase = 'election';
  searches = 0;
  /** Of the leader, since the start: plain numbers, because one comes with every transaction. */
  proposalsReceived = 0;
  commitsReceived = 0;
  /** Learners brought up by a whole tree, and by transactions. */
  snaps = 0;
  diffs = 0;
  /** When this server has come into step, or its quorum has formed; null before. */
  servingSinceMs: number | null = null;
  private readonly times = new Map<string, Distribution>();
  private unavailableSinceMs: number | null = null;
  private lookingSinceMs = 0;
  private syncSinceMs: number | null = null;

  onLooking(nowMs: number): void {
    this.role = 'looking';
    this.phase = 'election';
    this.searches++;
    this.lookingSinceMs = nowMs;
    this.servingSinceMs = null;
    this.unavailableSinceMs ??= nowMs;
  }

  /** `wasElected`: not named by a configuration. */
  onTerm(role: Exclude<PeerRole, 'looking'>, wasElected: boolean, nowMs: number): void {
    this.role = role;
    this.phase = 'discovery';
    this.syncSinceMs = null;
    // An observer is told the result; it takes no part.
    if (wasElected && role !== 'observing') this.record('election_time', nowMs - this.lookingSinceMs);
  }

  /** The epoch is agreed upon; histories are made the same. */
  onSynchronizing(nowMs: number): void {
    this.phase = 'synchronization';
    this.syncSinceMs = nowMs;
  }

  onServing(nowMs: number): void {
    this.phase = 'broadcast';
    this.servingSinceMs = nowMs;
    if (this.syncSinceMs !== null && this.role !== 'leading') {
      const name = this.role === 'observing' ? 'observer_sync_time' : 'follower_sync_time';
      this.record(name, nowMs - this.syncSinceMs);
    }
    if (this.unavailableSinceMs === null) return;
    this.record('unavailable_time', nowMs - this.unavailableSinceMs);
    if (this.role === 'leading') this.record('leader_unavailable_time', nowMs - this.unavailableSinceMs);
    this.unavailableSinceMs = null;
  }

  /** The term is over: nobody is served until the next one. */
  onOver(nowMs: number): void {
    this.servingSinceMs = null;
    this.unavailableSinceMs ??= nowMs;
  }

  onBroughtUp(kind: 'SNAP' | 'DIFF' | 'TRUNC'): void {
    if (kind === 'SNAP') this.snaps++;
    else this.diffs++;
  }

  /** Since the last reset; null when there was nothing. */
  summary(name: string): Summary | null {
    return this.times.get(name) ?? null;
  }

  /** `srst`, of what is not a counter: those have their base elsewhere. */
  reset(): void {
    this.times.clear();
  }

  private record(name: string, ms: number): void {
    let times = this.times.get(name);
    if (times === undefined) {
      times = new Distribution();
      this.times.set(name, times);
    }
    times.add(Math.round(ms));
  }
}

/**
 * The seam between elections and what is done between them. `QuorumPeer` holds elections; a role runner leads, follows or
 * observes for as long as that lasts, and says when it is over. One term at a time, all on the thread of the election;
 * a runner whose work is on another thread hands over plain values (a configuration is its `text`).
 *
 *     QuorumPeer                                   RoleRunner
 *         │ ──── begin(term, control) ───────────────▶ │   open or dial the quorum port, at once
 *         │ ◀─── control.serving(epoch) ────────────── │   a quorum has formed, or this learner is in sync
 *         │ ◀─── control.configured(…) ─────────────── │   another membership was proposed, or is in force
 *         │ ──── running.onLookingVoter(…) ──────────▶ │   a leader may have lost its quorum, a learner its leader
 *         │ ──── running.end(reason) ────────────────▶ │   the server stops, or was told to
 *         │ ◀─── control.over({ standing, … }) ─────── │   whatever ended it; the last call of the term
 *         ▼
 *     looks again
 */

import type { Standing } from '../../core/election/election-options.ts';
import type { LookingVoter } from '../../core/election/election-step.ts';
import type { Vote } from '../../core/election/vote.ts';
import type { Sid } from '../../core/quorum/member.ts';
import type { QuorumConfig } from '../../core/quorum/quorum-config.ts';
import type { HostPort } from '../../wire/host-port.ts';

export type TermRole = 'leading' | 'following' | 'observing';

/** From one election to the next. */
export interface Term {
  readonly role: TermRole;
  readonly leader: Sid;
  /** Quorum addresses of the leader: where its learners connect; this server's own when it leads. */
  readonly addresses: readonly HostPort[];
  /** It was elected by: epoch and zxid are what the leader had then, not yet the epoch it will lead. */
  readonly vote: Vote;
  /** Whose votes decided; empty when a configuration named the leader. */
  readonly voters: readonly Sid[];
  readonly committed: QuorumConfig;
  /** Proposed and perhaps not committed; otherwise the same. */
  readonly lastSeen: QuorumConfig;
}

export interface TermEnd {
  /** For the operator's log. */
  readonly reason: string;
  /** What this server has now: last logged zxid, current epoch. */
  readonly standing: Standing;
  /** A committed configuration names the next leader: nobody searches. Null: an election. */
  readonly designated: Sid | null;
}

/** What a runner tells. After `over` nothing of it is heard. */
export interface TermControl {
  serving(epoch: number): void;
  configured(committed: QuorumConfig, lastSeen: QuorumConfig): void;
  over(end: TermEnd): void;
}

export interface RunningTerm {
  /** A voter looks for a leader while this server leads; or its leader does, while it follows. */
  onLookingVoter(voter: LookingVoter): void;
  /** Answered by `over`. */
  end(reason: string): void;
}

export interface RoleRunner {
  /** False: this server goes into elections with zxid -1, which nobody listens to; asked as each begins. */
  readonly hasVote: boolean;
  /** Never throws for what others do: then the term is `over`. `control` may be called before this returns. */
  begin(term: Term, control: TermControl): RunningTerm;
  /** Another server has committed this configuration while we were looking; it is in force from now on and to be stored. */
  onConfigLearned(config: QuorumConfig): void;
  /** Nobody has been found to lead for long: clients may read here, until `endReadOnly`. Only where it is configured. */
  beginReadOnly(): void;
  /** Before the next term begins. */
  endReadOnly(): void;
}

/**
 * Decides how far proposals may be committed: when a quorum of the members has them on stable storage. A server without
 * peers is a quorum of one: its only vote is its own log's, and a proposal is decided when that has it. A learner is told by
 * its leader; a leader by who counts the votes of its followers beside its own (core/zab). Core thread.
 *
 *     alone            log ··durable··▶ onOwnDurable ─▶ progress.decided ─▶ the replica commits up to there
 *     learner, leader  COMMIT, a quorum's ACKs ─▶ onTold ─────▲
 */
import type { Zxid } from '../../base/zxid.ts';
import type { LeaderLink } from '../ports/leader-link.ts';
import type { Progress } from './progress.ts';

export type RoleName = 'standalone' | 'leader' | 'follower' | 'observer';

/** What this server is to others; outlives replicas. */
export class ServerRole {
  /** As operators call it. */
  name: RoleName = 'standalone';
  /** Clients may be served; a learner only while it is in step with its leader. */
  isInStep = true;
  /** Nobody leads, for long: clients that have asked for it may read what is here. Only while not in step. */
  isReadOnly = false;
  /** Others propose and decide: nothing is proposed here, and no session ends by this server's clock. */
  isLearner = false;
  /** The way to those others, while this learner is in step. */
  leader: LeaderLink | null = null;
  /** Where the leader's epoch begins: a client that has seen that has seen nothing which this server lacks. */
  epochZxid: Zxid = 0;
  /** There are no others: what this server's log has is decided. */
  isAlone = true;

  /** This server is one of several: nothing is proposed, decided or served here before the rest is known. */
  join(name: RoleName): void {
    this.name = name;
    this.isAlone = false;
    this.isLearner = true;
    this.isInStep = false;
    this.epochZxid = 0;
  }

  /** A quorum follows, and `zxid` is the beginning of this server's epoch. */
  lead(zxid: Zxid): void {
    this.isLearner = false;
    this.isInStep = true;
    this.epochZxid = zxid;
  }
}

export class CommitPoint {
  private readonly progress: Progress;
  private readonly role: ServerRole;

  constructor(progress: Progress, role: ServerRole) {
    this.progress = progress;
    this.role = role;
  }

  /** This server's log has everything up to `zxid`. */
  onOwnDurable(zxid: Zxid): void {
    this.progress.onDurable(zxid);
    if (this.role.isAlone) this.progress.onDecided(this.progress.durable);
  }

  /** A quorum has everything up to `zxid`, whether it is durable here or not. */
  onTold(zxid: Zxid): void {
    this.progress.onDecided(zxid);
  }
}

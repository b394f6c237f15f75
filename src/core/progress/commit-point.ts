/**
 * Decides how far proposals may be committed: when a quorum of the members has them on stable storage. A server without
 * peers is a quorum of one: its only vote is its own log's, and a proposal is decided when that has it. A learner is told by
 * its leader; a leader counts the votes of its followers beside its own (core/zab). Core thread.
 *
 *     alone       log ··durable··▶ onOwnDurable ─▶ progress.decided ─▶ the replica commits up to there
 *     learner     COMMIT ─▶ onTold ──────────────────▲
 */
import type { Zxid } from '../../base/zxid.ts';
import type { LeaderLink } from '../ports/leader-link.ts';
import type { Progress } from './progress.ts';

export type RoleName = 'standalone' | 'follower' | 'observer';

/** What this server is to others; outlives replicas. */
export class ServerRole {
  /** As operators call it. */
  name: RoleName = 'standalone';
  /** Clients may be served; a learner only while it is in step with its leader. */
  isInStep = true;
  /** Others propose and decide: nothing is proposed here, and no session ends by this server's clock. */
  isLearner = false;
  /** The way to those others, while this learner is in step. */
  leader: LeaderLink | null = null;
  /** Where the leader's epoch begins: a client that has seen that has seen nothing which this server lacks. */
  epochZxid: Zxid = 0;
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
    if (!this.role.isLearner) this.progress.onDecided(this.progress.durable);
  }

  /** The leader has decided everything up to `zxid`, whether it is durable here or not. */
  onTold(zxid: Zxid): void {
    this.progress.onDecided(zxid);
  }
}

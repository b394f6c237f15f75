/**
 * Decides how far proposals may be committed: when a quorum of the members has them on stable storage. This is the
 * quorum of one, a server without peers: its only vote is its own log's, and a proposal is decided when that has it.
 * An ensemble's leader counts the votes of its followers beside it; a follower is told. Core thread.
 *
 *     log ··durable··▶ onOwnDurable ─▶ progress.decided ─▶ the replica commits up to there
 */
import type { Zxid } from '../../base/zxid.ts';
import type { Progress } from './progress.ts';

export class QuorumOfOne {
  private readonly progress: Progress;

  constructor(progress: Progress) {
    this.progress = progress;
  }

  /** This server's log has everything up to `zxid`. */
  onOwnDurable(zxid: Zxid): void {
    this.progress.onDurable(zxid);
    this.progress.onDecided(this.progress.durable);
  }
}

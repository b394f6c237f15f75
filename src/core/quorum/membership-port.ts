/** What a leader lets its core know, and do, about who belongs to the ensemble. Nothing waits here. */
import type { QuorumConfig } from './quorum-config.ts';

export interface MembershipPort {
  /** In force. */
  readonly committed: QuorumConfig;
  /** Proposed; the same when nothing is. */
  readonly lastSeen: QuorumConfig;
  /** A voter may not be left alone. */
  readonly standaloneEnabled: boolean;
  /** A quorum of `config` follows, this leader counted. */
  isQuorumSynced(config: QuorumConfig): boolean;
  /** `config` is about to be proposed: with the zxid that is its version, and as the next transaction. */
  onProposed(config: QuorumConfig): void;
}

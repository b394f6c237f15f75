/** What the four-letter words want to know of a server's ensemble; null of a server alone. On the thread that answers them. */
import type { Summary } from './distribution.ts';
import type { OwnMetric } from './metrics.ts';

export interface EnsembleView {
  /** As Apache spells it: `following - broadcast`. */
  readonly peerState: string;
  /** Whom an observer observes; null of all others. */
  readonly observedSid: number | null;
  /** Servers that vote. */
  readonly voterCount: number;
  /** Null while this server leads nobody. */
  readonly leading: LeadingView | null;
  /** Lines of `conf` behind those of a server alone, and the membership in force. */
  conf(): readonly (readonly [key: string, value: string | number])[];
  readonly membership: string;
  /** By Apache's name; null: not of the ensemble. Counters grow from the start on. */
  counter(name: string): number | null;
  summary(name: string): Summary | null;
  /** Printed behind `zk_ringkeeper_`. */
  own(): readonly OwnMetric[];
  /** `srst`. */
  reset(): void;
}

/** What only a leader knows. */
export interface LeadingView {
  readonly learners: number;
  readonly syncedFollowers: number;
  readonly syncedNonVotingFollowers: number;
  readonly syncedObservers: number;
  readonly pendingSyncs: number;
  readonly uptimeMs: number;
  /** Bytes of transactions; -1 before the first. */
  readonly lastProposalBytes: number;
  readonly minProposalBytes: number;
  readonly maxProposalBytes: number;
}

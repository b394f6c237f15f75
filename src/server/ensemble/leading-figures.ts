/** What a term as leader tells of itself: its learners, the sizes of its proposals, connections that it has ended. One thread. */
import type { SidSet } from '../../core/quorum/quorum-verifier.ts';
import type { LearnerFigures } from '../../core/zab/learner-figures.ts';
import type { LeadingView } from '../monitor/ensemble-view.ts';
import type { LinkFaultCounts } from './learner-faults.ts';

export interface LeadingFigures {
  readonly learners: readonly LearnerFigures[];
  readonly voters: SidSet;
  readonly sizes: ProposalSizes;
  readonly faults: LinkFaultCounts;
}

/** Bytes of transactions; -1 before the first. */
export class ProposalSizes {
  last = -1;
  min = -1;
  max = -1;

  add(byteCount: number): void {
    this.last = byteCount;
    if (this.min < 0 || byteCount < this.min) this.min = byteCount;
    if (byteCount > this.max) this.max = byteCount;
  }
}

/** As Apache counts them: who is in step and votes, who is in step and does not, and observers. */
export function leadingView({ learners, voters, sizes }: LeadingFigures, uptimeMs: number): LeadingView {
  const inStep = learners.filter(({ phase }) => phase === 'active');
  const followers = inStep.filter(({ isObserver }) => !isObserver);
  const voting = followers.filter(({ sid }) => voters.has(sid)).length;
  return {
    learners: learners.filter(({ phase }) => phase !== 'greeting').length,
    syncedFollowers: voting,
    syncedNonVotingFollowers: followers.length - voting,
    syncedObservers: inStep.filter(({ isObserver }) => isObserver).length,
    // A sync is answered in the stream of whoever asked; none is kept beside it.
    pendingSyncs: 0,
    uptimeMs,
    lastProposalBytes: sizes.last,
    minProposalBytes: sizes.min,
    maxProposalBytes: sizes.max,
  };
}

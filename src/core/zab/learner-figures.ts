/** A learner as operators see it. Plain values, made when somebody asks. */
import type { Zxid } from '../../base/zxid.ts';
import type { Sid } from '../quorum/member.ts';
import type { Leader } from './leader.ts';
import type { LearnerPhase } from './learner-record.ts';

export interface LearnerFigures {
  readonly sid: Sid;
  readonly phase: LearnerPhase;
  readonly isObserver: boolean;
  /** Transactions that are proposed and that it has not acknowledged, or, of an observer, has not been told; -1 while it is brought up. */
  readonly lagTxns: number;
}

/** In the order in which they have come; `proposed`: the last there is. */
export function learnerFigures({ learners, electors }: Leader, proposed: Zxid): LearnerFigures[] {
  return [...learners.values()].map(({ sid, phase, isObserver, stream }) => {
    const reached = isObserver ? (stream?.confirmedZxid ?? 0) : electors.acks.ackedBy(sid);
    // Within an epoch zxids have no gaps.
    return { sid, phase, isObserver, lagTxns: stream === null ? -1 : Math.max(0, proposed - reached) };
  });
}

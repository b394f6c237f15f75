/**
 * What changes in a replica when its server begins to lead others, and when it ends: epoch, sessions, and what is in flight. Core
 * thread; asked by the leader's desk.
 *
 *     begin ─▶ zxids of the own epoch are given out · end ─▶ connections are closed, what is logged waits for the log
 */
import type { Zxid } from '../../base/zxid.ts';
import type { Progress } from '../progress/progress.ts';
import type { MembershipPort } from '../quorum/membership-port.ts';
import type { RequestOrder } from '../request/request-order.ts';
import type { SessionLifecycle } from '../request/session-lifecycle.ts';
import type { ProposalQueue } from '../txn/proposal-queue.ts';
import type { Withdrawal } from '../txn/withdrawal.ts';
import { type ForwardedParts, ForwardedRequests } from './forwarded-requests.ts';
import { type LearnerSessionParts, LearnerSessions } from './learner-sessions.ts';

export interface LeadershipParts extends ForwardedParts, LearnerSessionParts {
  readonly progress: Progress;
  readonly proposals: ProposalQueue;
}

export class Leadership {
  private readonly parts: LeadershipParts;
  private readonly lifecycle: SessionLifecycle;
  private readonly order: RequestOrder;
  private readonly withdrawal: Withdrawal;
  /** What learners send for their clients. */
  readonly requests: ForwardedRequests;
  readonly sessions: LearnerSessions;

  constructor(
    parts: LeadershipParts,
    lifecycle: SessionLifecycle,
    order: RequestOrder,
    withdrawal: Withdrawal,
  ) {
    this.parts = parts;
    this.lifecycle = lifecycle;
    this.order = order;
    this.withdrawal = withdrawal;
    this.requests = new ForwardedRequests(parts, lifecycle);
    this.sessions = new LearnerSessions(parts, lifecycle);
  }

  /** A quorum follows this server; `zxid` is the beginning of its epoch. Everything before is decided. */
  begin(zxid: Zxid, membership: MembershipPort | null): void {
    this.parts.proposer.reconfigs.membership = membership;
    this.parts.progress.beginEpoch(zxid);
    this.lifecycle.lead();
  }

  /**
   * This server leads no more. Its connections are closed: whether what they have asked for will stand, the next leader knows. What
   * has been proposed is logged, or will be, and waits for that.
   */
  end(): void {
    const { clients, proposals, proposer, progress } = this.parts;
    for (const client of clients.all()) clients.close(client);
    this.requests.clear();
    proposer.reconfigs.membership = null;
    const asker = proposer.multi.abandon();
    if (asker !== null) this.withdrawal.letGo(asker);
    proposer.onWithdrawn();
    this.order.onWithdrawn();
    this.lifecycle.endLeading();
    // The beginning of an epoch in which nothing was proposed is nobody's last transaction.
    const { length, zxids, tailRow } = proposals;
    progress.onWithdrawn(length > 0 ? zxids[tailRow]! : progress.committed);
  }
}

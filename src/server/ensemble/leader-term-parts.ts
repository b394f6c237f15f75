/** What a term as leader is given, and what it keeps of each learner. On the thread of the core. */
import type { Clock } from '../../base/clock.ts';
import type { EventLoop } from '../../base/event-loop.ts';
import type { ProposalLog } from '../../core/zab/proposal-log.ts';
import type { Transport } from '../../net/transport.ts';
import type { LeaderDesk } from '../host/leader-desk.ts';
import type { Log } from '../logging/logging.ts';
import type { History, HistorySender } from './history-sender.ts';
import type { LinkFaultCounts } from './learner-faults.ts';
import type { LearnerLink, StreamSource } from './learner-link.ts';
import type { Epochs } from './learner-term-parts.ts';

/** What a term as leader is given of this server. */
export interface LeaderTermParts {
  readonly desk: LeaderDesk;
  readonly epochs: Epochs;
  readonly history: History;
  /** Of the whole server; begins anew with each term. */
  readonly proposals: ProposalLog;
  readonly faults: LinkFaultCounts;
  /** The quorum port is open on every interface. */
  readonly listenOnAllIps: boolean;
  /** Clients of this server itself; those of its learners it works for all the same. */
  readonly servesClients: boolean;
  /** A voter may not be left alone. */
  readonly standaloneEnabled: boolean;
  /** So long a quorum is waited for once a voter looks again; -1 = as long as it takes. */
  readonly epochWaitMs: number;
  readonly platform: { readonly loop: EventLoop; readonly transport: Transport; readonly clock: Clock };
  readonly log: Log;
}

/** A connection, and how it is being brought up. */
export interface Learner {
  readonly link: LearnerLink;
  readonly source: StreamSource;
  sender: HistorySender | null;
  /** It has said something. */
  isKnown: boolean;
  stuckTicks: number;
}

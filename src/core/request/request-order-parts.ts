/** What the order of requests works with: types only. */
import type { ClientTable } from '../client/client-table.ts';
import type { Replier } from '../client/replier.ts';
import type { RequestView } from '../client/request-view.ts';
import type { WriteNumbers } from '../client/write-numbers.ts';
import type { Forwarder } from '../forwarding/forwarder.ts';
import type { ServerRole } from '../progress/commit-point.ts';
import type { TurnClock } from '../progress/turn-clock.ts';
import type { TurnWork } from '../progress/turn-work.ts';
import type { Proposer } from '../txn/proposer.ts';
import type { Authenticator } from './authenticator.ts';
import type { ReadOps } from './read-ops.ts';

/** The end of a session is more than a write: its connection goes with it. */
export interface SessionEnds {
  /** False: the log has no room; nothing has happened. */
  onCloseRequest(request: RequestView): boolean;
}

/** A transaction may be half published: nobody may read then. */
export interface Publication {
  readonly isPublishing: boolean;
}

/** What is answered here because its session is this server's alone (local-sessions.ts). */
export interface LocalAnswers {
  answersHere(op: number): boolean;
  answer(request: RequestView): void;
}

/** Whether what could not be proposed had no room in log or queue, which commits make. */
export interface RoomForWrites {
  readonly lacksRoom: boolean;
  forgetRefusal(): void;
}

export interface RequestOrderParts {
  readonly role: ServerRole;
  readonly forwarder: Forwarder;
  readonly writes: WriteNumbers;
  readonly work: TurnWork;
  readonly clock: TurnClock;
  readonly clients: ClientTable;
  readonly replier: Replier;
  readonly proposer: Proposer;
  readonly writer: RoomForWrites;
  readonly reads: ReadOps;
  readonly authenticator: Authenticator;
  readonly sessionEnds: SessionEnds;
  readonly locals: LocalAnswers;
  readonly committer: Publication;
}

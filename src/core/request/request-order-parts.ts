/** What the order of requests works with: types only. */
import type { Client } from '../client/client.ts';
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

/** What changes a session is more than a write. */
export interface SessionChanges {
  /** Its connection goes with it. False: the log has no room; nothing has happened. */
  onCloseRequest(request: RequestView): boolean;
  /** The same for a session that is to become one of all servers. */
  upgrade(client: Client): boolean;
}

/** A transaction may be half published: nobody may read then. */
export interface Publication {
  readonly isPublishing: boolean;
}

/** What is answered here because its session is this server's alone (local-sessions.ts). */
export interface LocalAnswers {
  answersHere(request: RequestView): boolean;
  answer(request: RequestView): void;
  /** Before this one is proposed its session has to become one of all servers. */
  mustUpgrade(request: RequestView): boolean;
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
  readonly sessionChanges: () => SessionChanges;
  readonly locals: LocalAnswers;
  readonly committer: Publication;
}

/**
 * What an election machine wants done after a call; its driver does it, in this order. Plain values, any thread.
 */
import type { ElectionNotification, ServerState } from '../../wire/election-notification.ts';
import type { Sid } from '../quorum/member.ts';
import type { QuorumConfig } from '../quorum/quorum-config.ts';
import type { Vote } from './vote.ts';

export interface Outgoing {
  /** Never this server itself. */
  readonly to: readonly Sid[];
  readonly notification: ElectionNotification;
}

export interface LookingVoter {
  readonly sid: Sid;
  /** In another round than that in which this server has decided: it has begun a search since, or was started anew. */
  readonly hasLeft: boolean;
}

export interface Redial {
  readonly sid: Sid;
  readonly pauseMs: number;
}

export interface Decision {
  readonly state: ServerState;
  readonly vote: Vote;
  /** Whose votes decided. */
  readonly voters: readonly Sid[];
}

export interface ElectionStep {
  readonly send: readonly Outgoing[];
  /** Nobody has taken what was last sent: dial all for whom something waits. */
  readonly connectAll: boolean;
  /** Its connection has ended with what it was told: to be dialled again, for an answer or to learn that it is gone. */
  readonly redial: Redial | null;
  readonly decided: Decision | null;
  /** When `onTimer` is to be called, in the caller's time; null = not at all. */
  readonly timerAtMs: number | null;
  /** Another server's is newer than the committed one, and this server is looking. */
  readonly newerConfig: QuorumConfig | null;
  /** A voter that looks while this server leads; or the leader, while it follows. */
  readonly lookingVoter: LookingVoter | null;
}

/** The same while the call is under way. */
export class StepBuilder implements ElectionStep {
  readonly send: Outgoing[] = [];
  connectAll = false;
  redial: Redial | null = null;
  decided: Decision | null = null;
  timerAtMs: number | null = null;
  newerConfig: QuorumConfig | null = null;
  lookingVoter: LookingVoter | null = null;
}

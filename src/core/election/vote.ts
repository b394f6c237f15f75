/**
 * Votes: which of two is better, and when two say the same. Both rules are the protocol's, bit for bit: servers of a mixed
 * ensemble that compared differently would elect different leaders. Pure.
 */
import { type ElectionNotification, NO_VOTE, ServerState } from '../../wire/election-notification.ts';
import type { Sid } from '../quorum/member.ts';
import type { QuorumVerifier } from '../quorum/quorum-verifier.ts';

export interface Vote {
  /** Whom it is for. */
  readonly leader: Sid;
  /** The last transaction that one had logged. */
  readonly zxid: number;
  /** The round it was cast in: the sender's logical clock. */
  readonly electionEpoch: number;
  /** The epoch that `leader` was in. */
  readonly peerEpoch: number;
  /** What the server that told of it was doing. */
  readonly state: number;
  /** Of the notification that told of it; 0 = old, or not kept. */
  readonly version: number;
}

/** What is compared of two candidates. */
export type Candidate = Pick<Vote, 'leader' | 'zxid' | 'peerEpoch'>;

/** Those who do not vote bring this into an election: everybody's vote is better. */
export const NO_CANDIDATE: Candidate = { leader: NO_VOTE, zxid: NO_VOTE, peerEpoch: NO_VOTE };

/** Whether `candidate` is to be voted for instead of `current`. A server without weight never is. */
export function isBetter(candidate: Candidate, current: Candidate, verifier: QuorumVerifier): boolean {
  if (verifier.weightOf(candidate.leader) === 0) return false;
  if (candidate.peerEpoch !== current.peerEpoch) return candidate.peerEpoch > current.peerEpoch;
  if (candidate.zxid !== current.zxid) return candidate.zxid > current.zxid;
  return candidate.leader > current.leader;
}

/**
 * Whether two votes say the same.
 *
 *     one of them LOOKING               leader, zxid, electionEpoch, peerEpoch
 *     neither, exactly one version 0    leader
 *     neither, otherwise                leader, peerEpoch: servers that joined later tell other zxids and rounds
 */
export function sameVote(a: Vote, b: Vote): boolean {
  if (a.leader !== b.leader) return false;
  if (a.state === ServerState.looking || b.state === ServerState.looking)
    return a.zxid === b.zxid && a.electionEpoch === b.electionEpoch && a.peerEpoch === b.peerEpoch;
  if (a.version > 0 !== b.version > 0) return true;
  return a.peerEpoch === b.peerEpoch;
}

export function candidateOf({ leader, zxid, peerEpoch }: Candidate): Candidate {
  return { leader, zxid, peerEpoch };
}

/** What a notification says, kept as of `version`. */
export function voteOf(notification: ElectionNotification, version: number): Vote {
  const { leader, zxid, electionEpoch, peerEpoch, state } = notification;
  return { leader, zxid, electionEpoch, peerEpoch, state, version };
}

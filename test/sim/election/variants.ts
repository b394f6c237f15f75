/** Servers that are broken on purpose, each of which the simulator must find. */
import { type ElectionNotification, ServerState } from '../../../src/wire/election-notification.ts';

/** What leaves a server in place of `notification`; null = nothing. */
type Alter = (notification: ElectionNotification, sid: number) => ElectionNotification | null;

export interface ElectionVariant {
  readonly breaks: string;
  readonly alter?: Alter;
  /** Asks for fewer voters than a quorum. */
  readonly quorum?: 'one less' | 'observers too';
  /** Learners never tell the epoch that is in force. */
  readonly keepsEpochToItself?: true;
  /** Smaller servers dial and say nothing. */
  readonly neverAsksToBeCalled?: true;
  /** After its first dial of a server it dials that one no more. */
  readonly dialsOnce?: true;
  /** It looks once; when a term is over it waits to be told. */
  readonly looksOnce?: true;
}

const isLooking = ({ state }: ElectionNotification): boolean => state === ServerState.looking;

export const ELECTION_VARIANTS: Readonly<Record<string, ElectionVariant>> = {
  zxidForgotten: {
    breaks: 'votes name no zxid, so the largest sid is elected',
    alter: (vote) => ({ ...vote, zxid: 0 }),
  },
  epochForgotten: { breaks: 'votes name no epoch', alter: (vote) => ({ ...vote, peerEpoch: 0 }) },
  smallestSid: {
    breaks: 'of equal histories a small sid is told as the larger',
    alter: (vote) => (isLooking(vote) && vote.leader > 0 ? { ...vote, leader: 1 } : vote),
  },
  neverAdopts: {
    breaks: 'every server goes on telling its own vote',
    alter: (vote, sid) => (isLooking(vote) ? { ...vote, leader: sid } : vote),
  },
  roundStays: {
    breaks: 'the round is always the first',
    alter: (vote) => (isLooking(vote) ? { ...vote, electionEpoch: 1 } : vote),
  },
  silentOnceDecided: {
    breaks: 'who has decided answers nobody',
    alter: (vote) => (isLooking(vote) ? vote : null),
  },
  leaderSaysFollowing: {
    breaks: 'a leader does not say that it leads',
    alter: (vote) => (vote.state === ServerState.leading ? { ...vote, state: ServerState.following } : vote),
  },
  minority: { breaks: 'one server less than a quorum decides', quorum: 'one less' },
  observersCount: { breaks: 'observers are counted among the voters', quorum: 'observers too' },
  keepsEpochToItself: {
    breaks: 'learners tell the epoch of the election, not the one in force',
    keepsEpochToItself: true,
  },
  neverAsksToBeCalled: {
    breaks: 'a smaller server dials a larger one and does not say who it is',
    neverAsksToBeCalled: true,
  },
  dialsOnce: { breaks: 'a server that was down is never dialled again', dialsOnce: true },
  looksOnce: { breaks: 'no election follows a term', looksOnce: true },
};

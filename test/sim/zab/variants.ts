/** Ways to break the protocol, each of which the checks must find. */
export const ZAB_VARIANTS = {
  ackBeforeSync: 'a proposal is acknowledged before it is on the disk',
  leaderSkipsOwnSync: 'the leader counts itself before its own disk has the proposal',
  epochAfterAck: 'NEWLEADER is acknowledged before currentEpoch is saved',
  promiseNotSaved: 'ACKEPOCH goes out before acceptedEpoch is saved',
  syncNotDurable: 'NEWLEADER is acknowledged before the synchronisation is on the disk',
  newerLearnerAccepted: 'a leader goes on although a learner has a newer history',
  minority: 'a leader decides with itself and one more of five',
  observerVotes: 'observers are counted in the quorum',
  forgetsOutstanding: 'a new leader drops what it had logged and not committed',
  truncOneTooFew: 'TRUNC leaves one transaction too many',
  diffFromLast: 'a learner with uncommitted transactions is sent a DIFF as if it had none',
  epochBesideLog: 'an epoch is saved while what was logged before it is not yet on the disk',
  epochReused: 'a leader takes the epoch it had accepted once more',
} as const;
export type ZabVariant = keyof typeof ZAB_VARIANTS | null;

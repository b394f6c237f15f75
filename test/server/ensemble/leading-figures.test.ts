/** What a leader tells of its learners and proposals, counted as Apache counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LearnerFigures } from '../../../src/core/zab/learner-figures.ts';
import { leadingView, ProposalSizes } from '../../../src/server/ensemble/leading-figures.ts';
import { createLinkFaultCounts } from '../../../src/server/ensemble/learner-faults.ts';

test('who is in step and votes, who does not vote, who observes, who is being brought up', () => {
  const learner = (sid: number, phase: LearnerFigures['phase'], isObserver = false): LearnerFigures => ({
    sid,
    phase,
    isObserver,
    lagTxns: 0,
  });
  const learners = [
    learner(1, 'active'),
    learner(2, 'syncing'),
    learner(7, 'active'),
    learner(4, 'active', true),
    learner(0, 'greeting'),
  ];
  const sizes = new ProposalSizes();
  const figures = { learners, voters: new Set([1, 2, 3]), sizes, faults: createLinkFaultCounts() };
  assert.deepEqual(leadingView(figures, 5), {
    learners: 4,
    syncedFollowers: 1,
    syncedNonVotingFollowers: 1,
    syncedObservers: 1,
    pendingSyncs: 0,
    uptimeMs: 5,
    lastProposalBytes: -1,
    minProposalBytes: -1,
    maxProposalBytes: -1,
  });
  for (const bytes of [60, 48, 90]) sizes.add(bytes);
  const { lastProposalBytes, minProposalBytes, maxProposalBytes } = leadingView(figures, 5);
  assert.deepEqual([lastProposalBytes, minProposalBytes, maxProposalBytes], [90, 48, 90]);
});

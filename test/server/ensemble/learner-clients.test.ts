/** Clients of our follower and observer, whose leader is ours as well. */
import { describe } from 'node:test';
import { testClientsOfLearners } from './learner-clients.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';

describe('clients of a learner under a leader of ours', () => {
  testClientsOfLearners((member) => new RingkeeperMember(member));
});

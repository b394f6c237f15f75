/** Clients of our follower and observer, whose leader is Apache 3.8.0, beside Apache's own follower. */
import { describe } from 'node:test';
import { ApacheMember } from '../../support/apache-member.ts';
import { need } from '../../support/skip.ts';
import { testClientsOfLearners } from './learner-clients.ts';

describe('clients of a learner under Apache 3.8.0', { skip: need('java', 'zookeeper') }, () => {
  testClientsOfLearners((member) => new ApacheMember(member));
});

/** When a leader without a quorum looks again: server 1 was elected, and the time is what the test says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MajorityVerifier } from '../../../src/core/quorum/quorum-verifier.ts';
import { Backing } from '../../../src/core/zab/backing.ts';
import { LearnerRecord } from '../../../src/core/zab/learner-record.ts';

/** Those who elected are waited for a second. */
const LATE_MS = 1000;

function backing(
  voters: readonly number[],
  elected: readonly number[],
  coming?: { readonly verifier: MajorityVerifier },
): Backing {
  const committed = { verifier: new MajorityVerifier(voters) };
  return new Backing(1, { voters: elected, committed, lastSeen: coming ?? committed }, 0);
}

function joined(sid: number, link: number): LearnerRecord {
  const learner = new LearnerRecord(link, 10);
  learner.sid = sid;
  learner.phase = 'informed';
  return learner;
}

describe('a leader whose quorum has not formed', () => {
  it('waits as long as nobody looks, however long that is', () => {
    assert.equal(backing([1, 2, 3], [1, 2]).isLost([], 60_000), false);
  });

  it('gives up at once when one of those who elected it looks again, and without it there is no quorum', () => {
    const one = backing([1, 2, 3], [1, 2]);
    one.onLooking(2, true, 1);
    assert.equal(one.isLost([], 5), true);
  });

  it('goes on with the others, when they are a quorum', () => {
    const one = backing([1, 2, 3, 4, 5], [1, 2, 3, 4]);
    one.onLooking(2, true, 1);
    assert.equal(one.isLost([], 5), false);
    one.onLooking(3, true, 1);
    assert.equal(one.isLost([], 5), true);
    assert.equal(one.isLost([joined(5, 1)], 5), false, 'server 5 has come, which did not vote');
  });

  it('has one back that joins after it has looked, but not by the connection it had', () => {
    const one = backing([1, 2, 3], [1, 2]);
    one.onLooking(2, true, 8);
    assert.equal(one.isLost([joined(2, 7)], 5), true);
    assert.equal(one.isLost([joined(2, 7), joined(2, 8)], 5), false);
  });

  it('takes no notice of what was said in the round that elected it', () => {
    const one = backing([1, 2, 3], [1, 2]);
    one.onLooking(2, false, 1);
    assert.equal(one.isLost([], 5), false);
  });

  it('does not wait long for who elected it and does not come, while another one looks', () => {
    const one = backing([1, 2, 3], [1, 2]);
    one.onLooking(3, true, 1);
    assert.equal(one.isLost([], LATE_MS - 1), false);
    assert.equal(one.isLost([], LATE_MS), true);
    assert.equal(one.isLost([joined(2, 1)], LATE_MS), false, 'it has come');
    assert.equal(one.isLost([joined(3, 1)], LATE_MS), false, 'the other one has come');
  });

  it('needs a quorum of both, while members change', () => {
    const one = backing([1, 2, 3], [1, 2, 4], { verifier: new MajorityVerifier([1, 4, 5]) });
    one.onLooking(4, true, 1);
    assert.equal(one.isLost([joined(2, 1)], 5), true);
    assert.equal(one.isLost([joined(2, 1), joined(5, 1)], 5), false);
  });

  it('that a configuration has named expects all', () => {
    const one = backing([1, 2, 3], []);
    one.onLooking(2, true, 1);
    assert.equal(one.isLost([], 5), false);
    one.onLooking(3, true, 1);
    assert.equal(one.isLost([], 5), true);
  });
});

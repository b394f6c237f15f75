import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isBetter, NO_CANDIDATE, sameVote, type Vote } from '../../../src/core/election/vote.ts';
import { HierarchicalVerifier, MajorityVerifier } from '../../../src/core/quorum/quorum-verifier.ts';
import { ServerState } from '../../../src/wire/election-notification.ts';

const majority = new MajorityVerifier([1, 2, 3]);
const { looking, following, leading } = ServerState;

function vote(fields: Partial<Vote> = {}): Vote {
  return { leader: 2, zxid: 7, electionEpoch: 3, peerEpoch: 1, state: looking, version: 0, ...fields };
}

describe('the better vote', () => {
  it('is of the later epoch, then the later transaction, then the larger sid', () => {
    const better = (a: Partial<Vote>, b: Partial<Vote>) => isBetter(vote(a), vote(b), majority);
    assert.ok(better({ peerEpoch: 2, zxid: 0, leader: 1 }, {}));
    assert.ok(better({ zxid: 8, leader: 1 }, {}));
    assert.ok(better({ leader: 3 }, {}));
    assert.ok(!better({}, {}));
    assert.ok(!better({ electionEpoch: 9 }, {}), 'the round is none of it');
    assert.ok(better({}, NO_CANDIDATE));
    assert.ok(!better(NO_CANDIDATE, { zxid: -1, peerEpoch: 0 }));
  });

  it('is a total order', () => {
    const small = fc.record({
      leader: fc.nat(3),
      zxid: fc.integer({ min: -1, max: 2 }),
      peerEpoch: fc.nat(2),
    });
    fc.assert(
      fc.property(small, small, small, (a, b, c) => {
        const [ab, ba, bc, ac] = [
          isBetter(a, b, majority),
          isBetter(b, a, majority),
          isBetter(b, c, majority),
          isBetter(a, c, majority),
        ];
        const equal = a.leader === b.leader && a.zxid === b.zxid && a.peerEpoch === b.peerEpoch;
        assert.equal(Number(ab) + Number(ba) + Number(equal), 1);
        if (ab && bc) assert.ok(ac);
      }),
    );
  });

  it('is never for a server without weight', () => {
    const verifier = new HierarchicalVerifier(
      [1, 2],
      new Map([[1, [1, 2]]]),
      new Map([
        [1, 1],
        [2, 0],
      ]),
    );
    assert.ok(!isBetter(vote({ leader: 2, zxid: 99 }), vote({ leader: 1 }), verifier));
    assert.ok(!isBetter(vote({ leader: 9, zxid: 99 }), vote({ leader: 1 }), verifier), 'nor a stranger');
    assert.ok(isBetter(vote({ leader: 1, zxid: 99 }), vote({ leader: 2 }), verifier));
  });
});

describe('the same vote', () => {
  const CASES: readonly (readonly [a: Partial<Vote>, b: Partial<Vote>, same: boolean])[] = [
    // One of them LOOKING: everything counts but version and state.
    [{}, {}, true],
    [{}, { state: following, version: 2 }, true],
    [{}, { zxid: 8 }, false],
    [{}, { electionEpoch: 4 }, false],
    [{}, { peerEpoch: 2 }, false],
    [{}, { leader: 3 }, false],
    // Neither LOOKING, both of one kind of version: leader and epoch.
    [{ state: leading, version: 2 }, { state: following, version: 2, zxid: 9, electionEpoch: 9 }, true],
    [{ state: leading, version: 2 }, { state: following, version: 1, peerEpoch: 2 }, false],
    [{ state: leading }, { state: following, peerEpoch: 2 }, false],
    // Exactly one without a version: the leader alone.
    [{ state: leading }, { state: following, version: 2, peerEpoch: 2, zxid: 9 }, true],
    [{ state: leading }, { state: following, version: 2, leader: 3 }, false],
  ];

  it('compares as much as both can know', () => {
    for (const [a, b, same] of CASES) {
      assert.equal(sameVote(vote(a), vote(b)), same, JSON.stringify([a, b]));
      assert.equal(sameVote(vote(b), vote(a)), same, JSON.stringify([b, a]));
    }
  });
});

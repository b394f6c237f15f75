/** What decides: the definitions, and that any two deciding sets meet. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  HierarchicalVerifier,
  MajorityVerifier,
  type QuorumVerifier,
} from '../../../src/core/quorum/quorum-verifier.ts';

const quorum = (verifier: QuorumVerifier, ...sids: number[]): boolean =>
  verifier.containsQuorum(new Set(sids));

describe('majority', () => {
  it('is more than half, and strangers do not count', () => {
    const four = new MajorityVerifier([1, 2, 3, 4]);
    assert.equal(quorum(four, 1, 2), false);
    assert.equal(quorum(four, 1, 2, 3), true);
    assert.equal(quorum(four, 1, 2, 8, 9), false);
    assert.equal(quorum(new MajorityVerifier([7]), 7), true);
    assert.equal(quorum(new MajorityVerifier([7])), false);
    assert.equal(quorum(new MajorityVerifier([])), false);
  });

  it('weighs everybody the same, strangers too, as Apache does', () => {
    assert.equal(new MajorityVerifier([1]).weightOf(), 1);
  });
});

describe('hierarchical', () => {
  const groups = new Map([
    [1, [1, 2, 3]],
    [2, [4, 5, 6]],
    [3, [7, 8, 9]],
  ]);
  const ones = new Map([1, 2, 3, 4, 5, 6, 7, 8, 9].map((sid) => [sid, 1]));
  const all = [...ones.keys()];

  it('is a majority of weight in a majority of groups', () => {
    const verifier = new HierarchicalVerifier(all, groups, ones);
    assert.equal(quorum(verifier, 1, 2, 4, 5), true);
    assert.equal(quorum(verifier, 1, 2, 3, 4, 7), false, 'one group');
    assert.equal(quorum(verifier), false);
  });

  it('leaves out a group without weight, and who has none is never elected', () => {
    const verifier = new HierarchicalVerifier(all, groups, new Map([...ones, [7, 0], [8, 0], [9, 0]]));
    assert.equal(quorum(verifier, 1, 2, 4, 5), true);
    assert.equal(quorum(verifier, 1, 2, 7, 8, 9), false);
    assert.equal(verifier.weightOf(7), 0);
    assert.equal(verifier.weightOf(99), 0, 'a stranger');
  });

  it('counts weights, not servers', () => {
    const verifier = new HierarchicalVerifier(
      [1, 2, 3],
      new Map([[1, [1, 2, 3]]]),
      new Map([...ones, [1, 3]]),
    );
    assert.equal(quorum(verifier, 1), true);
    assert.equal(quorum(verifier, 2, 3), false);
  });

  it('never counts an observer of a group, but its weight has to be outweighed', () => {
    const verifier = new HierarchicalVerifier([1, 2], new Map([[1, [1, 2, 3]]]), ones);
    assert.equal(quorum(verifier, 1, 3), false);
    assert.equal(quorum(verifier, 1, 2), true);
  });
});

describe('any two quorums', () => {
  const sids = [1, 2, 3, 4, 5, 6, 7];
  const member = fc.record({ group: fc.integer({ min: 1, max: 3 }), weight: fc.nat(3) });

  it('have a server in common', () => {
    const ensemble = fc.array(member, { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(ensemble, fc.boolean(), (members, isHierarchical) => {
        const voters = sids.slice(0, members.length);
        const groups = new Map<number, number[]>();
        const weights = new Map<number, number>();
        for (const [i, { group, weight }] of members.entries()) {
          groups.set(group, [...(groups.get(group) ?? []), voters[i]!]);
          weights.set(voters[i]!, weight);
        }
        const verifier = isHierarchical
          ? new HierarchicalVerifier(voters, groups, weights)
          : new MajorityVerifier(voters);
        const subsets = Array.from({ length: 1 << voters.length }, (_, mask) =>
          voters.filter((_, i) => ((mask >> i) & 1) === 1),
        );
        for (const some of subsets) {
          if (!quorum(verifier, ...some)) continue;
          const others = voters.filter((sid) => !some.includes(sid));
          assert.equal(quorum(verifier, ...others), false, `${some} and ${others}`);
          for (const more of voters)
            assert.equal(quorum(verifier, ...some, more), true, 'more is enough too');
        }
      }),
    );
  });
});

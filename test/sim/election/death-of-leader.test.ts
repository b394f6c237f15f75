/**
 * The leader's process is killed, and its connections end in any order: the others have another leader at once, because a dial
 * shows that it is gone. On virtual time, so how long it takes is a fact.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Term, TermControl } from '../../../src/server/ensemble/role-runner.ts';
import { World } from '../world.ts';
import { Member, type MemberWorld, type PlayedTerm, type Process } from './member.ts';
import { ElectionNetwork } from './network.ts';

const LATENCY_MS_MAX = 5;
/** Some ways there and back; the wait for a better vote is 200 ms. */
const AT_ONCE_MS = 12 * LATENCY_MS_MAX;
/** All have their links. */
const PEACE_MS = 500;
const SEEDS = 30;

class Ensemble implements MemberWorld {
  readonly world: World;
  readonly network: ElectionNetwork;
  readonly variant = null;
  readonly members: readonly Member[];

  constructor(seed: number, voters: number) {
    this.world = new World(seed, false);
    this.network = new ElectionNetwork(this.world, LATENCY_MS_MAX);
    this.members = Array.from({ length: voters }, (_, i) => new Member(this, i + 1, false));
  }

  begin(process: Process, term: Term, control: TermControl): PlayedTerm {
    const { member } = process;
    const played: PlayedTerm = {
      ...{ term, epoch: 1 },
      drop: () => {},
      follow: () => {},
      onLookingVoter: () => {},
      end: (reason) => {
        process.term = null;
        control.over({ reason, standing: member.standing, designated: null });
      },
    };
    process.term = played;
    return played;
  }

  /** All of them with one leader. */
  async leaderOf(members: readonly Member[], limitMs: number): Promise<Member | null> {
    const leaders = (): Set<number | undefined> => new Set(members.map(({ term }) => term?.term.leader));
    const areOne = (): boolean => leaders().size === 1 && !leaders().has(undefined);
    if (!(await this.world.run(areOne, limitMs))) return null;
    return this.members.find(({ sid }) => leaders().has(sid))!;
  }
}

describe('the leader is killed', () => {
  for (const [voters, dyingMs] of [
    [3, 0],
    [5, 0],
    [3, 10],
    [5, 10],
  ] as const) {
    const how = dyingMs === 0 ? '' : `, whose port takes connections for ${dyingMs} ms more`;
    it(`of ${voters}${how}: the others have another within ${AT_ONCE_MS} ms`, async () => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const ensemble = new Ensemble(seed, voters);
        const { world, members } = ensemble;
        ensemble.network.dyingMs = dyingMs;
        for (const member of members) member.start();
        const leader = await ensemble.leaderOf(members, 5000);
        assert.ok(leader !== null);
        await world.run(() => false, PEACE_MS);
        leader.crash(false);
        const others = members.filter((member) => member !== leader);
        // The connections of their terms end before or after those of the election.
        for (const { process } of others)
          world.after(world.span(0.1, LATENCY_MS_MAX), () => process!.term!.end('the leader is gone'));
        await world.run(
          () => others.every(({ term }) => term === null || term.term.leader !== leader.sid),
          100,
        );
        const next = await ensemble.leaderOf(others, AT_ONCE_MS);
        assert.ok(next !== null, `seed ${seed}`);
        assert.notEqual(next, leader);
      }
    });
  }
});

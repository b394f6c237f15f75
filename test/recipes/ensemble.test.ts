/**
 * Recipes on three servers, of ours and of Apache 3.8.0, each client at another one, while the leader is killed and comes back: exclusion by
 * history, one leader by token, each item once, a barrier never passed early, no change of a number lost.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, isZk, op, utf8, type Zk } from '../../src/client/index.ts';
import {
  counter,
  discovery,
  doubleBarrier,
  election,
  LeaseLostError,
  lock,
  queue,
} from '../../src/recipes/index.ts';
import { RingkeeperMember } from '../server/ensemble/ringkeeper-member.ts';
import { ApacheMember, type MemberOptions } from '../support/apache-member.ts';
import { freePorts } from '../support/free-ports.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { until } from '../support/until.ts';

const SIDS = [1, 2, 3];

interface Proof {
  readonly zxid: number;
  readonly token: number;
}

type Member = ApacheMember | RingkeeperMember;

for (const [name, make, missing] of [
  ['ringkeeper', (options: MemberOptions) => new RingkeeperMember(options), needRingkeeper()],
  ['Apache 3.8.0', (options: MemberOptions) => new ApacheMember(options), need('java', 'zookeeper')],
] as const)
  describe(`recipes on three servers of ${name}`, { skip: missing }, () => {
    const members: Member[] = [];
    const clients: Zk[] = [];

    before(async () => {
      const ports = await freePorts(2 * SIDS.length);
      const servers = Object.fromEntries(
        SIDS.map((sid, i) => [sid, `127.0.0.1:${ports[2 * i]}:${ports[2 * i + 1]}`]),
      );
      for (const sid of SIDS) members.push(make({ sid, servers, config: { maxSessionTimeout: '40000' } }));
      await Promise.all(members.map((member) => member.start()));
      for (const member of members) await until(async () => (await member.mode()) !== null);
      const all = members.map(({ address }) => address);
      // Each begins at a server of its own; when that one is gone, at any other.
      for (const member of members) {
        // Long enough that no session ends because an exchange of leaders takes its time on a busy machine.
        const zk = await connect(member.address, { sessionTimeoutMs: 20_000 });
        zk.updateServers([member.address, ...all].join());
        clients.push(zk);
      }
    });

    after(async () => {
      await Promise.all(clients.map((zk) => zk.close()));
      await Promise.all(members.map((member) => member.dispose()));
    });

    it('hold while the leader is killed and comes back', async () => {
      const [zk] = clients;
      const state = { isOver: false };
      /** The resource: it knows the largest token that it has seen, and refuses smaller ones. */
      const resource = { token: 0, writes: 0 };
      const holds: Proof[] = [];
      const terms: Proof[] = [];
      const locking = clients.map(async (one) => {
        let rounds = 0;
        while (!state.isOver || rounds < 5) {
          await lock(one, '/three/lock')
            .do(async (lease) => {
              holds.push({ zxid: await lease.verify(), token: lease.token });
              // Who comes too late is refused.
              if (lease.token < resource.token) return;
              assert.ok(lease.token > resource.token);
              resource.token = lease.token;
              resource.writes++;
              rounds++;
            })
            .catch(onlyLost);
        }
      });
      const leading = clients.map(async (one) => {
        while (!state.isOver) {
          await election(one, '/three/leader')
            .do(async (term) => {
              terms.push({ zxid: await term.verify(), token: term.token });
            })
            .catch(onlyLost);
        }
      });
      let added = 0;
      let unknown = 0;
      /** The end of a session is all that may leave it open. */
      const onlyUnknown = (error: unknown): void => {
        assert.ok(isZk(error) && error.outcome !== 'refused', String(error));
        if (error.outcome === 'unknown') unknown++;
      };
      const adding = clients.map(async (one) => {
        const sum = counter(one, '/three/sum', { exactlyOnce: true });
        while (!state.isOver) {
          await sum.add(1).then(() => added++, onlyUnknown);
        }
      });
      const items = queue(zk!, '/three/jobs', utf8);
      await items.putAll(Array.from({ length: 60 }, (_, i) => `job ${i}`));
      await zk!.ensurePath('/three/done');
      const working = clients.map(async (one) => {
        const mine = queue(one, '/three/jobs', utf8);
        for (;;) {
          const [claim] = await claimOr(mine, async () => (await mine.items()).length === 0);
          if (claim === undefined) break;
          // A job that is done twice fails here: its result is there already.
          const result = op.create(`/three/done/${claim.value.replace(' ', '-')}`);
          await claim.done([result]).catch((error) => error instanceof LeaseLostError || onlyUnknown(error));
        }
      });
      const leader = await leaderOf(members);
      await leader.kill();
      await until(async () => (await leaderOf(members)) !== leader);
      await leader.start();
      // It follows, or leads again where the others were late.
      await until(async () => (await leader.mode()) !== null);
      await Promise.all(working);
      state.isOver = true;
      await Promise.all([...locking, ...leading, ...adding]);
      inOrder(holds);
      inOrder(terms);
      assert.ok(resource.writes >= 15);
      const sum = await counter(zk!, '/three/sum', { exactlyOnce: true }).get();
      assert.ok(sum >= added && sum <= added + unknown, `${sum} after ${added}, and ${unknown} unknown`);
      assert.deepEqual(await items.items(), []);
      assert.equal((await zk!.children('/three/done')).names.length, 60);
    });

    it('begin and end together, and find each other', async () => {
      for (let round = 0; round < 5; round++) {
        let entered = 0;
        let left = 0;
        await Promise.all(
          clients.map(async (zk, i) => {
            const barrier = doubleBarrier(zk, `/three/round-${round}`, { members: 3 });
            if (i === 2) await until(async () => (await zk.exists(`/three/round-${round}`)) !== null);
            entered++;
            await barrier.enter();
            assert.equal(entered, 3);
            left++;
            await barrier.leave();
            assert.equal(left, 3);
          }),
        );
      }
      const all = clients.map((zk, i) =>
        discovery(zk, '/three/services').register({ name: 'web', id: `i${i}`, address: 'h' }),
      );
      await Promise.all(all.map((one) => one.ready()));
      for (const zk of clients) {
        await using web = await discovery(zk, '/three/services').provider('web');
        await web.sync();
        assert.equal(web.instances.length, 3);
      }
      await Promise.all(all.map((one) => one.close()));
    });
  });

/** What an exchange of leaders may do to a holder; anything else fails the test. True. */
function onlyLost(error: unknown): true {
  assert.ok(error instanceof LeaseLostError, String(error));
  return true;
}

/** Of each term, the moment at which a quorum had it so: whenever this process heard of it, tokens grow in that order. */
function inOrder(proofs: readonly Proof[]): void {
  const tokens = proofs.toSorted((a, b) => a.zxid - b.zxid).map(({ token }) => token);
  assert.deepEqual(
    tokens,
    tokens.toSorted((a, b) => a - b),
  );
}

/** One claim, or none once `isDone`: others may have all the items, and give some back. */
async function claimOr<T>(
  items: { tryClaim(): Promise<T | null> },
  isDone: () => Promise<boolean>,
): Promise<T[]> {
  const claims: T[] = [];
  await until(async () => {
    const claim = await items.tryClaim();
    if (claim !== null) claims.push(claim);
    return claim !== null || (await isDone());
  });
  return claims;
}

async function leaderOf(members: readonly Member[]): Promise<Member> {
  const leaders: Member[] = [];
  await until(async () => {
    for (const member of members) if ((await member.mode()) === 'leader') leaders.push(member);
    return leaders.length > 0;
  });
  return leaders[0]!;
}

/** Locks on real servers: exclusion by history, order, release at a broken connection, the neighbours' dialects. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, isZk, op, type Zk } from '../../src/client/index.ts';
import { AcquireTimeoutError, LeaseLostError, lock, MixedDialectError } from '../../src/recipes/index.ts';
import { ApacheServer } from '../support/apache.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import type { TestServer } from '../support/server.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { until } from '../support/until.ts';
import { cutAtEachStep } from './support/cuts.ts';

for (const [name, make, missing] of [
  ['ringkeeper', () => new RingkeeperServer({}), needRingkeeper()],
  ['Apache 3.8.0', () => new ApacheServer({}), need('java', 'zookeeper')],
] as const) {
  describe(`lock on ${name}`, { skip: missing }, () => {
    let server: TestServer;
    let zk: Zk;

    before(async () => {
      server = make();
      await server.start();
      zk = await connect(server.address);
    });

    after(async () => {
      await zk?.close();
      await server?.dispose();
    });

    it('has one holder at a time, in order, with growing tokens', async () => {
      const clients = await Promise.all(Array.from({ length: 8 }, () => connect(server.address)));
      let inside = 0;
      const tokens: number[] = [];
      const work = clients.map(async (client) => {
        for (let round = 0; round < 5; round++) {
          await using lease = await lock(client, '/locks/a').acquire();
          assert.equal(++inside, 1);
          tokens.push(lease.token);
          await lease.verify();
          inside--;
        }
      });
      await Promise.all(work);
      assert.equal(tokens.length, 40);
      assert.deepEqual(
        tokens,
        [...tokens].sort((a, b) => a - b),
      );
      assert.equal(new Set(tokens).size, 40);
      await Promise.all(clients.map((client) => client.close()));
      assert.deepEqual(await lock(zk, '/locks/a').contenders(), []);
    });

    it('is tried, given up in time, and given up when asked to; nothing is left behind', async () => {
      await using held = await lock(zk, '/locks/b').acquire({ data: 'holder' });
      await using other = await connect(server.address);
      const second = lock(other, '/locks/b');
      assert.equal(await second.tryAcquire(), null);
      await assert.rejects(second.acquire({ timeoutMs: 50 }), AcquireTimeoutError);
      const stop = new AbortController();
      const waiting = second.acquire({ signal: stop.signal });
      await until(async () => (await second.contenders()).length === 2);
      stop.abort(new Error('not any more'));
      await assert.rejects(waiting, /not any more/);
      await until(async () => (await second.contenders()).length === 1);
      assert.equal(Buffer.from((await zk.getData(held.path)).data!).toString(), 'holder');
    });

    it('binds writes to it, and says when it is lost', async () => {
      await zk.create('/resource', '0');
      const lease = await lock(zk, '/locks/c').acquire();
      const [stat] = await lease.guard([op.setData('/resource', '1')]);
      assert.equal(stat.version, 1);
      await zk.delete(lease.path);
      await assert.rejects(lease.guard([op.setData('/resource', '2')]), LeaseLostError);
      assert.ok(lease.signal.aborted);
      assert.throws(() => lease.assertHeld(), LeaseLostError);
      assert.equal(Buffer.from((await zk.getData('/resource')).data!).toString(), '1');
    });

    it('fires the signal when the connection is gone, and its znode goes once there is one again', async () => {
      await using own = await connect(server.address);
      const lease = await lock(own, '/locks/d').acquire();
      await server.kill();
      await until(async () => lease.signal.aborted);
      assert.ok(lease.signal.reason instanceof LeaseLostError);
      await server.start();
      await lease.release();
      await until(async () => (await lock(zk, '/locks/d').contenders()).length === 0);
    });

    it('goes on waiting over a restart of the server', async () => {
      await using own = await connect(server.address);
      const lease = await lock(zk, '/locks/e', { policy: 'session' }).acquire();
      const waiting = lock(own, '/locks/e').acquire();
      await until(async () => (await lock(zk, '/locks/e').contenders()).length === 2);
      await server.kill();
      await server.start();
      await until(async () => zk.state === 'connected');
      assert.ok(!lease.signal.aborted);
      await lease.release();
      await using next = await waiting;
      assert.ok(next.token > lease.token);
    });

    it('refuses to share a path with names that do not see ours', async () => {
      await zk.create('/locks/f', null, { parents: 'persistent' });
      await zk.create(`/locks/f/${'0'.repeat(32)}__lock__`, null, { mode: 'ephemeralSequential' });
      await assert.rejects(lock(zk, '/locks/f').acquire(), MixedDialectError);
      await zk.create('/locks/f/not-a-contender', null);
      await assert.rejects(
        lock(zk, '/locks/f', { dialect: 'kazoo' }).acquire({ timeoutMs: 50 }),
        AcquireTimeoutError,
      );
    });

    it('is not taken by who only sees other data in the znode in front', async () => {
      await using other = await connect(server.address);
      await using held = await lock(zk, '/locks/h').acquire();
      let came = false;
      const waiting = lock(other, '/locks/h').acquire();
      void waiting.then(() => {
        came = true;
      });
      await until(async () => (await lock(zk, '/locks/h').contenders()).length === 2);
      for (let i = 0; i < 5; i++) await zk.setData(held.path, `note ${i}`);
      await other.sync();
      await other.sync();
      assert.ok(!came);
      await held.release();
      await (await waiting).release();
    });

    it('is had several times by an owner that names itself', async () => {
      const mine = lock(zk, '/locks/i');
      const first = await mine.acquire({ owner: 'job' });
      const [second, third] = await Promise.all([
        mine.acquire({ owner: 'job' }),
        mine.acquire({ owner: 'job', timeoutMs: 60_000 }),
      ]);
      assert.deepEqual([second.token, third.token], [first.token, first.token]);
      assert.equal((await mine.contenders()).length, 1);
      await assert.rejects(mine.acquire({ owner: 'other', timeoutMs: 30 }), AcquireTimeoutError);
      await first.release();
      await first.release();
      await second.release();
      assert.throws(() => second.assertHeld(), LeaseLostError);
      await third.verify();
      await zk.delete(third.path);
      await assert.rejects(third.verify(), LeaseLostError);
      await using next = await mine.acquire({ owner: 'other', timeoutMs: 60_000 });
      assert.ok(next.token > first.token);
    });

    it('tells its holder that somebody wants it, or has taken it', async () => {
      await using other = await connect(server.address);
      const mine = lock(zk, '/locks/j');
      const theirs = lock(other, '/locks/j');
      assert.equal(await theirs.revoke(), false);
      const lease = await mine.acquire();
      const revoked = mine.revoked(lease);
      const waiting = theirs.acquire();
      await until(async () => (await mine.contenders()).length === 2);
      assert.equal(await theirs.revoke(), true);
      assert.equal(await revoked, true);
      assert.ok(lease.isHeld);
      await lease.release();
      const next = await waiting;
      const forced = theirs.revoked(next);
      await zk.delete(next.path);
      assert.equal(await forced, false);
      assert.ok(next.signal.reason instanceof LeaseLostError);
      const quiet = await mine.acquire();
      const asked = mine.revoked(quiet);
      await quiet.release();
      assert.equal(await asked, false);
    });

    for (const dialect of ['curator', 'kazoo', 'zookeeper'] as const)
      it(`is right when the connection is cut at any step, by names of ${dialect}, and leaves nothing behind`, async () => {
        const watcher = lock(zk, `/locks/k-${dialect}`, { dialect });
        await cutAtEachStep(server.address, async (cut) => {
          const one = lock(cut, `/locks/k-${dialect}`, { dialect, policy: 'session' });
          const held = await watcher.acquire();
          const waiting = one.acquire();
          await until(async () => (await watcher.contenders()).length >= 2);
          await held.release();
          await using lease = await waiting;
          assert.equal(await watcher.tryAcquire(), null);
          await lease.release();
          assert.ok(await one.tryAcquire().then((again) => again?.release().then(() => true)));
          await until(async () => (await watcher.contenders()).length === 0);
        });
      });

    for (const policy of ['suspended', 'session'] as const)
      it(`is proved or lost when the connection is cut meanwhile, by policy ${policy}`, async () => {
        await cutAtEachStep(server.address, async (cut, { expires }) => {
          const lease = await lock(cut, `/locks/l-${policy}`, { policy }).acquire();
          const proof = await lease.verify().catch((error: unknown) => error);
          if (policy === 'suspended' || expires)
            assert.ok(typeof proof === 'number' || proof instanceof LeaseLostError, String(proof));
          else assert.equal(typeof proof, 'number', String(proof));
          await lease.release();
        });
      });

    it('runs work inside, and releases whatever happens', async () => {
      const guarded = lock(zk, '/locks/g');
      assert.equal(await guarded.do(async (lease) => lease.isHeld), true);
      await assert.rejects(
        guarded.do(async () => {
          await zk.getData('/none');
        }),
        (error) => isZk(error, 'NONODE'),
      );
      await until(async () => (await guarded.contenders()).length === 0);
    });
  });
}

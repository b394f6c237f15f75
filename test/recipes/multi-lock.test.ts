/** Several locks as one, on real servers: no circle, all or none, a connection cut at each step. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect, MultiError, op } from '../../src/client/index.ts';
import { AcquireTimeoutError, LeaseLostError, lock, multiLock } from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { cutAtEachStep } from './support/cuts.ts';
import { onEachServer } from './support/servers.ts';

onEachServer('multi-lock', (ground) => {
  const left = async (): Promise<number> =>
    (await lock(ground.zk, '/many/a').contenders()).length +
    (await lock(ground.zk, '/many/b').contenders()).length;

  it('waits in no circle, and has one holder of all', async () => {
    await using other = await connect(ground.server.address);
    let inside = 0;
    const work = [
      multiLock(ground.zk, ['/many/a', '/many/b']),
      multiLock(other, ['/many/b', '/many/a', '/many/b']),
    ].map(async (both) => {
      for (let round = 0; round < 5; round++) {
        await using held = await both.acquire();
        assert.equal(++inside, 1);
        assert.equal(held.leases.length, 2);
        for (const lease of held.leases) await lease.verify();
        held.assertHeld();
        inside--;
      }
    });
    await Promise.all(work);
    assert.throws(() => multiLock(other, []), TypeError);
  });

  it('binds writes to all of its locks, and says which is lost', async () => {
    const { zk } = ground;
    await zk.create('/many/resource', '0', { parents: 'persistent' });
    for (const lost of [0, 1]) {
      await using held = await multiLock(zk, ['/many/a', '/many/b']).acquire();
      const [stat] = await held.guard([op.setData('/many/resource', 'mine')]);
      assert.equal(stat.version, 2 * lost + 1);
      await assert.rejects(held.guard([op.create('/many/resource')]), MultiError);
      held.assertHeld();
      await zk.setData('/many/resource', 'theirs');
      await zk.delete(held.leases[lost]!.path);
      await assert.rejects(held.guard([op.setData('/many/resource', 'late')]), LeaseLostError);
      assert.ok(held.signal.aborted && held.leases[lost]!.signal.aborted);
      assert.equal(held.leases[1 - lost]!.signal.aborted, false);
      assert.equal(Buffer.from((await zk.getData('/many/resource')).data!).toString(), 'theirs');
    }
  });

  it('has all or none', async () => {
    await using other = await connect(ground.server.address);
    await using _taken = await lock(other, '/many/b').acquire();
    const both = multiLock(ground.zk, ['/many/a', '/many/b']);
    await assert.rejects(both.acquire({ timeoutMs: 50 }), AcquireTimeoutError);
    await until(async () => (await left()) === 1);
  });

  it('is right when the connection is cut at any step, and leaves nothing behind', async () => {
    await cutAtEachStep(ground.server.address, async (zk) => {
      try {
        await using held = await multiLock(zk, ['/many/a', '/many/b']).acquire();
        assert.equal(await lock(ground.zk, '/many/a').tryAcquire(), null);
        assert.equal(await lock(ground.zk, '/many/b').tryAcquire(), null);
        held.assertHeld();
      } catch (error) {
        // The first was lost while the second was waited for.
        assert.ok(error instanceof LeaseLostError, String(error));
      }
      await until(async () => (await left()) === 0);
    });
  });
});

/** Barriers on real servers: nobody passes early by history, late comers, those who die, a connection cut at each step. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect } from '../../src/client/index.ts';
import { AcquireTimeoutError, barrier, doubleBarrier } from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { cutAtEachStep } from './support/cuts.ts';
import { onEachServer } from './support/servers.ts';

onEachServer('barrier', (ground) => {
  it('holds everybody until it is removed', async () => {
    await using other = await connect(ground.server.address);
    const mine = barrier(ground.zk, '/barrier/a');
    await mine.wait();
    assert.equal(await mine.set(), true);
    assert.equal(await mine.set(), false);
    await assert.rejects(mine.wait({ timeoutMs: 30 }), AcquireTimeoutError);
    let open = false;
    const waiting = [mine, barrier(other, '/barrier/a')].map(async (one) => {
      await one.wait();
      assert.ok(open);
    });
    await ground.zk.setData('/barrier/a', 'still closed');
    await ground.zk.sync();
    open = true;
    await mine.remove();
    await Promise.all(waiting);
    await mine.remove();
  });

  it('is right when the connection is cut at any step', async () => {
    await cutAtEachStep(ground.server.address, async (zk, { label }) => {
      const one = barrier(zk, `/barrier/cut-${label}`);
      const watcher = barrier(ground.zk, one.path);
      await one.set().catch(() => watcher.set());
      let open = false;
      const waiting = one.wait().then(() => assert.ok(open));
      await ground.zk.sync();
      open = true;
      await watcher.remove();
      await waiting;
    });
  });
});

onEachServer('double barrier', (ground) => {
  it('lets nobody in before all are there, nor out before all go', async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(ground.server.address)));
    for (let round = 0; round < 4; round++) {
      let arrived = 0;
      let leaving = 0;
      const work = clients.map(async (client) => {
        const both = doubleBarrier(client, `/double/round-${round}`, { members: 5 });
        arrived++;
        await both.enter();
        assert.equal(arrived, 5);
        await client.sync();
        leaving++;
        await both.leave();
        assert.equal(leaving, 5);
      });
      await Promise.all(work);
      await until(async () => (await ground.zk.children(`/double/round-${round}`)).names.length === 0);
    }
    await Promise.all(clients.map((client) => client.close()));
  });

  it('waits no longer than asked, and for nobody who died inside', async () => {
    const mine = doubleBarrier(ground.zk, '/double/b', { members: 2 });
    await assert.rejects(mine.enter({ timeoutMs: 50 }), AcquireTimeoutError);
    // It may have been so late that there is no znode at all.
    await until(async () => ((await ground.zk.exists('/double/b'))?.numChildren ?? 0) === 0);
    const other = await connect(ground.server.address);
    await Promise.all([mine.enter(), doubleBarrier(other, '/double/b', { members: 2 }).enter()]);
    const out = mine.leave();
    await other.close();
    await out;
  });

  it('is right when the connection is cut at any step, and leaves nothing behind', async () => {
    await cutAtEachStep(ground.server.address, async (zk, { label }) => {
      const path = `/double/cut-${label}`;
      const one = doubleBarrier(zk, path, { members: 2 });
      const two = doubleBarrier(ground.zk, path, { members: 2 });
      let arrived = false;
      const entering = one.enter().then(() => assert.ok(arrived));
      await until(async () => {
        const stat = await ground.zk.exists(path);
        return stat !== null && stat.numChildren > 0;
      });
      arrived = true;
      await Promise.all([entering, two.enter()]);
      await Promise.all([one.leave(), two.leave()]);
      await until(async () => (await ground.zk.children(path)).names.length === 0);
    });
  });
});

/** Semaphores on real servers: never more in than places by history, weights, limits, a connection cut at each step. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect } from '../../src/client/index.ts';
import { AcquireTimeoutError, LeaseLostError, semaphore } from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { cutAtEachStep } from './support/cuts.ts';
import { onEachServer } from './support/servers.ts';

onEachServer('semaphore', (ground) => {
  it('never has more in than places, whatever their weights', async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(ground.server.address)));
    let inside = 0;
    const work = clients.map(async (client, i) => {
      const places = semaphore(client, '/sem/a', { max: 3 });
      for (let round = 0; round < 3; round++) {
        const weight = 1 + ((i + round) % 2);
        await using lease = await places.acquire({ weight });
        inside += weight;
        assert.ok(inside <= 3, `${inside} places taken`);
        await lease.verify();
        inside -= weight;
      }
    });
    await Promise.all(work);
    await until(async () => (await semaphore(ground.zk, '/sem/a', { max: 3 }).taken()) === 0);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('gives up in time, with none of its places kept', async () => {
    await using other = await connect(ground.server.address);
    const places = semaphore(ground.zk, '/sem/b', { max: 2 });
    await using held = await places.acquire();
    await assert.rejects(
      semaphore(other, '/sem/b', { max: 2 }).acquire({ weight: 2, timeoutMs: 100 }),
      AcquireTimeoutError,
    );
    await until(async () => (await places.taken()) === 1);
    await using second = await semaphore(other, '/sem/b', { max: 2 }).acquire();
    assert.notEqual(second.token, held.token);
    await assert.rejects(places.acquire({ weight: 3 }), TypeError);
    assert.throws(() => semaphore(other, '/sem/b', { max: 0 }), TypeError);
  });

  it('is right when the connection is cut at any step, and leaves nothing behind', async () => {
    const watcher = semaphore(ground.zk, '/sem/c', { max: 2 });
    await cutAtEachStep(ground.server.address, async (zk, { expires }) => {
      await using lease = await semaphore(zk, '/sem/c', { max: 2, policy: 'session' }).acquire({ weight: 2 });
      const taken = await watcher.taken();
      // The mutex is given back behind it: when that is where the session ends, the places may be gone already.
      const isHeld = await lease.verify().then(
        () => true,
        (error) => !(error instanceof LeaseLostError),
      );
      assert.ok(taken === 2 || (expires && !isHeld), `${taken} places taken`);
      await lease.release();
      await until(async () => (await watcher.taken()) === 0);
    });
  });

  it('refuses another limit than that of kazoo', async () => {
    await using held = await semaphore(ground.zk, '/sem/d', { max: 2, dialect: 'kazoo' }).acquire();
    assert.ok(held.isHeld);
    await assert.rejects(
      semaphore(ground.zk, '/sem/d', { max: 3, dialect: 'kazoo' }).acquire(),
      /the limit there is 2/,
    );
  });
});

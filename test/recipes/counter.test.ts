/** Counters on real servers: no change lost or counted twice, what is unknown is said, blocks, a connection cut at each step. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect, isZk } from '../../src/client/index.ts';
import { counter, idGenerator } from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { cutAtEachStep } from './support/cuts.ts';
import { onEachServer } from './support/servers.ts';

onEachServer('counter', (ground) => {
  it('loses no change, in each format, and forgets no marker', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => connect(ground.server.address)));
    for (const format of ['decimal', 'int32', 'int64'] as const) {
      for (const exactlyOnce of [false, true]) {
        const path = `/counters/${format}-${exactlyOnce}`;
        const sums = await Promise.all(
          clients.map(async (client) => {
            const own: number[] = [];
            for (let i = 0; i < 10; i++)
              own.push(await counter(client, path, { format, exactlyOnce }).add(i % 2 === 0 ? 3 : -1));
            return own;
          }),
        );
        assert.equal(sums.flat().length, 40);
        assert.equal(await counter(ground.zk, path, { format }).get(), 40);
        await until(async () => (await ground.zk.children(path)).names.length === 0);
      }
    }
    await Promise.all(clients.map((client) => client.close()));
  });

  it('refuses what does not fit', async () => {
    const small = counter(ground.zk, '/counters/small', { format: 'int32' });
    assert.equal(await small.add(0x7fffffff), 0x7fffffff);
    await assert.rejects(small.add(1), RangeError);
    assert.throws(() => small.add(0.5), TypeError);
    await ground.zk.create('/counters/text', 'seven');
    await assert.rejects(counter(ground.zk, '/counters/text').get(), TypeError);
    assert.equal(await counter(ground.zk, '/counters/none').get(), 0);
  });

  it('counts exactly once when the connection is cut at any step', async () => {
    let expected = 0;
    let unknown = 0;
    const observed = counter(ground.zk, '/counters/once');
    await cutAtEachStep(ground.server.address, async (zk, { expires }) => {
      try {
        expected++;
        await counter(zk, '/counters/once', { exactlyOnce: true }).add(1);
        assert.equal(await observed.get(), expected);
      } catch (error) {
        // Only the end of the session leaves it open.
        assert.ok(isZk(error) && error.outcome !== 'refused' && expires, String(error));
        unknown++;
        expected = await observed.get();
      }
    });
    assert.ok(unknown <= 2);
  });

  it('says what it cannot know, and only that, when the connection is cut at any step', async () => {
    await cutAtEachStep(ground.server.address, async (zk, { label }) => {
      const one = counter(zk, `/counters/plain-${label}`);
      const observed = counter(ground.zk, one.path);
      try {
        assert.equal(await one.add(1), 1);
        assert.equal(await observed.get(), 1);
      } catch (error) {
        assert.ok(isZk(error) && error.outcome !== 'refused', String(error));
        if (error.outcome === 'notSent') assert.equal(await observed.get(), 0);
      }
    });
  });

  it('gives every number to one only, also when the connection is cut', async () => {
    const seen = new Set<number>();
    const draw = async (source: { id(): Promise<number> }, count: number): Promise<void> => {
      const ids = await Promise.all(Array.from({ length: count }, () => source.id()));
      for (const id of ids) {
        assert.ok(!seen.has(id), `${id} was given twice`);
        seen.add(id);
      }
    };
    await cutAtEachStep(ground.server.address, async (zk) => {
      const one = idGenerator(zk, '/ids', { block: 5 });
      await Promise.all([draw(one, 12), draw(idGenerator(ground.zk, '/ids', { block: 3 }), 7)]);
    });
    assert.throws(() => idGenerator(ground.zk, '/ids', { block: 0 }), TypeError);
  });
});

/** Configurations on real servers: layers, validation, versions, rollback, followers, a connection cut at each step. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect, isZk, type StandardSchema } from '../../src/client/index.ts';
import { merge } from '../../src/recipes/config/layers.ts';
import { type ConfigChange, config } from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { cutAtEachStep } from './support/cuts.ts';
import { onEachServer } from './support/servers.ts';

interface Limits {
  readonly limit: number;
  readonly names?: readonly string[];
}

const schema: StandardSchema<Limits> = {
  '~standard': {
    version: 1,
    validate(value) {
      const { limit } = value as Limits;
      return Number.isInteger(limit)
        ? { value: value as Limits }
        : { issues: [{ message: 'is no whole number', path: ['limit'] }] };
    },
  },
};

it('merges layers key by key, and replaces what is no object', () => {
  const merged = merge([
    { a: { x: 1, y: 2 }, list: [1, 2], kept: true },
    { a: { y: 3 }, list: [3] },
    { a: { z: 4 }, none: undefined },
  ]);
  assert.deepEqual(merged, { a: { x: 1, y: 3, z: 4 }, list: [3], kept: true });
  assert.equal(Object.getPrototypeOf(merge([JSON.parse('{"__proto__":{"a":1}}')])), Object.prototype);
});

onEachServer('config', (ground) => {
  it('is the layers together, validated before it is written and before it is taken', async () => {
    const { zk } = ground;
    await assert.rejects(config(zk, '/cfg/a', { schema }), /limit: is no whole number/);
    await using mine = await config(zk, '/cfg/a', {
      schema,
      base: { limit: 1 },
      overrides: { names: ['me'] },
    });
    assert.deepEqual([mine.value, mine.version], [{ limit: 1, names: ['me'] }, -1]);
    const seen: ConfigChange<Limits>[] = [];
    const following = (async () => {
      for await (const change of mine.changes()) seen.push(change);
    })();
    assert.equal(await mine.set({ limit: 2 }), 0);
    await until(async () => mine.version === 0);
    assert.deepEqual(mine.value, { limit: 2, names: ['me'] });
    await assert.rejects(mine.set({ limit: 'many' }), /limit: is no whole number/);
    await zk.setData('/cfg/a', '{"limit": "many"}');
    await until(async () => seen.at(-1)?.kind === 'invalid');
    assert.deepEqual([mine.value.limit, mine.version], [2, 0]);
    await zk.setData('/cfg/a', 'no json');
    await until(async () => seen.at(-1)?.version === 2);
    assert.equal(seen.at(-1)?.kind, 'invalid');
    assert.equal(await mine.rollback(), 3);
    await until(async () => mine.version === 3);
    assert.equal(mine.value.limit, 2);
    await mine.close();
    await following;
  });

  it('loses no change of several writers, and puts a former version back', async () => {
    const { zk, server } = ground;
    const clients = await Promise.all(Array.from({ length: 4 }, () => connect(server.address)));
    const all = await Promise.all(
      clients.map((one) => config(one, '/cfg/b', { schema, base: { limit: 0 }, history: 5 })),
    );
    await Promise.all(
      all.map(async (one) => {
        for (let i = 0; i < 5; i++) await one.update(({ limit = 0 }) => ({ limit: Number(limit) + 1 }));
      }),
    );
    const [first] = all;
    await until(async () => all.every((one) => one.value.limit === 20));
    assert.equal(first!.version, 19);
    await assert.rejects(first!.set({ limit: 1 }, { version: 3 }), (error) => isZk(error, 'BADVERSION'));
    assert.equal(await first!.set({ limit: 1 }, { version: 19 }), 20);
    await until(async () => (await first!.history()).length === 5);
    assert.equal(await first!.rollback(), 21);
    await until(async () => all.every((one) => one.value.limit === 20 && one.version === 21));
    await assert.rejects(first!.rollback(3), RangeError);
    assert.equal(await first!.rollback(20), 22);
    await until(async () => all.every((one) => one.value.limit === 1));
    await Promise.all(all.map((one) => one.close()));
    await Promise.all(clients.map((one) => one.close()));
    await assert.rejects(config(zk, '/cfg/b', { history: 0 }), TypeError);
  });

  it('is written exactly once when the connection is cut at any step', async () => {
    const { zk, server } = ground;
    await using watcher = await config(zk, '/cfg/cut', { schema, base: { limit: 0 }, history: 1_000 });
    let sum = 0;
    await cutAtEachStep(server.address, async (client) => {
      await using mine = await config(client, '/cfg/cut', { schema, base: { limit: 0 }, history: 1_000 });
      await mine.update(({ limit = 0 }) => ({ limit: Number(limit) + 1 }));
      sum++;
      await until(async () => mine.value.limit === sum);
      assert.equal(watcher.value.limit <= sum, true);
    });
    await until(async () => watcher.value.limit === sum);
    assert.equal(watcher.version, sum - 1);
    assert.equal((await watcher.history()).length, sum);
  });
});

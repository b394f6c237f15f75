/** Services on real servers: registered, found, chosen, left out; over a dead server and at each step of a connection. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect } from '../../src/client/index.ts';
import { discovery, NoInstanceError, type ServiceInstance } from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { cutAtEachStep } from './support/cuts.ts';
import { onEachServer } from './support/servers.ts';

const ids = (all: readonly ServiceInstance[]): string => all.map(({ id }) => id).join();

onEachServer('discovery', (ground) => {
  it('finds what is registered, as long as it is and wants requests', async () => {
    const { zk, server } = ground;
    const services = discovery(zk, '/services/a');
    assert.deepEqual(await services.services(), []);
    const invalid: string[] = [];
    await using web = await services.provider('web', { onInvalid: (path) => invalid.push(path) });
    assert.equal(web.pick(), null);
    await assert.rejects(
      web.call(async () => 1),
      NoInstanceError,
    );
    const other = await connect(server.address);
    const theirs = discovery(other, '/services/a').register({ name: 'web', id: 'b', address: 'hb', port: 2 });
    await using mine = services.register({ name: 'web', id: 'a', address: 'ha', port: 1, payload: { x: 1 } });
    await Promise.all([mine.ready(), theirs.ready()]);
    await web.sync();
    assert.equal(ids(web.instances), 'a,b');
    assert.deepEqual(web.instances[0], mine.instance);
    assert.equal(new Set([web.pick()!.id, web.pick()!.id]).size, 2);
    await mine.update({ enabled: false, payload: { x: 2 } });
    await web.sync();
    assert.equal(ids(web.instances), 'b');
    await zk.create('/services/a/web/broken', 'no json');
    await until(async () => invalid.length > 0);
    assert.deepEqual(invalid[0], '/services/a/web/broken');
    await mine.update({ enabled: true });
    await other.close();
    await until(async () => ids(web.instances) === 'a');
    const fixed = services.register({ name: 'api', id: 'f', address: 'h', serviceType: 'PERMANENT' });
    await fixed.ready();
    assert.equal((await zk.exists('/services/a/api/f'))?.ephemeralOwner, 0n);
    assert.deepEqual(await services.services(), ['api', 'web']);
    await fixed.close();
    assert.equal(await zk.exists('/services/a/api/f'), null);
    for (const wrong of [{ name: 'a/b' }, { id: '' }, { id: '..' }, { port: -1 }, { port: 1.5 }])
      assert.throws(() => services.register({ name: 'web', address: 'h', ...wrong }), TypeError);
  });

  it('prefers, leaves out who fails, but never more than a share of all', async () => {
    const { zk } = ground;
    const services = discovery(zk, '/services/b');
    const all = ['a', 'b', 'c', 'd'].map((id) =>
      services.register({ name: 'web', id, address: id, payload: { zone: id < 'c' ? 'near' : 'far' } }),
    );
    await Promise.all(all.map((one) => one.ready()));
    await using web = await services.provider<{ zone: string }>('web', {
      prefer: ({ payload }) => payload?.zone === 'near',
      ejection: { outMs: 60_000 },
    });
    assert.equal(ids(web.available), 'a,b');
    const failing = async (instance: ServiceInstance): Promise<string> => {
      if (instance.id !== 'd') throw new Error(`refused by ${instance.id}`);
      return instance.id;
    };
    for (let i = 0; i < 4; i++) await assert.rejects(web.call(failing), /refused by [ab]/);
    assert.equal(ids(web.available), 'c,d');
    for (let i = 0; i < 10; i++) await web.call(failing).catch(() => undefined);
    // Two of four are out; c stays, although it fails.
    assert.equal(ids(web.available), 'c,d');
    assert.equal(ids(web.instances), 'a,b,c,d');
    await Promise.all(all.map((one) => one.close()));
    await until(async () => web.instances.length === 0);
  });

  it('counts what is on its way', async () => {
    const { zk } = ground;
    const services = discovery(zk, '/services/c');
    const all = ['a', 'b', 'c'].map((id) => services.register({ name: 'web', id, address: id }));
    await Promise.all(all.map((one) => one.ready()));
    await using web = await services.provider('web', { select: 'leastLoaded' });
    const gates: (() => void)[] = [];
    const hang = (): Promise<void> => new Promise((resolve) => gates.push(resolve));
    const used: string[] = [];
    const calls = Array.from({ length: 6 }, () =>
      web.call((instance) => {
        used.push(instance.id);
        return hang();
      }),
    );
    assert.deepEqual(used.toSorted(), ['a', 'a', 'b', 'b', 'c', 'c']);
    for (const open of gates) open();
    await Promise.all(calls);
    await Promise.all(all.map((one) => one.close()));
  });

  it('goes on with the last list while no server answers, and finds all again', async () => {
    const { server } = ground;
    await using own = await connect(server.address);
    const services = discovery(own, '/services/d');
    await using here = services.register({ name: 'web', id: 'a', address: 'a' });
    await here.ready();
    await using web = await services.provider('web');
    await server.kill();
    await until(async () => own.state !== 'connected');
    assert.equal(web.pick()?.id, 'a');
    await server.start();
    // In this order: a start that takes longer than the session lasts ends it, and it is registered again.
    await here.ready();
    await web.sync();
    assert.equal(web.pick()?.id, 'a');
  });

  it('is registered and seen once when the connection is cut at any step', async () => {
    const { zk, server } = ground;
    const resync = { jitterMs: 0 };
    await using seen = await discovery(zk, '/services/cut').provider('web');
    await cutAtEachStep(server.address, async (client, { label }) => {
      const services = discovery(client, '/services/cut');
      await using web = await services.provider('web', { resync });
      const here = services.register({ name: 'web', id: label, address: 'h' });
      await here.ready();
      await Promise.all([web.sync(), seen.sync()]);
      // When the session ended after all was ready, it is being registered again.
      await until(async () => ids(web.instances) === label && ids(seen.instances) === label);
      await here.close();
      await until(async () => seen.instances.length === 0);
    });
  });
});

/** Znodes that are kept: made again after a delete and in each session, taken over, a connection cut at each step. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect, isZk, type Zk } from '../../src/client/index.ts';
import { persistentNode } from '../../src/recipes/index.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { until } from '../support/until.ts';
import { cutAtEachStep } from './support/cuts.ts';
import { onEachServer } from './support/servers.ts';

async function textAt(zk: Zk, path: string): Promise<string | null> {
  const found = await zk.tryGetData(path);
  return found === null ? null : Buffer.from(found.data ?? []).toString();
}

onEachServer('persistent node', (ground) => {
  it('is there until it is closed, whoever deletes or changes it', async () => {
    const { zk } = ground;
    const kept = persistentNode(zk, '/pn/a', 'one');
    await kept.ready();
    assert.ok(kept.isThere);
    const before = await zk.getData('/pn/a');
    await zk.delete('/pn/a');
    await until(async () => (await zk.exists('/pn/a')) !== null);
    await kept.ready();
    assert.notEqual((await zk.getData('/pn/a')).stat.czxid, before.stat.czxid);
    await zk.setData('/pn/a', 'of another');
    await until(async () => (await textAt(zk, '/pn/a')) === 'one');
    await kept.set('two');
    assert.equal(await textAt(zk, '/pn/a'), 'two');
    await kept.close();
    assert.equal(await zk.exists('/pn/a'), null);
    await kept.ended;
    await assert.rejects(kept.ready(), /closed/);
  });

  it('waits for the end of another, replaces it, or refuses', async () => {
    const { zk, server } = ground;
    const other = await connect(server.address);
    await other.create('/pn/b', 'theirs', { mode: 'ephemeral', parents: 'persistent' });
    await using waiting = persistentNode(zk, '/pn/b', 'ours');
    const refused = persistentNode(zk, '/pn/b', 'ours', { onTaken: 'refuse' });
    await assert.rejects(refused.ready(), /there already/);
    await assert.rejects(refused.ended, /there already/);
    assert.equal(await textAt(zk, '/pn/b'), 'theirs');
    assert.ok(!waiting.isThere);
    await other.close();
    await waiting.ready();
    assert.equal(await textAt(zk, '/pn/b'), 'ours');
    await using third = await connect(server.address);
    const replacing = persistentNode(third, '/pn/b', 'third', { onTaken: 'replace' });
    await replacing.ready();
    assert.equal(await textAt(zk, '/pn/b'), 'third');
    await replacing.close();
    await until(async () => (await textAt(zk, '/pn/b')) === 'ours');
    // Closing does not take away what is another's.
    await waiting.close();
    assert.equal(await zk.exists('/pn/b'), null);
  });

  it('takes the place of the znode of a former session of its own in one step', async () => {
    const { zk, server } = ground;
    await using proxy = await FaultProxy.start(server.port);
    await using own = await connect(proxy.address, { sessionTimeoutMs: 30_000 });
    const kept = persistentNode(own, '/pn/c', 'c');
    await kept.ready();
    const { sessionId } = own;
    const watched = await zk.watch('/pn/c', { mode: 'node' });
    // A server refuses this as expired; the session itself lives on.
    own.core.driver.machine.session.password.fill(0);
    proxy.cutAll();
    await until(async () => own.sessionId !== 0n && own.sessionId !== sessionId);
    await kept.ready();
    const stat = await zk.exists('/pn/c');
    assert.equal(stat?.ephemeralOwner, own.sessionId);
    // Both of one transaction: between them, nobody could look.
    assert.equal((await watched.next()).value?.type, 'deleted');
    assert.equal((await watched.next()).value?.type, 'created');
    await watched[Symbol.asyncDispose]();
    await kept.close();
  });

  it('keeps a persistent znode too, and ends for good where it has no right', async () => {
    const { zk, server } = ground;
    const other = await connect(server.address);
    const kept = persistentNode(other, '/pn/d', 'd', { mode: 'persistent' });
    await kept.ready();
    await other.close();
    assert.equal(await textAt(zk, '/pn/d'), 'd');
    await zk.create('/pn/closed', null, {
      acl: [{ perms: 1, scheme: 'world', id: 'anyone' }],
      parents: 'persistent',
    });
    const none = persistentNode(zk, '/pn/closed/e', 'e');
    await assert.rejects(none.ended, (error) => isZk(error, 'NOAUTH'));
    await assert.rejects(none.ready(), (error) => isZk(error, 'NOAUTH'));
    await none.close();
  });

  it('ends with its client, and keeps nothing from its end', async () => {
    const { zk, server } = ground;
    const own = await connect(server.address);
    const kept = persistentNode(own, '/pn/f', 'f');
    await kept.ready();
    const closing = own.close();
    // Not "the queue is full", after which it would be tried again.
    await assert.rejects(
      own.exists('/pn/f'),
      (error) => isZk(error, 'CLOSED') && error.outcome === 'notSent',
    );
    const late = persistentNode(own, '/pn/g', 'g');
    await Promise.all([closing, assert.rejects(kept.ended), assert.rejects(late.ready())]);
    await late.close();
    assert.equal(await zk.exists('/pn/f'), null);
  });

  it('waits for room in a full queue of requests, and lets others go on', async () => {
    await using own = await connect(ground.server.address, { maxWaiting: 1 });
    const busy = Array.from({ length: 1_100 }, () => own.exists('/').catch((error: unknown) => error));
    await using kept = persistentNode(own, '/pn/h', 'h');
    assert.ok((await Promise.all(busy)).some((one) => isZk(one, 'QUEUEFULL')));
    await kept.ready();
  });

  it('is right when the connection is cut at any step, and leaves nothing behind', async () => {
    const { zk, server } = ground;
    await cutAtEachStep(server.address, async (client, { label }) => {
      const kept = persistentNode(client, '/pn/cut', label);
      await kept.ready();
      assert.equal(await textAt(zk, '/pn/cut'), label);
      await kept.set(`${label}!`);
      assert.equal(await textAt(zk, '/pn/cut'), `${label}!`);
      await kept.close();
      await until(async () => (await zk.exists('/pn/cut')) === null);
    });
  });
});

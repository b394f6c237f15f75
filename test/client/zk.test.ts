/** The client against real servers: Apache 3.8.0 (skipped with a line where it is not installed) and ours. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, digest, isZk, MultiError, op, utf8, type Zk } from '../../src/client/index.ts';
import { CountingTransport } from '../recipes/support/counting.ts';
import { ApacheServer } from '../support/apache.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import type { TestServer } from '../support/server.ts';
import { need, needRingkeeper } from '../support/skip.ts';

const EXTENDED = { extendedTypesEnabled: 'true' };

for (const [name, make, missing] of [
  ['ringkeeper', () => new RingkeeperServer({ config: EXTENDED }), needRingkeeper()],
  ['Apache 3.8.0', () => new ApacheServer({ config: EXTENDED }), need('java', 'zookeeper')],
] as const) {
  describe(`client on ${name}`, { skip: missing }, () => {
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

    it('creates every kind of znode', async () => {
      assert.equal((await zk.create('/kinds')).path, '/kinds');
      const sequential = await zk.create('/kinds/s-', 'x', { mode: 'persistentSequential' });
      assert.match(sequential.path, /^\/kinds\/s-\d{10}$/);
      const ephemeral = await zk.create('/kinds/e', null, { mode: 'ephemeral' });
      assert.equal(ephemeral.stat?.ephemeralOwner, zk.sessionId);
      await zk.create('/kinds/c', null, { mode: 'container' });
      await zk.create('/kinds/t', null, { ttlMs: 60_000 });
      await zk.create('/kinds/deep/er/est', 'leaf', { parents: 'container' });
      assert.deepEqual([...(await zk.children('/kinds')).names].sort(), [
        'c',
        'deep',
        'e',
        sequential.path.slice('/kinds/'.length),
        't',
      ]);
      assert.deepEqual(await zk.ephemerals('/kinds'), ['/kinds/e']);
      assert.equal(await zk.countDescendants('/kinds'), 7);
    });

    it('keeps null, empty and text apart', async () => {
      for (const data of [null, new Uint8Array(0), 'text ü']) {
        const { path } = await zk.create('/data-', data, { mode: 'persistentSequential' });
        const read = await zk.getData(path);
        assert.deepEqual(
          read.data === null ? null : [...read.data],
          data === null ? null : [...(typeof data === 'string' ? new TextEncoder().encode(data) : data)],
        );
        assert.equal(read.stat.dataLength, read.data?.length ?? 0);
      }
    });

    it('says in one error what failed, where, and what became of it', async () => {
      await assert.rejects(zk.getData('/none'), (error) => {
        assert.ok(isZk(error, 'NONODE'));
        assert.deepEqual([error.op, error.path, error.outcome], ['getData', '/none', 'refused']);
        return true;
      });
      assert.equal(await zk.tryGetData('/none'), null);
      assert.equal(await zk.exists('/none'), null);
      await zk.delete('/none', { ifExists: true });
      assert.throws(() => zk.create('none'), /does not begin with/);
    });

    it('refuses a request that the server would close the connection for', async () => {
      await assert.rejects(zk.create('/big', new Uint8Array(1_100_000)), (error) => isZk(error, 'TOOLARGE'));
    });

    it('applies a multi as a whole, with a type for each result, or says which operation failed', async () => {
      const [created, checked, stat] = await zk.multi([
        op.create('/multi', 'a'),
        op.check('/multi', 0),
        op.setData('/multi', 'b', 0),
      ]);
      assert.deepEqual([created.path, checked, stat.version], ['/multi', undefined, 1]);
      await assert.rejects(
        zk.multi([op.setData('/multi', 'c'), op.delete('/multi', 7), op.create('/never')]),
        (error) => {
          assert.ok(error instanceof MultiError);
          assert.equal(error.failedIndex, 1);
          assert.deepEqual(error.codes, ['OK', 'BADVERSION', 'RUNTIMEINCONSISTENCY']);
          return true;
        },
      );
      const [data, missing] = await zk.multiRead([op.getData('/multi'), op.getChildren('/none')]);
      assert.equal(!isZk(data) && Buffer.from(data.data!).toString(), 'b');
      assert.ok(isZk(missing, 'NONODE'));
    });

    it('watches: once, a znode, a tree', async () => {
      // Apart, because before 3.9 a server keeps one way of watching per connection and path.
      await zk.create('/w');
      await zk.create('/tree-of');
      const { changed } = await zk.getData('/w', { watch: true });
      const { changed: created } = await zk.exists('/w/x', { watch: true });
      const { changed: children } = await zk.children('/w', { watch: true });
      await using tree = await zk.watch('/tree-of', { mode: 'tree' });
      await zk.setData('/w', '1');
      await zk.create('/w/x');
      await zk.setData('/tree-of', '1');
      await zk.create('/tree-of/x');
      assert.equal((await changed).type, 'changed');
      assert.deepEqual([(await created).type, (await created).path], ['created', '/w/x']);
      assert.equal((await children).type, 'children');
      const items = [await tree.next(), await tree.next()].map(({ value }) => `${value?.type}`);
      assert.deepEqual(items, ['changed', 'created']);
    });

    it('gives a watch up at the server', async () => {
      await zk.create('/given-up');
      const transport = new CountingTransport();
      await using own = await connect(server.address, { transport });
      const { changed } = await own.getData('/given-up', { watch: true });
      changed[Symbol.dispose]();
      await own.sync();
      await zk.setData('/given-up', 'x');
      await own.sync();
      assert.equal(transport.events, 0);
    });

    it('works below a root, and in views of one session', async () => {
      await zk.create('/base/app', null, { parents: 'persistent' });
      await using app = await connect(`${server.address}/base/app`);
      assert.equal((await app.create('/x', 'in the base')).path, '/x');
      assert.equal(Buffer.from((await zk.getData('/base/app/x')).data!).toString(), 'in the base');
      const view = zk.scope('/base/app');
      assert.deepEqual((await view.children('/')).names, ['x']);
      assert.equal(view.sessionId, zk.sessionId);
      await using events = await app.watch('/', { mode: 'tree' });
      await zk.create('/base/app/y');
      const { value } = await events.next();
      assert.deepEqual([value?.type, value?.type === 'created' && value.path], ['created', '/y']);
    });

    it('proves an identity, now and after a new connection', async () => {
      await using own = await connect(server.address);
      await own.addAuth(digest('alice', 'secret'));
      await own.create('/private', 'x', { acl: [{ perms: 31, scheme: 'auth', id: '' }] });
      await assert.rejects(zk.getData('/private'), (error) => isZk(error, 'NOAUTH'));
      const { sessionId } = own;
      own.updateServers(`localhost:${server.port},127.0.0.1:${server.port}`);
      assert.equal(Buffer.from((await own.getData('/private')).data!).toString(), 'x');
      assert.equal(own.sessionId, sessionId);
    });

    it('follows the newest value, also while it is missing', async () => {
      const follow = zk.follow('/followed', utf8);
      assert.equal((await follow.next()).value, null);
      await zk.create('/followed', 'one');
      assert.equal((await follow.next()).value?.value, 'one');
      await zk.setData('/followed', 'two');
      assert.equal((await follow.next()).value?.value, 'two');
      await follow.return();
      assert.equal((await follow.next()).done, true);
    });

    it('updates by comparing versions', async () => {
      const node = zk.node('/counter', utf8);
      const add = (value: string | null): string => String(Number(value ?? 0) + 1);
      await Promise.all(Array.from({ length: 20 }, () => node.update(add)));
      assert.equal((await node.get())?.value, '20');
    });

    it('deletes a tree', async () => {
      await zk.create('/tree/a/b', null, { parents: 'persistent' });
      await zk.create('/tree/a/c');
      await zk.delete('/tree', { recursive: true });
      assert.equal(await zk.exists('/tree'), null);
    });

    it('orders a quorum barrier behind everything before it', async () => {
      const { stat } = await zk.create('/barrier');
      assert.ok((await zk.barrier('quorum')) > stat!.czxid);
    });

    it('hands its session to another client', async () => {
      const first = await connect(server.address);
      await first.create('/handed', null, { mode: 'ephemeral' });
      await using second = await connect(server.address, { session: first.detach() });
      assert.equal(second.sessionId, first.sessionId);
      assert.equal(first.state, 'closed');
      assert.notEqual(await second.exists('/handed'), null);
    });

    it('survives a restart of the server: the session, its ephemerals and what waits', async () => {
      await zk.create('/kept', null, { mode: 'ephemeral' });
      const { sessionId } = zk;
      const states = zk.states();
      assert.equal((await states.next()).value?.state, 'connected');
      await server.kill();
      assert.equal((await states.next()).value?.state, 'suspended');
      const waiting = zk.exists('/kept');
      await server.start();
      assert.equal((await waiting)?.ephemeralOwner, sessionId);
      assert.equal((await states.next()).value?.state, 'connected');
      assert.equal(zk.sessionId, sessionId);
    });

    it('ends what it was asked, and nothing is left of it', async () => {
      const own = await connect(server.address);
      await own.create('/gone', null, { mode: 'ephemeral' });
      await own.close();
      assert.equal(own.state, 'closed');
      await assert.rejects(
        own.exists('/gone'),
        (error) => isZk(error, 'CLOSED') && error.outcome === 'notSent',
      );
      assert.equal(await zk.exists('/gone'), null);
    });

    it('cancels a call', async () => {
      const abort = new AbortController();
      abort.abort(new Error('enough'));
      await assert.rejects(zk.exists('/', { signal: abort.signal }), (error) => isZk(error, 'ABORTED'));
      const later = new AbortController();
      const call = zk.exists('/', { signal: later.signal });
      later.abort(new Error('enough'));
      await assert.rejects(
        call,
        (error) => isZk(error, 'ABORTED') && (error.cause as Error).message === 'enough',
      );
      assert.notEqual(await zk.exists('/'), null);
    });
  });
}

/** What every call has: codecs, bounds, cancellation, traces; and functions of the user that throw. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import {
  connect,
  int32be,
  int64be,
  isZk,
  json,
  op,
  open,
  type Stat,
  utf8,
  type Zk,
  ZkError,
} from '../../src/client/index.ts';
import { SET_WATCHES_BYTES_MAX } from '../../src/client/watch-registry.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { ApacheServer } from '../support/apache.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import type { TestServer } from '../support/server.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { until } from '../support/until.ts';

const KEY = 'test';
/** Long enough that a few thousand of them do not fit one setWatches. */
const LONG_NAME = 'n'.repeat(200);

async function failureOf(promise: Promise<unknown>): Promise<ZkError> {
  return promise.then(
    () => assert.fail('it succeeded'),
    (error: unknown) => {
      assert.ok(error instanceof ZkError, String(error));
      return error;
    },
  );
}

for (const [name, make, missing] of [
  ['ringkeeper', () => new RingkeeperServer(), needRingkeeper()],
  ['Apache 3.8.0', () => new ApacheServer(), need('java', 'zookeeper')],
] as const) {
  describe(`calls on ${name}`, { skip: missing, timeout: 300_000 }, () => {
    let server: TestServer;
    let zk: Zk;

    before(async () => {
      server = make();
      await server.start();
      zk = await connect(server.address);
      await zk.create('/calls');
    });
    after(async () => {
      await zk?.close();
      await server?.dispose();
    });

    it('writes and reads values, checked by a validator of any library', async () => {
      const Config = z.object({ limit: z.number().positive(), name: z.string().default('none') });
      const node = zk.node('/calls/config', json(Config));
      await node.update(() => ({ limit: 3, name: 'a' }));
      assert.deepEqual((await node.get())?.value, { limit: 3, name: 'a' });
      await zk.setData(node.path, '{"limit":4}');
      assert.deepEqual((await node.get())?.value, { limit: 4, name: 'none' });
      await zk.setData(node.path, '{"limit":-1}');
      await assert.rejects(node.get(), /\/calls\/config: limit: /);
      await zk.setData(node.path, 'no json');
      await assert.rejects(node.get(), TypeError);
      await zk.setData(node.path, new Uint8Array([0xff]));
      await assert.rejects(zk.node(node.path, utf8).get(), TypeError);
      for (const [codec, value] of [
        [int32be, -7],
        [int64be, 1n << 40n],
      ] as const) {
        await zk.setData(node.path, (codec.encode as (one: unknown) => Uint8Array)(value));
        assert.equal((await zk.node<unknown>(node.path, codec as never).get())?.value, value);
      }
      await assert.rejects(zk.node(node.path, int32be).get(), /expected 4 bytes, found 8/);
    });

    it('a small reply is not changed by those behind it', async () => {
      await zk.create('/calls/kept', 'first');
      const first = await zk.getData('/calls/kept');
      const { czxid, mzxid } = first.stat;
      for (let i = 0; i < 300; i++) await zk.setData('/calls/kept', `later ${i}`);
      await Promise.all(Array.from({ length: 500 }, () => zk.getData('/calls/kept')));
      assert.equal(utf8.decode(first.data), 'first');
      assert.deepEqual([first.stat.czxid, first.stat.mzxid, first.stat.version], [czxid, mzxid, 0]);
    });

    it('asks for what only the service knows', async () => {
      await zk.addAuth({ scheme: 'digest', auth: new TextEncoder().encode('me:secret') });
      assert.ok((await zk.whoAmI()).some(({ scheme }) => scheme === 'ip'));
      await zk.create('/calls/e', null, { mode: 'ephemeral' });
      assert.deepEqual(await zk.ephemerals('/calls'), ['/calls/e']);
      const results = await zk.multiRead([op.getData('/calls'), op.getChildren('/calls/none')]);
      assert.equal((results[0] as { stat: Stat }).stat.version, 0);
      assert.ok(isZk(results[1], 'NONODE'));
      // A standalone server has no other member.
      const error = await failureOf(zk.reconfig({ leaving: '2' }));
      assert.deepEqual([error.op, error.outcome], ['reconfig', 'refused']);
    });

    it('cancels every kind of call, and bounds each as a whole', async () => {
      await using proxy = await FaultProxy.start(server.port);
      const one = await connect(proxy.address);
      let mute = true;
      proxy.rule = (frame) => (mute && frame.kind === 'request' ? 'drop' : 'pass');
      const kinds: Record<
        string,
        (options: { signal?: AbortSignal; timeoutMs?: number }) => Promise<unknown>
      > = {
        create: (o) => one.create('/calls/x', null, o),
        createDeep: (o) => one.create('/calls/x/y/z', null, { ...o, parents: 'container' }),
        createProtected: (o) =>
          one.create('/calls/p-', null, { ...o, protect: true, mode: 'ephemeralSequential' }),
        createResolved: (o) => one.create('/calls/r', null, { ...o, resolve: true }),
        getData: (o) => one.getData('/calls', o),
        getDataWatched: (o) => one.getData('/calls', { ...o, watch: true }),
        tryGetData: (o) => one.tryGetData('/calls', o),
        exists: (o) => one.exists('/calls', o),
        children: (o) => one.children('/calls', o),
        setData: (o) => one.setData('/calls', 'x', { ...o, version: 77 }),
        delete: (o) => one.delete('/calls/none', o),
        deleteTree: (o) => one.delete('/calls/none', { ...o, recursive: true }),
        getAcl: (o) => one.getAcl('/calls', o),
        setAcl: (o) => one.setAcl('/calls/none', [{ perms: 31, scheme: 'world', id: 'anyone' }], o),
        sync: (o) => one.sync('/', o),
        barrier: (o) => one.barrier('quorum', o),
        ephemerals: (o) => one.ephemerals('/', o),
        countDescendants: (o) => one.countDescendants('/', o),
        whoAmI: (o) => one.whoAmI(o),
        addAuth: (o) => one.addAuth({ scheme: 'digest', auth: new TextEncoder().encode('a:b') }, o),
        config: (o) => one.config(o),
        reconfig: (o) => one.reconfig({ leaving: '9' }, o),
        multi: (o) => one.multi([op.check('/calls', 77)], o),
        multiRead: (o) => one.multiRead([op.getData('/calls')], o),
        watch: (o) => one.watch('/calls', o),
        cache: (o) => one.cache('/calls', o),
        ensurePath: (o) => one.ensurePath('/calls/a/b/c', 'persistent', o),
        nodeGet: (o) => one.node('/calls', utf8).get(o),
        nodeUpdate: (o) => one.node('/calls', utf8).update(() => 'x', o),
      };
      for (const [kind, call] of Object.entries(kinds)) {
        const late = await failureOf(call({ timeoutMs: 30 }));
        assert.equal(late.code, 'OPERATIONTIMEOUT', kind);
        assert.match(late.outcome, /unknown|notSent/, kind);
        const controller = new AbortController();
        const aborted = failureOf(call({ signal: controller.signal }));
        controller.abort(new Error('enough'));
        assert.deepEqual(
          [(await aborted).code, ((await aborted).cause as Error).message],
          ['ABORTED', 'enough'],
          kind,
        );
        const before = await failureOf(call({ signal: controller.signal }));
        assert.deepEqual([before.code, before.outcome], ['ABORTED', 'notSent'], kind);
      }
      mute = false;
      proxy.cutAll();
      await one.sync();
      assert.equal(one.core.driver.machine.registry.size, 0, 'a cancelled watch is left');
      await one.close();
      for (const [kind, call] of Object.entries(kinds)) {
        const error = await failureOf(call({}));
        assert.deepEqual([error.code, error.outcome], ['CLOSED', 'notSent'], `${kind} after close`);
      }
    });

    it('refuses what does not fit its queues, and says that it was not sent', async () => {
      const idle = await open('127.0.0.1:1', { maxWaiting: 2, maxInFlight: 1 });
      const waiting = [failureOf(idle.sync()), failureOf(idle.sync())];
      const error = await failureOf(idle.create('/calls/never'));
      assert.deepEqual([error.code, error.outcome], ['QUEUEFULL', 'notSent']);
      await idle.close();
      for (const one of await Promise.all(waiting)) assert.equal(one.code, 'CLOSED');
    });

    it('traces requests and states for whoever subscribes', async () => {
      const seen: Record<string, unknown>[] = [];
      const onRequest = (message: unknown): void => void seen.push(message as Record<string, unknown>);
      subscribe('ringkeeper:client:request', onRequest);
      await zk.getData('/calls');
      await failureOf(zk.getData('/calls/none'));
      await until(async () => seen.length === 4);
      unsubscribe('ringkeeper:client:request', onRequest);
      const ends = seen.filter(({ phase }) => phase === 'end');
      assert.deepEqual(
        ends.map(({ op: what, path, outcome }) => [what, path, outcome]),
        [
          ['getData', '/calls', 'ok'],
          ['getData', '/calls/none', 'refused'],
        ],
      );
      assert.ok(
        ends.every(
          ({ wireMs, xid, server: where }) =>
            Number(wireMs) > 0 && Number(xid) > 0 && where === server.address,
        ),
      );
    });

    it('a listener that throws neither stops the client nor is swallowed', async () => {
      const thrown: string[] = [];
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.on('uncaughtException', (error) => thrown.push(error.message));
      try {
        await using _watch = await zk.watch('/calls/thrown', {
          onEvent: () => {
            throw new Error('from onEvent');
          },
        });
        const created = zk.create('/calls/thrown', 'x');
        const behind = zk.getData('/calls');
        await Promise.all([created, behind]);
        await until(async () => thrown.length > 0);
      } finally {
        process.removeAllListeners('uncaughtException');
        for (const one of others) process.on('uncaughtException', one as NodeJS.UncaughtExceptionListener);
      }
      assert.deepEqual(thrown, ['from onEvent']);
      assert.equal(zk.state, 'connected');
    });

    it('brings thousands of watches to the next connection in parts', async () => {
      await using proxy = await FaultProxy.start(server.port);
      const one = await connect(proxy.address);
      const paths = Array.from({ length: 2_000 }, (_, i) => `/calls/${LONG_NAME}${i}`);
      const watched = await Promise.all(paths.map((path) => one.exists(path, { watch: true })));
      const sizes: number[] = [];
      proxy.rule = (frame) => {
        if (frame.kind === 'request' && frame.op === OpCode.setWatches) sizes.push(frame.bytes.length);
        return 'pass';
      };
      proxy.accepting = 'close';
      proxy.cutAll();
      // While it is away.
      await zk.create(paths[0]!, KEY);
      proxy.accepting = 'serve';
      assert.equal((await watched[0]!.changed).type, 'created');
      assert.ok(sizes.length >= 4, `${sizes}`);
      assert.ok(
        sizes.every((size) => size <= SET_WATCHES_BYTES_MAX + 1_024),
        `${sizes}`,
      );
      await zk.create(paths[1_999]!, KEY);
      assert.equal((await watched[1_999]!.changed).path, paths[1_999]);
      await one.close();
    });
  });
}

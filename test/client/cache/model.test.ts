/**
 * A cache against the tree it copies: random writes, its connection cut at random bytes, its session ended, the server killed
 * and started again. At the end the cache is the tree, and so is what its changes, replayed from nothing, make. Prints its
 * seed; `SEED=n` repeats one.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';
import { type Cache, connect, isZk, op, utf8, type WriteOp, type Zk } from '../../../src/client/index.ts';
import { ApacheServer } from '../../support/apache.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { RingkeeperServer } from '../../support/ringkeeper.ts';
import type { TestServer } from '../../support/server.ts';
import { need, needRingkeeper } from '../../support/skip.ts';
import { until } from '../../support/until.ts';
import { follow, Replay } from './replay.ts';
import { contentsOf, treeOf } from './tree.ts';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const NAMES = ['a', 'b', 'c', 'd'];
const DEPTHS = { node: 0, children: 1, tree: Infinity } as const;
const FAST = { perSecond: 100_000, jitterMs: 20 };

for (const [name, make, missing, steps] of [
  ['ringkeeper', () => new RingkeeperServer(), needRingkeeper(), 400],
  ['Apache 3.8.0', () => new ApacheServer(), need('java', 'zookeeper'), 150],
] as const) {
  describe(`caches against a model on ${name}, SEED=${SEED}`, { skip: missing, timeout: 300_000 }, () => {
    let server: TestServer;
    let writer: Zk;
    let proxy: FaultProxy;

    before(async () => {
      server = make();
      await server.start();
      writer = await connect(server.address, { sessionTimeoutMs: 30_000 });
      proxy = await FaultProxy.start(server.port);
    });

    after(async () => {
      proxy.rule = () => 'pass';
      await writer?.close();
      await proxy?.[Symbol.asyncDispose]();
      await server?.dispose();
    });

    async function change(prng: Prng, root: string, step: number): Promise<void> {
      const pathOf = (depth: number): string =>
        root + Array.from({ length: depth }, () => `/${prng.pick(NAMES)}`).join('');
      const path = pathOf(prng.below(4));
      const act = prng.fraction();
      try {
        if (act < 0.4) await writer.create(path, `${step}`, { parents: 'persistent' });
        else if (act < 0.65) await writer.setData(path, `${step}`);
        else if (act < 0.75) await writer.delete(path);
        else if (act < 0.8) await writer.delete(path, { recursive: true });
        else if (act < 0.9) {
          // Deleted and made again at one moment, and more than one change of one znode.
          const child = pathOf(1 + prng.below(2));
          const ops: WriteOp[] = [
            op.setData(root, `${step}`),
            op.setData(child, 'm'),
            op.setData(child, `${step}`),
          ];
          if (prng.chance(0.5)) ops.push(op.delete(child), op.create(child, `${step}`));
          await writer.multi(ops);
        } else if (act < 0.92) {
          await writer.delete(root, { recursive: true });
          if (prng.chance(0.7)) await writer.create(root, `${step}`);
        } else await writer.create(path, null, { mode: 'ephemeral' });
      } catch (error) {
        assert.ok(isZk(error), String(error));
      }
    }

    /** One frame of any kind, soon, is the last of its connection, and only some of its bytes arrive. */
    function cutSoon(prng: Prng): void {
      let left = prng.below(12);
      proxy.rule = (frame) => {
        if (left-- > 0) return 'pass';
        proxy.rule = () => 'pass';
        return { cutAfterBytes: prng.below(frame.bytes.length + 1) };
      };
    }

    async function expire(zk: Zk): Promise<void> {
      const { ticket } = zk.core.driver.machine.session;
      if (ticket.id === 0n || zk.state !== 'connected') return;
      proxy.accepting = 'close';
      proxy.cutAll();
      await (await connect(server.address, { session: ticket })).close();
      proxy.accepting = 'serve';
    }

    async function meddle(prng: Prng, zk: Zk, root: string): Promise<void> {
      for (let step = 0; step < steps; step++) {
        await change(prng, root, step);
        if (prng.chance(1 / 15)) cutSoon(prng);
        if (prng.chance(2 / steps)) await expire(zk);
        if (prng.chance(1 / steps)) {
          await server.kill();
          await server.start();
        }
      }
      proxy.rule = () => 'pass';
    }

    for (const scope of ['tree', 'children', 'node'] as const) {
      it(`${scope}: is the tree at the end, and so is the replay of its changes`, async () => {
        const prng = new Prng(SEED + scope.length);
        const root = `/model-${scope}`;
        await writer.create(`/base${root}`, 'root', { parents: 'persistent' });
        const zk = await connect(`${proxy.address}/base`, { sessionTimeoutMs: 30_000 });
        const heard = new Replay<string>();
        const read = new Replay<string>();
        const options = { scope, codec: utf8, resync: FAST };
        const cache: Cache<string> = await zk.cache(root, { ...options, onChange: follow(heard) });
        const stream = cache.changes();
        const reading = (async () => {
          for await (const item of stream) read.apply(item);
        })();
        await meddle(prng, zk, `/base${root}`);
        await cache.sync();
        const truth = await treeOf(writer.scope('/base'), root, DEPTHS[scope]);
        assert.deepEqual(contentsOf(cache.entries()), truth);
        assert.deepEqual(contentsOf(heard.entries.values()), truth);
        await until(async () => cache.state === 'live');
        assert.equal(heard.state, 'live');
        for (const path of truth.keys()) {
          if (scope !== 'tree' && path !== root) continue;
          const names = scope === 'node' ? [] : (await zk.children(path)).names;
          assert.deepEqual([...cache.children(path)!].sort(), [...names].sort(), path);
        }
        await stream.return();
        await reading;
        assert.deepEqual(contentsOf(read.entries.values()), truth);
        await zk.close();
        assert.equal(cache.state, 'closed');
      });
    }
  });
}

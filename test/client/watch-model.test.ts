/**
 * What watchers see, against the truth: random changes of a tree, random cuts and expiries, and at the end the view that a
 * careful follower has must be the tree. A follower that re-reads what events name, and everything at a `gap`, may rely
 * on it: an event that could have been missed is always announced. Prints its seed.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Prng } from '../../src/base/prng.ts';
import { connect, isZk, utf8, type Zk } from '../../src/client/index.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { needRingkeeper } from '../support/skip.ts';
import { until } from '../support/until.ts';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const NAMES = ['a', 'b', 'c', 'd', 'e'];
const STEPS = 300;
/** One step in so many cuts the connection, somewhere. */
const CUT_EVERY = 12;

describe(`watches against a model, SEED=${SEED}`, { skip: needRingkeeper(), timeout: 300_000 }, () => {
  const server = new RingkeeperServer();
  let writer: Zk;
  let proxy: FaultProxy;

  before(async () => {
    await server.start();
    writer = await connect(server.address);
    proxy = await FaultProxy.start(server.port);
  });

  after(async () => {
    await writer?.close();
    await proxy?.[Symbol.asyncDispose]();
    await server.dispose();
  });

  async function meddle(prng: Prng, root: string): Promise<void> {
    const pick = (): string => NAMES[Math.floor(prng.fraction() * NAMES.length)]!;
    for (let i = 0; i < STEPS; i++) {
      const path = prng.fraction() < 0.5 ? `${root}/${pick()}` : `${root}/${pick()}/${pick()}`;
      const act = prng.fraction();
      const change =
        act < 0.45
          ? writer.create(path, `${i}`)
          : act < 0.75
            ? writer.setData(path, `${i}`)
            : writer.delete(path);
      await change.catch((error: unknown) => assert.ok(isZk(error) && error.outcome === 'refused'));
      if (prng.fraction() < 1 / CUT_EVERY) {
        const left = Math.floor(prng.fraction() * 3);
        let seen = 0;
        proxy.rule = (frame) => {
          if (frame.kind !== 'notification' || seen++ < left) return 'pass';
          proxy.rule = () => 'pass';
          return { cutAfterBytes: Math.floor(frame.bytes.length / 2) };
        };
      }
    }
    proxy.rule = () => 'pass';
  }

  async function treeOf(zk: Zk, root: string): Promise<Map<string, string>> {
    const view = new Map<string, string>();
    const visit = async (path: string): Promise<void> => {
      const found = await zk.tryGetData(path);
      if (found === null) return;
      view.set(path, utf8.decode(found.data));
      try {
        const { names } = await zk.children(path);
        for (const name of names) await visit(`${path}/${name}`);
      } catch (error) {
        if (!isZk(error, 'NONODE')) throw error;
      }
    };
    await visit(root);
    return view;
  }

  it('a tree watch names every znode that changed, or tells of a gap', async () => {
    const prng = new Prng(SEED);
    await writer.create('/model');
    await using zk = await connect(proxy.address);
    const dirty = new Set<string>();
    let gaps = 0;
    const view = new Map<string, string>();
    await using _tree = await zk.watch('/model', {
      mode: 'tree',
      onEvent: (item) => {
        if (item.type === 'gap') gaps++;
        else dirty.add(item.path);
      },
    });
    let gapsSeen = -1;
    const settle = async (): Promise<void> => {
      if (gaps !== gapsSeen) {
        gapsSeen = gaps;
        const whole = await treeOf(zk, '/model');
        view.clear();
        for (const [path, data] of whole) view.set(path, data);
      }
      for (const path of [...dirty]) {
        dirty.delete(path);
        const found = await zk.tryGetData(path);
        if (found === null) view.delete(path);
        else view.set(path, utf8.decode(found.data));
      }
    };
    let over = false;
    const following = (async (): Promise<void> => {
      while (!over || dirty.size > 0 || gaps !== gapsSeen) {
        await settle();
        await zk.sync();
      }
    })();
    await meddle(prng, '/model');
    // Events come before the reply to a sync behind them; a cut meanwhile shows as a gap.
    await until(async () => zk.state === 'connected');
    await zk.sync();
    over = true;
    await following;
    assert.deepEqual(
      new Map([...view].sort()),
      new Map([...(await treeOf(writer, '/model'))].sort()),
      `gaps ${gaps}`,
    );
  });

  it('one-shot watches and follow() end at the newest state', async () => {
    const prng = new Prng(SEED + 1);
    await writer.create('/shots');
    await using zk = await connect(proxy.address);
    const newest = new Map<string, string | null>();
    const abort = new AbortController();
    const followers = NAMES.map(async (name) => {
      const path = `/shots/${name}`;
      try {
        for await (const item of zk.follow(path, utf8, { signal: abort.signal }))
          newest.set(path, item?.value ?? null);
      } catch (error) {
        assert.equal(error, abort.signal.reason);
      }
    });
    const shots = new Map<string, number>();
    let over = false;
    const watchers = NAMES.map(async (name) => {
      const path = `/shots/${name}/a`;
      while (!over) {
        const { stat, changed } = await zk.exists(path, { watch: true });
        shots.set(path, stat?.mzxid ?? 0);
        await changed;
      }
    });
    await meddle(prng, '/shots');
    const same = async (): Promise<boolean> => {
      for (const name of NAMES) {
        const data = await writer.tryGetData(`/shots/${name}`);
        if (newest.get(`/shots/${name}`) !== (data === null ? null : utf8.decode(data.data))) return false;
        // Created and deleted while away is what one-shot watches miss; a later state they do not.
        const stat = await writer.exists(`/shots/${name}/a`);
        if (shots.get(`/shots/${name}/a`) !== (stat?.mzxid ?? 0)) return false;
      }
      return true;
    };
    await until(same);
    over = true;
    abort.abort(new Error('enough'));
    await Promise.all(followers);
    // Each one-shot watch is pending: one more change ends it.
    for (const name of NAMES) {
      await writer.create(`/shots/${name}/a`, null, { parents: 'persistent' }).catch(() => undefined);
      await writer.setData(`/shots/${name}/a`, 'end').catch(() => undefined);
    }
    await Promise.all(watchers);
  });
});

/** What several have together: barriers, numbers, groups, znodes that are kept, services, configurations. */
import assert from 'node:assert/strict';
import { utf8, type Zk } from '../../../../src/client/index.ts';
import {
  barrier,
  config,
  counter,
  discovery,
  doubleBarrier,
  group,
  idGenerator,
  persistentNode,
} from '../../../../src/recipes/index.ts';
import { until } from '../../../support/until.ts';
import type { Ground } from '../servers.ts';
import { type Dead, type Life, namesAt, type Scene, untilEmpty } from './scene.ts';

/** A barrier that bars what somebody else waits for, and one that somebody else opens. */
function barriers({ zk }: Ground): Scene {
  const live = async (own: Zk, { path, told }: Life): Promise<void> => {
    const mine = barrier(own, path);
    await mine.set();
    told.push('set');
    await mine.remove();
    told.push('removed');
    const theirs = barrier(zk, `${path}-2`);
    await theirs.set();
    let isOpen = false;
    const waiting = barrier(own, theirs.path)
      .wait()
      .then(() => assert.ok(isOpen, 'it passed early'));
    waiting.catch(() => undefined);
    await zk.sync();
    isOpen = true;
    await theirs.remove();
    await waiting;
  };
  const survive = async ({ path, told, end }: Dead): Promise<void> => {
    await end();
    const isBarred = (await zk.exists(path)) !== null;
    if (told.includes('removed')) assert.ok(!isBarred);
    const mine = barrier(zk, path);
    const waiting = mine.wait();
    await mine.remove();
    await waiting;
  };
  return { live, survive };
}

/** Two begin and end together. When one dies before it knows that both are in, another comes in its place. */
function doubleBarriers({ zk }: Ground): Scene {
  let partner: Promise<void>;
  let heirCame = false;
  let mayLeave = Promise.withResolvers<void>();
  const enterBehind = async (life: Life): Promise<void> => {
    await until(async () => life.isOver || (await namesAt(zk, life.path)).length > 0);
    // Of who is dead, no znode comes any more.
    const wasThere = (await namesAt(zk, life.path)).length > 0;
    const both = doubleBarrier(zk, life.path, { members: 2 });
    await both.enter();
    assert.ok(wasThere || heirCame, 'it began alone');
    await mayLeave.promise;
    await both.leave();
  };
  const live = async (own: Zk, life: Life): Promise<void> => {
    heirCame = false;
    mayLeave = Promise.withResolvers();
    partner = enterBehind(life);
    partner.catch(() => undefined);
    const mine = doubleBarrier(own, life.path, { members: 2 });
    await mine.enter();
    life.told.push('in');
    mayLeave.resolve();
    await mine.leave();
    await partner;
  };
  const survive = async ({ path, told, end }: Dead): Promise<void> => {
    await end();
    if (!told.includes('in')) {
      const heir = doubleBarrier(zk, path, { members: 2 });
      heirCame = true;
      await heir.enter();
      mayLeave.resolve();
      await Promise.all([heir.leave(), partner]);
    }
    await partner;
    await untilEmpty(zk, [path]);
  };
  return { live, survive };
}

function counters({ zk }: Ground, exactlyOnce: boolean): Scene {
  const live = async (own: Zk, { path, told }: Life): Promise<void> => {
    const sum = counter(own, path, { exactlyOnce });
    for (let i = 0; i < 3; i++) told.push(String(await sum.add(1)));
  };
  const survive = async ({ path, told, end }: Dead): Promise<void> => {
    await end();
    const value = await counter(zk, path).get();
    assert.ok(value >= told.length && value <= told.length + 1, String(value));
    assert.equal(await counter(zk, path, { exactlyOnce }).add(1), value + 1);
    await untilEmpty(zk, [path]);
  };
  return { live, survive };
}

function ids({ zk }: Ground): Scene {
  const live = async (own: Zk, { path, told }: Life): Promise<void> => {
    const source = idGenerator(own, path, { block: 2 });
    for (let i = 0; i < 5; i++) told.push(String(await source.id()));
  };
  const survive = async ({ path, told, end }: Dead): Promise<void> => {
    await end();
    const source = idGenerator(zk, path, { block: 2 });
    for (let i = 0; i < 3; i++) {
      const id = String(await source.id());
      assert.ok(!told.includes(id), `${id} was given twice`);
    }
  };
  return { live, survive };
}

function groups({ zk }: Ground): Scene {
  const live = async (own: Zk, { path }: Life): Promise<void> => {
    const member = group(own, path).join('the dead');
    await member.ready();
    await member.close();
  };
  const survive = async ({ path, end }: Dead): Promise<void> => {
    await end();
    await using members = await group(zk, path).members();
    assert.deepEqual(members.list(), []);
    await using heir = group(zk, path).join('the dead');
    await heir.ready();
    await members.sync();
    assert.equal(members.list().length, 1);
  };
  return { live, survive };
}

function keptNodes({ zk }: Ground, mode: 'ephemeral' | 'persistent'): Scene {
  const textAt = async (path: string): Promise<string> => utf8.decode((await zk.getData(path)).data);
  const live = async (own: Zk, { path, told }: Life): Promise<void> => {
    const kept = persistentNode(own, path, 'one', { mode });
    await kept.ready();
    told.push('there');
    await kept.set('two');
    told.push('changed');
    await kept.close();
    told.push('closed');
  };
  const survive = async ({ path, told, end }: Dead): Promise<void> => {
    if (told.at(-1) === 'there') assert.match(await textAt(path), /one|two/);
    const heir = persistentNode(zk, path, 'heir', { mode });
    await end();
    await heir.ready();
    assert.equal(await textAt(path), 'heir');
    await heir.close();
    assert.equal(await zk.exists(path), null);
  };
  return { live, survive };
}

function services({ zk }: Ground): Scene {
  const live = async (own: Zk, { path }: Life): Promise<void> => {
    const all = discovery(own, path);
    await using web = await all.provider('web');
    await using mine = all.register({ name: 'web', id: 'a', address: 'the dead' });
    await mine.ready();
    await mine.update({ enabled: false });
    await web.sync();
  };
  const survive = async ({ path, end }: Dead): Promise<void> => {
    const all = discovery(zk, path);
    await using heir = all.register({ name: 'web', id: 'a', address: 'the heir' });
    await end();
    await heir.ready();
    await using web = await all.provider('web');
    assert.deepEqual(
      web.instances.map(({ address }) => address),
      ['the heir'],
    );
  };
  return { live, survive };
}

function configs({ zk }: Ground): Scene {
  const add = (document: Readonly<Record<string, unknown>>) => ({ sum: Number(document['sum'] ?? 0) + 1 });
  const live = async (own: Zk, { path, told }: Life): Promise<void> => {
    await using mine = await config(own, path, { history: 1 });
    for (let i = 0; i < 2; i++) told.push(String(await mine.update(add)));
  };
  const survive = async ({ path, told, end }: Dead): Promise<void> => {
    await end();
    await using mine = await config<{ readonly sum?: number }>(zk, path, { history: 1 });
    const { sum = 0 } = mine.value;
    assert.ok(sum >= told.length && sum <= told.length + 1, String(sum));
    await mine.update(add);
    await until(async () => mine.value.sum === sum + 1);
    await until(async () => (await mine.history()).length === 1);
  };
  return { live, survive };
}

/** By what must hold. */
export const SHARED: Readonly<Record<string, (ground: Ground) => Scene>> = {
  'barrier: bars nobody for ever, and nobody passes early': barriers,
  'double barrier: nobody begins alone, and nobody waits for it at the end': doubleBarriers,
  'counter: no change is lost, and one at most is not told': (ground) => counters(ground, false),
  'counter that counts exactly once: the same, and it leaves no marker': (ground) => counters(ground, true),
  'id generator: no number is given twice': ids,
  'group: is no member any more': groups,
  'znode that is kept: another keeps it from then on': (ground) => keptNodes(ground, 'ephemeral'),
  'persistent znode that is kept: another keeps it from then on': (ground) => keptNodes(ground, 'persistent'),
  'service: is not found any more, and another takes its place': services,
  'configuration: what was told is written, and one at most is not told': configs,
};

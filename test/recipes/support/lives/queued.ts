/** Items of queues on their way: put, claimed and done, or taken at once. */
import assert from 'node:assert/strict';
import { op, utf8, type Zk } from '../../../../src/client/index.ts';
import { type QueueOptions, queue } from '../../../../src/recipes/index.ts';
import type { Ground } from '../servers.ts';
import { type Dead, type Life, namesAt, type Scene, untilEmpty } from './scene.ts';

export const CLAIMED: Readonly<Record<string, QueueOptions>> = {
  queue: {},
  'queue by priority': { order: 'priority' },
  'queue by time': { order: 'delayed' },
  'queue by id': { order: 'id' },
  'queue of kazoo': { dialect: 'kazoo' },
};

export const TAKEN: Readonly<Record<string, QueueOptions>> = {
  'queue without claims': {},
  'queue of kazoo without claims': { dialect: 'kazoo' },
  'queue of ZooKeeper': { dialect: 'zookeeper' },
};

/** An item on its way: put, claimed, done together with its result. */
export function claimed({ zk }: Ground, options: QueueOptions): Scene {
  const itemsAt = (one: Zk, path: string) => queue(one, path, utf8, options);
  const live = async (own: Zk, { path, told }: Life): Promise<void> => {
    await zk.ensurePath(`${path}-results`);
    const items = itemsAt(own, path);
    await items.put('item', options.order === 'id' ? { id: 'x' } : {});
    told.push('put');
    const claim = await items.claim();
    told.push('claimed');
    await claim.done([op.create(`${path}-results/item`)]);
    told.push('done');
  };
  const survive = async ({ path, told, end }: Dead): Promise<void> => {
    const items = itemsAt(zk, path);
    if (told.includes('claimed')) assert.equal(await items.tryClaim(), null, 'two have it');
    await end();
    for (let claim = await items.tryClaim(); claim !== null; claim = await items.tryClaim()) {
      assert.ok(!told.includes('done'));
      // Refused, if it was done before: the result is there then.
      await claim.done([op.create(`${path}-results/item`)]);
    }
    const results = await namesAt(zk, `${path}-results`);
    assert.equal(results.length, told.includes('put') ? 1 : Math.min(results.length, 1));
    assert.deepEqual(await items.items(), []);
    await untilEmpty(zk, [`${path}-claims`, `${path}/taken`, `${path}-marks`]);
  };
  return { live, survive };
}

export function taken({ zk }: Ground, options: QueueOptions): Scene {
  const itemsAt = (one: Zk, path: string) => queue(one, path, utf8, { ...options, claims: false });
  const live = async (own: Zk, { path, told }: Life): Promise<void> => {
    await itemsAt(zk, path).putAll(['a', 'b']);
    const items = itemsAt(own, path);
    for (const value of ['a', 'b']) {
      assert.equal(await items.take(), value);
      told.push(value);
    }
  };
  const survive = async ({ path, told, end }: Dead): Promise<void> => {
    await end();
    const left: string[] = [];
    const items = itemsAt(zk, path);
    while ((await items.items()).length > 0) left.push(await items.take());
    // At most once: one may have gone with it, none is given again.
    assert.ok(told.length + left.length >= 1 && told.length + left.length <= 2);
    assert.deepEqual(left, ['a', 'b'].slice(2 - left.length));
    await untilEmpty(zk, [`${path}-marks`]);
  };
  return { live, survive };
}

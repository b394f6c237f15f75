/** What one has alone: got behind another, used, given back. */
import assert from 'node:assert/strict';
import { op, utf8, type Zk } from '../../../../src/client/index.ts';
import {
  election,
  type Lease,
  lock,
  multiLock,
  readWriteLock,
  semaphore,
} from '../../../../src/recipes/index.ts';
import type { Ground } from '../servers.ts';
import { type Dead, type Life, type Scene, settle, untilEmpty } from './scene.ts';

interface Held extends Pick<Lease, 'token' | 'guard' | 'release'> {}

interface Exclusive {
  readonly hold: (zk: Zk, path: string) => Promise<Held>;
  /** Who waits behind; as `hold` if left out. */
  readonly inherit?: (zk: Zk, path: string) => Promise<Held>;
  /** Where those stand who hold or wait, below the path. */
  readonly lines?: readonly string[];
}

export const EXCLUSIVE: Readonly<Record<string, Exclusive>> = {
  lock: { hold: (zk, path) => lock(zk, path).acquire() },
  'lock of kazoo': { hold: (zk, path) => lock(zk, path, { dialect: 'kazoo' }).acquire() },
  'lock of ZooKeeper': { hold: (zk, path) => lock(zk, path, { dialect: 'zookeeper' }).acquire() },
  writer: { hold: (zk, path) => readWriteLock(zk, path).write.acquire() },
  reader: {
    hold: (zk, path) => readWriteLock(zk, path).read.acquire(),
    inherit: (zk, path) => readWriteLock(zk, path).write.acquire(),
  },
  'writer who becomes a reader': {
    hold: async (zk, path) => {
      const both = readWriteLock(zk, path);
      return both.downgrade(await both.write.acquire());
    },
    inherit: (zk, path) => readWriteLock(zk, path).write.acquire(),
  },
  semaphore: {
    hold: (zk, path) => semaphore(zk, path, { max: 2 }).acquire({ weight: 2 }),
    lines: ['/locks', '/leases'],
  },
  'semaphore of kazoo': {
    hold: (zk, path) => semaphore(zk, path, { max: 1, dialect: 'kazoo' }).acquire(),
    lines: ['', '-__lock__'],
  },
  'several locks': {
    hold: async (zk, path) => {
      const all = await multiLock(zk, [path, `${path}-2`]).acquire();
      return Object.assign(all, { token: all.leases[0]!.token });
    },
    lines: ['', '-2'],
  },
  latch: { hold: (zk, path) => election(zk, path).lead() },
  selector: { hold: (zk, path) => election(zk, path, { kind: 'selector' }).lead() },
};

export function exclusive({ zk }: Ground, { hold, inherit = hold, lines = [''] }: Exclusive): Scene {
  let front: Held | null = null;
  let token = 0;
  const live = async (own: Zk, { path, told }: Life): Promise<void> => {
    await zk.create(`${path}-resource`, 'nobody', { parents: 'persistent' });
    front = await inherit(zk, path);
    const waiting = hold(own, path);
    waiting.catch(() => undefined);
    // It waits behind somebody first, unless it dies on its way there.
    await zk.sync();
    await front.release();
    const held = await waiting;
    ({ token } = held);
    told.push('held');
    await held.guard([op.setData(`${path}-resource`, 'the dead')]);
    told.push('written');
    await held.release();
    told.push('released');
  };
  const survive = async ({ path, told, end }: Dead): Promise<void> => {
    await front?.release();
    const isHeld = told.includes('held') && !told.includes('released');
    let isInherited = false;
    const inheriting = inherit(zk, path);
    void inheriting.then(() => {
      isInherited = true;
    });
    await settle(zk);
    // Behind the request that gives it up, it may be given up.
    if (isHeld && !told.includes('written')) assert.ok(!isInherited, 'two have it');
    await end();
    const heir = await inheriting;
    if (told.includes('held')) assert.ok(heir.token > token);
    const { data } = await zk.getData(`${path}-resource`);
    if (told.includes('written')) assert.equal(utf8.decode(data), 'the dead');
    await heir.guard([op.setData(`${path}-resource`, 'the heir')]);
    await heir.release();
    await untilEmpty(
      zk,
      lines.map((line) => path + line),
    );
  };
  return { live, survive };
}

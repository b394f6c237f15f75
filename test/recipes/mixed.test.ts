/**
 * Recipes shared with real processes of other families of clients, each in its own dialect: kazoo's and Curator's own code,
 * and the lock that comes with ZooKeeper. Both wait for each other, in both directions, also when one of them is killed.
 */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { utf8, type Zk } from '../../src/client/index.ts';
import { encodeInstance, uriSpecOf } from '../../src/recipes/discovery/instance.ts';
import {
  AcquireTimeoutError,
  counter,
  type Dialect,
  discovery,
  doubleBarrier,
  election,
  group,
  type Lease,
  lock,
  MixedDialectError,
  queue,
  readWriteLock,
  semaphore,
  uriOf,
} from '../../src/recipes/index.ts';
import { need } from '../support/skip.ts';
import { until } from '../support/until.ts';
import { Peer } from './peers/peer.ts';
import { endSession } from './support/faulty-transport.ts';
import { type Ground, onEachServer } from './support/servers.ts';

/** Longer than any pause of a busy machine: sessions end when they are told to. */
const SESSION_MS = 30_000;
const ROUNDS = 8;

type Acquire = (options?: { readonly timeoutMs?: number }) => Promise<Lease>;

/** Ours inside a part of the tree where nobody else may be; changes a plain number that is lost if somebody is. */
async function rounds(zk: Zk, path: string, acquire: Acquire): Promise<void> {
  for (let i = 0; i < ROUNDS; i++) {
    await using lease = await acquire();
    await zk.create(`${path}-inside`, null, { mode: 'ephemeral' });
    const value = Number(Buffer.from((await zk.getData(`${path}-number`)).data!).toString());
    await lease.guard([]);
    await zk.setData(`${path}-number`, String(value + 1));
    await zk.delete(`${path}-inside`);
  }
}

/** Both take turns and wait for each other. */
async function sharesExclusively(
  { zk }: Ground,
  theirs: Peer,
  kind: string,
  path: string,
  acquire: Acquire,
): Promise<void> {
  await zk.create(`${path}-number`, '0', { parents: 'persistent' });
  const both = [
    rounds(zk, path, acquire),
    rounds(zk, path, acquire),
    theirs.call('rounds', kind, path, ROUNDS),
  ];
  await Promise.all(both);
  assert.equal(Buffer.from((await zk.getData(`${path}-number`)).data!).toString(), String(ROUNDS * 3));

  await theirs.call('acquire', 'a', kind, path);
  await assert.rejects(acquire({ timeoutMs: 50 }), AcquireTimeoutError);
  const waiting = acquire();
  await theirs.call('release', 'a');
  const ours = await waiting;
  let got = false;
  const turn = theirs.call('acquire', 'b', kind, path).then(() => {
    got = true;
  });
  await until(async () => (await zk.children(path)).names.length === 2);
  await zk.sync();
  assert.ok(!got);
  await ours.release();
  await turn;
  const heir = acquire();
  await theirs.call('release', 'b');
  await (await heir).release();
}

/** As when it has not been heard of for too long. */
async function dies({ server }: Ground, doomed: Peer): Promise<void> {
  const session = await doomed.session();
  await doomed.kill();
  await endSession(server.address, session);
}

/** Who dies in the lock is waited for no longer than its session lasts. */
async function inherits(
  ground: Ground,
  doomed: Peer,
  kind: string,
  path: string,
  acquire: Acquire,
): Promise<void> {
  await doomed.call('acquire', 'doomed', kind, path);
  const heir = acquire();
  await dies(ground, doomed);
  await (await heir).release();
}

async function sharesReading({ zk }: Ground, theirs: Peer, path: string, dialect: Dialect): Promise<void> {
  const { read, write } = readWriteLock(zk, path, { dialect });
  await theirs.call('acquire', 'reader', 'read', path);
  await (await read.acquire({ timeoutMs: 5_000 })).release();
  await assert.rejects(write.acquire({ timeoutMs: 50 }), AcquireTimeoutError);
  const writing = write.acquire();
  await until(async () => (await zk.children(path)).names.length === 2);
  const reading = theirs.call('acquire', 'behind', 'read', path);
  await until(async () => (await zk.children(path)).names.length === 3);
  await theirs.call('release', 'reader');
  await (await writing).release();
  await reading;
  await theirs.call('release', 'behind');
}

async function sharesPlaces(
  { zk }: Ground,
  theirs: Peer,
  path: string,
  dialect: 'curator' | 'kazoo',
): Promise<void> {
  const places = semaphore(zk, path, { max: 2, dialect });
  await theirs.call('acquire', 'place', 'semaphore:2', path);
  const ours = await places.acquire({ timeoutMs: 5_000 });
  await assert.rejects(places.acquire({ timeoutMs: 100 }), AcquireTimeoutError);
  const waiting = places.acquire();
  await theirs.call('release', 'place');
  const second = await waiting;
  const third = theirs.call('acquire', 'third', 'semaphore:2', path);
  await ours.release();
  await third;
  await theirs.call('release', 'third');
  await second.release();
}

async function beginsAndEndsTogether({ zk }: Ground, theirs: Peer, path: string): Promise<void> {
  const round = doubleBarrier(zk, path, { members: 2 });
  await assert.rejects(round.enter({ timeoutMs: 50 }), AcquireTimeoutError);
  const entering = round.enter();
  await theirs.call('enter', path, 2);
  await entering;
  let left = false;
  const leaving = theirs.call('leave', path, 2).then(() => {
    left = true;
  });
  await zk.sync();
  assert.ok(!left);
  await round.leave();
  await leaving;
}

onEachServer(
  'mixed with kazoo',
  (ground) => {
    const start = (): Promise<Peer> => Peer.kazoo(ground.server.address, SESSION_MS);
    const makers: Readonly<Record<string, (path: string) => Acquire>> = {
      lock: (path) => (options) => lock(ground.zk, path, { dialect: 'kazoo' }).acquire(options),
      write: (path) => (options) =>
        readWriteLock(ground.zk, path, { dialect: 'kazoo' }).write.acquire(options),
      selector: (path) => (options) =>
        election(ground.zk, path, { kind: 'selector', dialect: 'kazoo' }).lead(options),
    };
    let theirs: Peer;
    before(async () => {
      theirs = await start();
    });
    after(() => theirs?.kill());

    for (const [kind, make] of Object.entries(makers)) {
      it(`shares its ${kind}`, async () => {
        const path = `/kazoo/${kind}`;
        await sharesExclusively(ground, theirs, kind, path, make(path));
        await inherits(ground, await start(), kind, path, make(path));
      });
    }

    it('shares its readers, places, barriers and counters', async () => {
      await sharesReading(ground, theirs, '/kazoo/rw', 'kazoo');
      await sharesPlaces(ground, theirs, '/kazoo/places', 'kazoo');
      await beginsAndEndsTogether(ground, theirs, '/kazoo/round');
      const both = counter(ground.zk, '/kazoo/number');
      const adding = theirs.call('add', '/kazoo/number', 20);
      for (let i = 0; i < 20; i++) await both.add(1);
      await adding;
      assert.equal(await both.get(), 40);
    });

    it('shares its queues, and gives on what a dead consumer had', async () => {
      const mine = queue(ground.zk, '/kazoo/queue', utf8, { dialect: 'kazoo' });
      await mine.put('second', { priority: 200 });
      await mine.put('first', { priority: 5 });
      assert.equal(await theirs.call('take', '/kazoo/queue', 2), 'first,second');
      await theirs.call('put', '/kazoo/queue', 'third', 100);
      await theirs.call('put', '/kazoo/queue', 'urgent', 1);
      assert.deepEqual([await mine.take(), await mine.take()], ['urgent', 'third']);
      await mine.put('again');
      const doomed = await start();
      assert.equal(await doomed.call('claim', '/kazoo/queue'), 'again');
      assert.equal(await mine.tryClaim(), null);
      await dies(ground, doomed);
      const claim = await mine.claim();
      const waiting = theirs.call('take', '/kazoo/queue', 1);
      await claim.release();
      assert.equal(await waiting, 'again');
      const plain = queue(ground.zk, '/kazoo/plain', utf8, { dialect: 'kazoo', claims: false });
      await theirs.call('put_plain', '/kazoo/plain', 'a', 100);
      assert.equal(await plain.take(), 'a');
      await plain.put('b');
      assert.equal(await theirs.call('take_plain', '/kazoo/plain'), 'b');
    });

    it('shares its parties', async () => {
      for (const dialect of ['party', 'shallow'] as const) {
        const path = `/kazoo/${dialect}`;
        await using members = await group(ground.zk, path, { dialect }).members();
        await using ours = group(ground.zk, path, { dialect }).join('ours');
        await ours.ready();
        await theirs.call('join', path, 'theirs', dialect);
        assert.equal(await theirs.call('members', path), 'ours,theirs');
        await members.sync();
        assert.equal(
          members
            .list()
            .map(({ id }) => id)
            .join(),
          'ours,theirs',
        );
      }
    });

    it('is not mixed with the names of others in one lock', async () => {
      await theirs.call('acquire', 'alone', 'lock', '/kazoo/other');
      for (const dialect of ['curator', 'zookeeper'] as const)
        await assert.rejects(lock(ground.zk, '/kazoo/other', { dialect }).acquire(), MixedDialectError);
      await assert.rejects(election(ground.zk, '/kazoo/other').lead(), MixedDialectError);
      await assert.rejects(readWriteLock(ground.zk, '/kazoo/other').read.acquire(), MixedDialectError);
      await until(async () => (await ground.zk.children('/kazoo/other')).names.length === 1);
      await theirs.call('release', 'alone');
    });
  },
  {},
  need('kazoo'),
);

onEachServer(
  'mixed with Curator',
  (ground) => {
    const start = (): Promise<Peer> => Peer.curator(ground.server.address, SESSION_MS);
    const makers: Readonly<Record<string, (path: string) => Acquire>> = {
      lock: (path) => (options) => lock(ground.zk, path).acquire(options),
      write: (path) => (options) => readWriteLock(ground.zk, path).write.acquire(options),
      latch: (path) => (options) => election(ground.zk, path).lead(options),
      writelock: (path) => (options) => lock(ground.zk, path, { dialect: 'zookeeper' }).acquire(options),
    };
    let theirs: Peer;
    before(async () => {
      theirs = await start();
    });
    after(() => theirs?.kill());

    for (const [kind, make] of Object.entries(makers)) {
      it(`shares its ${kind}`, async () => {
        const path = `/curator/${kind}`;
        await sharesExclusively(ground, theirs, kind, path, make(path));
      });
    }

    it('inherits what it had when it died', async () => {
      // Starting a JVM is dear; what counts is the end of a session, whatever it held.
      await inherits(ground, await start(), 'lock', '/curator/doomed', makers['lock']!('/curator/doomed'));
    });

    it('shares its selector, and both see the same leader', async () => {
      const mine = election(ground.zk, '/curator/selector', { kind: 'selector', id: 'ours' });
      await theirs.call('acquire', 'leader', 'selector', '/curator/selector');
      assert.equal((await mine.leader())?.id, 'curator');
      await assert.rejects(mine.lead({ timeoutMs: 50 }), AcquireTimeoutError);
      const leading = mine.lead();
      await theirs.call('release', 'leader');
      const term = await leading;
      const next = theirs.call('acquire', 'next', 'selector', '/curator/selector');
      assert.equal((await mine.leader())?.id, 'ours');
      await term.release();
      await next;
      await theirs.call('release', 'next');
    });

    it('shares its readers, places, barriers and counters', async () => {
      await sharesReading(ground, theirs, '/curator/rw', 'curator');
      await sharesPlaces(ground, theirs, '/curator/places', 'curator');
      await beginsAndEndsTogether(ground, theirs, '/curator/round');
      const both = counter(ground.zk, '/curator/number', { format: 'int64', exactlyOnce: true });
      const adding = theirs.call('add', '/curator/number', 20);
      for (let i = 0; i < 20; i++) await both.add(1);
      await adding;
      assert.equal(await both.get(), 40);
    });

    it('shares its groups', async () => {
      await using members = await group(ground.zk, '/curator/group').members();
      await using ours = group(ground.zk, '/curator/group').join('ours');
      await ours.ready();
      await theirs.call('join', '/curator/group', 'theirs', 'says-this');
      await until(async () => members.list().length === 2);
      const [, one] = members.list();
      assert.deepEqual([one!.id, Buffer.from(one!.data!).toString()], ['theirs', 'says-this']);
      await until(async () => (await theirs.call('members', '/curator/group')) === 'ours,theirs');
    });

    it('finds our services, and has its own found', async () => {
      const services = discovery(ground.zk, '/curator/services');
      const payload = { '@class': 'java.util.LinkedHashMap', zone: 'near' };
      const uriSpec = '{scheme}://{address}:{port}/x';
      await using ours = services.register({ name: 'web', id: 'a', address: 'h', port: 1, payload, uriSpec });
      await ours.ready();
      assert.equal(await theirs.call('query', '/curator/services', 'web'), 'a|http://h:1/x|{zone=near}|true');
      assert.equal(await theirs.call('pick', '/curator/services', 'web'), 'a');
      await ours.update({ enabled: false });
      assert.equal(await theirs.call('pick', '/curator/services', 'web'), 'none');
      await using web = await services.provider('web');
      await theirs.call('register', '/curator/services', 'web', 'b', 8080);
      await web.sync();
      const [found] = web.instances;
      assert.deepEqual(found, {
        ...{ name: 'web', id: 'b', address: '10.0.0.1', port: 8080, sslPort: null, enabled: true },
        payload: { '@class': 'java.util.LinkedHashMap', weight: 3 },
        ...{
          registeredMs: 1234567890123,
          serviceType: 'DYNAMIC',
          uriSpec: uriSpecOf('{scheme}://{address}:{port}/x'),
        },
      });
      assert.equal(uriOf(found!), 'http://10.0.0.1:8080/x');
      // Ours, made of what it was read as, is theirs byte for byte.
      const { data } = await ground.zk.getData('/curator/services/web/b');
      const text = Buffer.from(data!).toString();
      assert.equal(encodeInstance(found!), text);
      await ours.update({ enabled: true, payload: null });
      assert.equal(
        await theirs.call('query', '/curator/services', 'web'),
        'a|http://h:1/x|null|true;b|http://10.0.0.1:8080/x|{weight=3}|true',
      );
    });

    it('shares its queues: plain, by priority, by time', async () => {
      const { zk } = ground;
      const plain = queue(zk, '/curator/plain', utf8);
      await theirs.call('put', 'plain', '/curator/plain', 'a', 0);
      await theirs.call('put', 'plain', '/curator/plain', 'b', 0);
      assert.deepEqual([await plain.take(), await plain.take()], ['a', 'b']);
      const urgent = queue(zk, '/curator/priority', utf8, { order: 'priority' });
      await theirs.call('put', 'priority', '/curator/priority', 'later', 7);
      await theirs.call('put', 'priority', '/curator/priority', 'now', -7);
      assert.deepEqual([await urgent.take(), await urgent.take()], ['now', 'later']);
      const delayed = queue(zk, '/curator/delayed', utf8, { order: 'delayed' });
      await theirs.call('put', 'delayed', '/curator/delayed', 'never', Date.now() + 3_600_000);
      await theirs.call('put', 'delayed', '/curator/delayed', 'soon', Date.now() + 100);
      assert.equal(await delayed.take(), 'soon');
      for (const order of ['plain', 'priority', 'delayed'] as const) {
        const path = `/curator/to-them-${order}`;
        const mine = queue(zk, path, utf8, { order });
        await mine.put('x');
        await mine.put('y');
        const held = await mine.claim();
        await theirs.call('consume', order, path);
        assert.equal(await theirs.call('take', path, 1), 'y');
        await held.done();
        await until(async () => (await mine.items()).length === 0);
      }
    });
  },
  {},
  need('java', 'curator'),
);

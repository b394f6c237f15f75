/** What a release costs when many wait: one of them is woken, whatever their number. Counted on their connections. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect, type Zk } from '../../src/client/index.ts';
import { election, type Lease, lock, readWriteLock, semaphore } from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { CountingTransport } from './support/counting.ts';
import { onEachServer } from './support/servers.ts';

const WAITERS = 60;
const CLIENTS = 3;

const KINDS: Readonly<
  Record<
    string,
    { readonly path: string; readonly acquire: (zk: Zk) => Promise<Lease>; readonly requests: number }
  >
> = {
  // The one that wakes asks who else is in front; the first one did not wait for more than one and asks nobody.
  lock: { path: '/herd/lock', acquire: (zk) => lock(zk, '/herd/lock').acquire(), requests: 1 },
  latch: { path: '/herd/latch', acquire: (zk) => election(zk, '/herd/latch').lead(), requests: 1 },
  write: {
    path: '/herd/write',
    acquire: (zk) => readWriteLock(zk, '/herd/write').write.acquire(),
    requests: 1,
  },
  // Who has the mutex looks and hands it on; the next one looks for its turn, makes its place, and finds it full twice: the
  // second time it watches.
  semaphore: {
    path: '/herd/semaphore/locks',
    acquire: (zk) => semaphore(zk, '/herd/semaphore', { max: 1 }).acquire(),
    requests: 6,
  },
};

onEachServer('a herd', (ground) => {
  for (const [kind, { path, acquire, requests }] of Object.entries(KINDS))
    it(`of ${WAITERS} at a ${kind}: a release wakes one`, async () => {
      const { zk, server } = ground;
      const transports = Array.from({ length: CLIENTS }, () => new CountingTransport());
      const clients = await Promise.all(
        transports.map((transport) => connect(server.address, { transport })),
      );
      const first = await acquire(zk);
      const leases: Lease[] = [];
      const waiting = Array.from({ length: WAITERS }, (_, i) =>
        acquire(clients[i % CLIENTS]!).then(
          (lease) => leases.push(lease),
          () => undefined,
        ),
      );
      await using all = new AsyncDisposableStack();
      all.defer(() => Promise.all(waiting).then(() => undefined));
      for (const client of clients) all.use(client);
      await until(async () => (await zk.children(path)).names.length >= WAITERS);
      // Their last reads are answered, and their watches are there.
      const settle = (): Promise<unknown> => Promise.all(clients.map((client) => client.sync()));
      for (let i = 0; i < 3; i++) await settle();
      const sum = (field: 'requests' | 'events'): number =>
        transports.reduce((all, one) => all + one[field], 0);
      let held: Lease = first;
      for (let round = 1; round <= 5; round++) {
        const before = { requests: sum('requests'), events: sum('events') };
        await held.release();
        await until(async () => leases.length === round);
        const after = { requests: sum('requests'), events: sum('events') };
        // One release, counted on the side of who releases except for the first.
        const releasing = round === 1 ? 0 : 1;
        assert.ok(
          after.events - before.events <= (kind === 'semaphore' ? 2 : 1),
          JSON.stringify({ before, after }),
        );
        assert.ok(
          after.requests - before.requests <= releasing + requests,
          JSON.stringify({ round, before, after }),
        );
        held = leases[round - 1]!;
        await settle();
      }
    });
});

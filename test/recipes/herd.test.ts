/**
 * What a release costs when many wait: one of them is woken, whatever their number. Counted on their connections.
 *
 * Who has got it may let go before the one behind has done all that its own wake-up asks for, so what falls between two
 * releases depends on who is faster. What a release costs in all does not: each round is awaited to its last request and
 * event, whose numbers are exact, and a request of each client behind that brings in whatever else was on its way.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect, type Zk } from '../../src/client/index.ts';
import { election, type Lease, lock, readWriteLock, semaphore } from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { CountingTransport } from './support/counting.ts';
import { onEachServer } from './support/servers.ts';

const WAITERS = 60;
const CLIENTS = 3;
const ROUNDS = 5;

interface Cost {
  readonly requests: number;
  readonly events: number;
}

interface Kind {
  readonly path: string;
  readonly acquire: (zk: Zk) => Promise<Lease>;
  /** All of them get in line. */
  readonly queueing: Cost;
  /** One release, its own request included. */
  readonly release: Cost;
  /** The release for the first who waits, by somebody whose requests are not counted. */
  readonly first: Cost;
}

/** Each makes its znode, lists, and watches the one in front. Who is woken asks who else is in front, and is the holder. */
const IN_LINE = {
  queueing: { requests: 3 * WAITERS, events: 0 },
  release: { requests: 2, events: 1 },
  // It did not wait for more than one, and asks nobody.
  first: { requests: 0, events: 1 },
};

const KINDS: Readonly<Record<string, Kind>> = {
  lock: { path: '/herd/lock', acquire: (zk) => lock(zk, '/herd/lock').acquire(), ...IN_LINE },
  latch: { path: '/herd/latch', acquire: (zk) => election(zk, '/herd/latch').lead(), ...IN_LINE },
  write: {
    path: '/herd/write',
    acquire: (zk) => readWriteLock(zk, '/herd/write').write.acquire(),
    ...IN_LINE,
    // A downgrade may have put a reader in front, so this one asks too.
    first: { requests: 1, events: 1 },
  },
  semaphore: {
    path: '/herd/semaphore/locks',
    acquire: (zk) => semaphore(zk, '/herd/semaphore', { max: 1 }).acquire(),
    // The first has the mutex at once: it makes its place, and finds no room twice; the second time it watches.
    queueing: { requests: 3 * (WAITERS - 1) + 5, events: 0 },
    // Who has the mutex is told of the room, counts, and hands the mutex on; the next one looks for its turn and does as
    // the first did.
    release: { requests: 7, events: 2 },
    // The next one waited for the first alone, and asks nobody.
    first: { requests: 5, events: 2 },
  },
};

onEachServer('a herd', (ground) => {
  for (const [kind, { path, acquire, ...costs }] of Object.entries(KINDS))
    it(`of ${WAITERS} at a ${kind}: a release wakes one`, async () => {
      const { zk, server } = ground;
      const transports = Array.from({ length: CLIENTS }, () => new CountingTransport());
      const clients = await Promise.all(
        transports.map((transport) => connect(server.address, { transport })),
      );
      const first = await acquire(zk);
      // A semaphore gives its mutex back without waiting: it is not to be found in front of the first who waits.
      await zk.sync();
      const counted = (): Cost => ({
        requests: transports.reduce((all, one) => all + one.requests, 0),
        events: transports.reduce((all, one) => all + one.events, 0),
      });
      /** Waits until all of that has come, and for what else is on its way. */
      const settle = async (before: Cost, expected: Cost, label: string): Promise<void> => {
        const since = (syncs = 0): Cost => {
          const { requests, events } = counted();
          return {
            requests: requests - before.requests - syncs * CLIENTS,
            events: events - before.events,
          };
        };
        await until(async () => since().requests >= expected.requests && since().events >= expected.events);
        // All requests have been executed behind the first, and the events that they caused are here behind the second.
        for (let i = 0; i < 2; i++) await Promise.all(clients.map((client) => client.sync()));
        assert.deepEqual(since(2), expected, label);
      };
      const leases: Lease[] = [];
      let before = counted();
      const waiting = Array.from({ length: WAITERS }, (_, i) =>
        acquire(clients[i % CLIENTS]!).then(
          (lease) => leases.push(lease),
          () => undefined,
        ),
      );
      await using all = new AsyncDisposableStack();
      all.defer(() => Promise.all(waiting).then(() => undefined));
      for (const client of clients) all.use(client);
      await settle(before, costs.queueing, 'getting in line');
      assert.equal((await zk.children(path)).names.length, kind === 'semaphore' ? WAITERS : WAITERS + 1);
      let held: Lease = first;
      for (let round = 1; round <= ROUNDS; round++) {
        before = counted();
        await held.release();
        await settle(before, round === 1 ? costs.first : costs.release, `release ${round}`);
        await until(async () => leases.length >= round);
        assert.equal(leases.length, round);
        held = leases[round - 1]!;
      }
    });
});

/**
 * What is told about a write whose reply was lost is true, also when its caller gives up, or closes the client, before anybody
 * could find out: never "not sent" or "refused" of what was done. The tree is the judge.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, isZk, utf8, type Zk } from '../../src/client/index.ts';
import { barrier, config, counter, persistentNode, queue } from '../../src/recipes/index.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { needRingkeeper } from '../support/skip.ts';
import { until } from '../support/until.ts';
import { type Cut, endSession, FaultyTransport } from './support/faulty-transport.ts';

interface Write {
  /** What has to be there; nothing of it counts as a request. */
  readonly before?: (zk: Zk, path: string) => Promise<unknown>;
  readonly write: (zk: Zk, path: string, signal: AbortSignal) => Promise<unknown>;
  readonly wasDone: (zk: Zk, path: string) => Promise<boolean>;
}

const itemsOf = (zk: Zk, path: string) => queue(zk, path, utf8, { claims: false });

const WRITES: Readonly<Record<string, Write>> = {
  'a change of a counter': {
    write: (zk, path, signal) => counter(zk, path).add(1, { signal }),
    wasDone: async (zk, path) => (await counter(zk, path).get()) === 1,
  },
  'a change of a counter that counts exactly once': {
    write: (zk, path, signal) => counter(zk, path, { exactlyOnce: true }).add(1, { signal }),
    wasDone: async (zk, path) => (await counter(zk, path).get()) === 1,
  },
  'a new configuration': {
    write: async (zk, path, signal) => {
      await using mine = await config(zk, path);
      await mine.update(() => ({ is: 'new' }), { signal });
    },
    wasDone: async (zk, path) => (await zk.exists(path)) !== null,
  },
  'a put': {
    write: (zk, path, signal) => itemsOf(zk, path).put('item', { signal }),
    wasDone: async (zk, path) => (await itemsOf(zk, path).items()).length === 1,
  },
  'a take': {
    before: (zk, path) => itemsOf(zk, path).put('item'),
    write: (zk, path, signal) => itemsOf(zk, path).take({ signal }),
    wasDone: async (zk, path) => (await itemsOf(zk, path).items()).length === 0,
  },
  'the end of a claim': {
    before: (zk, path) => queue(zk, path, utf8).put('item'),
    write: async (zk, path) => (await queue(zk, path, utf8).claim()).done(),
    wasDone: async (zk, path) => (await queue(zk, path, utf8).items()).length === 0,
  },
  'a barrier': {
    write: (zk, path, signal) => barrier(zk, path).set({ signal }),
    wasDone: async (zk, path) => (await zk.exists(path)) !== null,
  },
};

const GIVE_UP: Readonly<Record<string, (zk: Zk, stop: AbortController) => unknown>> = {
  'is given up': (_zk, stop) => stop.abort(new Error('enough')),
  'ends with its client': (zk) => zk.close(),
};

describe('what is told about a write', { skip: needRingkeeper() }, () => {
  const server = new RingkeeperServer({});
  let zk: Zk;

  before(async () => {
    await server.start();
    zk = await connect(server.address);
  });
  after(async () => {
    await zk?.close();
    await server.dispose();
  });

  /** With a client that meets `fault` at its k-th request, for each k. */
  async function atEachRequest(
    fault: Cut,
    step: (own: Zk, path: string, label: string) => Promise<void>,
    name: string,
  ): Promise<void> {
    for (let at = 1; ; at++) {
      const transport = new FaultyTransport(at, fault, server.address);
      const path = `/told/${name}-${fault}-${at}`.replaceAll(' ', '-');
      await using own = await transport.connect();
      await step(own, path, `${fault} at request ${at}`);
      if (!transport.reached) return;
    }
  }

  for (const [what, { before: prepare, write, wasDone }] of Object.entries(WRITES))
    for (const [how, giveUp] of Object.entries(GIVE_UP))
      it(`is true of ${what} that ${how} behind a lost reply`, async () => {
        const step = async (own: Zk, path: string, label: string): Promise<void> => {
          await prepare?.(zk, path);
          const stop = new AbortController();
          // In the next turn: by then it is being looked for.
          own.core.listen(({ state }) => state === 'suspended' && setImmediate(() => giveUp(own, stop)));
          const told = await write(own, path, stop.signal).then(
            () => 'done',
            (error: unknown) => (isZk(error) ? error.outcome : String(error)),
          );
          const isDone = await wasDone(zk, path);
          if (told === 'done') assert.ok(isDone, label);
          if (told === 'notSent' || told === 'refused') assert.ok(!isDone, `${label}: told ${told}`);
        };
        await atEachRequest('reply', step, `${what} ${how}`);
      });

  it('leaves no claim behind that is given up while it is looked for', async () => {
    const step = async (own: Zk, path: string, label: string): Promise<void> => {
      const items = queue(zk, path, utf8);
      await items.put('item');
      const stop = new AbortController();
      own.core.listen(({ state }) => state === 'suspended' && setImmediate(() => stop.abort()));
      const claim = await queue(own, path, utf8)
        .claim({ signal: stop.signal })
        .catch(() => null);
      await claim?.release();
      // Its session lives on.
      await until(async () => {
        await using mine = await items.tryClaim();
        return mine !== null;
      });
      assert.ok(own.sessionId !== 0n, label);
    };
    await atEachRequest('reply', step, 'claim');
  });

  it('does not write a configuration twice when the copy of its version is gone by then', async () => {
    let toldUnknown = 0;
    const step = async (own: Zk, path: string, label: string): Promise<void> => {
      const options = { history: 1 };
      await using theirs = await config(zk, path, options);
      await theirs.set({ sum: 0 });
      await using mine = await config(own, path, options);
      const add = (document: Readonly<Record<string, unknown>>) => ({ sum: Number(document['sum']) + 1 });
      const meanwhile: Promise<unknown>[] = [];
      const stop = own.core.listen(({ state }) => {
        if (state !== 'suspended') return;
        own.updateServers('127.0.0.1:1');
        // Another version, whose writer keeps no copy of the one before.
        const isTrimmed = async (): Promise<boolean> => (await theirs.history()).length === 1;
        const act = theirs.update(add).then(() => until(isTrimmed));
        meanwhile.push(act.then(() => own.updateServers(server.address)));
      });
      const told = await mine.update(add).then(
        () => [1],
        (error: unknown) => {
          assert.ok(isZk(error) && error.outcome === 'unknown', String(error));
          toldUnknown++;
          return [0, 1];
        },
      );
      stop();
      await Promise.all(meanwhile);
      const { sum } = JSON.parse(utf8.decode((await zk.getData(path)).data)) as { sum: number };
      assert.ok(
        told.includes(sum - meanwhile.length),
        `${label}: ${sum} after ${told} + ${meanwhile.length}`,
      );
    };
    await atEachRequest('reply', step, 'trimmed');
    assert.ok(toldUnknown > 0);
  });

  it('takes a persistent znode away although the session ends while it is closed', async () => {
    await using own = await connect(server.address);
    const kept = persistentNode(own, '/told/kept', 'x', { mode: 'persistent' });
    await kept.ready();
    own.updateServers('127.0.0.1:1');
    await until(async () => own.state === 'suspended');
    const closing = kept.close();
    await endSession(server.address, own.core.driver.machine.session.ticket);
    own.updateServers(server.address);
    await closing;
    assert.equal(await zk.exists('/told/kept'), null);
  });
});

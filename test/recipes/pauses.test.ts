/**
 * Holders that are real processes: stopped beyond the end of their sessions and continued, and killed. What they do after a
 * pause is refused, and nobody waits for the dead. Deaths at each request are in `kills.test.ts`.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { utf8, type Zk } from '../../src/client/index.ts';
import {
  election,
  lock,
  multiLock,
  persistentNode,
  queue,
  readWriteLock,
  semaphore,
} from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { Peer } from './peers/peer.ts';
import { onEachServer } from './support/servers.ts';

/** Its end is waited for; and this process or a holder may stand still for less beside other tests. */
const SESSION_MS = 4_000;
const SHORT_TICKS = { tickTime: '200', maxSessionTimeout: '30000' };

/** Waits in the same line; how each kind is got by the heir. */
const HEIRS: Readonly<
  Record<string, (zk: Zk, path: string) => Promise<{ token: number; release(): Promise<void> }>>
> = {
  lock: (zk, path) => lock(zk, path).acquire(),
  write: (zk, path) => readWriteLock(zk, path).write.acquire(),
  latch: (zk, path) => election(zk, path).lead(),
  selector: (zk, path) => election(zk, path, { kind: 'selector' }).lead(),
  semaphore: (zk, path) => semaphore(zk, path, { max: 1 }).acquire(),
  multi: async (zk, path) => {
    const all = await multiLock(zk, [`${path}-2`, path]).acquire();
    return Object.assign(all, { token: all.leases[0]!.token });
  },
};

/** A process whose session has not ended, because the machine was busy, before it held all. */
async function untilItHolds(address: string, holdAll: (one: Peer) => Promise<void>): Promise<Peer> {
  for (;;) {
    const one = await Peer.ours(address, SESSION_MS);
    const failure = await holdAll(one).then(
      () => null,
      (error: Error) => error,
    );
    if (failure === null) return one;
    await one.kill();
    if (!/LeaseLostError|ZkError/.test(failure.message)) throw failure;
  }
}

async function textAt(zk: Zk, path: string): Promise<string> {
  return Buffer.from((await zk.getData(path)).data!).toString();
}

onEachServer(
  'holders in processes of their own',
  (ground) => {
    it('who was stopped too long can do nothing any more with what another has by then', async () => {
      const { zk, server } = ground;
      const kinds = Object.keys(HEIRS);
      for (const kind of kinds)
        await zk.create(`/paused/${kind}-resource`, 'none', { parents: 'persistent' });
      await queue(zk, '/paused/queue', utf8).put('item');
      const tokens = new Map<string, number>();
      const holdAll = async (one: Peer): Promise<void> => {
        for (const kind of kinds) {
          tokens.set(kind, Number(await one.call('hold', kind, `/paused/${kind}`)));
          await one.call('write', `/paused/${kind}`, `/paused/${kind}-resource`, 'holder');
          assert.equal(await textAt(zk, `/paused/${kind}-resource`), 'holder');
        }
        assert.equal(await one.call('claim', '/paused/queue'), 'item');
      };
      await using holder = await untilItHolds(server.address, holdAll);
      holder.pause();
      const heirs = await Promise.all(kinds.map((kind) => HEIRS[kind]!(zk, `/paused/${kind}`)));
      const claim = await queue(zk, '/paused/queue', utf8).claim();
      // All of it lies in the pipe when the process goes on: it comes before its timers know anything.
      const looks = kinds.map((kind) => holder.call('look', `/paused/${kind}`));
      const writes = kinds.map((kind) =>
        holder.call('write', `/paused/${kind}`, `/paused/${kind}-resource`, 'late').then(
          () => 'written',
          (error: Error) => error.message,
        ),
      );
      const done = holder
        .call('done', '/paused/queue', '/paused/done-late')
        .catch((error: Error) => error.message);
      holder.resume();
      for (const [i, kind] of kinds.entries()) {
        assert.equal(await looks[i], 'LeaseLostError', kind);
        assert.match(await writes[i]!, /LeaseLostError/, kind);
        assert.equal(await textAt(zk, `/paused/${kind}-resource`), 'holder', kind);
        assert.ok(heirs[i]!.token > tokens.get(kind)!, kind);
      }
      assert.match(await done, /LeaseLostError/);
      assert.equal(await zk.exists('/paused/done-late'), null);
      assert.ok(claim.attempt >= 2);
      await claim.done();
      await Promise.all(heirs.map((heir) => heir.release()));
    });

    it('who is killed is waited for no longer than its session lasts, whatever it held', async () => {
      const { zk, server } = ground;
      await using doomed = await Peer.ours(server.address, SESSION_MS);
      const kinds = Object.keys(HEIRS);
      // Its session may end before that, when it is late: it is waited for no longer then either.
      await Promise.allSettled(kinds.map((kind) => doomed.call('hold', kind, `/killed/${kind}`)));
      await zk.ensurePath('/killed/queue');
      await queue(zk, '/killed/queue', utf8).put('item');
      await Promise.allSettled([
        doomed.call('claim', '/killed/queue'),
        doomed.call('keep', '/killed/kept'),
        doomed.call('enter', '/killed/round'),
      ]);
      await doomed.kill();
      const heirs = await Promise.all(kinds.map((kind) => HEIRS[kind]!(zk, `/killed/${kind}`)));
      await Promise.all(heirs.map((heir) => heir.release()));
      const claim = await queue(zk, '/killed/queue', utf8).claim();
      await claim.done();
      await using kept = persistentNode(zk, '/killed/kept', 'heir');
      await kept.ready();
      await zk.ensurePath('/killed/round');
      await until(async () => (await zk.children('/killed/round')).names.every((name) => name === 'ready'));
    });
  },
  SHORT_TICKS,
);

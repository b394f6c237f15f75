/**
 * Holders that are real processes: stopped beyond the end of their sessions and continued, and killed at each write. What they
 * do after a pause is refused, nobody waits for the dead, and nothing is done twice.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { utf8, type Zk } from '../../src/client/index.ts';
import { election, lock, multiLock, queue, readWriteLock, semaphore } from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { Peer } from './peers/peer.ts';
import { onEachServer } from './support/servers.ts';

const SESSION_MS = 1_000;
/** Enough for a process that starts beside many others not to lose it before it is killed. */
const DOOMED_MS = 2_000;
const SHORT_TICKS = { tickTime: '200', maxSessionTimeout: '30000' };

/** One more than either of the two needs. */
const WRITES = [1, 2, 3, 4, 5, 6];

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

async function textAt(zk: Zk, path: string): Promise<string> {
  return Buffer.from((await zk.getData(path)).data!).toString();
}

async function isGone(zk: Zk, path: string): Promise<boolean> {
  return (await zk.exists(path)) === null || (await zk.children(path)).names.length === 0;
}

onEachServer(
  'holders in processes of their own',
  (ground) => {
    it('who was stopped too long can do nothing any more with what another has by then', async () => {
      const { zk, server } = ground;
      await using holder = await Peer.ours(server.address, SESSION_MS);
      const kinds = Object.keys(HEIRS);
      const tokens = new Map<string, number>();
      for (const kind of kinds) {
        await zk.create(`/paused/${kind}-resource`, 'none', { parents: 'persistent' });
        tokens.set(kind, Number(await holder.call('hold', kind, `/paused/${kind}`)));
        await holder.call('write', `/paused/${kind}`, `/paused/${kind}-resource`, 'holder');
        assert.equal(await textAt(zk, `/paused/${kind}-resource`), 'holder');
      }
      await holder.call('put', '/paused/queue', 'item');
      assert.equal(await holder.call('claim', '/paused/queue'), 'item');
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
      assert.equal(claim.attempt, 2);
      await claim.done();
      await Promise.all(heirs.map((heir) => heir.release()));
    });

    it('who is killed at any write of a lock is waited for no longer than its session lasts', async () => {
      const { zk, server } = ground;
      await zk.create('/killed/resource', 'none', { parents: 'persistent' });
      const steps = async (when: 'before' | 'after', at: number): Promise<boolean> => {
        const path = `/killed/lock-${when}-${at}`;
        await zk.ensurePath(path, 'container');
        await using doomed = await Peer.ours(server.address, DOOMED_MS, at, when);
        const run = async (): Promise<void> => {
          await doomed.call('hold', 'lock', path);
          await doomed.call('write', path, '/killed/resource', path);
          await doomed.call('release', path);
        };
        const lived = await run().then(
          () => true,
          () => false,
        );
        await using heir = await lock(zk, path).acquire();
        await heir.verify();
        await doomed.kill();
        await heir.release();
        await until(() => isGone(zk, path));
        return lived;
      };
      for (const when of ['before', 'after'] as const) {
        const lived = await Promise.all(WRITES.map((at) => steps(when, at)));
        // It needs more than one write, and fewer than were tried.
        assert.ok(lived.at(-1) && !lived[0], String(lived));
      }
    });

    it('what was worked on by who is killed at any write is done once, or given to the next', async () => {
      const { zk, server } = ground;
      const steps = async (when: 'before' | 'after', at: number): Promise<boolean> => {
        const path = `/killed/queue-${when}-${at}`;
        const items = queue(zk, path, utf8);
        await items.put('item');
        await zk.ensurePath(`${path}-claims`);
        await using doomed = await Peer.ours(server.address, DOOMED_MS, at, when);
        const lived = await doomed
          .call('claim', path)
          .then(() => doomed.call('done', path, `${path}-result`))
          .then(
            () => true,
            () => false,
          );
        // Done by it together with its result, or given to the next.
        await until(async () => {
          const isDone = (await items.items()).length === 0;
          assert.equal((await zk.exists(`${path}-result`)) !== null, isDone);
          if (isDone) return true;
          await using claim = await items.tryClaim();
          return claim !== null;
        });
        await doomed.kill();
        return lived;
      };
      for (const when of ['before', 'after'] as const) {
        const lived = await Promise.all(WRITES.map((at) => steps(when, at)));
        assert.ok(lived.at(-1) && !lived[0], String(lived));
      }
    });
  },
  SHORT_TICKS,
);

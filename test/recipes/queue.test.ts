/** Queues on real servers: order, each item once by history, dead letters, a connection cut at each step. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect, isZk, json, op, utf8, type Zk } from '../../src/client/index.ts';
import {
  AcquireTimeoutError,
  type Buried,
  LeaseLostError,
  MixedDialectError,
  queue,
} from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { cutAtEachStep } from './support/cuts.ts';
import { onEachServer } from './support/servers.ts';

const namesAt = async (zk: Zk, path: string): Promise<readonly string[]> =>
  (await zk.exists(path)) === null ? [] : (await zk.children(path)).names;

onEachServer('queue', (ground) => {
  it('gives items in the order of the queue', async () => {
    const { zk } = ground;
    const plain = queue(zk, '/q/plain', utf8);
    for (const value of ['a', 'b', 'c']) await plain.put(value);
    await plain.putAll(['d', 'e']);
    const got: string[] = [];
    for await (const claim of plain.claims()) {
      got.push(claim.value);
      await claim.done();
      if (got.length === 5) break;
    }
    assert.deepEqual(got, ['a', 'b', 'c', 'd', 'e']);
    const urgent = queue(zk, '/q/priority', utf8, { order: 'priority' });
    await urgent.put('later', { priority: 5 });
    await urgent.put('first', { priority: -1 });
    await urgent.put('second', { priority: 5 });
    assert.deepEqual(
      [await urgent.take(), await urgent.take(), await urgent.take()],
      ['first', 'later', 'second'],
    );
    const named = queue(zk, '/q/id', utf8, { order: 'id' });
    for (const id of ['x', 'y', 'x']) await named.put(id, { id });
    assert.equal(await named.remove('x'), 2);
    assert.equal(await named.take(), 'y');
    const old = queue(zk, '/q/old', utf8, { dialect: 'zookeeper' });
    await old.put('1');
    await old.put('2');
    assert.deepEqual([await old.take(), await old.take()], ['1', '2']);
    assert.throws(() => queue(zk, '/q/old', utf8, { dialect: 'zookeeper', claims: true }), TypeError);
    await assert.rejects(async () => old.claim(), TypeError);
  });

  it('keeps what is not due yet, and wakes who waits for it', async () => {
    await using other = await connect(ground.server.address);
    const delayed = queue(ground.zk, '/q/delayed', utf8, { order: 'delayed' });
    await delayed.put('much later', { atMs: Date.now() + 3_600_000 });
    const waiting = queue(other, '/q/delayed', utf8, { order: 'delayed' });
    assert.equal(await waiting.tryClaim(), null);
    const claiming = waiting.claim();
    const atMs = Date.now() + 200;
    await delayed.put('soon', { atMs });
    await using claim = await claiming;
    assert.equal(claim.value, 'soon');
    assert.ok(Date.now() >= atMs);
    await assert.rejects(waiting.claim({ timeoutMs: 30 }), AcquireTimeoutError);
  });

  it('goes to one consumer at a time, and exactly once for what belongs to it', async () => {
    const { zk, server } = ground;
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(server.address)));
    await zk.create('/q/results', null, { parents: 'persistent' });
    const total = 40;
    const working = new Set<string>();
    let done = 0;
    const stop = new AbortController();
    const consumers = clients.map(async (client, i) => {
      const jobs = queue(client, '/q/shared', json<{ job: number }>(), { spread: i % 2 === 0 ? 1 : 8 });
      let turn = 0;
      for await (const claim of jobs.claims({ signal: stop.signal })) {
        assert.ok(!working.has(claim.path));
        working.add(claim.path);
        await claim.lease.verify();
        working.delete(claim.path);
        // Some give it back, and somebody gets it again.
        if (++turn % 4 === 0) continue;
        const result = op.create(`/q/results/${claim.value.job}`, String(claim.attempt));
        await claim.done([result]);
        if (++done === total) stop.abort(new Error('all done'));
      }
    });
    const jobs = queue(zk, '/q/shared', json<{ job: number }>());
    for (let job = 0; job < total; job++) await jobs.put({ job });
    await Promise.all(consumers.map((one) => assert.rejects(one, /all done/)));
    assert.equal((await namesAt(zk, '/q/results')).length, total);
    assert.deepEqual(await jobs.items(), []);
    await until(async () => (await namesAt(zk, '/q/shared-claims')).length === 0);
    await until(async () => (await namesAt(zk, '/q/shared-marks')).length === 0);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('refuses the end of who no longer has it, and of what another has claimed since', async () => {
    const { zk } = ground;
    await using other = await connect(ground.server.address);
    const jobs = queue(zk, '/q/lost', utf8);
    await jobs.put('a');
    const first = await jobs.claim();
    assert.equal(await queue(other, '/q/lost', utf8).tryClaim(), null);
    // What the end of a session does.
    await other.delete(first.lease.path);
    const second = await queue(other, '/q/lost', utf8).claim();
    assert.deepEqual([first.attempt, second.attempt], [1, 2]);
    assert.ok(second.lease.token > first.lease.token);
    await assert.rejects(first.done([op.create('/q/never')]), LeaseLostError);
    assert.ok(first.lease.signal.aborted);
    await assert.rejects(second.done([op.create('/q/lost')]), (error) => isZk(error, 'MULTIFAILED'));
    assert.ok(second.lease.isHeld);
    await second.done();
    assert.equal(await zk.exists('/q/never'), null);
    assert.deepEqual(await jobs.items(), []);
  });

  it('buries what nobody can read, and what is claimed too often', async () => {
    const { zk } = ground;
    const buried: Buried[] = [];
    const jobs = queue(zk, '/q/poison', json<number>(), {
      attemptsMax: 2,
      onBuried: (one) => buried.push(one),
    });
    await zk.create('/q/poison/queue-', 'no item', { mode: 'persistentSequential', parents: 'persistent' });
    await jobs.put(1);
    await jobs.put(2);
    for (const attempt of [1, 2]) {
      const claim = await jobs.claim();
      assert.deepEqual([claim.value, claim.attempt], [1, attempt]);
      await claim.release();
    }
    const claim = await jobs.claim();
    assert.equal(claim.value, 2);
    await claim.done();
    assert.equal(buried.length, 2);
    const dead = await zk.getData(buried[0]!.path);
    assert.equal(Buffer.from(dead.data!).toString(), 'no item');
    assert.match(buried[1]!.reason, /claimed 2 times/);
    assert.equal((await namesAt(zk, '/q/poison-dead')).length, 2);
  });

  it('refuses items of another family of clients', async () => {
    await ground.zk.create('/q/mixed/entry-100-', 'x', {
      mode: 'persistentSequential',
      parents: 'persistent',
    });
    await assert.rejects(queue(ground.zk, '/q/mixed', utf8).claim(), MixedDialectError);
  });

  for (const dialect of ['curator', 'kazoo'] as const) {
    it(`is right when the connection is cut at any step, by names of ${dialect}, and leaves nothing behind`, async () => {
      const { zk, server } = ground;
      const path = `/q/cut-${dialect}`;
      await zk.create(`${path}-results`, null, { parents: 'persistent' });
      const watcher = queue(zk, path, utf8, { dialect });
      await cutAtEachStep(server.address, async (client, { label }) => {
        const mine = queue(client, path, utf8, { dialect, policy: 'session' });
        const told = await outcome(mine.put(label));
        if (told === 'unknown' && (await watcher.items()).length === 0) await watcher.put(label);
        for (;;) {
          const claim = await mine.claim();
          assert.equal(claim.value, label);
          const end = await outcome(claim.done([op.create(`${path}-results/${label}`)]));
          if (end === 'done') break;
          const isThere = (await watcher.items()).length > 0;
          assert.equal(isThere, (await zk.exists(`${path}-results/${label}`)) === null);
          if (end === 'unknown' && !isThere) break;
          assert.equal(isThere, true);
        }
        assert.deepEqual(await watcher.items(), []);
        assert.notEqual(await zk.exists(`${path}-results/${label}`), null);
        const claims = dialect === 'kazoo' ? `${path}/taken` : `${path}-claims`;
        await until(async () => (await namesAt(zk, claims)).length === 0);
        await until(async () => (await namesAt(zk, `${path}-marks`)).length === 0);
      });
    });
  }

  it('gives an item at most once to who takes it, when the connection is cut at any step', async () => {
    const { zk, server } = ground;
    const watcher = queue(zk, '/q/take', utf8, { claims: false });
    await cutAtEachStep(server.address, async (client, { label }) => {
      await watcher.put(label);
      const told = await outcome(queue(client, '/q/take', utf8, { claims: false }).take());
      assert.deepEqual(await watcher.items(), [], `${told}`);
      assert.notEqual(told, 'lost');
      await until(async () => (await namesAt(zk, '/q/take-marks')).length === 0);
    });
  });
});

/** What the caller is told. */
async function outcome(call: Promise<unknown>): Promise<'done' | 'lost' | 'unknown'> {
  try {
    await call;
    return 'done';
  } catch (error) {
    if (error instanceof LeaseLostError) return 'lost';
    if (isZk(error) && error.outcome === 'unknown') return 'unknown';
    throw error;
  }
}

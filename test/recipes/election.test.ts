/** Elections on real servers: at most one leader by history and token, observers, a connection cut at each step. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect } from '../../src/client/index.ts';
import { election, type Leader, LeaseLostError } from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { cutAtEachStep } from './support/cuts.ts';
import { onEachServer } from './support/servers.ts';

onEachServer('election', (ground) => {
  it('has one leader at a time, term after term, and tells observers', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => connect(ground.server.address)));
    const stop = new AbortController();
    const seen: (Leader | null)[] = [];
    const observing = (async () => {
      for await (const leader of election(ground.zk, '/election/a').follow({ signal: stop.signal }))
        seen.push(leader);
    })();
    await until(async () => seen.length === 1);
    let leading = 0;
    const tokens: number[] = [];
    const work = clients.map(async (client, i) => {
      let turns = 0;
      for await (const term of election(client, '/election/a', { id: `host-${i}` }).terms()) {
        assert.equal(++leading, 1);
        tokens.push(term.token);
        await term.verify();
        assert.equal((await election(client, '/election/a').leader())?.id, `host-${i}`);
        leading--;
        if (++turns === 3) break;
      }
    });
    await Promise.all(work);
    assert.equal(tokens.length, 12);
    assert.deepEqual(
      tokens,
      [...tokens].sort((a, b) => a - b),
    );
    await until(async () => seen.at(-1) === null && seen.length > 1);
    for (const one of seen) if (one !== null) assert.ok(tokens.includes(one.token));
    stop.abort(new Error('enough'));
    await assert.rejects(observing, /enough/);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('ends a term with the connection, and another leads', async () => {
    await using other = await connect(ground.server.address);
    const term = await election(ground.zk, '/election/b', { id: 'first' }).lead();
    const next = election(other, '/election/b', { id: 'second' }).lead();
    await ground.zk.delete(term.path);
    const second = await next;
    await assert.rejects(term.verify(), LeaseLostError);
    await term.untilOver();
    assert.ok(second.token > term.token);
    assert.equal((await election(ground.zk, '/election/b').leader())?.id, 'second');
    await second.release();
    assert.equal(await election(ground.zk, '/election/b').leader(), null);
    assert.equal(await election(ground.zk, '/election/none').leader(), null);
  });

  it('is right when the connection is cut at any step, and leaves nothing behind', async () => {
    for (const kind of ['latch', 'selector'] as const) {
      const watcher = election(ground.zk, `/election/${kind}`);
      await cutAtEachStep(ground.server.address, async (zk, { label }) => {
        const mine = election(zk, `/election/${kind}`, { kind, id: label, policy: 'session' });
        let led = false;
        const leading = mine.do(async (term) => {
          const leader = await watcher.leader();
          assert.deepEqual([leader?.token, leader?.id], [term.token, label]);
          led = true;
          const now = await mine.leader();
          assert.ok(now?.token === term.token || term.signal.aborted);
        });
        // The session may end within the term; then that is told.
        await leading.catch((error) => assert.ok(error instanceof LeaseLostError, error));
        assert.ok(led);
        await until(async () => (await watcher.leader()) === null);
      });
    }
  });
});

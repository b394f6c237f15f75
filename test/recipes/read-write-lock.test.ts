/** Read/write locks on real servers: who may be in together by history, order, downgrade, a connection cut at each step. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect } from '../../src/client/index.ts';
import { AcquireTimeoutError, DeadlockError, readWriteLock } from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { cutAtEachStep } from './support/cuts.ts';
import { onEachServer } from './support/servers.ts';

onEachServer('read/write lock', (ground) => {
  it('has writers alone and readers together', async () => {
    const clients = await Promise.all(Array.from({ length: 6 }, () => connect(ground.server.address)));
    let readers = 0;
    let writers = 0;
    const work = clients.map(async (client, i) => {
      const both = readWriteLock(client, '/rw/a');
      for (let round = 0; round < 4; round++) {
        if ((i + round) % 3 === 0) {
          await using lease = await both.write.acquire();
          writers++;
          assert.deepEqual([readers, writers], [0, 1]);
          await lease.verify();
          writers--;
        } else {
          await using lease = await both.read.acquire();
          readers++;
          assert.equal(writers, 0);
          await lease.verify();
          readers--;
        }
      }
    });
    await Promise.all(work);
    await Promise.all(clients.map((client) => client.close()));
    assert.deepEqual(await readWriteLock(ground.zk, '/rw/a').contenders(), []);
  });

  it('lets a reader wait behind a writer that waits', async () => {
    await using other = await connect(ground.server.address);
    const mine = readWriteLock(ground.zk, '/rw/b');
    const theirs = readWriteLock(other, '/rw/b');
    const reader = await mine.read.acquire();
    assert.equal(await theirs.write.tryAcquire(), null);
    const writer = theirs.write.acquire();
    await until(async () => (await mine.contenders()).length === 2);
    assert.equal(await mine.read.tryAcquire(), null);
    await assert.rejects(mine.read.acquire({ timeoutMs: 30 }), AcquireTimeoutError);
    await reader.release();
    const writing = await writer;
    const both = [mine.read.acquire(), mine.read.acquire()];
    await until(async () => (await mine.contenders()).length === 3);
    await writing.release();
    // Both at once: neither is released before the other has it.
    for (const one of await Promise.all(both)) await one.release();
  });

  it('makes a writer a reader with nobody in between', async () => {
    await using other = await connect(ground.server.address);
    const mine = readWriteLock(ground.zk, '/rw/c');
    const writer = await mine.write.acquire();
    const next = readWriteLock(other, '/rw/c').write.acquire();
    const late = readWriteLock(other, '/rw/c').read.acquire();
    await until(async () => (await mine.contenders()).length === 3);
    const reader = await mine.downgrade(writer);
    assert.ok(reader.token > writer.token);
    await reader.verify();
    await assert.rejects(writer.verify());
    await until(async () => (await mine.contenders()).length === 3);
    let came = false;
    void next.then(() => {
      came = true;
    });
    await ground.zk.sync();
    assert.ok(!came);
    await reader.release();
    await (await next).release();
    await (await late).release();
  });

  it('is right when the connection is cut at any step, and leaves nothing behind', async () => {
    const watcher = readWriteLock(ground.zk, '/rw/d');
    await cutAtEachStep(ground.server.address, async (zk) => {
      const both = readWriteLock(zk, '/rw/d', { policy: 'session' });
      await using writer = await both.write.acquire();
      assert.equal((await watcher.contenders())[0]!.name, writer.path.split('/').at(-1));
      await writer.release();
      await using reader = await both.read.acquire();
      assert.equal(await watcher.write.tryAcquire(), null);
      await reader.release();
      await until(async () => (await watcher.contenders()).length === 0);
    });
  });

  it('refuses a wait of an owner for itself at once, and lets it hold one side several times', async () => {
    await using other = await connect(ground.server.address);
    const both = readWriteLock(ground.zk, '/rw/owner');
    const reader = await both.read.acquire({ owner: 'a' });
    const waiting = readWriteLock(other, '/rw/owner').write.acquire();
    await until(async () => (await both.contenders()).length === 2);
    // Behind the writer it would wait for ever.
    const again = await both.read.acquire({ owner: 'a' });
    assert.equal(again.token, reader.token);
    await assert.rejects(both.write.acquire({ owner: 'a' }), DeadlockError);
    await assert.rejects(both.write.acquire({ owner: 'b', timeoutMs: 30 }), AcquireTimeoutError);
    await reader.release();
    await again.release();
    await (await waiting).release();
    const writer = await both.write.acquire({ owner: 'a' });
    await assert.rejects(both.read.acquire({ owner: 'a' }), DeadlockError);
    const downgraded = await both.downgrade(writer);
    await assert.rejects(both.write.acquire({ owner: 'a' }), DeadlockError);
    await downgraded.release();
    await (await both.write.acquire({ owner: 'a' })).release();
    await until(async () => (await both.contenders()).length === 0);
  });
});

/**
 * Nothing of a client is left when it has ended: a process whose clients are closed ends by itself, whatever was under way; and
 * what the wall clock does means nothing to a client that is alive.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { connect } from '../../src/client/index.ts';
import { ApacheServer } from '../support/apache.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import type { TestServer } from '../support/server.ts';
import { need, needRingkeeper } from '../support/skip.ts';

const run = promisify(execFile);
const CLIENT = join(import.meta.dirname, '../../src/client/index.ts');

const ENDS: Readonly<Record<string, string>> = {
  'close with everything under way': `
    const zk = await connect(address, { sessionTimeoutMs: 8_000 });
    await zk.create('/ends', 'x').catch(() => undefined);
    const cache = await zk.cache('/', { resync: { jitterMs: 60_000 } });
    const follow = zk.follow('/ends', utf8, { signal: new AbortController().signal });
    await follow.next();
    const watch = await zk.watch('/ends');
    const { changed } = await zk.getData('/ends', { watch: true });
    changed.catch(() => undefined);
    const waiting = [watch.next(), follow.next(), cache.changes().next(), zk.states().next()];
    const calls = [zk.getData('/ends', { timeoutMs: 60_000 }), zk.sync('/', { signal: new AbortController().signal })];
    for (const call of calls) call.catch(() => undefined);
    await zk.close();
    await Promise.all(waiting);`,
  'close while no server answers': `
    const { createServer } = await import('node:net');
    const silent = createServer();
    const asked = new Promise((resolve) => silent.once('connection', resolve));
    await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const zk = await open('127.0.0.1:' + silent.address().port, { sessionTimeoutMs: 60_000 });
    const call = zk.create('/never', null, { protect: true, timeoutMs: 60_000 });
    call.catch(() => undefined);
    const socket = await asked;
    await zk.close();
    socket.destroy();
    silent.close();`,
  'connect that is given up': `
    await connect('127.0.0.1:1', { signal: AbortSignal.timeout(50) }).then(
      () => process.exit(7),
      () => undefined,
    );`,
  'a session that is handed over': `
    const zk = await connect(address);
    const session = zk.detach();
    const next = await connect(address, { session });
    await next.close();`,
  'a refused identity': `
    await connect(address, { auth: [{ scheme: 'nobody', auth: new Uint8Array(1) }] }).then(
      async (zk) => {
        await zk.sync().catch(() => undefined);
        await zk.close();
      },
      () => undefined,
    );`,
};

for (const [name, make, missing] of [
  ['ringkeeper', () => new RingkeeperServer(), needRingkeeper()],
  ['Apache 3.8.0', () => new ApacheServer(), need('java', 'zookeeper')],
] as const) {
  describe(`the end of a client of ${name}`, { skip: missing, timeout: 300_000 }, () => {
    let server: TestServer;

    before(async () => {
      server = make();
      await server.start();
    });
    after(() => server?.dispose());

    for (const [end, code] of Object.entries(ENDS)) {
      it(`leaves no timer and no socket: ${end}`, async () => {
        const head = `import { connect, open, utf8 } from ${JSON.stringify(CLIENT)};\nvoid [connect, open, utf8];\n`;
        const text = `${head}const address = ${JSON.stringify(server.address)};\n${code}\nconsole.log('ended');`;
        const args = ['--unhandled-rejections=strict', '--input-type=module', '-e', text];
        // It is killed, and the test fails, when something keeps it alive.
        const { stdout, stderr } = await run(process.execPath, args, { timeout: 60_000 });
        assert.deepEqual([stdout, stderr], ['ended\n', '']);
      });
    }

    it('a jump of the wall clock, either way, changes nothing', async () => {
      await using zk = await connect(server.address, { sessionTimeoutMs: 30_000 });
      const { now } = Date;
      const states: string[] = [];
      const stop = zk.core.listen(({ state }) => states.push(state));
      try {
        for (const jumpMs of [86_400_000, -86_400_000]) {
          Date.now = () => now() + jumpMs;
          await zk.create(`/jump${jumpMs}`, null, { mode: 'ephemeral', timeoutMs: 20_000 });
          await zk.sync();
        }
      } finally {
        Date.now = now;
        stop();
      }
      assert.deepEqual(states, []);
      assert.ok(zk.lease.isHeld);
    });
  });
}

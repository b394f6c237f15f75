/** Commands without a person, on both servers: results, complaints, where a batch stops, exit statuses. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ApacheServer } from '../support/apache.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { freePort, type TestServer } from '../support/server.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { shell, shellJson, shellProcess } from './support/run-shell.ts';

const EXTENDED = { extendedTypesEnabled: 'true' };

for (const [name, make, missing] of [
  ['ringkeeper', () => new RingkeeperServer({ config: EXTENDED }), needRingkeeper()],
  ['Apache 3.8.0', () => new ApacheServer({ config: EXTENDED }), need('java', 'zookeeper')],
] as const) {
  describe(`a batch on ${name}`, { skip: missing }, () => {
    let server: TestServer;
    const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-shell-'));

    before(async () => {
      server = make();
      await server.start();
    });

    after(async () => {
      await server?.dispose();
      rmSync(directory, { recursive: true, force: true });
    });

    it('creates, reads, changes and deletes', async () => {
      const run = await shell(
        server.address,
        'create /a one\nget /a\nset /a two\nget /a\nls /a\ndelete /a\nstat /a\n',
      );
      assert.deepEqual(run, {
        status: 1,
        stdout: 'Created /a\none\ntwo\n[]\n',
        stderr: 'Node does not exist: /a\n',
      });
    });

    it('stops at the first failure, or goes on and tells of the first', async () => {
      const commands = 'create /stop\ncreate /stop\ncreate /behind\nls -q /\n';
      const stopped = await shell(server.address, commands);
      assert.deepEqual([stopped.status, stopped.stderr], [1, 'Node already exists: /stop\n']);
      const again = await shell(server.address, 'delete /stop\nls /');
      assert.doesNotMatch(again.stdout, /behind/);
      const gone = await shell(server.address, commands, { keepGoing: true });
      assert.equal(gone.status, 1);
      assert.match(gone.stdout, /Created \/behind/);
      assert.match(gone.stderr, /already exists[\s\S]*unknown flag -q/);
    });

    it('names the line of a file', async () => {
      const file = join(directory, 'commands.zk');
      writeFileSync(file, '# a remark\n\nls /\nget /nowhere\n');
      const run = await shell(server.address, '', { file });
      assert.deepEqual([run.status, run.stderr], [1, `${file}:4: Node does not exist: /nowhere\n`]);
      const missing = await shell(server.address, '', { file: join(directory, 'none.zk') });
      assert.deepEqual(
        [missing.status, missing.stderr],
        [2, `${join(directory, 'none.zk')}: no such file or folder\n`],
      );
    });

    it('gives one JSON object per result and per failure', async () => {
      const results = await shellJson(server.address, 'create /j "a b"\nget -s /j\nget /none\n');
      assert.deepEqual(results[0], { path: '/j', created: true });
      assert.equal(results[1].data, 'a b');
      assert.equal(results[1].stat.version, 0);
      assert.deepEqual(results[2].error, {
        message: 'Node does not exist: /none',
        status: 1,
        code: 'NONODE',
        path: '/none',
        outcome: 'refused',
      });
    });

    it('as a process: -c, a pipe, Apache’s spelling, statuses', async () => {
      const { address } = server;
      const several = await shellProcess([address, '-c', 'create /c x;y; get /c']);
      assert.deepEqual(several, { status: 0, stdout: 'Created /c\nx;y\n', stderr: '' });
      const words = await shellProcess(['-server', address, '-timeout', '6000', '-r', 'ls', '-s', '/c']);
      assert.match(words.stdout, /^\[\]\ncZxid = 0x/);
      assert.deepEqual(await shellProcess([address], 'get /c\n'), { status: 0, stdout: 'x;y\n', stderr: '' });
      assert.equal((await shellProcess([address, 'get', '/none'])).status, 1);
      assert.equal((await shellProcess([address, 'nonsense'])).status, 2);
    });
  });
}

describe('without a server', () => {
  it('says so in one line, status 3; help needs none', async () => {
    const port = await freePort();
    const run = await shellProcess([`127.0.0.1:${port}`, '--wait', '300', 'ls', '/']);
    assert.equal(run.status, 3);
    assert.match(run.stderr, /^no server answers at 127\.0\.0\.1:\d+ within 300 ms \(.*\)\n$/);
    const help = await shellProcess([`127.0.0.1:${port}`, 'help', 'ls']);
    assert.deepEqual([help.status, help.stderr], [0, '']);
    assert.match(help.stdout, /^ls \[-s\] \[-w\] \[-R\] path\n/);
  });
});

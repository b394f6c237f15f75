/**
 * An ensemble that loses its quorum and gets it back, with `readonlymode.enabled`: the server that is left serves clients of every
 * family that have asked for read-only, and all of them write again afterwards; sessions of the ensemble live through it.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { connect, isZk, type Zk } from '../../../src/client/index.ts';
import { CLASS_PATH, JVM_FLAGS } from '../../support/apache.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { freePorts } from '../../support/free-ports.ts';
import { need, needRingkeeper, PYTHON } from '../../support/skip.ts';
import { until } from '../../support/until.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';

const SIDS = [1, 2, 3] as const;
const KAZOO = join(import.meta.dirname, 'kazoo_read_only.py');
const ZKCLI = 'org.apache.zookeeper.ZooKeeperMain';

const skip = needRingkeeper() || need('kazoo', 'java', 'zookeeper');

test('the server that is left is read-only until there is a quorum', {
  skip,
  timeout: 120_000,
}, async (t) => {
  const ports = await freePorts(6);
  const servers = Object.fromEntries(
    SIDS.map((sid) => [sid, `127.0.0.1:${ports[2 * sid - 2]}:${ports[2 * sid - 1]}`]),
  );
  const config = { 'readonlymode.enabled': 'true', maxSessionTimeout: '60000' };
  const members = SIDS.map((sid) => new RingkeeperMember({ sid, servers, config }));
  t.after(() => Promise.all(members.map((member) => member.dispose())));
  await Promise.all(members.map((member) => member.start()));
  await until(async () =>
    (await Promise.all(members.map((member) => member.mode()))).every((m) => m !== null),
  );
  const [left, ...others] = members as [RingkeeperMember, RingkeeperMember, RingkeeperMember];
  await using writer = await connect(members.map(({ address }) => address).join(), {
    sessionTimeoutMs: 60_000,
  });
  await writer.create('/kept', 'before');
  await writer.create('/owned', null, { mode: 'ephemeral' });
  await Promise.all(others.map((member) => member.kill()));
  assert.equal(await fourLetterWord(left.port, 'isro', 5000), 'null', 'nobody is served yet');
  await left.hasLogged(/read-only, for clients that have asked for it/);

  await using reader = await connect(left.address, { readOnly: true });
  assert.equal(reader.state, 'readonly');
  const watch = await reader.watch('/kept');
  assert.equal(await dataOf(reader), 'before');
  assert.equal((await reader.exists('/owned'))?.ephemeralOwner, writer.sessionId);
  await assert.rejects(reader.setData('/kept', 'no'), (error) => isZk(error, 'NOTREADONLY'));
  assert.equal(await fourLetterWord(left.port, 'isro', 5000), 'ro');
  assert.equal(await left.mode(), 'read');
  const kazoo = spawn(PYTHON, [KAZOO, left.address], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => kazoo.kill());
  const said = createInterface({ input: kazoo.stdout })[Symbol.asyncIterator]();
  assert.equal((await said.next()).value, 'CONNECTED_RO before');
  assert.equal((await said.next()).value, 'refused');
  const zkcli = ['-r', '-server', left.address, 'get', '/kept'];
  const java = await promisify(execFile)('java', [...JVM_FLAGS, '-cp', CLASS_PATH, ZKCLI, ...zkcli]);
  assert.match(java.stdout, /^before$/m);

  await others[0]!.start();
  await until(async () => reader.state === 'connected' && writer.state === 'connected');
  await writer.setData('/kept', 'after');
  for await (const { type } of watch) {
    if (type === 'changed') break;
  }
  await reader.sync('/kept');
  assert.equal(await dataOf(reader), 'after');
  assert.equal((await reader.exists('/owned'))?.ephemeralOwner, writer.sessionId, 'its session lives');
  assert.equal((await said.next()).value, 'CONNECTED');
  assert.equal(await fourLetterWord(left.port, 'isro', 5000), 'rw');
});

async function dataOf(zk: Zk): Promise<string> {
  const { data } = await zk.getData('/kept');
  return new TextDecoder().decode(data ?? new Uint8Array());
}

/**
 * A multi whose create has a null path fails so early in Apache 3.8.0 that its zxid gets no record in the log. That is a
 * healthy data directory: ringkeeper opens it, because the digest behind the gap is that of the tree. Without digests
 * nothing vouches for it, and the operator decides.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { OpCode } from '../../src/wire/opcodes.ts';
import { ApacheServer } from '../support/apache.ts';
import { RawClient } from '../support/raw-client.ts';
import * as bodies from '../support/request-bodies.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { readHeldState } from './relay/held-state.ts';

function create(path: string | null): Uint8Array {
  return bodies.create({ path, data: new Uint8Array(5), acls: bodies.OPEN_ACL, flags: 0 });
}

/** Leaves log.1 with 1 (session), 2 (/before), 4 (/behind); stopped. */
async function makeGap(apache: ApacheServer): Promise<void> {
  await apache.start();
  const client = await RawClient.open(apache.port);
  assert.equal((await client.request(OpCode.create, create('/before'))).err, 0);
  await client.request(OpCode.multi, bodies.multi([{ op: OpCode.create, body: create(null) }]));
  assert.equal((await client.request(OpCode.create, create('/behind'))).err, 0);
  client.destroy();
  await apache.stop();
}

async function names(port: number): Promise<string[]> {
  return Object.keys((await readHeldState(port)).znodes).sort();
}

suite('a zxid without a record', { skip: need('java', 'zookeeper') || needRingkeeper() }, () => {
  const EVERYTHING = ['/', '/before', '/behind', '/zookeeper', '/zookeeper/config', '/zookeeper/quota'];

  test('with digests: it starts with everything and says why', async (context) => {
    const apache = new ApacheServer();
    context.after(() => apache.dispose());
    await makeGap(apache);
    const ours = new RingkeeperServer({ config: { dataDir: join(apache.directory, 'data') } });
    context.after(() => ours.dispose());
    await ours.start();
    assert.deepEqual(await names(ours.port), EVERYTHING);
    assert.match(
      readFileSync(ours.logFile, 'utf8'),
      /log\.1: records 0x3 to 0x3 do not exist .*record 0x4 proves/,
    );
    await ours.stop();
    await apache.start();
    assert.deepEqual(await names(apache.port), EVERYTHING);
  });

  test('without digests: refused with file, zxids and the switch, which works', async (context) => {
    const apache = new ApacheServer({ config: { 'digest.enabled': 'false' } });
    context.after(() => apache.dispose());
    await makeGap(apache);
    const dataDir = join(apache.directory, 'data');
    const refusing = new RingkeeperServer({ config: { dataDir } });
    context.after(() => refusing.dispose());
    await assert.rejects(
      refusing.start(),
      /log\.1 is corrupt at offset \d+: records 0x3 to 0x3 are missing .*ringkeeper\.acceptMissingRecords=true/,
    );
    const ours = new RingkeeperServer({ config: { dataDir, 'ringkeeper.acceptMissingRecords': 'true' } });
    context.after(() => ours.dispose());
    await ours.start();
    assert.deepEqual(await names(ours.port), EVERYTHING);
    await ours.stop();
    await refusing.start(); // a snapshot covers the gap by now
    assert.deepEqual(await names(refusing.port), EVERYTHING);
  });
});

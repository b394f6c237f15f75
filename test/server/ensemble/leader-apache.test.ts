/**
 * Our leader over real Apache followers: brought up by DIFF from memory and from the disk, and by SNAP; their clients' sessions and
 * writes go through us; in the end all have the same tree.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect, op, type Zk } from '../../../src/client/index.ts';
import { ApacheServer } from '../../support/apache.ts';
import { ApacheMember } from '../../support/apache-member.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { freePorts } from '../../support/free-ports.ts';
import { need } from '../../support/skip.ts';
import { until } from '../../support/until.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';
import { type Tree, treeOf } from './tree.ts';

type Member = ApacheMember | RingkeeperMember;

async function srvr(member: Member): Promise<string> {
  return fourLetterWord(member.port, 'srvr', 1000).catch(() => '');
}

async function isIn(member: Member, mode: string): Promise<void> {
  await until(async () => new RegExp(`Mode: ${mode}`).test(await srvr(member)));
}

/** Ours has the largest id and leads; the others are Apache's. */
async function ensemble(t: TestContext) {
  const ports = await freePorts(6);
  const servers = Object.fromEntries(
    [1, 2, 3].map((sid, i) => [sid, `127.0.0.1:${ports[2 * i]}:${ports[2 * i + 1]}`]),
  );
  const ours = new RingkeeperMember({ sid: 3, servers });
  const apaches = [1, 2].map((sid) => new ApacheMember({ sid, servers }));
  t.after(() => Promise.all([ours, ...apaches].map((member) => member.dispose())));
  await ours.start();
  await Promise.all(apaches.map((member) => member.start()));
  await isIn(ours, 'leader');
  for (const apache of apaches) await isIn(apache, 'follower');
  return { ours, one: apaches[0]!, two: apaches[1]! };
}

async function write(zk: Zk, name: string, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, i) => zk.create(`/${name}-${i}`, Buffer.alloc(100, i))),
  );
}

/** What a client sees through `member` behind everything that was written before. */
async function seenThrough(member: Member): Promise<Tree> {
  await using zk = await connect(member.address);
  await zk.sync('/');
  return await treeOf(zk);
}

/** Of its log since the last look. */
class Log {
  private seen = 0;
  private readonly apache: ApacheMember;
  constructor(apache: ApacheMember) {
    this.apache = apache;
  }
  async says(pattern: RegExp): Promise<void> {
    await until(async () => pattern.test(this.apache.log.slice(this.seen)));
    this.seen = this.apache.log.length;
  }
}

describe('a leader over followers of Apache 3.8.0', { skip: need('java', 'zookeeper') }, () => {
  it('brings them up by DIFF and SNAP, does what their clients want, and all have one tree', async (t) => {
    const { ours, one, two } = await ensemble(t);
    const log = new Log(one);
    await log.says(/Getting a diff from the leader/);

    {
      await using far = await connect(one.address, { sessionTimeoutMs: 20_000 });
      await using near = await connect(ours.address, { sessionTimeoutMs: 20_000 });
      await Promise.all([write(far, 'far', 100), write(near, 'near', 100)]);
      await far.create('/far-ephemeral', null, { mode: 'ephemeral' });
      await far.multi([op.create('/multi', 'x'), op.setData('/multi', 'y'), op.delete('/far-7')]);
      await assert.rejects(far.create('/multi', null), { code: 'NODEEXISTS' });
      await near.sync('/');
      assert.notEqual(await near.exists('/far-ephemeral'), null);
      assert.notEqual(await near.exists('/far-99'), null);
    }
    // The session has ended at the follower, and its ephemeral with it everywhere.
    await using zk = await connect(ours.address, { sessionTimeoutMs: 20_000 });
    assert.equal(await zk.exists('/far-ephemeral'), null);

    // From memory: what it has missed was proposed in this term.
    await one.kill();
    await write(zk, 'missed', 100);
    await one.start();
    await log.says(/Getting a diff from the leader/);
    await isIn(one, 'follower');

    // Without it nothing is decided: its acknowledgements count.
    await two.stop();
    await write(zk, 'needs-one', 50);
    await two.start();
    await isIn(two, 'follower');
    await zk.close();

    // From the disk: a leader that has started anew has proposed nothing yet.
    await one.kill();
    await using again = await connect(ours.address, { sessionTimeoutMs: 20_000 });
    await write(again, 'behind', 50);
    await again.close();
    await ours.kill();
    await ours.start();
    await isIn(ours, 'leader');
    await isIn(two, 'follower');
    await one.start();
    await log.says(/Getting a diff from the leader/);
    await isIn(one, 'follower');

    // Its disk is lost.
    await one.kill();
    rmSync(join(one.directory, 'data/version-2'), { recursive: true });
    await one.start();
    await log.says(/Getting a snapshot from leader/);
    await isIn(one, 'follower');

    // It has a transaction that nobody else has.
    await one.stop();
    const alone = new ApacheServer({ config: { dataDir: join(one.directory, 'data') } });
    t.after(() => alone.dispose());
    await alone.start();
    {
      await using local = await connect(alone.address);
      await local.create('/never-committed', null);
    }
    await alone.stop();
    await one.start();
    await log.says(/Getting a snapshot from leader/);
    await isIn(one, 'follower');

    await using last = await connect(one.address);
    await write(last, 'last', 50);
    await last.close();
    const trees = [];
    for (const member of [ours, one, two]) trees.push(await seenThrough(member));
    assert.equal(Object.keys(trees[0]!).length, 100 + 100 + 1 - 1 + 100 + 50 + 50 + 50);
    assert.deepEqual(trees[1], trees[0]);
    assert.deepEqual(trees[2], trees[0]);
    assert.doesNotMatch(one.log + two.log, /Digests are not matching/);
  });
});

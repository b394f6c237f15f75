/**
 * Three of ours, real processes: they elect, a client's writes are decided by a quorum, the leader is killed, another serves, and
 * nothing that was acknowledged is lost.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { connect } from '../../../src/client/index.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { freePorts } from '../../support/free-ports.ts';
import { RingkeeperServer } from '../../support/ringkeeper.ts';
import { until } from '../../support/until.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';
import { treeOf } from './tree.ts';

/** On a machine that has other things to do. */
const WORD_MS = 60_000;

/** For proposals; one alone may be more. */
const LITTLE_MEMORY = { 'ringkeeper.proposalLogBytes': '65536' };
const LARGE_BYTES = 200_000;

async function modeOf(member: RingkeeperMember): Promise<string | null> {
  return member.running ? member.mode() : null;
}

async function zxidOf(member: RingkeeperMember): Promise<string> {
  const answer = await fourLetterWord(member.port, 'srvr', 1000).catch(() => '');
  return /Zxid: (\w+)/.exec(answer)?.[1] ?? '';
}

async function leaderOf(members: readonly RingkeeperMember[]): Promise<RingkeeperMember> {
  let leader: RingkeeperMember | undefined;
  await until(async () => {
    const modes = await Promise.all(members.map(modeOf));
    leader = members[modes.indexOf('leader')];
    return leader !== undefined;
  });
  return leader!;
}

async function inStep(members: readonly RingkeeperMember[]): Promise<void> {
  await until(async () => {
    const zxids = await Promise.all(members.map(zxidOf));
    return zxids[0] !== '' && zxids.every((zxid) => zxid === zxids[0]);
  });
  for (const member of members) {
    assert.match(await fourLetterWord(member.port, 'mntr', WORD_MS), /zk_digest_mismatches_count\t0\n/);
  }
}

/** As Apache's leaders do, and besides how far each learner is behind. */
async function tellsOfLearners(leader: RingkeeperMember, count: number): Promise<void> {
  let figures = '';
  await until(async () => {
    figures = await fourLetterWord(leader.port, 'mntr', WORD_MS);
    return [`learners\t${count}`, `synced_followers\t${count}`].every((line) =>
      figures.includes(`zk_${line}\n`),
    );
  });
  for (const line of ['zk_server_state\tleader', 'zk_peer_state\tleading - broadcast', 'zk_quorum_size\t3'])
    assert.ok(figures.includes(`${line}\n`), line);
  assert.equal(figures.match(/^zk_ringkeeper_learner_\d_phase\tactive$/gm)?.length, count);
  assert.equal(figures.match(/^zk_ringkeeper_learner_\d_lag_txns_now\t\d+$/gm)?.length, count);
  assert.match(
    await fourLetterWord(leader.port, 'srvr', WORD_MS),
    /^Proposal sizes last\/min\/max: \d+\/\d+\/\d+$/m,
  );
}

async function three(t: TestContext): Promise<RingkeeperMember[]> {
  const ports = await freePorts(6);
  const servers = Object.fromEntries(
    [1, 2, 3].map((sid, i) => [sid, `127.0.0.1:${ports[2 * i]}:${ports[2 * i + 1]}`]),
  );
  const members = [1, 2, 3].map((sid) => new RingkeeperMember({ sid, servers, config: LITTLE_MEMORY }));
  t.after(() => Promise.all(members.map((member) => member.dispose())));
  await Promise.all(members.map((member) => member.start()));
  return members;
}

/** Creates znodes, twenty at a time, until the server does not answer any more; notes those that were answered. */
async function writeThrough(member: RingkeeperMember, round: number, acknowledged: string[]): Promise<void> {
  const zk = await connect(member.address, { sessionTimeoutMs: 4000 });
  let isOver = false;
  const lane = async (name: string): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      const path = `/${name}-${n}`;
      try {
        await zk.create(path, Buffer.alloc(100, n));
        acknowledged.push(path);
      } catch {
        isOver = true;
      }
    }
  };
  await zk.create(`/ephemeral-${round}-${member.port}`, null, { mode: 'ephemeral' });
  await Promise.all(Array.from({ length: 20 }, (_, i) => lane(`${round}-${member.port}-${i}`)));
  await zk.close().catch(() => {});
}

/** A proposal that is larger than what learners are kept for costs nobody its leader. */
async function takesALargeOne(members: readonly RingkeeperMember[]): Promise<void> {
  const leader = await leaderOf(members);
  await inStep(members);
  await using zk = await connect(leader.address);
  await zk.create('/large', Buffer.alloc(LARGE_BYTES, 1));
  await inStep(members);
  assert.ok(!leader.log.includes('too far behind'), leader.log);
}

/** A leader that stands still is replaced; when it goes on it decides nothing more, and follows. */
async function standsStill(members: readonly RingkeeperMember[]): Promise<void> {
  const leader = await leaderOf(members);
  const others = members.filter((member) => member !== leader);
  await using zk = await connect(leader.address, { sessionTimeoutMs: 4000 });
  leader.signal('SIGSTOP');
  const late = zk.create('/asked-of-a-leader-that-stands-still', null).then(
    () => 'answered',
    () => 'not answered',
  );
  const next = await leaderOf(others);
  {
    await using other = await connect(next.address);
    await other.create('/decided-meanwhile', null);
  }
  leader.signal('SIGCONT');
  assert.equal(await late, 'not answered');
  await until(async () => (await modeOf(leader)) === 'follower');
  await inStep(members);
}

/** A member comes back with a transaction that nobody else has, as of a leader that died alone: it is cut. */
async function isCut(members: readonly RingkeeperMember[]): Promise<void> {
  const leader = await leaderOf(members);
  const one = members.find((member) => member !== leader)!;
  await one.stop();
  const alone = new RingkeeperServer({ config: { dataDir: one.dataDir } });
  try {
    await alone.start();
    await using local = await connect(alone.address);
    await local.create('/never-committed', null);
    await local.close();
    await alone.stop();
  } finally {
    await alone.dispose();
  }
  await one.start();
  await one.hasLogged(/the leader cuts this history/);
  await until(async () => (await modeOf(one)) === 'follower');
  await inStep(members);
  await using zk = await connect(one.address);
  assert.equal(await zk.exists('/never-committed'), null);
}

describe('three servers of ours', () => {
  it('elect, decide by a quorum, and lose nothing that was acknowledged when the leader is killed', async (t) => {
    const members = await three(t);
    const acknowledged: string[] = [];
    await takesALargeOne(members);
    for (let round = 0; round < 2; round++) {
      const leader = await leaderOf(members);
      await until(async () => (await Promise.all(members.map(modeOf))).every((mode) => mode !== null));
      // Through each server at once; the leader dies in the middle of it.
      const before = acknowledged.length;
      const writers = members.map((member) => writeThrough(member, round, acknowledged));
      await until(async () => acknowledged.length >= before + 600);
      await tellsOfLearners(leader, members.length - 1);
      await leader.kill();
      await Promise.all(writers);
      const next = await leaderOf(members);
      assert.notEqual(next, leader);
      await using after = await connect(next.address);
      const found = await Promise.all(acknowledged.map((path) => after.exists(path)));
      assert.deepEqual(
        acknowledged.filter((_, i) => found[i] === null),
        [],
      );
      await after.create(`/after-${round}`, null);
      acknowledged.push(`/after-${round}`);
      await after.close();
      // Who was killed comes back and is brought up to what it has missed.
      await leader.start();
      await until(async () => (await modeOf(leader)) === 'follower');
      await inStep(members);
    }
    await standsStill(members);
    await isCut(members);
    // Sessions whose connection was lost end, wherever they were, and the trees are one.
    const trees = [];
    for (const member of members) {
      await using zk = await connect(member.address);
      await until(async () => (await zk.children('/')).names.every((name) => !name.startsWith('ephemeral')));
      trees.push(await treeOf(zk));
    }
    for (const path of acknowledged) assert.ok(path in trees[0]!, path);
    assert.deepEqual(trees[1], trees[0]);
    assert.deepEqual(trees[2], trees[0]);
  });
});

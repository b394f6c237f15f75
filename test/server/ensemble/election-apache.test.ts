/**
 * Our election beside Apache 3.8.0 over TCP. What the Apache servers decided stands in their logs and in `srvr`; ours
 * takes part in the election only, so an Apache server that follows it gives up after five tries and looks again.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ServerState } from '../../../src/wire/election-notification.ts';
import { ApacheMember } from '../../support/apache-member.ts';
import { freePorts } from '../../support/free-ports.ts';
import { need } from '../../support/skip.ts';
import { until } from '../../support/until.ts';
import { ElectionNode, type ServerLines } from './election-node.ts';

async function lines(count: number): Promise<ServerLines> {
  const ports = await freePorts(2 * count);
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [i + 1, `127.0.0.1:${ports[2 * i]}:${ports[2 * i + 1]}`]),
  );
}

async function apache(t: TestContext, sid: number, servers: ServerLines): Promise<ApacheMember> {
  const member = new ApacheMember({ sid, servers });
  t.after(() => member.dispose());
  await member.start();
  return member;
}

async function ours(
  t: TestContext,
  ...args: ConstructorParameters<typeof ElectionNode>
): Promise<ElectionNode> {
  const node = new ElectionNode(...args);
  t.after(() => node.agent.close());
  await node.agent.listen();
  return node;
}

const FRESH = { zxid: 0, currentEpoch: 0 };

describe('an election with Apache 3.8.0', { skip: need('java', 'zookeeper') }, () => {
  it('is won by us with the largest sid: both follow', async (t) => {
    const servers = await lines(3);
    const node = await ours(t, 3, servers);
    const [one, two] = await Promise.all([apache(t, 1, servers), apache(t, 2, servers)]);
    node.agent.startLooking(FRESH);
    const decision = await node.decided();
    assert.equal(decision.state, ServerState.leading);
    assert.equal(decision.vote.leader, 3);
    // Nobody listens on our quorum port, so they look again and are told again.
    await Promise.race([one!, two!].map((member) => member.hasLogged(/FOLLOWING/)));
    await until(async () => node.lookingVoters.length > 0);
  });

  it('is lost by us with the smallest sid: we follow the leader they follow', async (t) => {
    const servers = await lines(3);
    const node = await ours(t, 1, servers);
    const [two, three] = await Promise.all([apache(t, 2, servers), apache(t, 3, servers)]);
    node.agent.startLooking(FRESH);
    const decision = await node.decided();
    assert.equal(decision.state, ServerState.following);
    const leader = decision.vote.leader;
    await until(async () => (await two!.mode()) !== null && (await three!.mode()) !== null);
    assert.equal(await (leader === 2 ? two! : three!).mode(), 'leader');
    assert.equal(await (leader === 2 ? three! : two!).mode(), 'follower');
  });

  it('is won by us with the longest history, whatever our sid', async (t) => {
    const servers = await lines(3);
    const standing = { zxid: 0x1_0000_0005, currentEpoch: 1 };
    const node = await ours(t, 1, servers, standing);
    await Promise.all([apache(t, 2, servers), apache(t, 3, servers)]);
    node.agent.startLooking(standing);
    // If the two were faster they already lead each other; then their answer decides, and that is right too.
    const decision = await node.decided();
    if (decision.state === ServerState.leading) assert.equal(decision.vote.zxid, standing.zxid);
    else assert.ok(decision.voters.includes(decision.vote.leader));
  });

  it('that is over is joined, whoever of us has restarted, through stale messages too', async (t) => {
    const servers = await lines(3);
    const one = await apache(t, 1, servers);
    const two = await apache(t, 2, servers);
    await until(async () => (await one.mode()) === 'follower' && (await two.mode()) === 'leader');
    const node = await ours(t, 3, servers);
    node.agent.startLooking(FRESH);
    const first = await node.decided();
    assert.deepEqual([first.state, first.vote.leader], [ServerState.following, 2]);
    assert.equal(first.vote.peerEpoch, 1, 'the epoch they are in');

    // Its last message on the new link says that it looks, which is no longer so; the restarted server joins all the same.
    await one.kill();
    await one.start();
    await until(async () => (await one.mode()) === 'follower');
    node.agent.startLooking(FRESH);
    const second = await node.decided(2);
    assert.deepEqual([second.state, second.vote.leader], [ServerState.following, 2]);
    assert.deepEqual(node.refusals, []);
  });

  it('of two of ours and one of theirs elects theirs with the largest sid: it leads, by our votes', async (t) => {
    const servers = await lines(3);
    const nodes = [await ours(t, 1, servers), await ours(t, 2, servers)];
    const three = await apache(t, 3, servers);
    // It has told both whom it votes for before one of them begins.
    await until(async () => nodes.every((node) => node.agent.meshCounters.received > 0));
    for (const node of nodes) node.agent.startLooking(FRESH);
    const decisions = await Promise.all(nodes.map((node) => node.decided()));
    assert.deepEqual(
      decisions.map(({ state, vote }) => [state, vote.leader]),
      [
        [ServerState.following, 3],
        [ServerState.following, 3],
      ],
    );
    await three.hasLogged(/LEADING/);
  });

  const HISTORIES = [
    [
      'the longer history',
      { zxid: 0x1_0000_0009, currentEpoch: 1 },
      { zxid: 0x1_0000_0008, currentEpoch: 1 },
    ],
    [
      'the later epoch, whatever the zxid',
      { zxid: 0x1_0000_0001, currentEpoch: 2 },
      { zxid: 0x1_0000_0009, currentEpoch: 1 },
    ],
  ] as const;
  for (const [what, better, worse] of HISTORIES) {
    it(`of two of ours and one of theirs elects ours with ${what}, and theirs follows`, async (t) => {
      const servers = await lines(3);
      const [one, two] = [await ours(t, 1, servers, better), await ours(t, 2, servers, worse)];
      const three = await apache(t, 3, servers);
      one!.agent.startLooking(better);
      two!.agent.startLooking(worse);
      const decisions = await Promise.all([one!.decided(), two!.decided()]);
      assert.deepEqual(
        decisions.map(({ state, vote }) => [state, vote.leader]),
        [
          [ServerState.leading, 1],
          [ServerState.following, 1],
        ],
      );
      await three.hasLogged(/FOLLOWING/);
    });
  }

  it('has an observer of ours find the leader that two of theirs elected', async (t) => {
    const servers = await lines(3);
    const withObserver = { ...servers, 3: `${servers[3]}:observer` };
    await Promise.all([apache(t, 1, withObserver), apache(t, 2, withObserver)]);
    const node = await ours(t, 3, withObserver);
    node.agent.startLooking(FRESH);
    const decision = await node.decided();
    assert.deepEqual([decision.state, decision.vote.leader], [ServerState.observing, 2]);
  });
});

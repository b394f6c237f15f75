/** Elections and terms in turn, on real sockets; what a term consists of is this test's. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Term } from '../../../src/server/ensemble/role-runner.ts';
import { freePorts } from '../../support/free-ports.ts';
import { until } from '../../support/until.ts';
import type { ServerLines } from './election-node.ts';
import { PeerNode } from './peer-node.ts';

async function lines(...sids: readonly (number | string)[]): Promise<ServerLines> {
  const ports = await freePorts(2 * sids.length);
  return Object.fromEntries(
    sids.map((word, i) => {
      const [sid, role = 'participant'] = String(word).split(':');
      return [Number(sid), `127.0.0.1:${ports[2 * i]}:${ports[2 * i + 1]}:${role}`];
    }),
  );
}

async function started(t: TestContext, ...nodes: readonly PeerNode[]): Promise<void> {
  for (const node of nodes) {
    t.after(() => node.peer.stop('the test is over'));
    await node.peer.start();
  }
}

describe('a quorum peer', () => {
  it('leads, follows or observes one leader, whose quorum port it is told', async (t) => {
    const servers = await lines(1, 2, 3, '4:observer');
    const nodes = [1, 2, 3, 4].map((sid) => new PeerNode(sid, servers));
    await started(t, ...nodes);
    const terms = await Promise.all(nodes.map((node) => node.term()));
    const { leader } = terms[0]!;
    for (const [i, term] of terms.entries()) {
      const role = i === 3 ? 'observing' : leader === i + 1 ? 'leading' : 'following';
      assert.deepEqual([term.leader, term.role], [leader, role]);
      assert.equal(`127.0.0.1:${term.addresses[0]!.port}`, servers[leader]!.split(':').slice(0, 2).join(':'));
    }
  });

  it('looks again when a term is over, with what it has then', async (t) => {
    const servers = await lines(1, 2, 3);
    const [one, two, three] = [1, 2, 3].map((sid) => new PeerNode(sid, servers)) as [
      PeerNode,
      PeerNode,
      PeerNode,
    ];
    await started(t, one, two, three);
    const first = await Promise.all([one, two, three].map((node) => node.term()));
    // The leader's term ends, and 1 has the longest history now.
    one.standing = { zxid: 2 ** 32 + 5, currentEpoch: 1 };
    for (const node of [one, two, three]) node.peer.endTerm('the test wants another');
    const second = await Promise.all([one, two, three].map((node) => node.term(2)));
    assert.deepEqual(
      second.map((term) => term.leader),
      [1, 1, 1],
    );
    assert.ok(second[0]!.vote.electionEpoch > first[0]!.vote.electionEpoch);
    assert.equal(second[0]!.role, 'leading');
    assert.equal(second[1]!.vote.zxid, one.standing.zxid);
  });

  it('tells the epoch of its term, and one who looks finds the leader by it; the leader hears of him', async (t) => {
    const servers = await lines(1, 2, 3);
    const [one, two, three] = [1, 2, 3].map((sid) => new PeerNode(sid, servers)) as [
      PeerNode,
      PeerNode,
      PeerNode,
    ];
    await started(t, one, two);
    assert.equal((await two.term()).role, 'leading');
    await one.term();
    one.terms[0]!.control.serving(7);
    two.terms[0]!.control.serving(7);
    await started(t, three);
    const term = await three.term();
    assert.deepEqual([term.role, term.leader, term.vote.peerEpoch], ['following', 2, 7]);
    await until(async () => two.lookingVoters.includes(3));
    assert.equal(one.terms.length + two.terms.length, 2, 'nobody else was disturbed');
  });

  it('hears nothing of a term that is over', async (t) => {
    const servers = await lines(1, 2);
    const [one, two] = [1, 2].map((sid) => new PeerNode(sid, servers)) as [PeerNode, PeerNode];
    await started(t, one, two);
    await Promise.all([one.term(), two.term()]);
    const { control } = two.terms[0]!;
    one.peer.endTerm('once');
    two.peer.endTerm('once');
    await Promise.all([one.term(2), two.term(2)]);
    control.over({ reason: 'twice', standing: { zxid: 99, currentEpoch: 9 }, designated: null });
    control.serving(9);
    assert.equal(two.peer.election.currentVote.peerEpoch, 0);
    assert.equal(two.peer.currentTerm, two.terms[1]!.term);
  });

  it('follows the leader that a configuration names, without an election', async (t) => {
    const servers = await lines(1, 2, 3);
    const nodes = [1, 2, 3].map((sid) => new PeerNode(sid, servers)) as [PeerNode, PeerNode, PeerNode];
    await started(t, ...nodes);
    await Promise.all(nodes.map((node) => node.term()));
    const { rounds } = nodes[0].peer.election.electionCounters;
    for (const node of nodes)
      node.terms[0]!.control.over({ reason: 'reconfig', standing: node.standing, designated: 1 });
    const second = await Promise.all(nodes.map((node) => node.term(2)));
    assert.deepEqual(
      second.map(({ role, leader }) => [role, leader]),
      [
        ['leading', 1],
        ['following', 1],
        ['following', 1],
      ],
    );
    assert.equal(nodes[0].peer.election.electionCounters.rounds, rounds);
  });

  it('ends its term when it stops, and begins no other', async (t) => {
    const servers = await lines(1, 2);
    const [one, two] = [1, 2].map((sid) => new PeerNode(sid, servers)) as [PeerNode, PeerNode];
    await started(t, one, two);
    await Promise.all([one.term(), two.term()]);
    two.peer.stop('the server stops');
    two.peer.stop('twice');
    assert.deepEqual(two.ends, ['the server stops']);
    assert.equal(two.peer.currentTerm, null);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(two.terms.length, 1);
  });

  it('has no vote once it has heard of another membership than that of its file, though its history is the longest', async (t) => {
    const before = await lines(1, 2, 3, 4);
    const { 4: _gone, ...after } = before;
    const three = new PeerNode(3, before, [], true);
    three.standing.zxid = 2 ** 32 + 5;
    const [one, two] = [1, 2].map((sid) => new PeerNode(sid, after, ['version=100000000'], true)) as [
      PeerNode,
      PeerNode,
    ];
    await started(t, three, one, two);
    await until(async () => !three.hasVote);
    // What it had said before it heard may have been counted; it does not lead for that.
    const ledTerm = async (node: PeerNode): Promise<Term> => {
      const term = await node.term();
      if (term.leader !== 3) return term;
      node.peer.endTerm('nobody leads there');
      return node.term(2);
    };
    const nodes = [one, two, three];
    await Promise.all([ledTerm(one), ledTerm(two), three.term()]);
    const next = nodes.map((node) => node.term(node.terms.length + 1));
    for (const node of nodes) node.peer.endTerm('the test wants another');
    const terms = await Promise.all(next);
    assert.deepEqual(
      terms.map(({ role, leader }) => [role, leader]),
      [
        ['following', 2],
        ['leading', 2],
        ['following', 2],
      ],
    );
    assert.equal(terms[2]!.committed.version, 2 ** 32);
  });

  it('says in one line whom it cannot reach and why', async (t) => {
    const servers = await lines(1, 2);
    const one = new PeerNode(1, { ...servers, 2: 'no-such-host.invalid:1:2' });
    await started(t, one);
    await until(async () => one.peer.election.meshCounters.failedDials >= 3);
    assert.deepEqual(
      one.lines.filter((line) => line.includes('server 2')),
      ['server 2 cannot be reached for the election: the name does not resolve'],
      'once, however often it is tried',
    );
  });

  it('says in one line that two servers have one id', async (t) => {
    const servers = await lines(1, 2);
    const one = new PeerNode(1, servers);
    t.after(() => one.peer.stop('the test is over'));
    for (let time = 0; time < 3; time++) one.peer.onRefused('same sid', '192.0.2.7', 2);
    one.peer.onRefused('own sid', '192.0.2.7', 1);
    const text = (sid: number): string =>
      `two servers say that they are server ${sid}, one of them from 192.0.2.7: give each an id of its own in myid`;
    assert.deepEqual(one.lines, [text(2), text(1)]);
  });
});

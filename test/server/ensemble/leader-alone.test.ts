/** One of ours, a real process, that is elected by a server which then does not come to it: it does not hold the other up. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { freePorts } from '../../support/free-ports.ts';
import { until } from '../../support/until.ts';
import { ElectionNode } from './election-node.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';

const FRESH = { zxid: 0, currentEpoch: 0 };

it('a leader whom those who elected it have given up looks again, whatever initLimit says', async (t) => {
  const ports = await freePorts(6);
  const servers = Object.fromEntries(
    [1, 2, 3].map((sid, i) => [sid, `127.0.0.1:${ports[2 * i]}:${ports[2 * i + 1]}`]),
  );
  // In ticks of half a second: for ever.
  const member = new RingkeeperMember({ sid: 3, servers, config: { initLimit: '1000000' } });
  t.after(() => member.dispose());
  await member.start();
  const node = new ElectionNode(1, servers);
  t.after(() => node.agent.close());
  await node.agent.listen();
  node.agent.startLooking(FRESH);
  const first = await node.decided();
  await until(async () => /"leading"/.test(member.log));
  node.agent.startLooking(FRESH);
  const second = await node.decided(2);
  assert.deepEqual([first.vote.leader, second.vote.leader], [3, 3]);
  assert.ok(second.vote.electionEpoch > first.vote.electionEpoch);
  await member.hasLogged(/others look for a leader, and no quorum comes to this one/);
});

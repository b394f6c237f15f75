/**
 * An Apache leader changes the voters while our follower's configuration file stays as it was: the new membership is not taken over
 * here, so this server must not help the old one to a quorum, whatever it remembers and however often it is started.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect } from '../../../src/client/index.ts';
import { ApacheMember } from '../../support/apache-member.ts';
import { freePorts } from '../../support/free-ports.ts';
import { need } from '../../support/skip.ts';
import { until } from '../../support/until.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';

const HAS_NO_VOTE = /the members of the ensemble are others than in the configuration file of this server/;

const text = ({ data }: { readonly data: Uint8Array | null }): string => Buffer.from(data ?? []).toString();

describe('a reconfiguration by Apache 3.8.0', { skip: need('java', 'zookeeper') }, () => {
  it('leaves our follower in step but without a vote, until its file has the new members', async (t) => {
    const ports = await freePorts(6);
    const servers: Record<number, string> = Object.fromEntries(
      [1, 2, 3].map((sid, i) => [sid, `127.0.0.1:${ports[2 * i]}:${ports[2 * i + 1]}`]),
    );
    const inOurFile = { ...servers };
    const ours = new RingkeeperMember({ sid: 1, servers: inOurFile });
    const config = { reconfigEnabled: 'true', skipACL: 'yes' };
    // The third comes up only when the voters have changed without it.
    const [two, three] = [2, 3].map((sid) => new ApacheMember({ sid, servers, config })) as [
      ApacheMember,
      ApacheMember,
    ];
    t.after(() => Promise.all([ours, two, three].map((member) => member.dispose())));
    await Promise.all([ours.start(), two.start()]);
    await until(async () => (await two.mode()) === 'leader' && (await ours.mode()) === 'follower');
    assert.doesNotMatch(
      ours.log,
      /no vote/,
      'the leader has the members of our file, in a version of its own',
    );
    {
      await using zk = await connect(two.address);
      await zk.reconfig({ leaving: '3' });
      await ours.hasLogged(HAS_NO_VOTE);
      // Two of two: the leader still counts on what this server acknowledges.
      await zk.create('/behind-the-change', 'x');
    }
    await using local = await connect(ours.address);
    await local.sync('/');
    assert.equal(text(await local.getData('/behind-the-change')), 'x');

    await ours.kill();
    await two.stop();
    await Promise.all([three.start(), ours.start()]);
    await ours.hasLogged(HAS_NO_VOTE, 2);
    await three.hasLogged(/n.sid:1, n.state:LOOKING.*n.zxid:0xffffffffffffffff/);
    assert.deepEqual(
      [await ours.mode(), await three.mode()],
      [null, null],
      'two of the old three lead nobody',
    );

    await ours.stop();
    await three.stop();
    delete inOurFile[3];
    await Promise.all([ours.start(), two.start()]);
    await ours.hasLogged(/the configuration file of this server has the members of the ensemble now/);
    // Either votes and may lead: they are two of two.
    await until(async () => [await ours.mode(), await two.mode()].sort().join() === 'follower,leader');
    await using again = await connect(two.address);
    assert.equal(text(await again.getData('/behind-the-change')), 'x');
  });
});

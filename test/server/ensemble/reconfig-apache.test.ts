/**
 * An Apache leader changes the members while a server of ours follows: it takes them over, whatever its own part is then, and a restart
 * finds them. Without `reconfigEnabled` its configuration file stays as it was: then it must not help the old voters to a quorum, whatever it remembers and
 * however often it is started.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect } from '../../../src/client/index.ts';
import { ApacheMember } from '../../support/apache-member.ts';
import { need } from '../../support/skip.ts';
import { until } from '../../support/until.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';
import { serverLines } from './server-lines.ts';

const HAS_NO_VOTE = /the members of the ensemble are others than in the configuration file of this server/;

const text = ({ data }: { readonly data: Uint8Array | null }): string => Buffer.from(data ?? []).toString();

const CONFIG = { reconfigEnabled: 'true', skipACL: 'yes' };

describe('a reconfiguration by Apache 3.8.0', { skip: need('java', 'zookeeper') }, () => {
  it('makes ours an observer, a voter, the leader without an election; after a restart it goes by the new members', async (t) => {
    const servers = await serverLines(3);
    const ours = new RingkeeperMember({ sid: 1, servers, config: CONFIG });
    const [two, three] = [2, 3].map((sid) => new ApacheMember({ sid, servers, config: CONFIG })) as [
      ApacheMember,
      ApacheMember,
    ];
    t.after(() => Promise.all([ours, two, three].map((member) => member.dispose())));
    await Promise.all([two.start(), three.start()]);
    await until(async () => (await three.mode()) === 'leader');
    await ours.start();
    await until(async () => (await ours.mode()) === 'follower');
    assert.match(ours.configFile, /^dynamicConfigFile=.*zoo\.cfg\.dynamic\.100000000$/m);
    const here = `${servers[1]}:observer;${ours.address}`;
    {
      await using zk = await connect(three.address);
      await zk.reconfig({ joining: `server.1=${here}` });
      await until(async () => (await ours.mode()) === 'observer');
      await zk.create('/as-observer', 'x');
      await zk.reconfig({ joining: `server.1=${here.replace('observer', 'participant')}` });
      await until(async () => (await ours.mode()) === 'follower');
      await using local = await connect(ours.address);
      const { data } = await zk.config();
      assert.equal(text(await local.config()), Buffer.from(data ?? []).toString());
      const searches = ours.log.match(/looking for a leader/g)!.length;
      await zk.reconfig({ leaving: '3' }).catch(() => {});
      await until(async () => (await ours.mode()) === 'leader');
      assert.equal(ours.log.match(/looking for a leader/g)!.length, searches, 'nobody searched');
    }
    await until(async () => (await two.mode()) === 'follower' && (await three.mode()) === 'follower');
    {
      await using zk = await connect(two.address);
      await zk.create('/of-the-two', 'x');
      assert.doesNotMatch(text(await zk.config()), /server\.3/);
    }
    await Promise.all([ours.kill(), two.stop(), three.stop()]);
    assert.doesNotMatch(ours.configFile, /clientPort|server\./);
    await ours.start();
    await until(async () => /looking for a leader/.test(ours.log));
    assert.equal(await ours.mode(), null, 'one of two');
    await two.start();
    await until(async () => [await ours.mode(), await two.mode()].sort().join() === 'follower,leader');
    await using zk = await connect(ours.address);
    assert.deepEqual([...(await zk.children('/')).names].sort(), ['as-observer', 'of-the-two', 'zookeeper']);
  });

  it('is taken over by servers of Apache from a leader of ours, which hands over to one of them', async (t) => {
    const { 4: fourth, ...three } = await serverLines(4);
    const servers = { ...three, 4: `${fourth}:observer` };
    const ours = new RingkeeperMember({ sid: 3, servers, config: CONFIG });
    const apache = [1, 2, 4].map((sid) => new ApacheMember({ sid, servers, config: CONFIG }));
    const [one, two, four] = apache as [ApacheMember, ApacheMember, ApacheMember];
    t.after(() => Promise.all([ours, ...apache].map((member) => member.dispose())));
    await ours.start();
    await Promise.all(apache.map((member) => member.start()));
    await until(async () => (await ours.mode()) === 'leader');
    const inModes = (modes: readonly string[]): Promise<void> =>
      until(async () => (await Promise.all(apache.map((member) => member.mode()))).join() === modes.join());
    await inModes(['follower', 'follower', 'observer']);
    await using zk = await connect(one.address);
    const joined = text(await zk.reconfig({ joining: `server.4=${servers[4]};${four.address}` }));
    await inModes(['follower', 'follower', 'observer']);
    for (const { address } of [ours, two, four]) {
      await using other = await connect(address);
      await other.sync('/');
      assert.equal(text(await other.config()), joined);
    }
    await zk.reconfig({ joining: `server.4=${fourth}:participant;${four.address}` });
    await inModes(['follower', 'follower', 'follower']);
    await zk.create('/before', 'x');
    await zk.reconfig({ leaving: '3' }).catch(() => {});
    await until(async () => (await ours.mode()) === 'follower');
    await inModes(['leader', 'follower', 'follower']);
    await using local = await connect(ours.address);
    await local.create('/after', 'x');
    assert.doesNotMatch(text(await local.config()), /server\.3/);
    assert.equal(text(await local.getData('/before')), 'x');
  });

  it('leaves our follower in step but without a vote, until its file has the new members', async (t) => {
    const servers = await serverLines(3);
    const inOurFile = { ...servers };
    const ours = new RingkeeperMember({ sid: 1, servers: inOurFile });
    // The third comes up only when the voters have changed without it.
    const [two, three] = [2, 3].map((sid) => new ApacheMember({ sid, servers, config: CONFIG })) as [
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

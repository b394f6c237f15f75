/**
 * Servers of ours, real processes, whose members a client changes: every kind of change and every refusal, what clients and the servers' own
 * files show, and the next election by the new members.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { connect, isZk, type Zk } from '../../../src/client/index.ts';
import { until } from '../../support/until.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';
import { serverLines } from './server-lines.ts';

const SECRET = 'super:secret';
const CONFIG = {
  reconfigEnabled: 'true',
  'DigestAuthenticationProvider.superDigest': `super:${createHash('sha1').update(SECRET).digest('base64')}`,
};

const SUPER = { scheme: 'digest', auth: Buffer.from(SECRET) };

const text = ({ data }: { readonly data: Uint8Array | null }): string => Buffer.from(data ?? []).toString();

async function refuses(zk: Zk, change: Parameters<Zk['reconfig']>[0], code: string): Promise<void> {
  await assert.rejects(
    zk.reconfig(change),
    (error) => isZk(error, code as 'BADVERSION') || assert.fail(`${code} instead of ${error}`),
  );
}

async function inModes(modes: readonly (readonly [RingkeeperMember, string])[]): Promise<void> {
  await until(async () => {
    const found = await Promise.all(modes.map(([member]) => (member.running ? member.mode() : null)));
    return found.every((mode, i) => mode === modes[i]![1]);
  });
}

function searchesOf(member: RingkeeperMember): number {
  return member.log.match(/looking for a leader/g)!.length;
}

describe('reconfig on an ensemble of ours', () => {
  it('adds, changes and removes members, hands over, and goes on by the new members', async (t) => {
    const servers = await serverLines(4);
    const { 4: fourth, ...three } = servers;
    const members = [1, 2, 3].map((sid) => new RingkeeperMember({ sid, servers: three, config: CONFIG }));
    const joins = { ...three, 4: `${fourth}:observer` };
    const four = new RingkeeperMember({ sid: 4, servers: joins, config: CONFIG });
    t.after(() => Promise.all([...members, four].map((member) => member.dispose())));
    await Promise.all(members.map((member) => member.start()));
    await until(async () => {
      const modes = await Promise.all(members.map((member) => member.mode()));
      return modes.filter((mode) => mode === 'follower').length === 2 && modes.includes('leader');
    });
    const modes = await Promise.all(members.map((member) => member.mode()));
    const leader = members[modes.indexOf('leader')]!;
    const [asked, other] = members.filter((member) => member !== leader) as [
      RingkeeperMember,
      RingkeeperMember,
    ];
    const line = (member: RingkeeperMember, role = 'participant'): string =>
      `server.${member.sid}=${servers[member.sid]}:${role};${member.address}`;

    await using zk = await connect(asked.address);
    await zk.create('/before', 'x');
    assert.match(
      text(await zk.config()),
      /version=[1-9a-f][0-9a-f]*00000000$/,
      'the epoch of the first leader',
    );
    await refuses(zk, { leaving: '9' }, 'NOAUTH');
    await zk.addAuth(SUPER);
    await refuses(zk, { joining: line(four), ifConfig: 12345 }, 'BADVERSION');
    await refuses(zk, { leaving: '1,2' }, 'BADARGUMENTS');
    await refuses(zk, { joining: `server.4=${fourth}` }, 'BADARGUMENTS');
    await refuses(zk, { joining: line(asked).replace(/server\.\d/, 'server.4') }, 'BADARGUMENTS');
    const nobody = [5, 6, 7].map((sid) => `server.${sid}=127.0.0.9:${sid}:1${sid};127.0.0.9:2${sid}`);
    await refuses(zk, { joining: nobody.join() }, 'NEWCONFIGNOQUORUM');

    // One that nobody knows follows; then it is an observer, then a voter.
    await four.start();
    await inModes([[four, 'follower']]);
    await using seen = await connect(other.address);
    const watch = await seen.watch('/zookeeper/config');
    const [first, second] = await Promise.allSettled([
      zk.reconfig({ joining: line(four, 'observer') }),
      zk.reconfig({ leaving: '4' }),
    ]);
    assert.ok(first.status === 'fulfilled' && text(first.value).includes(line(four, 'observer')));
    assert.ok(second.status === 'rejected' && isZk(second.reason, 'RECONFIGINPROGRESS'));
    for await (const event of watch) {
      assert.equal(event.type, 'changed');
      break;
    }
    assert.equal(text(await seen.config()), text(first.value));
    await inModes([[four, 'observer']]);
    await zk.reconfig({ joining: line(four) });
    await inModes([[four, 'follower']]);
    assert.match(four.configFile, /^dynamicConfigFile=.*zoo\.cfg\.dynamic\.[0-9a-f]+$/m);
    assert.doesNotMatch(four.configFile, /server\./);

    // The leader goes, and nobody searches.
    const searches = [asked, other, four].map(searchesOf);
    await zk.create('/between', 'x');
    await zk.reconfig({ leaving: String(leader.sid) }).catch(() => {});
    let next: RingkeeperMember | undefined;
    await until(async () => {
      const found = await Promise.all([asked, other, four].map((member) => member.mode()));
      next = [asked, other, four][found.indexOf('leader')];
      return next !== undefined && found.filter((mode) => mode === 'follower').length === 2;
    });
    await inModes([[leader, 'follower']]);
    assert.deepEqual([asked, other, four].map(searchesOf), searches);

    // All of them anew.
    await using again = await connect(next!.address);
    await again.addAuth(SUPER);
    const all = [asked, other].map((member) => line(member));
    const version = Number.parseInt(/version=(.*)$/.exec(text(await again.config()))![1]!, 16);
    const bulk = await again.reconfig({
      members: [...all, line(four, 'observer')].join(),
      ifConfig: version,
    });
    assert.match(text(bulk), /server\.4=.*:observer;/);
    await until(async () => (await four.mode()) === 'observer');
    await using behind = await connect([asked, other].map(({ address }) => address).join());
    await behind.create('/after', 'x');

    await Promise.all([...members, four].map((member) => member.kill()));
    await Promise.all([asked, other, four].map((member) => member.start()));
    await inModes([[four, 'observer']]);
    await using last = await connect(four.address);
    const names = [...(await last.children('/')).names].sort();
    assert.deepEqual(names, ['after', 'before', 'between', 'zookeeper']);
  });
});

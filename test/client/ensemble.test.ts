/**
 * The client on three servers, of ours and of Apache 3.8.0, each behind a proxy that fails on demand: a list of servers that changes, a session taken
 * over by another client, leaders that die, servers without a quorum. Every outcome told is checked against the tree.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { utf8 } from '../../src/client/codecs.ts';
import {
  type ConnectOptions,
  connect,
  isZk,
  OPEN_ACL,
  op,
  open,
  type Zk,
  ZkError,
} from '../../src/client/index.ts';
import { RingkeeperMember } from '../server/ensemble/ringkeeper-member.ts';
import { ApacheMember, type MemberOptions } from '../support/apache-member.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { fourLetterWord } from '../support/four-letter-word.ts';
import { freePorts } from '../support/free-ports.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { until } from '../support/until.ts';
import { contentsOf, treeOf } from './cache/tree.ts';

/** Long enough that no session ends because an exchange of leaders takes its time on a busy machine. */
const OPTIONS: ConnectOptions = { sessionTimeoutMs: 20_000 };
const LONG_SESSIONS = { maxSessionTimeout: '40000' };
const SIDS = [1, 2, 3] as const;

type Member = ApacheMember | RingkeeperMember;

for (const [name, make, missing] of [
  ['ringkeeper', (options: MemberOptions) => new RingkeeperMember(options), needRingkeeper()],
  ['Apache 3.8.0', (options: MemberOptions) => new ApacheMember(options), need('java', 'zookeeper')],
] as const)
  describe(`the client on three servers of ${name}`, { skip: missing, timeout: 300_000 }, () => {
    let members: Member[] = [];
    let proxies: FaultProxy[] = [];
    let all: string;
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

    before(async () => {
      process.on('unhandledRejection', onUnhandled);
      const ports = await freePorts(6);
      const servers = Object.fromEntries(
        SIDS.map((sid, i) => [sid, `127.0.0.1:${ports[2 * i]}:${ports[2 * i + 1]}:participant`]),
      );
      members = SIDS.map((sid) =>
        make({ sid, servers, config: { ...LONG_SESSIONS, reconfigEnabled: 'true', skipACL: 'yes' } }),
      );
      await Promise.all(members.map((member) => member.start()));
      await serving();
      proxies = await Promise.all(members.map(({ port }) => FaultProxy.start(port)));
      all = proxies.map(({ address }) => address).join(',');
    });

    after(async () => {
      for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
      await Promise.all(members.map((member) => member.dispose()));
      process.off('unhandledRejection', onUnhandled);
      assert.deepEqual(unhandled, []);
    });

    async function serving(): Promise<void> {
      await until(async () => {
        const modes = await Promise.all(members.map((member) => member.mode()));
        return modes.every((mode) => mode === 'leader' || mode === 'follower');
      });
    }

    async function leader(): Promise<Member> {
      for (const member of members) if ((await member.mode()) === 'leader') return member;
      return assert.fail('there is no leader');
    }

    /** Creates below `base` while `act` runs and until 50 more have succeeded behind it; then looks what has become of each. */
    async function writesDuring(
      zk: Zk,
      base: string,
      act: () => Promise<void>,
    ): Promise<Record<string, number>> {
      await zk.create(base, null, { parents: 'persistent' });
      const told: string[] = [];
      let over = false;
      let behind = 0;
      const writer = async (): Promise<void> => {
        while (behind < 50) {
          const index = told.push('nothing') - 1;
          try {
            await zk.create(`${base}/${index}`);
            told[index] = 'done';
            if (over) behind++;
          } catch (error) {
            assert.ok(error instanceof ZkError, String(error));
            told[index] = error.outcome;
            if (zk.state === 'closed') return;
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
      };
      const writers = Promise.all(Array.from({ length: 10 }, writer));
      await act();
      over = true;
      await writers;
      await using eye = await connect(members.map(({ address }) => address).join(','));
      await eye.sync(base);
      const there = new Set((await eye.children(base)).names);
      const counts: Record<string, number> = {};
      for (const [index, outcome] of told.entries()) {
        counts[outcome] = (counts[outcome] ?? 0) + 1;
        if (outcome === 'done')
          assert.ok(there.has(`${index}`), `${base}/${index} was acknowledged and is not there`);
        else if (outcome !== 'unknown')
          assert.ok(!there.has(`${index}`), `${base}/${index} is there and was told ${outcome}`);
      }
      return counts;
    }

    it('moves to another list of servers with its session, its ephemerals and its watches', async () => {
      await using zk = await connect(proxies[0]!.address, OPTIONS);
      const { sessionId } = zk;
      await zk.create('/moving-e', null, { mode: 'ephemeral' });
      await using tree = await zk.watch('/moving-w', { mode: 'tree' });
      const counts = await writesDuring(zk, '/moving', async () => {
        zk.updateServers(`${proxies[1]!.address},${proxies[2]!.address}`);
        await until(async () => zk.state === 'connected' && zk.server !== proxies[0]!.address);
      });
      assert.ok(counts['done']! >= 50);
      assert.deepEqual([zk.sessionId, zk.epoch], [sessionId, 1]);
      assert.equal((await zk.exists('/moving-e'))?.ephemeralOwner, sessionId);
      await zk.create('/moving-w');
      for await (const item of tree) if (item.type === 'created') break;
    });

    it('two clients with one session: nothing is told wrongly, and the operator is told', async () => {
      const notices: string[] = [];
      await using zk = await connect(proxies[0]!.address, {
        ...OPTIONS,
        onNotice: (notice) => notices.push(notice),
      });
      const { ticket } = zk.core.driver.machine.session;
      const counts = await writesDuring(zk, '/moved', async () => {
        const thief = await connect(proxies[1]!.address, { ...OPTIONS, session: ticket });
        assert.equal(thief.sessionId, zk.sessionId);
        // A server notices that a session has moved when it is asked for something.
        await until(async () => {
          void thief.setData('/moved', 'mine', { timeoutMs: 500 }).catch(() => undefined);
          return notices.includes('sessionContended');
        });
        thief.detach();
      });
      assert.ok(counts['done']! >= 50);
      assert.equal(zk.sessionId, ticket.id);
    });

    it('goes on behind the death of a leader, and a cache of it is whole again', async () => {
      await using zk = await connect(all, OPTIONS);
      const { sessionId } = zk;
      await zk.create('/election/cached', 'x', { parents: 'persistent' });
      await using cache = await zk.cache('/election', { codec: utf8, resync: { jitterMs: 10 } });
      const counts = await writesDuring(zk, '/election/writes', async () => {
        const dead = await leader();
        await dead.kill();
        await until(async () => zk.state === 'connected');
        await zk.setData('/election/cached', 'y', { version: 0, resolve: true });
        await dead.start();
        await serving();
      });
      assert.ok(counts['done']! >= 50);
      assert.equal(zk.sessionId, sessionId);
      await cache.sync({ kind: 'quorum' });
      assert.deepEqual(contentsOf(cache.entries()), await treeOf(zk, '/election'));
    });

    it('changes the ensemble', async () => {
      // Neither the leader leaves, whose going takes its followers' clients along, nor the member that is asked.
      const asked = members.indexOf(await leader());
      const leaving = (asked + 1) % members.length;
      await using zk = await connect(proxies[asked]!.address, OPTIONS);
      const before = utf8.decode((await zk.config()).data);
      const start = `server.${SIDS[leaving]}=`;
      const line = before.split('\n').find((one) => one.startsWith(start))!;
      const left = await zk.reconfig({ leaving: String(SIDS[leaving]) });
      assert.ok(!utf8.decode(left.data).includes(start));
      await assert.rejects(zk.reconfig({ joining: line, ifConfig: 12345 }), (error) =>
        isZk(error, 'BADVERSION'),
      );
      // An address for clients belongs to a member that joins.
      const joined = await zk.reconfig({ joining: `${line};127.0.0.1:${members[leaving]!.port}` });
      assert.ok(utf8.decode(joined.data).includes(start));
    });
  });

for (const [name, make, missing] of [
  ['ringkeeper', (options: MemberOptions) => new RingkeeperMember(options), needRingkeeper()],
  ['Apache 3.8.0', (options: MemberOptions) => new ApacheMember(options), need('java', 'zookeeper')],
] as const)
  describe(`the client on a server of ${name} without a quorum`, { skip: missing, timeout: 300_000 }, () => {
    it('reads there, is refused its writes, and leaves it once another has a quorum', async (t) => {
      const ports = await freePorts(6);
      const servers = Object.fromEntries(
        SIDS.map((sid, i) => [sid, `127.0.0.1:${ports[2 * i]}:${ports[2 * i + 1]}`]),
      );
      const flags = ['-Dreadonlymode.enabled=true'];
      // Apache takes the mode from the command line only, and gives sessions in it only as local ones.
      const config = {
        ...LONG_SESSIONS,
        'readonlymode.enabled': 'true',
        ...(name === 'ringkeeper'
          ? {}
          : { localSessionsEnabled: 'true', localSessionsUpgradingEnabled: 'true' }),
      };
      const [one, two] = [1, 2].map((sid) => make({ sid, servers, flags, config })) as [Member, Member];
      t.after(() => Promise.all([one.dispose(), two.dispose()]));
      await one.start();
      await using refused = await open(one.address, OPTIONS);
      await using zk = await connect(one.address, { ...OPTIONS, readOnly: true });
      assert.equal(zk.state, 'readonly');
      assert.equal((await zk.getData('/')).stat.version, 0);
      const refusals = [
        () => zk.create('/readonly', 'x'),
        () => zk.create('/readonly', 'x', { mode: 'container' }),
        () => zk.create('/readonly', 'x', { ttlMs: 1000 }),
        () => zk.setData('/', 'x'),
        () => zk.setAcl('/', OPEN_ACL),
        () => zk.delete('/zookeeper'),
        () => zk.multi([op.check('/', 0)]),
        () => zk.sync('/'),
        () => zk.reconfig({ leaving: '3' }),
      ];
      for (const refuse of refusals)
        await assert.rejects(refuse(), (error) => isZk(error, 'NOTREADONLY') && error.outcome === 'refused');
      assert.equal(refused.state, 'connecting', 'who did not ask for it is served read-only');
      assert.equal(await fourLetterWord(one.port, 'isro', 5000), 'ro');
      assert.deepEqual(withoutFigures(await fourLetterWord(one.port, 'srvr', 5000)), [
        'Zookeeper version',
        'READ-ONLY mode; serving only read-only clients',
        'Latency min/avg/max',
        'Received',
        'Sent',
        'Connections',
        'Outstanding',
        'Zxid',
        'Mode: read-only',
        'Node count',
      ]);
      assert.match(
        await fourLetterWord(one.port, 'dump', 5000),
        /^SessionTracker dump:\nLocal Session Sets \(\d+\)\/\(1\):\n[^G]+Global Sessions\(0\):\n/,
      );
      const figures = await fourLetterWord(one.port, 'mntr', 5000);
      assert.match(figures, /zk_server_state\tread-only\n/);
      assert.match(figures, /zk_local_sessions\t1\n/);
      await two.start();
      await until(async () => zk.state === 'connected');
      assert.equal((await zk.create('/readonly', 'x')).path, '/readonly');
      assert.equal((await refused.getData('/readonly')).stat.version, 0);
    });
  });

/** Of `srvr`: what its lines are called; the mode as it is. */
function withoutFigures(answer: string): string[] {
  return answer
    .trim()
    .split('\n')
    .map((line) => (line.startsWith('Mode') ? line : line.split(': ')[0]!));
}

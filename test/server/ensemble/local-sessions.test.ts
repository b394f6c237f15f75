/**
 * Local sessions on three servers, two of them of one kind and one of the other: each keeps the same rules for its own clients, and each
 * takes as a leader what the others' clients write. One server of each ensemble upgrades no sessions.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect } from '../../../src/client/index.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { ApacheMember, type MemberOptions } from '../../support/apache-member.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { freePorts } from '../../support/free-ports.ts';
import { frame, parseConnectAnswer, RawClient, RawConnection } from '../../support/raw-client.ts';
import { connectRequest, create, OPEN_ACL, path as pathBody, setData } from '../../support/request-bodies.ts';
import { need, needRingkeeper } from '../../support/skip.ts';
import { until } from '../../support/until.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';

type Member = ApacheMember | RingkeeperMember;
type Make = (options: MemberOptions) => Member;

const ours: Make = (options) => new RingkeeperMember(options);
const theirs: Make = (options) => new ApacheMember(options);
const SIDS = [1, 2, 3] as const;
/** Refuses ephemerals of local sessions. */
const STRICT_SID = 2;

/** The first is the follower of the others. */
for (const [name, make] of [
  ['a follower of ours under Apache 3.8.0', [ours, theirs, theirs]],
  ["Apache's follower under ours", [theirs, ours, ours]],
] as const)
  describe(`local sessions: ${name}`, {
    skip: needRingkeeper() || need('java', 'zookeeper'),
    timeout: 120_000,
  }, () => {
    let members: [Member, Member, Member];

    before(async () => {
      const ports = await freePorts(6);
      const servers = Object.fromEntries(
        SIDS.map((sid) => [sid, `127.0.0.1:${ports[2 * sid - 2]}:${ports[2 * sid - 1]}`]),
      );
      members = SIDS.map((sid, at) => {
        const localSessionsUpgradingEnabled = String(sid !== STRICT_SID);
        const config = { localSessionsEnabled: 'true', localSessionsUpgradingEnabled };
        return make[at]!({ sid, servers, config });
      }) as [Member, Member, Member];
      const [first, ...others] = members;
      await Promise.all(others.map((member) => member.start()));
      await until(async () =>
        (await Promise.all(others.map((m) => m.mode()))).every((mode) => mode !== null),
      );
      await first.start();
      await until(async () => (await first.mode()) === 'follower');
    });

    after(() => Promise.all(members.map((member) => member.dispose())));

    it('they begin, write and end without a transaction, and stay where they are', async () => {
      for (const [at, member] of members.entries()) {
        const elsewhere = members[(at + 1) % 3]!;
        const name = `/written-${at}`;
        const local = await RawClient.open(member.port);
        await until(async () => (await figure(member, 'local_sessions')) === 1);
        assert.equal(await figure(elsewhere, 'local_sessions'), 0);
        assert.equal(await figure(elsewhere, 'global_sessions'), 0);
        assert.match(
          await fourLetterWord(member.port, 'dump', 5000),
          /^SessionTracker dump:\nLocal Session Sets \(\d+\)\/\(1\):\n/,
        );
        const written = await local.request(OpCode.create, createBody(name));
        assert.equal(written.err, 0);
        const again = await local.request(OpCode.setData, setData(name, Uint8Array.of(1), 0));
        assert.deepEqual([again.err, again.zxid - written.zxid], [0, 1n]);
        assert.equal(await reconnect(elsewhere, local), 0n, 'it is told that it has expired');
        assert.equal((await local.request(OpCode.sync, pathBody('/'))).err, 0, 'and goes on here');
        const moved = await RawClient.open(member.port, {
          timeoutMs: 30_000,
          sessionId: local.session.sessionId,
          password: local.session.password,
        });
        assert.equal(moved.session.sessionId, local.session.sessionId);
        await local.connection.serverClose();
        const closed = await moved.request(OpCode.closeSession);
        assert.deepEqual([closed.err, closed.zxid - written.zxid], [0, 1n]);
        await moved.connection.serverClose();
        assert.equal(await figure(member, 'local_sessions'), 0);
        await using check = await connect(elsewhere.address);
        await check.sync();
        assert.equal((await check.exists(name))?.version, 1);
      }
    });

    it('one that creates an ephemeral becomes a session of all servers, or is refused', async () => {
      for (const [at, member] of members.entries()) {
        const elsewhere = members[(at + 1) % 3]!;
        const name = `/owned-${at}`;
        const client = await RawClient.open(member.port);
        const made = await client.request(OpCode.create, createBody(name, 1));
        if (at + 1 === STRICT_SID) {
          assert.equal(made.err, ErrorCode.ephemeralOnLocalSession);
          client.destroy();
          continue;
        }
        assert.equal(made.err, 0);
        await using check = await connect(elsewhere.address);
        await check.sync();
        assert.equal((await check.exists(name))?.ephemeralOwner, client.session.sessionId);
        assert.equal(await figure(elsewhere, 'global_sessions'), 1);
        assert.equal(await reconnect(elsewhere, client), client.session.sessionId);
        const owner = await RawClient.open(member.port, {
          timeoutMs: 30_000,
          sessionId: client.session.sessionId,
          password: client.session.password,
        });
        assert.equal((await owner.request(OpCode.closeSession)).err, 0);
        await check.sync();
        assert.equal(await check.exists(name), null);
        client.destroy();
      }
    });

    it('one that is silent for too long is ended by its own server', async () => {
      const before = await Promise.all(members.map((member) => figure(member, 'global_sessions')));
      const silent = await Promise.all(
        members.map((member) => RawClient.open(member.port, { timeoutMs: 1000, readOnly: false })),
      );
      await Promise.all(silent.map(({ connection }) => connection.serverClose()));
      for (const [at, member] of members.entries()) assert.equal(await reconnect(member, silent[at]!), 0n);
      assert.deepEqual(await Promise.all(members.map((member) => figure(member, 'global_sessions'))), before);
    });
  });

function createBody(name: string, flags = 0): Uint8Array {
  return create({ path: name, data: null, acls: OPEN_ACL, flags });
}

/** The session that a server gives to who comes with that of `client`; 0 = it has expired. */
async function reconnect(server: Member, client: RawClient): Promise<bigint> {
  const { sessionId, password } = client.session;
  const connection = await RawConnection.open(server.port);
  connection.write(frame(connectRequest({ timeoutMs: 30_000, sessionId, password, lastZxidSeen: 0n })));
  const answer = parseConnectAnswer((await connection.nextFrame())!);
  connection.destroy();
  return answer.sessionId;
}

async function figure(member: Member, name: string): Promise<number> {
  const figures = await fourLetterWord(member.port, 'mntr', 5000);
  return Number(new RegExp(`^zk_${name}\t(.*)$`, 'm').exec(figures)![1]);
}

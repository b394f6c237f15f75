/**
 * Clients of our follower and of our observer: every kind of request is answered as another member answers it, sessions move and end
 * as the leader says, watches hear what is written elsewhere, and nobody is told anything false when the link to the leader
 * is cut under load. One ensemble for all of it.
 */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { connect } from '../../../src/client/index.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import type { MemberOptions } from '../../support/apache-member.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { freePorts } from '../../support/free-ports.ts';
import { frame, parseConnectAnswer, RawClient, RawConnection } from '../../support/raw-client.ts';
import { connectRequest, create, pathAndBool, path as pathBody } from '../../support/request-bodies.ts';
import type { TestServer } from '../../support/server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';
import { move, script, Writer } from './client-scenes.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';

const CONFIG = { extendedTypesEnabled: 'true' };
const OPEN = [{ perms: 31, scheme: 'world', id: 'anyone' }];

/** The leader and another follower come from `make`. */
export function testClientsOfLearners(make: (member: MemberOptions) => TestServer): void {
  let ours: RingkeeperMember;
  let observer: RingkeeperMember;
  let others: TestServer[];
  /** In front of the quorum ports of the others, for ours. */
  let links: TcpProxy[];

  before(async () => {
    const ports = await freePorts(8);
    const line = (sid: number, quorumPort = ports[2 * sid - 2]): string =>
      `127.0.0.1:${quorumPort}:${ports[2 * sid - 1]}${sid === 4 ? ':observer' : ''}`;
    const servers = Object.fromEntries([1, 2, 3, 4].map((sid) => [sid, line(sid)]));
    links = await Promise.all([2, 3].map((sid) => TcpProxy.open(ports[2 * sid - 2]!)));
    const throughLinks = { ...servers, 2: line(2, links[0]!.port), 3: line(3, links[1]!.port) };
    others = [2, 3].map((sid) => make({ sid, servers, config: CONFIG }));
    ours = new RingkeeperMember({ sid: 1, servers: throughLinks, config: CONFIG });
    const config = { ...CONFIG, peerType: 'observer' };
    observer = new RingkeeperMember({ sid: 4, servers: throughLinks, config });
    await Promise.all(others.map((member) => member.start()));
    await until(async () => (await Promise.all(others.map(modeOf))).every((m) => m !== null));
    await Promise.all([ours, observer].map((member) => member.start()));
    await Promise.all([ours, observer].map((member) => member.hasLogged(/in step with the leader/)));
  });

  after(async () => {
    for (const link of links) link.close();
    await Promise.all([ours, observer, ...others].map((member) => member.dispose()));
  });

  it('every kind of request is answered as by another member', async () => {
    const other = (await modeOf(others[0]!)) === 'follower' ? others[0]! : others[1]!;
    const [expected, byOurs, byObserver] = await Promise.all([
      script(other, '/member-a'),
      script(ours, '/member-b'),
      script(observer, '/member-c'),
    ]);
    assert.deepEqual(byOurs, expected);
    assert.deepEqual(byObserver, expected);
  });

  it('a sync sees what was written elsewhere, and watches hear of it before it is read', async () => {
    await using far = await connect(others[0]!.address);
    for (const [member, path] of [
      [ours, '/seen-by-follower'],
      [observer, '/seen-by-observer'],
    ] as const) {
      const near = await RawClient.open(member.port);
      await near.request(OpCode.exists, pathAndBool(path, true));
      await far.create(path, '1');
      await near.request(OpCode.sync, pathBody(path));
      assert.deepEqual(
        near.events.map(({ type, path: of }) => [type, of]),
        [[1, path]],
      );
      assert.equal((await near.request(OpCode.getData, pathAndBool(path, true))).err, 0);
      await far.setData(path, '2');
      await far.delete(path);
      await near.request(OpCode.sync, pathBody(path));
      assert.deepEqual(
        near.events.map(({ type }) => type),
        [1, 3],
      );
      near.connection.destroy();
    }
  });

  it('a session moves between members: who is left behind is hung up on, ephemerals stay', async () => {
    await using other = await connect(others[1]!.address);
    for (const [from, to] of [
      [ours, others[0]!],
      [others[0]!, ours],
      [ours, observer],
    ] as const) {
      const path = `/moves-${from.port}-${to.port}`;
      const body = (name: string): Uint8Array => create({ path: name, data: null, acls: OPEN, flags: 1 });
      const left = await RawClient.open(from.port);
      assert.equal((await left.request(OpCode.create, body(path))).err, 0);
      const moved = await move(left, to);
      // The leader knows where the session is now: whatever comes from elsewhere is refused with its connection.
      await assert.rejects(left.request(OpCode.create, body(`${path}-late`)), /closed/);
      assert.equal((await moved.request(OpCode.create, body(`${path}-more`))).err, 0);
      await other.sync();
      assert.notEqual(await other.exists(path), null);
      assert.equal(await other.exists(`${path}-late`), null);
      assert.equal((await moved.request(OpCode.closeSession)).err, 0);
      await moved.connection.serverClose();
      await other.sync();
      assert.deepEqual([await other.exists(path), await other.exists(`${path}-more`)], [null, null]);
    }
    // A password that does not fit is refused without asking anybody.
    const session = await RawClient.open(ours.port);
    const refused = await RawConnection.open(ours.port);
    const { sessionId } = session.session;
    refused.write(
      frame(connectRequest({ timeoutMs: 4000, sessionId, password: new Uint8Array(16), lastZxidSeen: 0n })),
    );
    assert.equal(parseConnectAnswer((await refused.nextFrame())!).sessionId, 0n);
    await refused.serverClose();
  });

  it('only the leader ends a session, when nobody hears of it; its touches come from here', async () => {
    await using near = await connect(ours.address);
    await using far = await connect(others[0]!.address);
    // It says nothing but what its library says for it, and outlives twice its timeout.
    await using alive = await connect(ours.address, { sessionTimeoutMs: 5000 });
    await alive.create('/expiry-alive', null, { mode: 'ephemeral' });
    const { sessionId } = alive;
    const silent = await RawClient.open(observer.port, { timeoutMs: 8000, readOnly: false });
    const body = create({ path: '/expiry-silent', data: null, acls: OPEN, flags: 1 });
    assert.equal((await silent.request(OpCode.create, body)).err, 0);
    await silent.connection.serverClose();
    await Promise.all([near.sync(), far.sync()]);
    for (const zk of [near, far]) {
      assert.equal(await zk.exists('/expiry-silent'), null);
      assert.equal((await zk.exists('/expiry-alive'))?.ephemeralOwner, sessionId);
    }
    assert.equal(alive.sessionId, sessionId);
    for (const member of [ours, observer]) {
      assert.doesNotMatch(member.log, /session expired/);
      assert.match(await fourLetterWord(member.port, 'mntr', 5000), /zk_digest_mismatches_count\t0\n/);
    }
  });

  it('the words of a learner speak of its own connections and of everybody’s sessions', async () => {
    await using near = await connect(ours.address, { sessionTimeoutMs: 4000 });
    await near.create('/words', null, { mode: 'ephemeral' });
    const id = near.sessionId.toString(16);
    assert.match(await fourLetterWord(ours.port, 'cons', 5000), new RegExp(`sid=0x${id},lop=.*to=4000`));
    for (const member of [ours, others[0]!]) {
      const owned = new RegExp(`0x${id}:\n\t/words\n`);
      await until(async () => owned.test(await fourLetterWord(member.port, 'dump', 5000)));
    }
    assert.equal(await fourLetterWord(ours.port, 'isro', 5000), 'rw');
  });

  it('nobody is told anything false when the link to the leader is cut under load', async () => {
    const writers = await Promise.all(
      [ours, ours, observer].map((member, n) => Writer.open(member, `/load-${n}`)),
    );
    const terms = new Map([ours, observer].map((member) => [member, termsOf(member)]));
    const running = writers.map((writer) => writer.run());
    for (let round = 1; round <= 3; round++) {
      const seen = writers.map(({ acknowledged }) => acknowledged);
      await until(async () => writers.every(({ acknowledged }, n) => acknowledged > seen[n]! + 50));
      for (const link of links) link.cut();
      await Promise.all(
        [...terms].map(([member, before]) => until(async () => termsOf(member) >= before + round)),
      );
    }
    for (const writer of writers) writer.isStopping = true;
    await Promise.all(running);
    await using check = await connect(others[0]!.address);
    await check.sync();
    for (const writer of writers) await writer.check(check);
    for (const writer of writers) await writer.close();
  });
}

/** Of `srvr`; null while it serves nobody. */
async function modeOf(server: TestServer): Promise<string | null> {
  const answer = await fourLetterWord(server.port, 'srvr', 1000).catch(() => '');
  return /Mode: (\w+)/.exec(answer)?.[1] ?? null;
}

function termsOf(member: RingkeeperMember): number {
  return member.log.match(/in step with the leader/g)?.length ?? 0;
}

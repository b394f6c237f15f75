/**
 * Clients of our follower and of our observer, under a real Apache leader: every kind of request is answered as Apache's own
 * member answers it, sessions move and end as the leader says, watches hear what is written elsewhere, and nobody is told
 * anything false when the link to the leader is cut under load. One ensemble for all of it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type Created,
  connect,
  digest,
  isZk,
  OPEN_ACL,
  op,
  Perm,
  type Zk,
} from '../../../src/client/index.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { ApacheMember } from '../../support/apache-member.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { freePorts } from '../../support/free-ports.ts';
import { frame, parseConnectAnswer, RawClient, RawConnection } from '../../support/raw-client.ts';
import { connectRequest, create, pathAndBool, path as pathBody } from '../../support/request-bodies.ts';
import type { TestServer } from '../../support/server.ts';
import { need } from '../../support/skip.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';

const CONFIG = { extendedTypesEnabled: 'true' };
const OPEN = [{ perms: 31, scheme: 'world', id: 'anyone' }];

describe('clients of a learner under Apache 3.8.0', { skip: need('java', 'zookeeper') }, () => {
  let ours: RingkeeperMember;
  let observer: RingkeeperMember;
  let apaches: ApacheMember[];
  /** In front of the quorum ports of Apache's members, for ours. */
  let links: TcpProxy[];

  before(async () => {
    const ports = await freePorts(8);
    const line = (sid: number, quorumPort = ports[2 * sid - 2]): string =>
      `127.0.0.1:${quorumPort}:${ports[2 * sid - 1]}${sid === 4 ? ':observer' : ''}`;
    const servers = Object.fromEntries([1, 2, 3, 4].map((sid) => [sid, line(sid)]));
    links = await Promise.all([2, 3].map((sid) => TcpProxy.open(ports[2 * sid - 2]!)));
    const throughLinks = { ...servers, 2: line(2, links[0]!.port), 3: line(3, links[1]!.port) };
    apaches = [2, 3].map((sid) => new ApacheMember({ sid, servers, config: CONFIG }));
    ours = new RingkeeperMember({ sid: 1, servers: throughLinks, config: CONFIG });
    const config = { ...CONFIG, peerType: 'observer' };
    observer = new RingkeeperMember({ sid: 4, servers: throughLinks, config });
    await Promise.all(apaches.map((member) => member.start()));
    await until(async () =>
      (await Promise.all(apaches.map((member) => member.mode()))).every((m) => m !== null),
    );
    await Promise.all([ours, observer].map((member) => member.start()));
    await Promise.all([ours, observer].map((member) => member.hasLogged(/in step with the leader/)));
  });

  after(async () => {
    for (const link of links) link.close();
    await Promise.all([ours, observer, ...apaches].map((member) => member.dispose()));
  });

  it('every kind of request is answered as by Apache’s own follower', async () => {
    const follower = (await apaches[0]!.mode()) === 'follower' ? apaches[0]! : apaches[1]!;
    const [expected, byOurs, byObserver] = await Promise.all([
      script(follower, '/member-a'),
      script(ours, '/member-b'),
      script(observer, '/member-c'),
    ]);
    assert.deepEqual(byOurs, expected);
    assert.deepEqual(byObserver, expected);
  });

  it('a sync sees what was written elsewhere, and watches hear of it before it is read', async () => {
    await using far = await connect(apaches[0]!.address);
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
    await using other = await connect(apaches[1]!.address);
    for (const [from, to] of [
      [ours, apaches[0]!],
      [apaches[0]!, ours],
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
    await using far = await connect(apaches[0]!.address);
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
    assert.match(await fourLetterWord(ours.port, 'cons', 5000), new RegExp(`sid=0x${id},lop=CREA,.*to=4000`));
    for (const member of [ours, apaches[0]!]) {
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
    await using check = await connect(apaches[0]!.address);
    await check.sync();
    for (const writer of writers) await writer.check(check);
    for (const writer of writers) await writer.close();
  });
});

function termsOf(member: RingkeeperMember): number {
  return member.log.match(/in step with the leader/g)?.length ?? 0;
}

// ---- every kind of request -----------------------------------------------------------------------------

/** What each step came to, without what differs from member to member. */
async function script(member: TestServer, root: string): Promise<unknown[]> {
  await using zk = await connect(member.address, { auth: [digest('alice', 'secret')] });
  await using stranger = await connect(member.address);
  const own = [{ perms: Perm.all, scheme: 'auth', id: '' }];
  const steps: (() => Promise<unknown>)[] = [
    () => zk.create(root, 'root'),
    () => zk.create(root, 'again'),
    () => zk.create(`${root}/a`, null),
    () => zk.create(`${root}/s-`, 'x', { mode: 'persistentSequential' }),
    () => zk.create(`${root}/e`, 'x', { mode: 'ephemeral' }),
    () => zk.create(`${root}/es-`, 'x', { mode: 'ephemeralSequential' }),
    () => zk.create(`${root}/e/child`, 'x'),
    () => zk.create(`${root}/c`, 'x', { mode: 'container' }),
    () => zk.create(`${root}/t`, 'x', { ttlMs: 100_000 }),
    () => zk.create(`${root}/ts-`, 'x', { ttlMs: 100_000, mode: 'persistentSequential' }),
    () => zk.create(`${root}/none/child`, 'x'),
    () => zk.getData(root),
    () => zk.exists(`${root}/a`),
    () => zk.exists(`${root}/nowhere`),
    () => zk.children(root).then(({ names, stat }) => [[...names].sort(), stat]),
    () => zk.setData(`${root}/a`, 'one'),
    () => zk.setData(`${root}/a`, 'two', { version: 1 }),
    () => zk.setData(`${root}/a`, 'three', { version: 1 }),
    () => zk.setData(`${root}/a`, new Uint8Array(200_000)),
    () => zk.delete(root),
    () => zk.delete(`${root}/c`, { version: 3 }),
    () => zk.delete(`${root}/c`),
    () => zk.setAcl(`${root}/a`, own),
    () => zk.getAcl(`${root}/a`),
    () => zk.setAcl(`${root}/a`, OPEN_ACL, { version: 7 }),
    () => stranger.getData(`${root}/a`),
    () => stranger.setData(`${root}/a`, 'stolen'),
    () => stranger.getAcl(`${root}/a`),
    () => zk.create(`${root}/empty-acl`, 'x', { acl: [] }),
    () =>
      zk
        .multi([op.create(`${root}/m`, '1'), op.setData(`${root}/m`, '2'), op.check(`${root}/m`, 1)])
        .then(results),
    () => zk.multi([op.create(`${root}/m2`, '1'), op.create(`${root}/m`, '1'), op.check(`${root}/m`, 1)]),
    () => zk.multi([op.check(`${root}/m`, 9)]),
    () => zk.multi([op.delete(`${root}/m`), op.create(`${root}/m`, 'again')]).then(results),
    () => zk.multiRead([op.getData(`${root}/m`), op.getChildren(`${root}/e`), op.getData(`${root}/nowhere`)]),
    () => zk.sync(root),
    () => zk.sync(`${root}/nowhere`),
    () => zk.ephemerals(root),
    () => zk.countDescendants(root),
    () => zk.whoAmI().then((ids) => [...ids].sort((a, b) => a.scheme.localeCompare(b.scheme))),
    () => zk.getData('/zookeeper/config').then(({ stat }) => stat),
    () => zk.reconfig({ joining: 'server.9=127.0.0.1:1:2;3' }),
    () => watchAll(zk, root),
  ];
  const outcomes: unknown[] = [];
  for (const step of steps) {
    outcomes.push(
      await step().then(
        (value) => normal(value, root),
        (error) => normal(failure(error), root),
      ),
    );
  }
  return outcomes;
}

function failure(error: unknown): unknown {
  assert.ok(error instanceof Error);
  return isZk(error) ? [error.code, error.message] : error.message;
}

/** Events of a recursive watch while a subtree comes and goes. */
async function watchAll(zk: Zk, root: string): Promise<unknown> {
  const stream = await zk.watch(`${root}/a`, { mode: 'tree' });
  await zk.create(`${root}/a/x`, '1');
  await zk.setData(`${root}/a/x`, '2');
  await zk.multi([op.create(`${root}/a/y`, null), op.delete(`${root}/a/x`)]);
  const events: unknown[] = [];
  for await (const item of stream) {
    events.push(item.type === 'gap' ? item.cause : [item.type, item.path]);
    if (events.length === 4) break;
  }
  return events;
}

const VARYING = new Set(['czxid', 'mzxid', 'pzxid', 'ctime', 'mtime']);

/** Of zxids and times: that they are there. */
function normal(value: unknown, root: string): unknown {
  return JSON.parse(
    JSON.stringify(value ?? null, (key, part: unknown) => {
      if (VARYING.has(key)) return 'some';
      if (key === 'ephemeralOwner') return part === 0n ? 'none' : 'some';
      if (typeof part === 'bigint') return String(part);
      return typeof part === 'string' ? part.replaceAll(root, '/root') : part;
    }),
  );
}

/** Without the Stat of a create in a multi, which Apache 3.8 does not send. */
function results(values: readonly unknown[]): unknown[] {
  return values.map((value) =>
    typeof value === 'object' && value !== null && 'path' in value ? value.path : value,
  );
}

// ---- sessions that move --------------------------------------------------------------------------------

/** Another connection of the same session, at another server. Its requests are numbered from 1 again. */
async function move(client: RawClient, to: TestServer): Promise<RawClient> {
  const { sessionId, password } = client.session;
  const moved = await RawClient.open(to.port, { timeoutMs: 10_000, sessionId, password });
  assert.equal(moved.session.sessionId, sessionId);
  return moved;
}

// ---- what is told under load ---------------------------------------------------------------------------

/** Writes and reads through one member without a pause, and remembers what it was told. */
class Writer {
  isStopping = false;
  acknowledged = 0;
  private readonly zk: Zk;
  private readonly root: string;
  /** By name: what its creation was told; null: nobody knows. */
  private readonly created = new Map<string, Created | null>();
  /** Zxids of acknowledged setData, in order, and how many nobody knows about. */
  private readonly set: number[] = [];
  private unknownSets = 0;
  private sets = 0;

  private constructor(zk: Zk, root: string) {
    this.zk = zk;
    this.root = root;
  }

  static async open(member: TestServer, root: string): Promise<Writer> {
    const zk = await connect(member.address, { sessionTimeoutMs: 10_000 });
    await zk.create(root, '0');
    return new Writer(zk, root);
  }

  close(): Promise<void> {
    return this.zk.close();
  }

  /** Four of each kind are on their way at a time. */
  async run(): Promise<void> {
    await Promise.all([0, 1, 2, 3].map((lane) => this.lane(lane)));
  }

  private async lane(lane: number): Promise<void> {
    for (let n = 0; !this.isStopping; n++) {
      const path = `${this.root}/${lane}-${n}`;
      const calls = [
        this.told(this.zk.create(path, String(n)), (created) => this.created.set(path, created)),
        this.told(this.zk.setData(this.root, String(++this.sets)), (stat) => {
          if (stat === null) this.unknownSets++;
          else this.set.push(stat.mzxid);
        }),
      ];
      const read = this.zk.children(this.root).then(
        ({ stat }) => stat.mzxid,
        () => null,
      );
      const before = this.set.length;
      await Promise.all(calls);
      const seen = await read;
      // It was asked behind them.
      if (seen !== null && this.set.length > before) assert.ok(seen >= Math.min(...this.set.slice(before)));
    }
  }

  private async told<T>(call: Promise<T>, tell: (told: T | null) => void): Promise<void> {
    try {
      tell(await call);
      this.acknowledged++;
    } catch (error) {
      assert.ok(isZk(error), String(error));
      if (error.outcome === 'unknown') tell(null);
      else assert.equal(error.outcome, 'notSent');
    }
  }

  /** What was acknowledged is there, with the zxid that was told; what was not told may be. */
  async check(zk: Zk): Promise<void> {
    const { names, stat } = await zk.children(this.root);
    const present = new Set(names.map((name) => `${this.root}/${name}`));
    for (const [path, created] of this.created) {
      if (created === null) continue;
      assert.ok(present.has(path), `${path} was acknowledged`);
      assert.equal((await zk.exists(path))?.czxid, created.stat?.czxid);
    }
    for (const path of present) assert.ok(this.created.has(path), `${path} was never asked for`);
    assert.equal(new Set(this.set).size, this.set.length, 'one write acknowledged twice');
    assert.ok(stat.version >= this.set.length && stat.version <= this.set.length + this.unknownSets);
    assert.ok(this.set.every((zxid) => zxid <= stat.mzxid));
  }
}

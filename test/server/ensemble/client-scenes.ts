/**
 * What clients do to a server of an ensemble, and what must come of it: a script of every kind of request, whose outcome is the same
 * at every member; a session that moves; a writer that remembers what it was told.
 */
import assert from 'node:assert/strict';
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
import { RawClient } from '../../support/raw-client.ts';
import type { TestServer } from '../../support/server.ts';

// ---- every kind of request -----------------------------------------------------------------------------

/** What each step came to, without what differs from member to member. */
export async function script(member: TestServer, root: string): Promise<unknown[]> {
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
export async function move(client: RawClient, to: TestServer): Promise<RawClient> {
  const { sessionId, password } = client.session;
  const moved = await RawClient.open(to.port, { timeoutMs: 10_000, sessionId, password });
  assert.equal(moved.session.sessionId, sessionId);
  return moved;
}

// ---- what is told under load ---------------------------------------------------------------------------

/** Writes and reads through one member without a pause, and remembers what it was told. */
export class Writer {
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
      // A session may end while nobody leads; its requests have not happened then.
      else assert.ok(error.outcome === 'notSent' || isZk(error, 'SESSIONEXPIRED'), error.message);
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

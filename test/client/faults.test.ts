/**
 * The client through a network that fails on demand, on real servers. After every fault the tree says what had really
 * become of each request, and the outcome that the client told must agree with it; nothing hangs and nothing is left.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type ConnectOptions, connect, isZk, op, type Zk, ZkError } from '../../src/client/index.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { ApacheServer } from '../support/apache.ts';
import { FaultProxy, type FrameKind, type ProxyFrame } from '../support/fault-proxy.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import type { TestServer } from '../support/server.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { until } from '../support/until.ts';

// No session ends because a test comes late.
const OPTIONS: ConnectOptions = { sessionTimeoutMs: 30_000 };

async function failureOf(promise: Promise<unknown>): Promise<ZkError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof ZkError, String(error));
    return error;
  }
  return assert.fail('it succeeded');
}

/** With the distance of the byte offsets that are tried: all of them where the client's own work is meant. */
for (const [name, make, missing, stride] of [
  ['ringkeeper', () => new RingkeeperServer(), needRingkeeper(), 1],
  ['Apache 3.8.0', () => new ApacheServer(), need('java', 'zookeeper'), 7],
] as const) {
  describe(`faults between client and ${name}`, { skip: missing, timeout: 300_000 }, () => {
    let server: TestServer;
    /** Looks at the tree, beside the proxy. */
    let eye: Zk;
    let proxy: FaultProxy;
    let zk: Zk;
    let round = 0;
    /** A path of this test's own. */
    let base = '';
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

    before(async () => {
      process.on('unhandledRejection', onUnhandled);
      server = make();
      await server.start();
      eye = await connect(server.address);
    });

    after(async () => {
      await eye?.close();
      await server?.dispose();
      process.off('unhandledRejection', onUnhandled);
      assert.deepEqual(unhandled, []);
    });

    beforeEach(async () => {
      base = `/t${++round}`;
      await eye.create(base);
      proxy = await FaultProxy.start(server.port);
      zk = await connect(proxy.address, OPTIONS);
    });

    afterEach(async () => {
      proxy.rule = () => 'pass';
      await zk.close();
      await until(async () => proxy.open === 0);
      await proxy[Symbol.asyncDispose]();
    });

    const text = async (path: string): Promise<string | null> => {
      const found = await eye.tryGetData(path);
      return found === null ? null : Buffer.from(found.data ?? []).toString();
    };

    it('a write whose reply is lost is unknown, and was done', async () => {
      proxy.loseReply(OpCode.create2);
      assert.equal((await failureOf(zk.create(`${base}/a`, 'x'))).outcome, 'unknown');
      assert.equal(await text(`${base}/a`), 'x');
      proxy.loseReply(OpCode.setData);
      assert.equal((await failureOf(zk.setData(`${base}/a`, 'y'))).outcome, 'unknown');
      assert.equal(await text(`${base}/a`), 'y');
      proxy.loseReply(OpCode.multi);
      const error = await failureOf(zk.multi([op.setData(`${base}/a`, 'z')]));
      assert.equal(error.outcome, 'unknown');
      assert.equal(await text(`${base}/a`), 'z');
      proxy.loseReply(OpCode.delete);
      assert.equal((await failureOf(zk.delete(`${base}/a`))).outcome, 'unknown');
      assert.equal(await text(`${base}/a`), null);
    });

    it('a write that is lost itself is unknown, and was not done', async () => {
      proxy.loseRequest(OpCode.create2);
      assert.equal((await failureOf(zk.create(`${base}/a`))).outcome, 'unknown');
      assert.equal(await text(`${base}/a`), null);
    });

    it('reads are sent again, whichever half is lost', async () => {
      proxy.loseReply(OpCode.getData);
      assert.equal((await zk.getData(base)).stat.version, 0);
      proxy.loseRequest(OpCode.getChildren2);
      assert.deepEqual((await zk.children(base)).names, []);
      proxy.loseReply(OpCode.sync);
      await zk.sync();
    });

    it('what waits goes on behind a cut in the order in which it was asked', async () => {
      const single = await connect(proxy.address, { ...OPTIONS, maxInFlight: 1 });
      proxy.loseReply(OpCode.create2);
      const first = failureOf(single.create(`${base}/n-`, null, { mode: 'persistentSequential' }));
      const rest = Array.from({ length: 5 }, () =>
        single.create(`${base}/n-`, null, { mode: 'persistentSequential' }),
      );
      assert.equal((await first).outcome, 'unknown');
      const paths = (await Promise.all(rest)).map(({ path }) => Number(path.slice(-10)));
      assert.deepEqual(paths, [1, 2, 3, 4, 5]);
      await single.close();
    });

    it('without a queue, a call while disconnected is not sent', async () => {
      const impatient = await connect(proxy.address, { ...OPTIONS, offlineQueue: 'fail' });
      proxy.accepting = 'hold';
      proxy.cutAll();
      await until(async () => impatient.state === 'suspended');
      const error = await failureOf(impatient.create(`${base}/a`));
      assert.deepEqual([error.code, error.outcome], ['CONNECTIONLOSS', 'notSent']);
      assert.equal(await text(`${base}/a`), null);
      proxy.accepting = 'serve';
      proxy.cutAll();
      await impatient.close();
    });

    for (const [what, lose] of [
      ['reply', (opcode: number) => proxy.loseReply(opcode)],
      ['request', (opcode: number) => proxy.loseRequest(opcode)],
    ] as const) {
      it(`finds out about a lost ${what}: create, delete, setData, protected`, async () => {
        const a = `${base}/a`;
        lose(OpCode.create2);
        const created = await zk.create(a, 'x', { resolve: true });
        assert.deepEqual([created.path, created.maybeOther], [a, what === 'reply']);
        lose(OpCode.setData);
        assert.equal((await zk.setData(a, 'y', { version: 0, resolve: true })).version, 1);
        assert.equal(await text(a), 'y');
        lose(OpCode.delete);
        await zk.delete(a, { version: 1, resolve: true });
        assert.equal(await text(a), null);
        lose(OpCode.create2);
        const e = await zk.create(`${base}/e`, null, { mode: 'ephemeral', resolve: true });
        assert.equal(e.stat!.ephemeralOwner, zk.sessionId);
        lose(OpCode.create2);
        const own = await zk.create(`${base}/p-`, null, { mode: 'ephemeralSequential', protect: true });
        const { names } = await eye.children(base);
        assert.deepEqual([...names].sort(), [own.path.slice(base.length + 1), 'e'].sort());
      });

      it(`does not take another's work for its own behind a lost ${what}`, async () => {
        const a = `${base}/a`;
        const meddle = (opcode: number, act: () => Promise<unknown>): Promise<unknown> => {
          lose(opcode);
          const cut = proxy.rule;
          const done = Promise.withResolvers<void>();
          proxy.rule = (frame) => {
            const fate = cut(frame);
            if (fate !== 'cut') return fate;
            // Nobody gets in before the other has acted.
            proxy.accepting = 'close';
            proxy.rule = () => 'pass';
            act()
              .then(() => {
                proxy.accepting = 'serve';
              })
              .then(done.resolve, done.reject);
            return fate;
          };
          return done.promise;
        };
        // Ours, then deleted and made by another: or never ours.
        const swap = async (): Promise<void> => {
          await eye.sync(base);
          await eye.delete(a, { ifExists: true });
          await eye.create(a, 'other');
        };
        let other = meddle(OpCode.create2, swap);
        let error = await failureOf(zk.create(a, 'mine', { resolve: true }));
        await other;
        assert.deepEqual([error.code, error.outcome], ['NODEEXISTS', 'unknown']);
        other = meddle(OpCode.setData, async () => eye.setData(a, 'theirs', {}));
        error = await failureOf(zk.setData(a, 'mine', { version: 0, resolve: true }));
        await other;
        // Behind a lost request theirs is the only version 1: ours had no effect.
        assert.deepEqual(
          [error.code, error.outcome],
          ['BADVERSION', what === 'reply' ? 'unknown' : 'refused'],
        );
        // The same bytes, by another: nothing tells whose they are, and that is told.
        other = meddle(OpCode.setData, async () => {
          if (what === 'request') await eye.setData(a, 'same', { version: 1 });
        });
        const version = (await eye.getData(a)).stat.version;
        const equal = await zk.setData(a, 'same', { version, resolve: true });
        await other;
        assert.deepEqual([equal.version, equal.maybeOther], [version + 1, true]);
        // Nothing lost, nothing in doubt.
        assert.equal(
          (await zk.setData(a, 'sure', { version: version + 1, resolve: true })).maybeOther,
          false,
        );
        other = meddle(OpCode.delete, swap);
        assert.equal((await zk.delete(a, { resolve: true })).maybeOther, true);
        await other;
        assert.equal(await text(a), 'other', 'a later znode was deleted');
        assert.equal((await zk.delete(a, { resolve: true })).maybeOther, false);
      });
    }

    it('keeps a deadline over all tries of one call', async () => {
      proxy.rule = (frame) => (frame.kind === 'reply' && frame.op === OpCode.create2 ? 'drop' : 'pass');
      for (const options of [{ resolve: true }, { protect: true }]) {
        const error = await failureOf(zk.create(`${base}/a`, 'x', { ...options, timeoutMs: 300 }));
        assert.deepEqual([error.code, error.op, error.outcome], ['OPERATIONTIMEOUT', 'create2', 'unknown']);
      }
      proxy.rule = () => 'pass';
      proxy.cutAll();
      await zk.sync();
      // The janitor has taken the protected one away; the other is what `unknown` was about.
      await until(async () => (await eye.children(base)).names.join() === 'a');
    });

    it('every byte of a handshake, a request, a reply and a notification may be the last', async () => {
      // It comes back at once: chance is for many.
      zk.core.driver.random = () => 0;
      const at = async (kind: FrameKind, act: (path: string) => Promise<void>): Promise<void> => {
        let length = 1;
        for (let n = 0; n < length; n += stride) {
          const path = `${base}/${kind}${n}`;
          await eye.create(path, 'before');
          let armed = true;
          proxy.rule = (frame: ProxyFrame) => {
            if (!armed || frame.kind !== kind) return 'pass';
            armed = false;
            length = frame.bytes.length;
            return { cutAfterBytes: n };
          };
          await act(path);
          assert.equal(armed, false, `${kind} ${n}`);
        }
      };
      const reconnect = async (): Promise<void> => {
        proxy.cutAll();
        await zk.sync();
      };
      await at('connect', reconnect);
      await at('connected', reconnect);
      const write = async (path: string): Promise<void> => {
        assert.equal((await failureOf(zk.setData(path, 'after'))).outcome, 'unknown');
        await zk.sync();
      };
      await at('request', write);
      await at('reply', write);
      await at('notification', async (path) => {
        const { changed } = await zk.getData(path, { watch: true });
        await eye.setData(path, 'after');
        assert.equal((await changed).type, 'changed');
      });
    });

    it('a connection that says nothing any more ends after two thirds of the timeout', async () => {
      await using short = await connect(proxy.address, { sessionTimeoutMs: 4_000 });
      const states = short.states();
      await states.next();
      let mute = true;
      proxy.rule = () => (mute ? 'halfOpen' : 'pass');
      const read = short.getData(base);
      assert.equal((await states.next()).value?.state, 'suspended');
      mute = false;
      assert.equal((await read).stat.version, 0);
    });

    it('goes on through refused, closed and silent attempts', async () => {
      await proxy.refuse();
      const waiting = zk.getData(base);
      await until(async () => zk.state !== 'connected');
      await proxy.listen();
      await waiting;
      proxy.accepting = 'close';
      proxy.cutAll();
      const closed = zk.getData(base);
      const before = proxy.connections;
      await until(async () => proxy.connections > before + 1);
      proxy.accepting = 'serve';
      await closed;
    });

    it('a server that accepts and never answers does not cost the session', async () => {
      // It gives an attempt up after a third of this, and has the rest to come back.
      await using short = await connect(proxy.address, { sessionTimeoutMs: 9_000 });
      await zk.close();
      const { sessionId } = short;
      proxy.accepting = 'hold';
      const before = proxy.connections;
      proxy.cutAll();
      await until(async () => proxy.connections > before);
      proxy.accepting = 'serve';
      await short.getData(base);
      assert.equal(short.sessionId, sessionId);
    });

    it('takes replies that come in single bytes, and late', async () => {
      proxy.chunkBytes = 1;
      await eye.setData(base, 'x'.repeat(500));
      assert.equal((await zk.getData(base)).data?.length, 500);
      proxy.chunkBytes = 0;
      proxy.delayMs = 30;
      await Promise.all(Array.from({ length: 20 }, () => zk.getData(base)));
    });

    it('does not believe a server that lies', async () => {
      const lies: readonly [string, (bytes: Buffer) => Buffer, string][] = [
        ['wrong xid', (bytes) => withInt32(bytes, 4, 77_777), 'again'],
        ['zxid backwards', (bytes) => withInt32(withInt32(bytes, 8, 0), 12, 1), 'believed'],
        ['truncated header', (bytes) => Buffer.concat([prefix(6), bytes.subarray(4, 10)]), 'again'],
        ['truncated body', (bytes) => Buffer.concat([prefix(16), bytes.subarray(4, 20)]), 'BADREPLY'],
        ['short body', (bytes) => Buffer.concat([prefix(22), bytes.subarray(4, 26)]), 'BADREPLY'],
        ['oversize', (bytes) => withInt32(bytes, 0, 0x7fffffff), 'again'],
        ['negative length', (bytes) => withInt32(bytes, 0, -5), 'again'],
      ];
      for (const [lie, twist, expected] of lies) {
        let armed = true;
        proxy.rule = (frame) => {
          if (!armed || frame.kind !== 'reply' || frame.op !== OpCode.getData) return 'pass';
          armed = false;
          return { replaceWith: twist(Buffer.from(frame.bytes)) };
        };
        const connections = proxy.connections;
        const told = await zk.getData(base).then(
          () => (proxy.connections > connections ? 'again' : 'believed'),
          (error: ZkError) => error.code,
        );
        assert.equal(told, expected, lie);
        assert.ok(zk.core.driver.machine.session.repliedZxid > 1, lie);
      }
    });

    it('is told of an expiry, and goes on in a new session', async () => {
      await zk.create(`${base}/e`, null, { mode: 'ephemeral' });
      await using tree = await zk.watch(base, { mode: 'tree' });
      const { changed } = await zk.getData(base, { watch: true });
      const { sessionId } = zk;
      // As another owner of the session would end it.
      const { ticket } = zk.core.driver.machine.session;
      proxy.accepting = 'close';
      proxy.cutAll();
      const thief = await connect(server.address, { session: ticket });
      await thief.close();
      proxy.accepting = 'serve';
      assert.ok(isZk(await failureOf(changed), 'SESSIONEXPIRED'));
      for await (const item of tree) if (item.type === 'gap' && item.cause === 'newSession') break;
      assert.notEqual(zk.sessionId, sessionId);
      assert.deepEqual([zk.state, zk.epoch, await text(`${base}/e`)], ['connected', 2, null]);
    });

    it('a watch that is given up takes no watch along that is being set meanwhile', async () => {
      const first = await zk.watch(base, { mode: 'tree' });
      const asked = zk.watch(base, { mode: 'tree' });
      const removed = first[Symbol.asyncDispose]();
      await using second = await asked;
      await removed;
      await zk.sync();
      await eye.create(`${base}/x`);
      const { value } = await second.next();
      assert.equal(value?.type === 'created' && value.path, `${base}/x`);
    });

    it('close returns in every phase', async () => {
      proxy.accepting = 'hold';
      proxy.cutAll();
      await until(async () => zk.state === 'suspended');
      const waiting = failureOf(zk.create(`${base}/never`));
      await zk.close();
      assert.deepEqual([(await waiting).code, (await waiting).outcome], ['CLOSED', 'notSent']);
      assert.equal(await text(`${base}/never`), null);
    });
  });
}

function withInt32(bytes: Buffer, at: number, value: number): Buffer {
  bytes.writeInt32BE(value, at);
  return bytes;
}

function prefix(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(length);
  return bytes;
}

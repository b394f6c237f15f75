/** The session machine under virtual time: its arrows, its timers, and the order of a new connection. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isZk, type ZkError } from '../../src/client/errors.ts';
import type { NodeEventType, Watcher } from '../../src/client/watch-registry.ts';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import { EventType } from '../../src/wire/watch-event.ts';
import { FakeWorld } from './support/fake-world.ts';

class Recorder implements Watcher {
  readonly log: string[] = [];
  onEvent(type: NodeEventType, path: string): void {
    this.log.push(`${type} ${path}`);
  }
  onGap(cause: string): void {
    this.log.push(`gap ${cause}`);
  }
  onEnd(): void {
    this.log.push('end');
  }
}

function started(...args: ConstructorParameters<typeof FakeWorld>): FakeWorld {
  const world = new FakeWorld(...args);
  world.machine.start(world.nowMs);
  return world;
}

function connected(...args: ConstructorParameters<typeof FakeWorld>): FakeWorld {
  const world = started(...args);
  world.accept();
  return world;
}

const sync = (path: string) => ({ op: OpCode.sync, path }) as const;
const write = (path: string) => ({ op: OpCode.setData, path, data: null, version: -1 }) as const;

async function errorOf(promise: Promise<unknown>): Promise<ZkError> {
  const error = await promise.then(
    () => assert.fail('it succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(isZk(error), String(error));
  return error;
}

describe('session machine: the way to a session', () => {
  it('asks for a new one, then for the same one with its password and the highest zxid seen', () => {
    const world = started();
    const first = world.accept();
    assert.equal(first.sessionId, 0n);
    assert.equal(world.machine.state, 'connected');
    void world.submit(sync('/'), () => 1);
    world.reply(world.requests()[0]!.xid, { op: OpCode.sync, path: '/' }, 42);
    world.cut();
    assert.equal(world.machine.state, 'suspended');
    world.pass(200);
    const again = world.accept();
    assert.equal(again.sessionId, 77n);
    assert.equal(again.lastZxidSeen, 42);
    assert.deepEqual([...again.password!], new Array(16).fill(7));
    assert.deepEqual(world.stateNames, ['connected', 'suspended', 'connected']);
    assert.equal(world.states.at(-1)!.epoch, 1);
  });

  it('sends nothing behind the ConnectRequest until its answer', async () => {
    const world = started();
    const waiting = world.submit(sync('/a'), () => 'done');
    world.accept();
    const [seen] = world.requests();
    assert.deepEqual(seen!.request, { op: OpCode.sync, path: '/a' });
    world.reply(seen!.xid, { op: OpCode.sync, path: '/a' });
    assert.equal(await waiting, 'done');
  });

  it('gives an attempt up after timeout / hosts and goes to another server', () => {
    const world = started();
    assert.equal(world.dialled.length, 1);
    world.pass(9_999);
    assert.equal(world.dialled.length, 1);
    world.pass(1 + 100);
    assert.equal(world.dialled.length, 2);
    assert.notDeepEqual(world.dialled[0], world.dialled[1]);
  });

  it('tells when every server of a round closes before it answers', () => {
    const world = started();
    for (let i = 0; i < 4; i++) {
      world.machine.onOpen(world.nowMs);
      world.cut('closed');
      world.pass(2_000);
    }
    assert.deepEqual(world.notices, ['aheadOfServers']);
  });

  it('sends credentials, then watches, then what waits', () => {
    const credential = { scheme: 'digest', auth: new Uint8Array([1]) };
    const world = connected({}, 3, [credential]);
    assert.deepEqual(
      world.requests().map(({ xid, request }) => [xid, request.op]),
      [[SpecialXid.auth, OpCode.auth]],
    );
    world.reply(SpecialXid.auth, { op: OpCode.auth }, 0);
    const watcher = new Recorder();
    void world.submit({ op: OpCode.getData, path: '/w', watch: true }, () => 1, { watcher, path: '/w' });
    world.reply(world.requests()[0]!.xid, { op: OpCode.getData, data: null, stat: STAT }, 9);
    world.cut();
    void world.submit(sync('/later'), () => 1);
    world.pass(200);
    world.accept();
    const seen = world.requests().map(({ request }) => request);
    assert.deepEqual(
      seen.map((request) => request.op),
      [OpCode.auth, OpCode.setWatches, OpCode.sync],
    );
    assert.deepEqual(seen[1], { op: OpCode.setWatches, relativeZxid: 9, data: ['/w'], exist: [], child: [] });
  });

  it('ends for good when the server refuses a credential', async () => {
    const world = connected({}, 3, [{ scheme: 'digest', auth: new Uint8Array([1]) }]);
    const pending = world.submit(sync('/'), () => 1);
    world.reply(SpecialXid.auth, null, 0, ErrorCode.authFailed);
    assert.equal(world.machine.state, 'authFailed');
    assert.equal((await errorOf(pending)).code, 'AUTHFAILED');
  });
});

describe('session machine: time', () => {
  it('pings after a third of the granted timeout, and any request counts', () => {
    const world = started();
    world.accept({ timeoutMs: 9_000 });
    world.pass(2_999);
    assert.deepEqual(world.requests(), []);
    void world.submit(write('/a'), () => 1);
    const [seen] = world.requests();
    world.reply(seen!.xid, { op: OpCode.setData, stat: STAT });
    world.pass(2_999);
    assert.deepEqual(world.requests(), []);
    world.pass(1);
    assert.deepEqual(world.requests(), [{ xid: SpecialXid.ping, request: { op: OpCode.ping } }]);
  });

  it('takes silence of two thirds for the end of the connection, and says lost when the proof runs out', () => {
    const world = started();
    world.accept({ timeoutMs: 9_000 });
    world.pass(6_000);
    assert.equal(world.machine.state, 'connected');
    world.pass(2);
    assert.equal(world.machine.state, 'suspended');
    world.pass(2_997);
    assert.equal(world.machine.state, 'suspended');
    world.pass(2);
    assert.equal(world.machine.state, 'lost');
    world.accept({ timeoutMs: 9_000 });
    assert.equal(world.machine.state, 'connected');
    assert.equal(world.states.at(-1)!.epoch, 1);
  });

  it('sees a pause of the process before it tells anything', async () => {
    const world = connected();
    const pending = world.submit(write('/a'), () => 1);
    const [seen] = world.requests();
    // The process was stopped; the reply waited in the kernel.
    world.nowMs += 25_000;
    world.reply(seen!.xid, { op: OpCode.setData, stat: STAT });
    assert.equal(world.machine.state, 'suspended');
    assert.equal((await errorOf(pending)).outcome, 'unknown');
  });
});

describe('session machine: requests when the connection breaks', () => {
  it('sends reads again, tells of writes that they are unknown, keeps what was not sent', async () => {
    const world = connected();
    const read = world.submit(sync('/read'), () => 'read');
    const sent = world.submit(write('/sent'), () => 'sent');
    world.requests();
    world.cut();
    const waiting = world.submit(write('/waiting'), () => 'waiting');
    const error = await errorOf(sent);
    assert.deepEqual([error.code, error.outcome, error.path], ['CONNECTIONLOSS', 'unknown', '/sent']);
    world.pass(200);
    world.accept();
    const seen = world.requests();
    assert.deepEqual(
      seen.map(({ request }) => 'path' in request && request.path),
      ['/read', '/waiting'],
    );
    world.reply(seen[0]!.xid, { op: OpCode.sync, path: '/read' });
    world.reply(seen[1]!.xid, { op: OpCode.setData, stat: STAT });
    assert.deepEqual(await Promise.all([read, waiting]), ['read', 'waiting']);
  });

  it('keeps the window and the bound of what waits', async () => {
    const world = connected();
    const calls = Array.from({ length: 13 }, (_, i) => world.submit(sync(`/${i}`), () => i));
    assert.equal(world.requests().length, 4);
    assert.equal((await errorOf(calls[12]!)).code, 'QUEUEFULL');
    assert.equal((await errorOf(calls[12]!)).outcome, 'notSent');
    world.reply(1, { op: OpCode.sync, path: '/0' });
    assert.equal(world.requests().length, 1);
  });

  it('drops a connection whose replies are out of order', () => {
    const world = connected();
    void world.submit(sync('/'), () => 1);
    world.reply(99, { op: OpCode.sync, path: '/' });
    assert.equal(world.machine.state, 'suspended');
    assert.equal(world.connected, false);
  });

  it('drops a connection whose bytes are no reply', () => {
    const world = connected();
    world.feed(Uint8Array.of(0, 0, 0, 2, 1, 1));
    assert.equal(world.machine.state, 'suspended');
  });
});

describe('session machine: expiry', () => {
  it('opens a new session, sets persistent watches again and says what ended', async () => {
    const world = connected();
    const oneShot = new Recorder();
    const tree = new Recorder();
    void world.submit({ op: OpCode.getData, path: '/o', watch: true }, () => 1, {
      watcher: oneShot,
      path: '/o',
    });
    void world.submit({ op: OpCode.addWatch, path: '/t', mode: 1 }, () => 1, { watcher: tree, path: '/t' });
    const [first, second] = world.requests();
    world.reply(first!.xid, { op: OpCode.getData, data: null, stat: STAT });
    world.reply(second!.xid, { op: OpCode.addWatch, err: 0 });
    world.cut();
    const waiting = world.submit(write('/w'), () => 1);
    world.pass(200);
    world.accept({ timeoutMs: 0, sessionId: 0n });
    assert.equal((await errorOf(waiting)).code, 'SESSIONLOST');
    assert.deepEqual(oneShot.log, ['end']);
    assert.deepEqual(world.stateNames, ['connected', 'suspended', 'expired', 'connecting']);
    world.pass(200);
    assert.equal(world.accept({ sessionId: 78n }).sessionId, 0n);
    const [added] = world.requests();
    assert.deepEqual(added!.request, { op: OpCode.addWatch, path: '/t', mode: 1 });
    world.reply(added!.xid, { op: OpCode.addWatch, err: 0 });
    assert.deepEqual(tree.log, ['gap newSession']);
    assert.equal(world.states.at(-1)!.epoch, 2);
  });

  it('ends the client where that was asked for', () => {
    const world = connected({ onExpired: 'close' });
    world.cut();
    world.pass(200);
    world.accept({ timeoutMs: 0, sessionId: 0n });
    assert.equal(world.machine.state, 'closed');
  });
});

describe('session machine: watches', () => {
  it('tells persistent watchers of a gap once the server has them again', () => {
    const world = connected();
    const tree = new Recorder();
    void world.submit({ op: OpCode.addWatch, path: '/t', mode: 1 }, () => 1, { watcher: tree, path: '/t' });
    world.reply(world.requests()[0]!.xid, { op: OpCode.addWatch, err: 0 });
    world.event(EventType.nodeCreated, '/t/a', 7);
    world.cut();
    world.pass(200);
    world.accept();
    const [restored] = world.requests();
    assert.equal(restored!.request.op, OpCode.setWatches2);
    assert.deepEqual(tree.log, ['created /t/a']);
    world.reply(restored!.xid, { op: OpCode.setWatches2 });
    assert.deepEqual(tree.log, ['created /t/a', 'gap reconnect']);
  });

  it('never takes the zxid of an event for that of a reply: a multi may be cut between its events', () => {
    const world = connected();
    const watcher = new Recorder();
    void world.submit({ op: OpCode.getData, path: '/w', watch: true }, () => 1, { watcher, path: '/w' });
    world.reply(world.requests()[0]!.xid, { op: OpCode.getData, data: null, stat: STAT }, 5);
    world.event(EventType.nodeCreated, '/other', 8);
    world.cut();
    world.pass(200);
    assert.equal(world.accept().lastZxidSeen, 8);
    const { request } = world.requests()[0]!;
    assert.equal(request.op === OpCode.setWatches && request.relativeZxid, 5);
  });
});

describe('session machine: close', () => {
  it('sends closeSession behind what was sent', async () => {
    const world = connected();
    const last = world.submit(sync('/'), () => 'last');
    world.machine.close(world.nowMs);
    world.flush();
    const seen = world.requests();
    assert.deepEqual(
      seen.map(({ request }) => request.op),
      [OpCode.sync, OpCode.closeSession],
    );
    world.reply(seen[0]!.xid, { op: OpCode.sync, path: '/' });
    world.reply(seen[1]!.xid, { op: OpCode.closeSession });
    assert.equal(await last, 'last');
    assert.equal(world.machine.state, 'closed');
  });

  it('comes back to close a session, but not for ever', () => {
    const world = connected();
    world.cut();
    world.machine.close(world.nowMs);
    world.pass(200);
    world.accept();
    assert.equal(world.requests()[0]!.request.op, OpCode.closeSession);
    const other = connected();
    other.cut();
    other.machine.close(other.nowMs);
    other.pass(5_001);
    assert.equal(other.machine.state, 'closed');
  });
});

describe('session machine: a read-only server', () => {
  it('is left for a read-write one', () => {
    const world = started({ readOnly: true });
    world.accept({ readOnly: true });
    assert.equal(world.machine.state, 'readonly');
    world.pass(100);
    const [asked] = world.probed;
    assert.notDeepEqual(asked, world.dialled[0]);
    world.machine.onProbed(asked!, true, world.nowMs);
    assert.equal(world.machine.state, 'suspended');
    world.pass(200);
    assert.deepEqual(world.dialled.at(-1), asked);
    assert.equal(world.accept().sessionId, 0n);
  });
});

const STAT = {
  czxid: 1,
  mzxid: 1,
  ctime: 1,
  mtime: 1,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 0,
  numChildren: 0,
  pzxid: 1,
};

/** Back-pressure between two joined sockets, step by step: sockets whose peers read when the test says so. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { ProxiedConnection } from '../../../bench/replay/proxied-connection.ts';

test('a target that takes no more stops the reading of its source, until it has room again', () => {
  const client = new StubSocket();
  const server = new StubSocket();
  const tapped: Buffer[] = [];
  const connection = new ProxiedConnection(
    client.asSocket,
    server.asSocket,
    { fromClient: (chunk) => tapped.push(Buffer.from(chunk)), fromServer: () => {} },
    () => {},
  );
  connection.start(false);
  server.arrive('a reply');
  assert.equal(client.taken(), 'a reply');
  assert.equal(server.isPaused(), false, 'what was taken makes no back-pressure');
  client.arrive('x'.repeat(StubSocket.ROOM));
  assert.equal(client.isPaused(), true);
  assert.equal(server.isPaused(), false, 'the other direction goes on');
  assert.equal(tapped.length, 1, 'what was passed on is recorded');
  assert.equal(server.taken(), 'x'.repeat(StubSocket.ROOM));
});

test('the recorder holds both directions, and a full target keeps holding its own', async () => {
  const client = new StubSocket();
  const server = new StubSocket();
  const taps = { fromClient: () => {}, fromServer: () => {} };
  const connection = new ProxiedConnection(client.asSocket, server.asSocket, taps, () => {});
  connection.start(true);
  assert.deepEqual([client.isPaused(), server.isPaused()], [true, true]);
  connection.release();
  client.arrive('x'.repeat(StubSocket.ROOM));
  connection.hold();
  connection.release();
  assert.deepEqual([client.isPaused(), server.isPaused()], [true, false]);
  const drained = once(server, 'drain');
  server.taken();
  await drained;
  assert.equal(client.isPaused(), false);
});

/** A socket whose peer takes bytes when the test says so. */
class StubSocket extends Duplex {
  static readonly ROOM = 100;
  private pieces: string[] = [];
  private done: (() => void) | null = null;

  constructor() {
    super({ writableHighWaterMark: StubSocket.ROOM, allowHalfOpen: true });
  }

  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  arrive(text: string): void {
    this.emit('data', Buffer.from(text));
  }

  /** The peer reads. */
  taken(): string {
    const text = this.pieces.join('');
    this.pieces = [];
    const { done } = this;
    this.done = null;
    done?.();
    return text;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.pieces.push(chunk.toString());
    this.done = done;
  }

  override _read(): void {}
}

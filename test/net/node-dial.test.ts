/** Dialling another server over Node's sockets: every way it can end is told exactly once. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { nodeTransport } from '../../src/net/node-transport.ts';
import { type DialHandler, ReadBuffer, type SocketPort } from '../../src/net/transport.ts';

class Recorder implements DialHandler {
  readonly log: string[] = [];
  readonly over = Promise.withResolvers<void>();
  readonly opened = Promise.withResolvers<void>();
  readonly heard = Promise.withResolvers<void>();

  onOpen(): void {
    this.log.push('open');
    this.opened.resolve();
  }
  onBytes(buffer: ReadBuffer, length: number): void {
    this.log.push(`bytes ${buffer.bytes.toString('latin1', 0, length)}`);
    this.heard.resolve();
  }
  onEnd(): void {
    this.log.push('end');
  }
  onClose(): void {
    this.log.push('close');
    this.over.resolve();
  }
  onDialFailed(why: string): void {
    this.log.push(`failed: ${why}`);
    this.over.resolve();
  }
}

function dial(host: string, port: number, timeoutMs = 5000): { recorder: Recorder; socket: SocketPort } {
  const recorder = new Recorder();
  const options = { host, port, timeoutMs, keepAlive: false };
  const socket = nodeTransport.dial(options, new ReadBuffer(), recorder);
  assert.deepEqual(recorder.log, [], 'nothing before it returns');
  return { recorder, socket };
}

async function listening(): Promise<{ server: Server; port: number; accepted: Promise<[Socket]> }> {
  const server = createServer();
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, accepted };
}

test('a dialled socket is as an accepted one', async (t) => {
  const { server, port, accepted } = await listening();
  t.after(() => server.close());
  const { recorder, socket } = dial('127.0.0.1', port);
  await recorder.opened.promise;
  const [other] = await accepted;
  socket.write(Buffer.from('hello'));
  assert.equal(String(await once(other, 'data')), 'hello');
  other.end('bye');
  await recorder.heard.promise;
  socket.end();
  await recorder.over.promise;
  assert.deepEqual(recorder.log, ['open', 'bytes bye', 'end', 'close']);
});

test('names are tried with all their addresses', async (t) => {
  const { server, port } = await listening();
  t.after(() => server.close());
  const { recorder, socket } = dial('localhost', port);
  await recorder.opened.promise;
  socket.destroy();
  await recorder.over.promise;
  assert.deepEqual(recorder.log, ['open', 'close']);
});

test('who does not listen, has no such name or does not answer is told so once', async () => {
  const { server, port } = await listening();
  server.close();
  await once(server, 'close');
  const refused = dial('127.0.0.1', port).recorder;
  const unnamed = dial('no-such-host.invalid', port).recorder;
  await Promise.all([refused.over.promise, unnamed.over.promise]);
  assert.deepEqual(refused.log, ['failed: nobody listens there']);
  assert.deepEqual(unnamed.log, ['failed: the name does not resolve']);
});

test('an address that does not answer is given up in time, and that is told once', async (t) => {
  // Stopped, it accepts nobody; once its queue is full the kernel drops what else comes.
  const script =
    "const s = require('node:net').createServer(); s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port))";
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const port = Number(String((await once(child.stdout, 'data'))[0]));
  child.kill('SIGSTOP');
  for (;;) {
    const { recorder, socket } = dial('127.0.0.1', port, 50);
    t.after(() => socket.destroy());
    await Promise.race([recorder.over.promise, recorder.opened.promise]);
    if (recorder.log[0] === 'open') continue;
    assert.deepEqual(recorder.log, ['failed: no connection within 50 ms']);
    return;
  }
});

test('a dial can be given up before it is answered', async (t) => {
  const { server, port } = await listening();
  t.after(() => server.close());
  const { recorder, socket } = dial('127.0.0.1', port);
  socket.destroy();
  await recorder.over.promise;
  assert.deepEqual(recorder.log, ['failed: given up']);
});

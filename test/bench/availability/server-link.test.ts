/** What stands between two servers, with real sockets: each way is cut, slowed and mended by itself, and nothing goes past it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { BytePath } from '../../../bench/availability/byte-path.ts';
import { ServerNetwork } from '../../../bench/availability/network.ts';
import { ServerLink } from '../../../bench/availability/server-link.ts';
import { membersOf } from '../../../bench/target/ensemble-plan.ts';
import { Prng } from '../../../src/base/prng.ts';
import { decodeInitialMessage, encodeInitialMessage } from '../../../src/wire/election-notification.ts';

const open: { destroy(): void }[] = [];
after(() => {
  for (const one of open) one.destroy();
});

const whole = () => ({ isCut: false, delayMs: 0, jitterMs: 0 });
const prng = new Prng(1);

/** Hands out who connects, in order. */
async function listen(wanted = 0) {
  const server = createServer({ allowHalfOpen: true });
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  open.push({ destroy: () => server.close() });
  const next = async (): Promise<Socket> => {
    const [socket] = (await once(server, 'connection')) as [Socket];
    open.push(socket);
    return socket;
  };
  const close = async (): Promise<void> => {
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, next, close };
}

function dial(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('error', () => {});
  open.push(socket);
  return socket;
}

async function read(socket: Socket, bytes: number): Promise<string> {
  let text = '';
  while (text.length < bytes) text += String((await once(socket, 'data'))[0]);
  return text;
}

async function linked(callBackPort?: () => number) {
  const target = await listen();
  const paths = { forth: whole(), back: whole() };
  const link = await ServerLink.open(target.port, paths, prng, callBackPort);
  open.push({ destroy: () => link.close() });
  return { target, paths, link };
}

test('one way is cut: the other goes on; what was said meanwhile, and its end, arrives when it is mended', async () => {
  const { target, paths, link } = await linked();
  const near = dial(link.port);
  const far = await target.next();
  near.write('a');
  assert.equal(await read(far, 1), 'a');
  paths.forth.isCut = true;
  link.go();
  let heard = '';
  far.on('data', (bytes: Buffer) => (heard += bytes.toString()));
  near.end('b');
  far.write('answer');
  assert.equal(await read(near, 6), 'answer');
  assert.equal(heard, '');
  paths.forth.isCut = false;
  link.go();
  await once(far, 'end');
  assert.equal(heard, 'b');
});

test('no connection is made while one way is cut; the ends of both servers are told to the other', async () => {
  const { target, paths, link } = await linked();
  paths.back.isCut = true;
  const near = dial(link.port);
  await once(near, 'connect');
  near.write('hello');
  const came = target.next();
  assert.equal(await Promise.race([came, near.writableLength === 0 && 'nobody']), 'nobody');
  paths.back.isCut = false;
  link.go();
  const far = await came;
  assert.equal(await read(far, 5), 'hello');
  far.destroy();
  near.resume();
  await once(near, 'end');
});

test('a port on which nobody listens yet is silent; who listens a moment later gets the connection', async () => {
  const { target, link } = await linked();
  await target.close();
  const near = dial(link.port);
  near.write('early');
  await once(near, 'connect');
  const later = await listen(target.port);
  assert.equal(await read(await later.next(), 5), 'early');
});

test('a delay is never shorter than it is set, and jitter keeps the order', async () => {
  const { target, paths, link } = await linked();
  Object.assign(paths.forth, { delayMs: 20, jitterMs: 10 });
  const near = dial(link.port);
  const far = await target.next();
  const sentAt = performance.now();
  near.write('0');
  assert.equal(await read(far, 1), '0');
  assert.ok(performance.now() - sentAt >= 20);
  const words = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i));
  for (const word of words) {
    near.write(word);
    await new Promise(setImmediate);
  }
  assert.equal(await read(far, words.length), words.join(''));
});

test('what waits is bounded: full, the sender is not read', async () => {
  const [a, b] = [await listen(), await listen()];
  const writer = dial(a.port);
  const source = await a.next();
  const sink = dial(b.port);
  await b.next();
  new BytePath(source, sink, { ...whole(), delayMs: 3_600_000 }, prng);
  const paused = once(source, 'pause');
  writer.write(Buffer.alloc(8 * 1024 * 1024));
  await paused;
  assert.ok(source.bytesRead < 2 * 1024 * 1024, String(source.bytesRead));
});

test('an election port: the address for the call back is that of the link back, however it is cut into chunks', async () => {
  const { target, link } = await linked(() => 40_001);
  const near = dial(link.port);
  const far = await target.next();
  const said = encodeInitialMessage(3, [{ host: '127.0.0.1', port: 9 }], 'V1');
  for (const part of [said.subarray(0, 5), said.subarray(5, 25), said.subarray(25)]) {
    near.write(part);
    await new Promise(setImmediate);
  }
  near.write('later');
  const wanted = encodeInitialMessage(3, [{ host: '127.0.0.1', port: 40_001 }], 'V1');
  let heard = Buffer.alloc(0);
  while (heard.length < wanted.length + 5)
    heard = Buffer.concat([heard, (await once(far, 'data'))[0] as Buffer]);
  assert.deepEqual(decodeInitialMessage(heard, heard.length), {
    message: { sid: 3, addresses: [{ host: '127.0.0.1', port: 40_001 }] },
    bytes: wanted.length,
  });
  assert.equal(heard.subarray(wanted.length).toString(), 'later');
});

test('each server knows every other one by a port that no one else has', async () => {
  const ports = [1, 2, 3].map((i) => ({ clientPort: i, quorumPort: 10 + i, electionPort: 20 + i }));
  const members = membersOf(['apache', 'ringkeeper'], ['ringkeeper'], ports);
  const network = await ServerNetwork.open(members, prng);
  open.push({ destroy: () => network.close() });
  const seen = members.flatMap((member) =>
    network.viewOf(member).flatMap((other) => {
      if (other.sid !== member.sid) return [other.quorumPort, other.electionPort];
      assert.equal(other, member);
      return [];
    }),
  );
  assert.equal(new Set(seen).size, 12);
  assert.ok(seen.every((port) => port > 30));
});

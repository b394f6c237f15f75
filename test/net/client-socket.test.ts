/** What a closed connection leaves behind in memory. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ClientSocket } from '../../src/net/client-socket.ts';
import { ReadBuffer, type SocketHandler } from '../../src/net/transport.ts';

const CONNECTIONS = 200;
const WORDS_EACH = 4_096; // 8 bytes each

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void;

/** Stands for all that a connection holds: 32 KiB. */
class Handler implements SocketHandler {
  readonly held = new Array(WORDS_EACH).fill(0.5);
  readonly closed = Promise.withResolvers<void>();
  onBytes(): void {}
  onEnd(): void {}
  onClose(): void {
    this.closed.resolve();
  }
}

const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
const buffer = new ReadBuffer();

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => {
  server.close();
});

async function openAndClose(): Promise<void> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const handler = new Handler();
  const socket = new ClientSocket((await accepted)[0], buffer, handler);
  client.destroy();
  socket.end();
  await handler.closed.promise;
}

test('a small collection takes what closed connections held', async () => {
  await openAndClose();
  collect({ type: 'major' });
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < CONNECTIONS; i++) await openAndClose();
  collect({ type: 'minor' });
  collect({ type: 'minor' });
  const kept = process.memoryUsage().heapUsed - before;
  const held = CONNECTIONS * WORDS_EACH * 8;
  assert.ok(kept < held / 2, `${kept} of ${held} bytes are still there`);
});

/**
 * A proxy in front of a server that holds back the replies to some requests, so that what other sessions learn of a
 * change overtakes its acknowledgement. Replies stay in their order: those behind a held one wait too.
 */
import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Address } from '../../../bench/base/address.ts';

const LENGTH_BYTES = 4;
const OPCODE_AT = LENGTH_BYTES + 4;

export class LateAcks {
  readonly address: Address;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.server = server;
    this.address = { host: '127.0.0.1', port: (server.address() as { port: number }).port };
  }

  /** What comes while the last request of a connection is one of `opcodes` comes `lateMs` late, and nothing before it. */
  static async start(upstream: Address, opcodes: readonly number[], lateMs: number): Promise<LateAcks> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new LateAcks(server);
    server.on('connection', (client) => proxy.connect(client, upstream, opcodes, lateMs));
    return proxy;
  }

  async stop(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }

  private connect(client: Socket, { host, port }: Address, opcodes: readonly number[], lateMs: number): void {
    const server = createConnection({ host, port, noDelay: true });
    client.setNoDelay(true);
    let late = false;
    let forwarded = Promise.resolve();
    let received: Buffer = Buffer.alloc(0);
    let greeted = false;
    client.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= LENGTH_BYTES && received.length >= LENGTH_BYTES + received.readInt32BE(0)) {
        const opcode = greeted ? received.readInt32BE(OPCODE_AT) : 0;
        greeted = true;
        late = opcodes.includes(opcode);
        received = received.subarray(LENGTH_BYTES + received.readInt32BE(0));
      }
      server.write(chunk);
    });
    server.on('data', (chunk: Buffer) => {
      const since = late ? delay(lateMs) : Promise.resolve();
      forwarded = forwarded.then(() => since).then(() => void client.write(chunk));
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => {}); // 'close' follows
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
  }
}

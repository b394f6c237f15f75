/**
 * A service in the test's hands: it takes sessions and answers every request with ok, at once or when it is told to.
 * It sees what no real server tells: how many requests were in flight, and who asked for which session.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Address } from '../../../bench/base/address.ts';
import { int32At, opOf, xidOf } from '../../../bench/replay/request-facts.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';

/** Words, and whatever else is no frame, end the connection. */
const FRAME_BYTES_MAX = 1024 * 1024;

export interface SeenRequest {
  readonly connection: number;
  readonly xid: number;
  readonly op: number;
  readonly frame: Buffer;
}

export interface SeenSession {
  readonly connection: number;
  /** Of the ConnectRequest. */
  readonly sessionId: bigint;
  readonly password: string;
  readonly lastZxid: bigint;
}

export class FakeServer {
  readonly requests: SeenRequest[] = [];
  readonly sessions: SeenSession[] = [];
  /** The most requests that one connection had unanswered. */
  inFlightMax = 0;
  /** Answers wait for `release`. */
  holding = false;
  /** Which requests' answers wait. */
  holds: (request: SeenRequest) => boolean = () => this.holding;
  /** Called at each request, before it is answered. */
  onRequest: (request: SeenRequest) => void = () => {};
  /** Sessions that are answered with timeout 0: expired. */
  refuses: (sessionId: bigint) => boolean = () => false;
  /** Err of the reply. */
  errorOf: (request: SeenRequest) => number = () => 0;
  /** TCP connections so far. */
  connectionCount = 0;
  bodyOf: (request: SeenRequest) => Uint8Array = () => new Uint8Array(0);
  port = 0;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly held: (() => void)[] = [];
  private nextZxid = 1;

  private constructor() {
    this.server = createServer({ noDelay: true }, (socket) => this.serve(socket));
  }

  static async start(): Promise<FakeServer> {
    const fake = new FakeServer();
    await fake.listen(0);
    return fake;
  }

  get address(): Address {
    return { host: '127.0.0.1', port: this.port };
  }

  get heldCount(): number {
    return this.held.length;
  }

  /** Answers the oldest held requests. */
  release(count = this.held.length): void {
    for (const answer of this.held.splice(0, count)) answer();
  }

  /** Drops all connections and goes on listening. */
  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.dropConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async listen(port: number): Promise<void> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  private serve(socket: Socket): void {
    const connection = ++this.connectionCount;
    let received: Buffer = Buffer.alloc(0);
    let greeted = false;
    const inFlight = { count: 0 };
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 4 && int32At(received, 0) > FRAME_BYTES_MAX) socket.end();
      while (received.length >= 4 && received.length >= 4 + int32At(received, 0)) {
        const frame = received.subarray(0, 4 + int32At(received, 0));
        received = received.subarray(frame.length);
        if (greeted) this.onFrame(socket, connection, frame, inFlight);
        else socket.write(this.greet(connection, frame));
        greeted = true;
      }
    });
  }

  private greet(connection: number, frame: Buffer): Buffer {
    const asked = frame.readBigInt64BE(20);
    const password = frame.subarray(32, 48).toString('hex');
    this.sessions.push({ connection, sessionId: asked, password, lastZxid: frame.readBigInt64BE(8) });
    const response = Buffer.alloc(41);
    response.writeInt32BE(37, 0);
    response.writeInt32BE(this.refuses(asked) ? 0 : frame.readInt32BE(16), 8);
    response.writeBigInt64BE(asked === 0n ? BigInt(1000 + connection) : asked, 12);
    response.writeInt32BE(16, 20);
    response.fill(connection, 24, 40);
    return response;
  }

  private onFrame(socket: Socket, connection: number, frame: Buffer, inFlight: { count: number }): void {
    const request = { connection, xid: xidOf(frame), op: opOf(frame), frame };
    this.requests.push(request);
    inFlight.count++;
    this.inFlightMax = Math.max(this.inFlightMax, inFlight.count);
    const answer = (): void => {
      inFlight.count--;
      const reply = Buffer.concat([Buffer.alloc(20), this.bodyOf(request)]);
      reply.writeInt32BE(reply.length - 4, 0);
      reply.writeInt32BE(request.xid, 4);
      reply.writeBigInt64BE(BigInt(this.nextZxid++), 8);
      reply.writeInt32BE(this.errorOf(request), 16);
      socket.write(reply);
      if (request.op === OpCode.closeSession) socket.end();
    };
    this.onRequest(request);
    if (this.holds(request)) this.held.push(answer);
    else answer();
  }
}

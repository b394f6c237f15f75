/**
 * A network that fails on demand, between a client and a server, in the test's own process. It understands frames, so that
 * a fault can be aimed: this reply, that request, after so many of its bytes.
 *
 *     client ──▶ proxy ──frame──▶ rule ──▶ pass | drop | cut | replace | stall ──▶ server        the same way back
 *
 * `rule` sees every frame in both directions and says what becomes of it. The usual rules have a name: `loseReply` cuts
 * the connection instead of handing on a reply whose request the server has executed; `loseRequest` cuts before the
 * server has seen it. Faults of whole connections are `accepting`, `chunkBytes`, `delayMs`, `target` and `cutAll`.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { FrameSplitter, FrameStatus } from '../../src/wire/framing.ts';
import { SpecialXid } from '../../src/wire/opcodes.ts';

export type FrameKind = 'connect' | 'request' | 'connected' | 'reply' | 'notification' | 'ping';

export interface ProxyFrame {
  readonly kind: FrameKind;
  /** Of the request; for a reply, of what it answers; 0 for handshakes, 11 for pings. */
  readonly op: number;
  readonly xid: number;
  /** With its length in front. */
  readonly bytes: Buffer;
  /** Counts accepted connections, from 1. */
  readonly connection: number;
}

export type FrameFate =
  | 'pass'
  /** Not handed on; the connection stays. */
  | 'drop'
  /** Not handed on; the connection ends. */
  | 'cut'
  /** Nothing is handed on any more, in either direction; both connections stay. */
  | 'halfOpen'
  /** This much of it, then the connection ends. */
  | { readonly cutAfterBytes: number }
  | { readonly replaceWith: Uint8Array };

export type FaultRule = (frame: ProxyFrame) => FrameFate;

const FRAME_BYTES_MAX = 64 * 1024 * 1024;
const CONNECT_FRAME_OP = 0;

export class FaultProxy {
  /** Port of the server behind it; another one counts from the next connection on. */
  target: number;
  rule: FaultRule = () => 'pass';
  /** What becomes of new connections: served, reset before a byte, or accepted and never answered. */
  accepting: 'serve' | 'close' | 'hold' = 'serve';
  /** Bytes per write towards the client; 0 = as they come. */
  chunkBytes = 0;
  /** How long everything towards the client is kept back. */
  delayMs = 0;
  connections = 0;
  port = 0;
  /** What was handed on to the server, by opcode. */
  readonly requests = new Map<number, number>();
  private readonly server: Server;
  private readonly links = new Set<Link>();
  private readonly held = new Set<Socket>();

  private constructor(target: number) {
    this.target = target;
    this.server = createServer((socket) => this.accept(socket));
  }

  static async start(target: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    proxy.port = (proxy.server.address() as AddressInfo).port;
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Connections of clients that are open now. */
  get open(): number {
    return this.links.size + this.held.size;
  }

  /** The server executes the `nth` request of this kind from now; its reply is lost with the connection. */
  loseReply(op: number, nth = 1): void {
    this.once((frame) => frame.kind === 'reply' && frame.op === op, nth);
  }

  /** The `nth` request of this kind from now is lost with the connection, before the server sees it. */
  loseRequest(op: number, nth = 1): void {
    this.once((frame) => frame.kind === 'request' && frame.op === op, nth);
  }

  cutAll(): void {
    for (const link of [...this.links]) link.cut();
    for (const socket of this.held) socket.destroy();
    this.held.clear();
  }

  /** New connections are refused by the system until `listen`. */
  async refuse(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.cutAll();
    await closed;
  }

  async listen(): Promise<void> {
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.server.listening) await this.refuse();
  }

  private once(matches: (frame: ProxyFrame) => boolean, nth: number): void {
    let seen = 0;
    this.rule = (frame) => {
      if (!matches(frame) || ++seen !== nth) return 'pass';
      this.rule = () => 'pass';
      return 'cut';
    };
  }

  private accept(socket: Socket): void {
    this.connections++;
    if (this.accepting === 'close') socket.resetAndDestroy();
    else if (this.accepting === 'hold') {
      this.held.add(socket);
      socket.resume();
      socket.on('error', () => undefined);
      socket.on('close', () => this.held.delete(socket));
    } else {
      const link = new Link(this, socket, this.connections);
      this.links.add(link);
      link.onOver = () => this.links.delete(link);
    }
  }
}

/** One connection and the one behind it. */
class Link {
  onOver: () => void = () => undefined;
  private readonly proxy: FaultProxy;
  private readonly client: Socket;
  private readonly server: Socket;
  private readonly number: number;
  private readonly ops = new Map<number, number>();
  private connecting = true;
  private answering = true;
  private mute = false;
  private over = false;
  private queue: Promise<void> = Promise.resolve();

  constructor(proxy: FaultProxy, client: Socket, number: number) {
    this.proxy = proxy;
    this.client = client;
    this.number = number;
    this.server = connect({ host: '127.0.0.1', port: proxy.target, noDelay: true });
    client.setNoDelay(true);
    this.frames(client, (bytes) => this.onRequest(bytes));
    this.frames(this.server, (bytes) => this.onReply(bytes));
    for (const socket of [client, this.server]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (!this.mute || socket === client) this.cut();
      });
    }
  }

  cut(): void {
    if (this.over) return;
    this.over = true;
    this.client.destroy();
    this.server.destroy();
    this.onOver();
  }

  private frames(socket: Socket, onFrame: (bytes: Buffer) => void): void {
    const splitter = new FrameSplitter(FRAME_BYTES_MAX, {
      onFrame: (bytes, _view, start, end) => {
        const frame = Buffer.alloc(4 + end - start);
        frame.writeInt32BE(end - start);
        frame.set(bytes.subarray(start, end), 4);
        if (!this.over && !this.mute) onFrame(frame);
        return true;
      },
    });
    socket.on('data', (chunk: Buffer) => {
      if (splitter.push(chunk) === FrameStatus.tooLong) this.cut();
    });
  }

  private onRequest(bytes: Buffer): void {
    const isConnect = this.connecting;
    this.connecting = false;
    const xid = isConnect ? 0 : bytes.readInt32BE(4);
    const op = isConnect ? CONNECT_FRAME_OP : bytes.readInt32BE(8);
    this.ops.set(xid, op);
    const kind = isConnect ? 'connect' : xid === SpecialXid.ping ? 'ping' : 'request';
    this.meet({ kind, op, xid, bytes, connection: this.number }, (part) => {
      this.proxy.requests.set(op, (this.proxy.requests.get(op) ?? 0) + 1);
      this.server.write(part);
    });
  }

  private onReply(bytes: Buffer): void {
    const isConnected = this.answering;
    this.answering = false;
    const xid = isConnected ? 0 : bytes.readInt32BE(4);
    const kind = isConnected
      ? 'connected'
      : xid === SpecialXid.notification
        ? 'notification'
        : xid === SpecialXid.ping
          ? 'ping'
          : 'reply';
    const frame = { kind, op: this.ops.get(xid) ?? 0, xid, bytes, connection: this.number } as const;
    this.meet(frame, (part) => this.toClient(part));
  }

  private meet(frame: ProxyFrame, write: (bytes: Uint8Array) => void): void {
    const fate = this.proxy.rule(frame);
    if (fate === 'pass') write(frame.bytes);
    else if (fate === 'cut') this.cut();
    else if (fate === 'halfOpen') this.mute = true;
    else if (fate === 'drop') return;
    else if ('replaceWith' in fate) write(fate.replaceWith);
    else {
      write(frame.bytes.subarray(0, fate.cutAfterBytes));
      this.mute = true;
      this.queue = this.queue.then(() => this.letGo());
    }
  }

  /** What was written arrives, then the end. */
  private async letGo(): Promise<void> {
    await Promise.all([this.client, this.server].map((one) => new Promise<void>((done) => one.end(done))));
    this.cut();
  }

  private toClient(bytes: Uint8Array): void {
    const { chunkBytes, delayMs } = this.proxy;
    if (chunkBytes === 0 && delayMs === 0) {
      this.client.write(bytes);
      return;
    }
    this.queue = this.queue.then(async () => {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      const step = chunkBytes === 0 ? bytes.length : chunkBytes;
      for (let at = 0; at < bytes.length && !this.over; at += step) {
        this.client.write(bytes.subarray(at, at + step));
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
  }
}

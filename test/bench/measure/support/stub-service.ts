/**
 * Servers in this process with one znode between them, which do wrong on request: they hold their answers, die
 * before or after a write, refuse connections. Knows the requests that probes send, and nothing else.
 */
import { EventEmitter, once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Address } from '../../../../bench/base/address.ts';
import { readConnectRequest } from '../../../../src/wire/connect.ts';
import { ErrorCode } from '../../../../src/wire/error-codes.ts';
import { JuteReader } from '../../../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../../../src/wire/jute-writer.ts';
import { OpCode } from '../../../../src/wire/opcodes.ts';
import { type Request, readRequest } from '../../../../src/wire/request-values.ts';
import type { Response } from '../../../../src/wire/responses.ts';
import type { Stat } from '../../../../src/wire/stat.ts';
import {
  readRequestHeader,
  writeConnectResponseValue,
  writeReplyFrame,
} from '../../../support/wire/server-values.ts';

/** What all servers of a service share. */
export class StubTree {
  node: { data: Uint8Array; version: number } | null = null;
}

export class StubServer {
  readonly events = new EventEmitter();
  readonly tree: StubTree;
  /** Before or after it has made the next write, it drops that connection without a reply. */
  dieAtWrite: 'before' | 'after' | null = null;
  /** Writes are answered with this error instead of being made. */
  writeError = 0;
  /** It shows the znode, which another server made, to a connection that has asked for a sync only. */
  behind = false;
  port = 0;
  private readonly sockets = new Set<Socket>();
  private readonly synced = new Set<Socket>();
  private readonly held: (() => void)[] = [];
  private holding = false;
  private server: Server | null = null;

  constructor(tree: StubTree) {
    this.tree = tree;
  }

  get address(): Address {
    return { host: '127.0.0.1', port: this.port };
  }

  /** On the port it had before, if any. */
  async start(): Promise<this> {
    this.server = createServer((socket) => this.serve(socket));
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    const bound = this.server.address();
    if (typeof bound === 'object' && bound !== null) this.port = bound.port;
    return this;
  }

  /** Drops every connection and refuses new ones. */
  async stop(): Promise<void> {
    const { server } = this;
    if (server === null) return;
    this.server = null;
    server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(server, 'close');
  }

  /** Says nothing, to anyone, until `release`. */
  hold(): void {
    this.holding = true;
  }

  release(): void {
    this.holding = false;
    for (const answer of this.held.splice(0)) answer();
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    let greeted = false;
    let received: Buffer = Buffer.alloc(0);
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (!socket.destroyed && received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const end = 4 + received.readInt32BE(0);
        const frame = new JuteReader(received, undefined, 4, end);
        if (greeted) this.onRequest(socket, frame);
        else this.onConnect(socket, frame);
        greeted = true;
        received = received.subarray(end);
      }
    });
  }

  private onConnect(socket: Socket, frame: JuteReader): void {
    const { timeoutMs } = readConnectRequest(frame);
    const writer = new JuteWriter();
    const at = writer.beginBuffer();
    const password = new Uint8Array(16);
    writeConnectResponseValue(writer, {
      protocolVersion: 0,
      timeoutMs,
      sessionId: 1n,
      password,
      readOnly: false,
    });
    writer.endBuffer(at);
    this.answer(() => socket.write(writer.toBytes()));
  }

  private onRequest(socket: Socket, frame: JuteReader): void {
    const { xid, op } = readRequestHeader(frame);
    const request = readRequest(frame, op);
    const deadly = request.op === OpCode.setData ? this.dieAtWrite : null;
    const response = deadly === 'before' ? 0 : this.execute(socket, request);
    if (deadly !== null) {
      this.die(socket);
      return;
    }
    const err = typeof response === 'number' ? response : ErrorCode.ok;
    const writer = new JuteWriter();
    writeReplyFrame(writer, { xid, zxid: 1, err }, typeof response === 'number' ? null : response);
    this.answer(() => socket.write(writer.toBytes()));
    if (op === OpCode.closeSession) socket.end();
    this.events.emit('answered', op, err);
  }

  private die(socket: Socket): void {
    this.dieAtWrite = null;
    socket.destroy();
    this.events.emit('died');
  }

  private answer(send: () => void): void {
    if (this.holding) this.held.push(send);
    else send();
  }

  private execute(socket: Socket, request: Request): Response | number {
    const { tree } = this;
    switch (request.op) {
      case OpCode.create:
        tree.node = { data: request.data!, version: 0 };
        return { op: request.op, path: request.path! };
      case OpCode.delete:
        tree.node = null;
        return { op: request.op };
      case OpCode.getData:
        return tree.node === null || (this.behind && !this.synced.has(socket))
          ? ErrorCode.noNode
          : ({ op: request.op, data: tree.node.data, stat: statOf(tree.node.version) } as Response);
      case OpCode.setData:
        return this.set(request.data!, request.version);
      case OpCode.sync:
        this.synced.add(socket);
        return { op: request.op, path: request.path };
      case OpCode.ping:
      case OpCode.closeSession:
        return { op: request.op } as Response;
      default:
        return ErrorCode.unimplemented;
    }
  }

  private set(data: Uint8Array, version: number): Response | number {
    const { tree } = this;
    if (this.writeError !== 0) return this.writeError;
    if (tree.node === null) return ErrorCode.noNode;
    if (version !== tree.node.version) return ErrorCode.badVersion;
    tree.node = { data, version: version + 1 };
    return { op: OpCode.setData, stat: statOf(version + 1) } as Response;
  }
}

function statOf(version: number): Stat {
  const zeros = { czxid: 0, mzxid: 0, ctime: 0, mtime: 0, cversion: 0, aversion: 0, pzxid: 0 };
  return { ...zeros, version, ephemeralOwner: 0n, dataLength: 8, numChildren: 0 };
}

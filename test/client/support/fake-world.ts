/**
 * A session machine's whole world in one object: the test says what time it is and plays the server, frame by frame. What
 * the machine asked for is recorded.
 */

import { Prng } from '../../../src/base/prng.ts';
import type { Host } from '../../../src/client/connect-string.ts';
import type { Credential } from '../../../src/client/credentials.ts';
import { HostList } from '../../../src/client/hosts.ts';
import { PromiseCall } from '../../../src/client/promise-call.ts';
import { SessionMachine } from '../../../src/client/session-machine.ts';
import type { SessionPorts } from '../../../src/client/session-ports.ts';
import type { SessionOptions, StateChange } from '../../../src/client/session-state.ts';
import { type ConnectRequest, readConnectRequest } from '../../../src/wire/connect.ts';
import { JuteReader } from '../../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../../src/wire/jute-writer.ts';
import { type Request, readRequest } from '../../../src/wire/request-values.ts';
import type { Response } from '../../../src/wire/responses.ts';
import {
  readRequestHeader,
  writeConnectResponseValue,
  writeReplyFrame,
  writeWatchEventValue,
} from '../../support/wire/server-values.ts';

export interface SeenRequest {
  readonly xid: number;
  readonly request: Request;
}

export const OPTIONS: SessionOptions = {
  sessionTimeoutMs: 30_000,
  readOnly: false,
  onExpired: 'renew',
  replyBytesMax: 1_000_000,
  inFlightMax: 4,
  waitingMax: 8,
  waitingBytesMax: 100_000,
};

export class FakeWorld implements SessionPorts {
  readonly machine: SessionMachine;
  nowMs = 1_000;
  readonly dialled: Host[] = [];
  readonly probed: Host[] = [];
  readonly states: StateChange[] = [];
  readonly notices: string[] = [];
  wakeMs = Number.POSITIVE_INFINITY;
  connected = false;
  private sent: Uint8Array[] = [];
  private flushWanted = false;
  private readonly prng = new Prng(1);

  constructor(options: Partial<SessionOptions> = {}, hostCount = 3, credentials: readonly Credential[] = []) {
    const hosts = Array.from({ length: hostCount }, (_, i) => ({ name: `h${i}`, port: 2181 }));
    const list = new HostList(hosts, () => this.prng.fraction());
    this.machine = new SessionMachine(
      { options: { ...OPTIONS, ...options }, hosts: list, credentials, sasl: null, ticket: null },
      this,
    );
  }

  get stateNames(): string[] {
    return this.states.map((change) => change.state);
  }

  dial(host: Host): void {
    this.dialled.push(host);
  }

  send(bytes: Uint8Array): void {
    this.sent.push(bytes.slice());
  }

  hangUp(): void {
    this.connected = false;
  }

  wakeAt(atMs: number): void {
    this.wakeMs = atMs;
  }

  flushSoon(): void {
    this.flushWanted = true;
  }

  probe(host: Host): void {
    this.probed.push(host);
  }

  random(): number {
    return this.prng.fraction();
  }

  onState(change: StateChange): void {
    this.states.push(change);
  }

  onNotice(notice: string): void {
    this.notices.push(notice);
  }

  /** The end of the turn. */
  flush(): void {
    if (!this.flushWanted) return;
    this.flushWanted = false;
    this.machine.flush(this.nowMs);
  }

  /** Time passes; the machine is woken whenever it asked to be. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.wakeMs <= endMs) {
      this.nowMs = Math.max(this.nowMs, this.wakeMs);
      const before = this.wakeMs;
      this.machine.onTick(this.nowMs);
      this.flush();
      if (this.wakeMs === before) this.wakeMs = Math.max(before, this.nowMs) + 1;
    }
    this.nowMs = endMs;
  }

  /** From a dial to a session; returns what the client said. */
  accept(fields: { timeoutMs?: number; sessionId?: bigint; readOnly?: boolean } = {}): ConnectRequest {
    this.connected = true;
    this.sent = [];
    this.machine.onOpen(this.nowMs);
    const request = readConnectRequest(new JuteReader(this.takeFrames()[0]!));
    const { timeoutMs = 30_000, sessionId = 77n, readOnly = false } = fields;
    const writer = new JuteWriter();
    const frame = writer.beginBuffer();
    const password = new Uint8Array(16).fill(7);
    writeConnectResponseValue(writer, { protocolVersion: 0, timeoutMs, sessionId, password, readOnly });
    writer.endBuffer(frame);
    this.feed(writer.toBytes());
    return request;
  }

  /** Requests that have left since the last time; pings are among them. */
  requests(): SeenRequest[] {
    return this.takeFrames().map((frame) => {
      const reader = new JuteReader(frame);
      const { xid, op } = readRequestHeader(reader);
      return { xid, request: readRequest(reader, op) };
    });
  }

  reply(xid: number, response: Response | null, zxid = 5, err = 0): void {
    const writer = new JuteWriter();
    writeReplyFrame(writer, { xid, zxid, err }, response);
    this.feed(writer.toBytes());
  }

  event(type: number, path: string, zxid = -1): void {
    const writer = new JuteWriter();
    const frame = writer.beginBuffer();
    writer.writeInt(-1);
    writer.writeLong(zxid);
    writer.writeInt(0);
    writeWatchEventValue(writer, { type, state: 3, path });
    writer.endBuffer(frame);
    this.feed(writer.toBytes());
  }

  feed(bytes: Uint8Array): void {
    this.machine.onBytes(bytes, this.nowMs);
    this.flush();
  }

  /** The server or the network ends the connection. */
  cut(cause = 'reset'): void {
    this.connected = false;
    this.machine.onClosed(cause, this.nowMs);
    this.flush();
  }

  /** A request of a user; its result is what the promise says. */
  submit<T>(
    request: Request,
    decode: () => T,
    watch: ConstructorParameters<typeof PromiseCall>[3] = null,
  ): Promise<T> {
    const path = 'path' in request ? (request.path ?? '') : '';
    const call = new PromiseCall(request, path, 100, watch, decode);
    call.promise.catch(() => undefined);
    if (!this.machine.submit(call, this.nowMs)) call.abandon('QUEUEFULL', 'notSent', undefined);
    this.flush();
    return call.promise;
  }

  private takeFrames(): Uint8Array[] {
    const bytes = Buffer.concat(this.sent);
    this.sent = [];
    const frames: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + 4 + bytes.readInt32BE(at);
      frames.push(new Uint8Array(bytes.subarray(at + 4, end)));
      at = end;
    }
    return frames;
  }
}

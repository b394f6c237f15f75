/**
 * A client of a run: one session after the other, over connections that break. It speaks the protocol through the real
 * codecs, keeps several requests under way, and hands every message to the judge at once.
 *
 *     apart ──connect──▶ connecting ──▶ handshaking ──▶ open ──loss, silence, its own whim──▶ apart
 */

import { readConnectResponse, writeConnectRequest } from '../../src/wire/connect.ts';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { JuteReader } from '../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { OpCode, opName, SpecialXid } from '../../src/wire/opcodes.ts';
import { type ReplyHeader, readReplyHeader } from '../../src/wire/reply-header.ts';
import { type Request, writeRequestFrame } from '../../src/wire/request-values.ts';
import { type Response, readResponse } from '../../src/wire/responses.ts';
import { readWatchEvent } from '../../src/wire/watch-event.ts';
import { credentialOf } from './access.ts';
import type { Asked, CaughtUp, JudgedClient, ReplyJudge } from './reply-judge.ts';
import { type ClientEnd, SimConnection } from './sim-network.ts';
import type { SimServer } from './sim-server.ts';
import { WatchModel } from './watch-model.ts';
import { Violation, type World } from './world.ts';

type State = 'apart' | 'connecting' | 'handshaking' | 'open' | 'gone';

const NO_PASSWORD = new Uint8Array(16);
/** Of the session's timeout: when a client pings, and when it gives a silent server up. */
const PING_SHARE = 1 / 3;
const PATIENCE_SHARE = 2 / 3;
const CONNECT_PATIENCE_MS = 1000;

export class SimClient implements ClientEnd, JudgedClient {
  readonly name: string;
  readonly user: string | null;
  readonly timeoutMs: number;
  state: State = 'apart';
  sessionId = 0n;
  watches: WatchModel;
  /** The watches of the connection before, which the server has forgotten. */
  lost: WatchModel | null = null;
  /** Events that a setWatches has brought, before its reply. */
  readonly caughtUp: CaughtUp[] = [];
  readonly asked: Asked[] = [];
  lastZxid = 0;
  connection: SimConnection | null = null;
  private readonly world: World;
  /** It tries any of them. */
  private readonly servers: () => readonly SimServer[];
  /** With which it is connected, or was last. */
  server: SimServer;
  private readonly judge: ReplyJudge;
  private readonly latencyMsMax: number;
  private password: Uint8Array = NO_PASSWORD;
  private nextXid = 1;
  private received = new Uint8Array(0);
  private readonly writer = new JuteWriter();
  private heardMs = 0;
  /** When its session was welcome on this connection. */
  welcomeMs = 0;
  private sentMs = 0;
  /** Of the connection; the highest zxid of a reply. */
  private replyZxid = 0;
  /** A new life of the connection: what was planned for the one before is void. */
  private life = 0;

  constructor(
    name: string,
    user: string | null,
    timeoutMs: number,
    latencyMsMax: number,
    servers: () => readonly SimServer[],
    judge: ReplyJudge,
  ) {
    this.name = name;
    this.user = user;
    this.timeoutMs = timeoutMs;
    this.latencyMsMax = latencyMsMax;
    this.servers = servers;
    this.server = servers()[0]!;
    this.world = this.server.world;
    this.judge = judge;
    this.watches = new WatchModel(judge.model, user);
  }

  connect(): void {
    if (this.state !== 'apart') return;
    this.state = 'connecting';
    const servers = this.servers();
    this.server = servers.length > 1 ? this.world.prng.pick(servers) : servers[0]!;
    const life = ++this.life;
    const address = `10.0.0.${this.name.slice(1)}`;
    const connection = new SimConnection(this.world, this.server, this, address, this.latencyMsMax);
    this.connection = connection;
    this.server.connections.add(connection);
    this.received = new Uint8Array(0);
    this.world.after(CONNECT_PATIENCE_MS, () => {
      if (life === this.life && this.state === 'connecting') this.leave('reset');
    });
  }

  send(request: Request, onReply: (() => void) | null = null): void {
    const xid = request.op === OpCode.ping ? SpecialXid.ping : this.xidOf(request);
    const { writer } = this;
    writer.reset();
    writeRequestFrame(writer, xid, request);
    this.asked.push({
      xid,
      request,
      shownZxid: this.judge.shownZxid,
      seenZxid: this.lastZxid,
      onReply,
    });
    this.sentMs = this.world.nowMs;
    if (request.op === OpCode.closeSession) this.judge.onCloseAsked(this.sessionId);
    if (this.world.lines !== null) this.world.trace(this.name, `asks  ${xid} ${describe(request)}`);
    this.connection!.send(writer.toBytes());
  }

  /** Pings, and gives the server up, when it is time; called often. */
  keepAlive(): void {
    if (this.state !== 'open' && this.state !== 'handshaking') return;
    const { nowMs } = this.world;
    if (nowMs - this.heardMs > this.timeoutMs * PATIENCE_SHARE) this.leave('reset');
    else if (this.state === 'open' && nowMs - this.sentMs > this.timeoutMs * PING_SHARE) {
      this.send({ op: OpCode.ping });
    }
  }

  /** Ends the connection; the session goes on. */
  leave(how: 'fin' | 'reset'): void {
    if (this.connection === null) return;
    this.world.trace(this.name, `leaves its connection (${how})`);
    this.server.connections.delete(this.connection);
    this.connection.close(how);
    this.apart();
  }

  /** Never comes again. */
  vanish(): void {
    this.leave('reset');
    this.state = 'gone';
  }

  // ---- ClientEnd -------------------------------------------------------------------------------------------

  onConnected(): void {
    this.state = 'handshaking';
    this.heardMs = this.world.nowMs;
    const { writer } = this;
    writer.reset();
    const frame = writer.beginBuffer();
    writeConnectRequest(writer, {
      protocolVersion: 0,
      lastZxidSeen: this.lastZxid,
      timeoutMs: this.timeoutMs,
      sessionId: this.sessionId,
      password: this.password,
      readOnly: false,
    });
    writer.endBuffer(frame);
    this.connection!.sessionId = this.sessionId;
    this.connection!.send(writer.toBytes());
  }

  onBytes(bytes: Uint8Array): void {
    this.heardMs = this.world.nowMs;
    const all = new Uint8Array(this.received.length + bytes.length);
    all.set(this.received);
    all.set(bytes, this.received.length);
    const view = new DataView(all.buffer);
    let at = 0;
    const { life } = this;
    while (all.length - at >= 4) {
      const end = at + 4 + view.getInt32(at);
      if (end > all.length) break;
      this.onFrame(new JuteReader(all, view, at + 4, end));
      at = end;
      if (life !== this.life) return;
    }
    this.received = all.slice(at);
  }

  onClosed(): void {
    this.world.trace(this.name, 'is cut off');
    if (this.connection !== null) this.server.connections.delete(this.connection);
    this.apart();
  }

  // ---- inside ----------------------------------------------------------------------------------------------

  private xidOf(request: Request): number {
    if (request.op === OpCode.auth) return SpecialXid.auth;
    return request.op === OpCode.setWatches2 ? SpecialXid.setWatches : this.nextXid++;
  }

  private apart(): void {
    this.life++;
    this.state = 'apart';
    this.connection = null;
    this.asked.length = 0;
    this.caughtUp.length = 0;
    this.replyZxid = 0;
  }

  private onFrame(reader: JuteReader): void {
    if (this.state === 'handshaking') {
      this.onHandshake(reader);
      return;
    }
    const header = readReplyHeader(reader);
    if (header.xid === SpecialXid.notification) this.onEvent(header, reader);
    else this.onReply(header, reader);
  }

  private onHandshake(reader: JuteReader): void {
    const response = readConnectResponse(reader);
    if (response.sessionId === 0n) {
      this.world.trace(this.name, `session 0x${this.sessionId.toString(16)} is refused`);
      this.judge.onRefused(this.sessionId);
      this.sessionId = 0n;
      this.password = NO_PASSWORD;
      this.watches = new WatchModel(this.judge.model, this.user);
      this.leave('fin');
      return;
    }
    const isNew = this.sessionId === 0n;
    this.world.trace(this.name, `${isNew ? 'new' : 'its'} session 0x${response.sessionId.toString(16)}`);
    if (!isNew && response.sessionId !== this.sessionId) throw new Violation('another session was given');
    this.state = 'open';
    this.welcomeMs = this.world.nowMs;
    this.sessionId = response.sessionId;
    this.password = response.password;
    this.sentMs = this.world.nowMs;
    this.connection!.sessionId = this.sessionId;
    this.judge.onWelcome(this.sessionId, isNew, this.server.ownName);
    this.lost = isNew ? null : this.watches;
    this.watches = new WatchModel(this.judge.model, this.user);
    this.watches.begin(this.lastZxid);
    if (this.user === null) return;
    const auth = new TextEncoder().encode(credentialOf(this.user));
    this.send({ op: OpCode.auth, scheme: 'digest', auth });
  }

  private onEvent({ zxid }: ReplyHeader, reader: JuteReader): void {
    const { type, path } = readWatchEvent(reader);
    this.world.trace(this.name, `event ${type} of ${path} at ${zxid}`);
    if (zxid === -1) {
      this.caughtUp.push({ type, path });
      return;
    }
    this.judge.events++;
    this.judge.onShown(zxid);
    this.lastZxid = Math.max(this.lastZxid, zxid);
    this.watches.onEvent(zxid, type, path);
  }

  private takeAsked(xid: number): Asked | undefined {
    if (xid !== SpecialXid.ping || !this.judge.pingsOvertake) return this.asked.shift();
    return this.asked.splice(
      Math.max(
        0,
        this.asked.findIndex((asked) => asked.xid === xid),
      ),
      1,
    )[0];
  }

  private onReply({ xid, zxid, err }: ReplyHeader, reader: JuteReader): void {
    const asked = this.takeAsked(xid);
    if (this.world.lines !== null)
      this.world.trace(this.name, `reply ${xid} at ${zxid}${err === 0 ? '' : ` error ${err}`}`);
    if (asked?.xid !== xid) throw new Violation(`${this.name}: reply ${xid} comes instead of ${asked?.xid}`);
    const { request } = asked;
    const response = err === 0 ? readResponse(reader, request.op as Response['op']) : null;
    if (reader.remaining > 0) throw new Violation(`bytes behind the reply to ${opName(request.op)}`);
    if (request.op === OpCode.auth) {
      // It is of no moment.
      if (err !== ErrorCode.ok)
        throw new Violation(`${this.name}: its password is refused with error ${err}`);
      return;
    }
    if (zxid < this.replyZxid) {
      throw new Violation(`${this.name}: reply ${xid} shows zxid ${zxid} behind ${this.replyZxid}`);
    }
    this.replyZxid = zxid;
    this.lastZxid = Math.max(this.lastZxid, zxid);
    this.judge.onShown(zxid);
    this.watches.onReply(zxid);
    this.judge.onReply(this, asked, zxid, err, response);
    if (request.op === OpCode.closeSession && err === ErrorCode.ok) {
      this.sessionId = 0n;
      this.password = NO_PASSWORD;
      this.watches = new WatchModel(this.judge.model, this.user);
    }
    asked.onReply?.();
  }
}

function describe(request: Request): string {
  if (request.op === OpCode.multi) return `multi(${request.subs.map(describe).join(', ')})`;
  const path = 'path' in request ? ` ${request.path}` : '';
  const watch = 'watch' in request && request.watch ? ' and watches' : '';
  const flags = 'flags' in request ? ` flags ${request.flags}` : '';
  const version = 'version' in request && request.version !== -1 ? ` version ${request.version}` : '';
  return `${opName(request.op)}${path}${flags}${version}${watch}`;
}

/**
 * Drives a replica as a server would, but one step at a time: nothing becomes durable, no time passes and no client
 * reads its replies unless the test says so. Requests and replies are values; `Connection` puts each reply with the
 * request it answers and fails at once when a reply comes out of order, twice or unasked.
 */
import assert from 'node:assert/strict';
import { Incarnations } from '../../../src/core/incarnations.ts';
import { Loader } from '../../../src/core/loading/loader.ts';
import { CONN_IO_SHIFT } from '../../../src/core/ports/ports.ts';
import type { Replica } from '../../../src/core/replica.ts';
import type { ReplicaOptions } from '../../../src/core/replica-parts.ts';
import { type ConnectResponse, readConnectResponse, writeConnectRequest } from '../../../src/wire/connect.ts';
import { JuteReader } from '../../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../../src/wire/jute-writer.ts';
import { OpCode, SpecialXid } from '../../../src/wire/opcodes.ts';
import { readReplyHeader } from '../../../src/wire/reply-header.ts';
import { type Request, writeRequest } from '../../../src/wire/request-values.ts';
import { type Response, readResponse } from '../../../src/wire/responses.ts';
import { readWatchEvent } from '../../../src/wire/watch-event.ts';
import { ADMIN, FakeLog, FakeReports, FakeSink, SHA1, type Wire } from './fake-ports.ts';
import { HASH_KEY } from './hash.ts';

export const OPTIONS: ReplicaOptions = {
  serverId: 1,
  tickTimeMs: 2000,
  minSessionTimeoutMs: 4000,
  maxSessionTimeoutMs: 40_000,
  storeBytesMax: 1024 * 1024 * 1024,
  watchBytesPerConnectionMax: 128 * 1024 * 1024,
  watchBytesMax: 512 * 1024 * 1024,
  localSessionsEnabled: false,
  localSessionsUpgradingEnabled: false,
  digestEnabled: true,
  closeSessionTxnEnabled: true,
  extendedTypesEnabled: true,
  enforceQuota: true,
  reconfigEnabled: false,
  skipAcl: false,
  digestAuthEnabled: true,
  superDigest: null,
  containerCheckIntervalMs: 60_000,
  containerMaxPerMinute: 10_000,
  containerMaxNeverUsedMs: 0,
  keepClientsOnLeaderChange: false,
};

const WALL_START_MS = 1_700_000_000_000;
const ADDRESS = '127.0.0.1';

export interface Reply {
  readonly kind: 'reply';
  readonly op: number;
  readonly xid: number;
  readonly zxid: number;
  readonly err: number;
  /** Null behind an error. */
  readonly response: Response | null;
}

export interface Event {
  readonly kind: 'event';
  readonly zxid: number;
  readonly type: number;
  readonly path: string;
}

export type Message = Reply | Event | { readonly kind: 'connected'; readonly response: ConnectResponse };

export interface ConnectFields {
  readonly timeoutMs?: number;
  readonly sessionId?: bigint;
  readonly password?: Uint8Array | null;
  readonly lastZxidSeen?: number;
  /** Null: the byte is left out. */
  readonly readOnly?: boolean | null;
}

export class ReplicaHarness {
  readonly log = new FakeLog();
  readonly reports = new FakeReports();
  readonly incarnations: Incarnations;
  readonly sinks: FakeSink[];
  nowMs = 10_000;
  wallMs = WALL_START_MS;
  private readonly freeSlots: number[][];

  /** `load` fills the tree and returns the last zxid; without it the data directory was empty. */
  constructor(
    options: Partial<ReplicaOptions> = {},
    load: (incarnations: Incarnations) => number = ({ replica }) => createEmpty(replica),
    ioThreads = 1,
  ) {
    this.incarnations = new Incarnations(
      { ...OPTIONS, ...options },
      { log: this.log, crypto: SHA1, admin: ADMIN, reports: this.reports, hashKey: HASH_KEY },
    );
    this.sinks = Array.from({ length: ioThreads }, () => new FakeSink());
    this.freeSlots = this.sinks.map(() => [0]);
    for (const sink of this.sinks) this.incarnations.surroundings.clients.addSink(sink);
    const zxid = load(this.incarnations);
    this.replica.start(zxid, this.nowMs, this.wallMs);
  }

  /** The present one. */
  get replica(): Replica {
    return this.incarnations.replica;
  }

  /** Another state takes the place of this one, as `CoreHost` does it for a desk. */
  renew(load: (replica: Replica) => number = createEmpty): void {
    const replica = this.incarnations.begin();
    replica.start(load(replica), this.nowMs, this.wallMs);
    this.turn(() => {});
  }

  get parts() {
    return this.replica.parts;
  }

  /** A socket is accepted; nothing has been said yet. */
  accept(io = 0): Connection {
    const slots = this.freeSlots[io]!;
    const slot = slots.pop()!;
    if (slots.length === 0) slots.push(slot + 1);
    const connection = new Connection(this, (io << CONN_IO_SHIFT) | slot, this.sinks[io]!);
    this.turn(() => this.replica.onConnect(connection.conn, ADDRESS, 40_000 + slot));
    return connection;
  }

  /** A connection with an open session. */
  connect(fields: ConnectFields = {}, io = 0): Connection {
    const connection = this.accept(io);
    connection.handshake(fields);
    this.settle();
    connection.takeSession();
    return connection;
  }

  /** The socket's slot may be given to the next one, if the replica has released it. */
  reuse({ conn, wire }: Connection): void {
    if (wire.released) this.freeSlots[conn >>> CONN_IO_SHIFT]!.push(conn & ((1 << CONN_IO_SHIFT) - 1));
  }

  /** One turn of the owning thread around `work`. */
  turn(work: () => void): void {
    this.replica.beginTurn(this.nowMs, this.wallMs);
    work();
    this.replica.endTurn();
  }

  /** The log has synced up to `zxid`. */
  durable(zxid = this.log.lastZxid): void {
    this.turn(() => this.replica.onDurable(zxid));
  }

  /** One round of the work that no event starts; true = more to do. */
  background(): boolean {
    let more = false;
    this.turn(() => {
      more = this.replica.doBackgroundWork();
    });
    return more;
  }

  /** Until everything proposed is committed and nothing is left to do. */
  settle(): void {
    do {
      this.durable();
      while (this.background());
    } while (this.hasMore());
  }

  protected hasMore(): boolean {
    if (this.parts.tree['epochs'].retiredCount > 0) return true;
    return !this.replica.isQuiet && !this.parts.clients.isCongested;
  }

  /** Time passes, with a tick of the server in every `stepMs`. */
  pass(ms: number, stepMs = 1000): void {
    for (let left = ms; left > 0; left -= stepMs) {
      this.nowMs += Math.min(left, stepMs);
      this.wallMs += Math.min(left, stepMs);
      this.turn(() => {
        this.replica.onHeard(this.nowMs);
        this.replica.onTick();
      });
    }
  }
}

export class Connection {
  readonly conn: number;
  readonly wire: Wire;
  sessionId = 0n;
  password: Uint8Array = new Uint8Array(16);
  timeoutMs = 0;
  private readonly harness: ReplicaHarness;
  private nextXid = 1;
  /** Requests that wait for their reply, oldest first; auth is answered past the others. */
  private readonly asked: { readonly xid: number; readonly op: number }[] = [];
  private awaitsConnect = false;
  private received = new Uint8Array(0);
  private takenChunks = 0;

  constructor(harness: ReplicaHarness, conn: number, sink: FakeSink) {
    this.harness = harness;
    this.conn = conn;
    this.wire = sink.open(conn);
  }

  /** Requests without a reply yet. */
  get unanswered(): number {
    return this.asked.length;
  }

  handshake(fields: ConnectFields = {}): void {
    const writer = new JuteWriter();
    writeConnectRequest(writer, {
      protocolVersion: 0,
      lastZxidSeen: fields.lastZxidSeen ?? 0,
      timeoutMs: fields.timeoutMs ?? 30_000,
      sessionId: fields.sessionId ?? 0n,
      password: fields.password === undefined ? new Uint8Array(16) : fields.password,
      readOnly: fields.readOnly === undefined ? false : fields.readOnly,
    });
    this.awaitsConnect = true;
    this.frame(writer.toBytes());
  }

  /** Sends requests in one turn; returns the xid of the last. */
  send(...requests: readonly Request[]): number {
    let xid = 0;
    this.harness.turn(() => {
      for (const request of requests) {
        xid = this.nextXid++;
        const writer = new JuteWriter();
        writer.writeInt(xid);
        writer.writeInt(request.op);
        writeRequest(writer, request);
        const replyXid = request.op === OpCode.ping ? SpecialXid.ping : xid;
        this.asked.push({ xid: replyXid, op: request.op });
        this.deliver(writer.toBytes());
      }
    });
    return xid;
  }

  /** A payload as it is; nothing is expected back. */
  frame(payload: Uint8Array): void {
    this.harness.turn(() => this.deliver(payload));
  }

  /** Sends, lets everything become durable, and gives the one reply; the events before it are dropped. */
  call(request: Request): Reply {
    this.send(request);
    this.harness.settle();
    const reply = this.take().findLast((message) => message.kind === 'reply');
    assert.ok(reply !== undefined, `no reply to opcode ${request.op}`);
    assert.equal(this.unanswered, 0);
    return reply;
  }

  /** `call` that must succeed. */
  ok<R extends Request>(request: R): ResponseOf<R['op']> {
    const { err, response } = this.call(request);
    assert.equal(err, 0);
    return response as ResponseOf<R['op']>;
  }

  /** Everything that has arrived since the last call, in order. */
  take(): Message[] {
    const chunks = this.wire.chunks.slice(this.takenChunks);
    this.takenChunks = this.wire.chunks.length;
    this.received = new Uint8Array(Buffer.concat([this.received, ...chunks]));
    const messages: Message[] = [];
    const view = new DataView(this.received.buffer);
    let at = 0;
    while (this.received.length - at >= 4) {
      const end = at + 4 + view.getInt32(at);
      if (end > this.received.length) break;
      messages.push(this.message(new JuteReader(this.received, view, at + 4, end)));
      at = end;
    }
    this.received = this.received.slice(at);
    return messages;
  }

  replies(): Reply[] {
    return this.take().filter((message) => message.kind === 'reply');
  }

  /** What has arrived, in short: `event:path` or the xid of a reply (negative err behind it). */
  transcript(): string[] {
    return this.take().map((message) => {
      if (message.kind === 'event') return `${message.type}:${message.path}`;
      if (message.kind === 'connected') return 'connected';
      return message.err === 0 ? `${message.xid}` : `${message.xid}${message.err}`;
    });
  }

  takeSession(): void {
    const [message] = this.take();
    assert.ok(message?.kind === 'connected', 'no connect response');
    this.sessionId = message.response.sessionId;
    this.password = message.response.password;
    this.timeoutMs = message.response.timeoutMs;
  }

  /** The socket is gone. */
  disconnect(): void {
    this.harness.turn(() => this.harness.replica.onDisconnect(this.conn));
    this.harness.reuse(this);
  }

  /** The client has read what it was sent. */
  drained(room = Number.POSITIVE_INFINITY): void {
    this.wire.room = room;
    this.harness.turn(() => this.harness.replica.onDrained(this.conn));
  }

  // The io side's buffer is valid only during the call: it is spoiled afterwards.
  private deliver(payload: Uint8Array): void {
    const bytes = new Uint8Array(payload.length + 14);
    bytes.set(payload, 7);
    const view = new DataView(bytes.buffer);
    this.harness.replica.onFrame(this.conn, bytes, view, 7, 7 + payload.length);
    bytes.fill(0xee);
  }

  /** A ping only on a learner whose clients are to notice nothing of a leader change. */
  private mayOvertake(op: number): boolean {
    const { keepsRequests } = this.harness.parts.forwarder;
    return op === OpCode.auth || op === OpCode.sasl || (op === OpCode.ping && keepsRequests);
  }

  private message(reader: JuteReader): Message {
    if (this.awaitsConnect) {
      this.awaitsConnect = false;
      return { kind: 'connected', response: readConnectResponse(reader) };
    }
    const { xid, zxid, err } = readReplyHeader(reader);
    if (xid === SpecialXid.notification) {
      const { type, path } = readWatchEvent(reader);
      return { kind: 'event', zxid, type, path };
    }
    const index = this.asked.findIndex((asked) => asked.xid === xid);
    const overtakes = index > 0 && this.mayOvertake(this.asked[index]!.op);
    assert.ok(
      index === 0 || overtakes,
      () => `reply ${xid} while ${this.asked.map((asked) => asked.xid).join()} wait`,
    );
    const { op } = this.asked.splice(index, 1)[0]!;
    const response = err === 0 ? readResponse(reader, op as Response['op']) : null;
    assert.equal(reader.remaining, 0, `bytes behind the reply to opcode ${op}`);
    return { kind: 'reply', op, xid, zxid, err, response };
  }
}

/** `Extract` would ask for responses of exactly this opcode; most are shared by several. */
type ResponseOf<O> = Response extends infer R
  ? R extends { readonly op: infer P }
    ? O extends P
      ? R
      : never
    : never
  : never;

/** The tree a new server begins with. */
export function createEmpty(replica: Replica): number {
  new Loader(replica.parts).snapshot.createEmpty();
  return 0;
}

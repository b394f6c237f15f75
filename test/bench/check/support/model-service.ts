/**
 * A model of a ZooKeeper service under load, small enough to be right: one log, servers that apply it at their own
 * pace, sessions with pipelined requests answered in order, one-shot watches, connections that break. Everything that
 * happens is a random choice of a seeded generator, and the histories it records are what the checker must accept; with
 * a fault built in, what it must reject.
 *
 *     session --inbox--> server --submit--> log --apply--> each server --events and replies--> outbox --> recorder
 */
import { HistoryRecorder, NO_TAG, NO_VERSION, OpKind } from '../../../../bench/check/history.ts';
import type { KeyState } from '../../../../bench/check/merged-history.ts';
import { Prng } from '../../../../src/base/prng.ts';
import { ErrorCode } from '../../../../src/wire/error-codes.ts';
import { EventType } from '../../../../src/wire/watch-event.ts';

export type Fault =
  | 'stale sync'
  | 'stale server'
  | 'lost write'
  | 'double write'
  | 'phantom value'
  | 'double event'
  | 'missed event'
  | 'late event'
  | 'forgotten create';

interface Txn {
  readonly zxid: number;
  /** Null: consumes a zxid and changes no register. */
  readonly change: { readonly key: number; readonly state: KeyState } | null;
}

interface Request {
  readonly kind: OpKind;
  readonly key: number;
  readonly tag: number;
  readonly slot: number;
  /** The log must be applied up to this length; -1 = not looked at yet. */
  waitFor: number;
  zxid: number;
  state: KeyState | null;
  error: number;
}

interface Server {
  applied: number;
  readonly states: Map<number, KeyState>;
  readonly watches: Map<number, Set<Session>>;
}

interface Session {
  readonly number: number;
  /** Of its generator worker. */
  readonly worker: number;
  readonly server: Server;
  readonly inbox: Request[];
  /** What is on its way to the client, in order. */
  readonly outbox: (() => void)[];
  /** Events that a fault keeps back until `replies` more replies are out. */
  readonly held: { replies: number; readonly deliver: () => void }[];
  hasOwnZnode: boolean;
}

const KEYS = 3;
const SERVERS = 3;
const SESSIONS = 8;
const WINDOW = 4;
const FIRST_OWN_KEY = 1_000;
const BEFORE: KeyState = { tag: 0, version: 0, mzxid: 1 };
const READS: readonly OpKind[] = [OpKind.read, OpKind.freshRead, OpKind.watchSet, OpKind.watchSet];
/** Every other session only reads: it does not wait for its server to catch up with its own writes. */
const WRITES: readonly OpKind[] = [...READS, OpKind.write, OpKind.write, OpKind.create, OpKind.delete];

export class ModelService {
  memories: readonly SharedArrayBuffer[] = [];
  private readonly prng: Prng;
  private readonly fault: Fault | null;
  private recorders: readonly HistoryRecorder[] = [];
  private readonly log: Txn[] = [];
  private readonly leader = new Map<number, KeyState>(this.initial);
  private readonly servers: readonly Server[];
  private readonly sessions: Session[];
  private nowUs = 1_000_000;
  private lastZxid = BEFORE.mzxid;
  private lastTag = 0;
  private sessionCount = 0;

  /** Two generator workers that can record `capacity` requests and events each. */
  constructor(seed: number, fault: Fault | null, capacity: number) {
    this.prng = new Prng(seed);
    this.fault = fault;
    this.record(capacity);
    this.servers = Array.from({ length: SERVERS }, () => ({
      applied: 0,
      states: new Map(this.initial),
      watches: new Map<number, Set<Session>>(),
    }));
    this.sessions = Array.from({ length: SESSIONS }, (_, place) => this.connect(place));
  }

  /** Every request has its reply; then a new history begins. The sessions and their watches stay. */
  beginPhase(capacity: number): void {
    this.drain();
    this.record(capacity);
  }

  /** The state before the run. */
  get initial(): ReadonlyMap<number, KeyState> {
    return new Map(Array.from({ length: KEYS }, (_, key) => [key, BEFORE]));
  }

  /** The state after it. */
  get final(): ReadonlyMap<number, KeyState> {
    return this.leader;
  }

  run(steps: number): this {
    for (let i = 0; i < steps; i++) this.step();
    if (this.prng.chance(0.5)) this.drain();
    return this;
  }

  private record(capacity: number): void {
    this.memories = [HistoryRecorder.allocate(capacity), HistoryRecorder.allocate(capacity)];
    this.recorders = this.memories.map((memory) => new HistoryRecorder(memory));
  }

  private step(): void {
    const { prng } = this;
    this.nowUs += prng.below(4);
    const place = prng.below(SESSIONS);
    const session = this.sessions[place]!;
    const choice = prng.below(100);
    if (choice < 25) this.send(session);
    else if (choice < 50) this.apply(this.pickServer());
    else if (choice < 75) this.serve(session);
    else if (choice < 99) session.outbox.shift()?.();
    else if (prng.chance(0.3)) this.disconnect(place);
  }

  /** The first is quick, the others lag. */
  private pickServer(): Server {
    return this.prng.chance(0.8) ? this.servers[0]! : this.prng.pick(this.servers);
  }

  private drain(): void {
    for (let round = 0; round < 4 * WINDOW; round++) {
      this.nowUs++;
      for (const server of this.servers) while (server.applied < this.log.length) this.apply(server);
      for (const session of this.sessions) {
        this.serve(session);
        for (let deliver = session.outbox.shift(); deliver; deliver = session.outbox.shift()) deliver();
      }
    }
  }

  private connect(place: number): Session {
    const server = this.prng.pick(this.servers);
    const number = this.sessionCount++;
    return { number, worker: place % 2, server, inbox: [], outbox: [], held: [], hasOwnZnode: false };
  }

  /** What the client has not read is lost; the server may still carry out what it has. */
  private disconnect(place: number): void {
    const session = this.sessions[place]!;
    if (this.prng.chance(0.5)) this.serve(session);
    for (const watchers of session.server.watches.values()) watchers.delete(session);
    this.sessions[place] = this.connect(place);
  }

  private send(session: Session): void {
    if (session.inbox.length + session.outbox.length >= WINDOW) return;
    const kind = this.prng.pick(session.number % 2 === 0 ? WRITES : READS);
    const own = kind === OpKind.create || kind === OpKind.delete;
    const key = own ? FIRST_OWN_KEY + session.number : this.prng.below(KEYS);
    const tag = kind === OpKind.write ? ++this.lastTag : NO_TAG;
    const slot = this.recorders[session.worker]!.invoke(session.number, kind, key, tag, this.nowUs);
    session.inbox.push({ kind, key, tag, slot, waitFor: -1, zxid: 0, state: null, error: ErrorCode.ok });
  }

  /** The head of the inbox: a request waits for the one before it. */
  private serve(session: Session): void {
    const request = session.inbox[0];
    if (request === undefined) return;
    if (request.waitFor < 0) this.accept(session, request);
    if (session.server.applied < request.waitFor) return;
    session.inbox.shift();
    const writes = request.zxid > 0;
    this.reply(session, request, writes ? request.state : this.lookUp(session, request));
  }

  private accept(session: Session, request: Request): void {
    if (request.kind === OpKind.write) this.submitWrite(request);
    else if (request.kind === OpKind.create) this.submitOwn(session, request, true);
    else if (request.kind === OpKind.delete) this.submitOwn(session, request, false);
    const waits = request.zxid > 0 || (request.kind === OpKind.freshRead && this.fault !== 'stale sync');
    request.waitFor = waits ? this.log.length : 0;
  }

  private submitWrite(request: Request): void {
    const { prng, fault } = this;
    if (prng.chance(0.1)) {
      request.error = ErrorCode.badVersion;
      request.zxid = this.append(null);
      return;
    }
    const times = fault === 'double write' && prng.chance(0.2) ? 2 : 1;
    for (let i = 0; i < times; i++) {
      const version = this.leader.get(request.key)!.version + 1;
      request.state = { tag: request.tag, version, mzxid: this.lastZxid + 1 };
      const lost = fault === 'lost write' && prng.chance(0.2);
      if (!lost) this.leader.set(request.key, request.state);
      request.zxid = this.append(lost ? null : { key: request.key, state: request.state });
    }
  }

  private submitOwn(session: Session, request: Request, create: boolean): void {
    if (session.hasOwnZnode === create) request.error = create ? ErrorCode.nodeExists : ErrorCode.noNode;
    session.hasOwnZnode = create && !(this.fault === 'forgotten create' && this.prng.chance(0.3));
    request.zxid = this.append(null);
  }

  private append(change: Txn['change']): number {
    this.log.push({ zxid: ++this.lastZxid, change });
    return this.lastZxid;
  }

  private lookUp(session: Session, { kind, key }: Request): KeyState {
    const stale = this.fault === 'stale server' && this.prng.chance(0.3);
    const state = (stale ? this.prng.pick(this.servers) : session.server).states.get(key)!;
    if (kind === OpKind.watchSet) {
      const { watches } = session.server;
      if (!watches.has(key)) watches.set(key, new Set());
      watches.get(key)!.add(session);
    }
    return this.fault === 'phantom value' && this.prng.chance(0.05) ? { ...state, tag: 1e9 } : state;
  }

  private reply(session: Session, request: Request, state: KeyState | null): void {
    const { kind, slot, error } = request;
    const zxid = request.zxid || this.zxidOf(session.server);
    const tag = kind === OpKind.write || state === null ? NO_TAG : state.tag;
    session.outbox.push(() => {
      const { version = NO_VERSION, mzxid = 0 } = state ?? {};
      this.recorders[session.worker]!.complete(slot, this.nowUs, zxid, tag, version, mzxid, error);
    });
    for (const event of session.held) event.replies--;
    while (session.held[0] !== undefined && session.held[0].replies <= 0) {
      session.outbox.push(session.held.shift()!.deliver);
    }
  }

  private zxidOf(server: Server): number {
    return server.applied === 0 ? BEFORE.mzxid : this.log[server.applied - 1]!.zxid;
  }

  /** The next transaction of the log, and its events. */
  private apply(server: Server): void {
    const txn = this.log[server.applied];
    if (txn === undefined) return;
    server.applied++;
    if (txn.change === null) return;
    const { key, state } = txn.change;
    server.states.set(key, state);
    for (const session of server.watches.get(key) ?? []) this.fire(session, key, txn.zxid);
    server.watches.delete(key);
  }

  private fire(session: Session, key: number, zxid: number): void {
    const { fault, prng } = this;
    const deliver = (): void =>
      this.recorders[session.worker]!.event(session.number, key, EventType.nodeDataChanged, zxid, this.nowUs);
    if (fault === 'missed event' && prng.chance(0.3)) return;
    if (fault === 'late event' && prng.chance(0.3)) session.held.push({ replies: 4, deliver });
    else session.outbox.push(deliver);
    if (fault === 'double event' && prng.chance(0.3)) session.outbox.push(deliver);
  }
}

/**
 * The four-letter words' view of a replica: readings of its tables, on the core's thread. Whatever grows with clients is
 * a generator over the live tables, which change while it waits for its next turn; `Map` and `Set` iterate soundly over
 * what changes, watches have cursors, and counts taken at the begin keep a walk from running after what is added.
 */
import { joinHalves } from '../../base/int64.ts';
import { type Client, ClientState } from '../../core/client/client.ts';
import type { Incarnations } from '../../core/incarnations.ts';
import { pathText } from '../../core/path/path.ts';
import type { ServerRole } from '../../core/progress/commit-point.ts';
import type { Replica } from '../../core/replica.ts';
import type { SessionExpiry } from '../../core/session/session-expiry.ts';
import { NO_SESSION } from '../../core/session/session-table.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { CoreMetrics } from '../monitor/core-metrics.ts';
import type { EnsembleView } from '../monitor/ensemble-view.ts';
import type { FileFacts } from '../monitor/file-facts.ts';
import type {
  Bucket,
  ConnectionName,
  ConnectionSession,
  ConnectionView,
  MetricsView,
  PathsOfSession,
  ServerCounts,
  ServerView,
  SessionName,
  SessionsOfPath,
  WatchCounts,
} from '../monitor/server-view.ts';

const READING = 1;
const ASKING = 0;

export class CoreView implements ServerView {
  /** The server has been started and not stopped. */
  isUp = false;
  /** Set when there is one. */
  ensemble: EnsembleView | null = null;
  private readonly incarnations: Incarnations;
  private readonly config: ServerConfig;
  private readonly ownMetrics: CoreMetrics;
  readonly files: FileFacts;
  private readonly startMs: number;

  constructor(
    incarnations: Incarnations,
    config: ServerConfig,
    metrics: CoreMetrics,
    files: FileFacts,
    startMs: number,
  ) {
    this.incarnations = incarnations;
    this.config = config;
    this.ownMetrics = metrics;
    this.files = files;
    this.startMs = startMs;
  }

  get serving(): boolean {
    return this.isUp && (this.role.isInStep || this.role.isReadOnly);
  }

  get isReadOnly(): boolean {
    return this.role.isReadOnly;
  }

  get mode(): string {
    return this.role.isReadOnly ? 'read-only' : this.role.name;
  }

  get hasLocalSessions(): boolean {
    return this.role.isReadOnly || this.config.localSessionsEnabled;
  }

  private get role(): ServerRole {
    return this.incarnations.surroundings.role;
  }

  private get replica(): Replica {
    return this.incarnations.replica;
  }

  counts(): ServerCounts {
    const { replica } = this;
    const { tree, sessions, ephemerals, watches, clients, proposals, statistics: s } = replica.parts;
    return {
      latency: { count: s.latencyCount, sum: s.totalLatencyMs, min: s.minLatencyMs, max: s.maxLatencyMs },
      packetsReceived: s.packetsReceived,
      packetsSent: s.packetsSent,
      connections: clients.count,
      outstanding: proposals.length + replica.parts.forwarder.count,
      lastZxid: replica.progress.committed,
      // Apache keeps the root under two names, "" and "/", and counts both, here and in the data size.
      nodes: tree.nodeCount + 1,
      ephemerals: ephemerals.count,
      ephemeralSessions: ephemerals.sessionCount,
      watches: watches.watchCount,
      sessions: sessions.size - sessions.localCount,
      localSessions: sessions.localCount,
      dataBytes: tree.dataBytes + 1,
      uptimeMs: Math.floor(replica.clock.nowMs - this.startMs),
      authFailures: s.authFailures,
      lastReplyBytes: s.lastResponseBytes,
      minReplyBytes: s.minResponseBytes,
      maxReplyBytes: s.maxResponseBytes,
    };
  }

  *connections(): Generator<ConnectionView> {
    for (const client of this.replica.parts.clients.all()) {
      yield {
        address: client.address,
        port: client.port,
        interestOps: client.state === ClientState.closing ? ASKING : READING,
        queued: client.queue.count + client.proposals,
        received: client.received,
        sent: client.sent,
        session: client.session < 0 ? null : this.sessionOf(client),
      };
    }
  }

  sessionBuckets(): Generator<null, readonly Bucket<bigint>[]> {
    return this.bucketsOf(this.replica.lifecycle.expiry);
  }

  localSessionBuckets(): Generator<null, readonly Bucket<bigint>[]> {
    return this.bucketsOf(this.replica.parts.locals.expiry);
  }

  private *bucketsOf(expiry: SessionExpiry): Generator<null, readonly Bucket<bigint>[]> {
    const { sessions } = this.replica.parts;
    // The halves of each id: a session may be gone before its line is written.
    const idsByTime = new Map<number, number[]>();
    for (const timeMs of expiry.bucketTimes()) idsByTime.set(timeMs, []);
    for (let slot = sessions.next(0); slot !== NO_SESSION; slot = sessions.next(slot + 1)) {
      if (expiry.isWatched(slot)) {
        listOf(idsByTime, expiry.expiryTimeMs(slot)).push(sessions.idHigh[slot]!, sessions.idLow[slot]!);
      }
      yield null;
    }
    return inTimeOrder(idsByTime, (timeMs, halves) => ({
      expiresWallMs: this.wallOf(timeMs),
      count: halves.length / 2,
      members: idsOf(halves),
    }));
  }

  *sessions(): Generator<null, readonly SessionName[]> {
    const { sessions } = this.replica.parts;
    const found: SessionName[] = [];
    for (let slot = sessions.next(0); slot !== NO_SESSION; slot = sessions.next(slot + 1)) {
      if (!sessions.isLocal(slot))
        found.push({ id: this.sessionId(slot), timeoutMs: sessions.timeoutMs[slot]! });
      yield null;
    }
    return found;
  }

  *connectionBuckets(): Generator<null, readonly Bucket<ConnectionName>[]> {
    const clientsByTime = new Map<number, Client[]>();
    for (const client of this.replica.parts.clients.all()) {
      const expiresMs =
        client.session < 0
          ? this.replica.clock.nowMs + this.config.sessionlessTimeoutMs
          : this.replica.lifecycle.expiry.expiryTimeMs(client.session);
      listOf(clientsByTime, expiresMs).push(client);
      yield null;
    }
    return inTimeOrder(clientsByTime, (timeMs, clients) => ({
      expiresWallMs: this.wallOf(timeMs),
      count: clients.length,
      members: this.namesOf(clients),
    }));
  }

  *ephemerals(): Generator<PathsOfSession> {
    const { ephemerals } = this.replica.parts;
    let left = ephemerals.sessionCount;
    for (const session of ephemerals.sessions()) {
      if (left-- === 0) return; // the others have come since
      yield { sessionId: this.sessionId(session), paths: this.ephemeralPaths(session) };
    }
  }

  watches(): WatchCounts {
    return this.replica.parts.watches.summary();
  }

  *watchesBySession(): Generator<PathsOfSession> {
    for (const { conn, paths } of this.replica.parts.watches.byConnection()) {
      yield { sessionId: this.sessionOfConnection(conn), paths };
    }
  }

  *watchesByPath(): Generator<SessionsOfPath | null> {
    for (const of of this.replica.parts.watches.byPath()) {
      yield of === null ? null : { path: of.path, sessionIds: this.sessionsOf(of.conns) };
    }
  }

  digests(): readonly { readonly zxid: number; readonly digest: bigint }[] {
    const digests = [...this.replica.parts.committer.digests.all()];
    return digests.map(({ zxid, high, low }) => ({ zxid, digest: joinHalves(high, low) }));
  }

  metrics(): MetricsView {
    return this.ownMetrics;
  }

  *resetConnectionStats(): Generator<null> {
    for (const client of this.replica.parts.clients.all()) {
      client.resetStatistics();
      yield null;
    }
  }

  resetServerStats(): void {
    this.replica.parts.statistics.resetTraffic();
    this.ownMetrics.reset(this.replica.clock.nowMs);
  }

  // ---- inside --------------------------------------------------------------------------------------------

  private sessionOf(client: Client): ConnectionSession {
    return {
      id: this.sessionId(client.session),
      lastOpcode: client.lastOp,
      establishedWallMs: client.establishedMs,
      timeoutMs: this.replica.parts.sessions.touchTimeoutMs[client.session]!,
      lastXid: client.lastXid,
      lastZxid: client.lastZxid,
      lastResponseMs: Math.floor(client.lastReplyMs),
      lastLatencyMs: Math.floor(client.lastLatencyMs),
      minLatencyMs: Math.max(0, Math.floor(client.minLatencyMs)),
      averageLatencyMs: client.sent === 0 ? 0 : Math.floor(client.totalLatencyMs / client.sent),
      maxLatencyMs: Math.floor(client.maxLatencyMs),
    };
  }

  private *ephemeralPaths(session: number): Generator<string | null> {
    const { ephemerals, tree } = this.replica.parts;
    const nodes = ephemerals.of(session);
    let left = nodes?.size ?? 0;
    for (const id of nodes?.values() ?? []) {
      if (left-- === 0) return;
      yield this.pathOfOwned(tree.committedOf(id), session);
    }
  }

  /** Null of a node that is only proposed, or another's meanwhile. */
  private pathOfOwned(record: number, session: number): string | null {
    if (record === 0) return null;
    const { tree, sessions } = this.replica.parts;
    const cursor = tree.cursor();
    cursor.moveTo(record);
    const isOwner =
      cursor.ownerHigh === sessions.idHigh[session] && cursor.ownerLow === sessions.idLow[session];
    if (!isOwner) return null;
    return pathText(cursor.bytes, cursor.pathStart, cursor.pathLength);
  }

  private *sessionsOf(conns: Iterable<number | null>): Generator<bigint | null> {
    for (const conn of conns) yield conn === null ? null : this.sessionOfConnection(conn);
  }

  private *namesOf(clients: readonly Client[]): Generator<ConnectionName> {
    for (const { address, port, session } of clients) {
      yield { address, port, sessionId: session < 0 ? 0n : this.sessionId(session) };
    }
  }

  private sessionId(slot: number): bigint {
    const { idHigh, idLow } = this.replica.parts.sessions;
    return joinHalves(idHigh[slot]!, idLow[slot]!);
  }

  private sessionOfConnection(conn: number): bigint {
    const client = this.replica.parts.clients.get(conn);
    return client === undefined || client.session < 0 ? 0n : this.sessionId(client.session);
  }

  private wallOf(monotonicMs: number): number {
    return Math.floor(monotonicMs - this.replica.clock.nowMs + this.replica.clock.wallMs);
  }
}

function listOf<T>(lists: Map<number, T[]>, timeMs: number): T[] {
  let list = lists.get(timeMs);
  if (list === undefined) {
    list = [];
    lists.set(timeMs, list);
  }
  return list;
}

function inTimeOrder<T, B>(lists: ReadonlyMap<number, T[]>, bucketOf: (timeMs: number, list: T[]) => B): B[] {
  const times = [...lists.keys()].sort((a, b) => a - b);
  return times.map((timeMs) => bucketOf(timeMs, lists.get(timeMs)!));
}

function* idsOf(halves: readonly number[]): Generator<bigint> {
  for (let at = 0; at < halves.length; at += 2) yield joinHalves(halves[at]!, halves[at + 1]!);
}

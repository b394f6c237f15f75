/** The four-letter words' view of a replica: fresh readings of its tables, on the core's thread. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { joinHalves } from '../../base/int64.ts';
import { type Client, ClientState } from '../../core/client/client.ts';
import { pathText } from '../../core/path/path.ts';
import type { Replica } from '../../core/replica.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { CoreMetrics } from '../monitor/core-metrics.ts';
import type {
  ConnectionBucket,
  ConnectionSession,
  ConnectionView,
  MetricsView,
  PathsOfSession,
  ServerCounts,
  ServerView,
  SessionBucket,
  SessionsOfPath,
  WatchCounts,
} from '../monitor/server-view.ts';

const READING = 1;
const ASKING = 0;

export class CoreView implements ServerView {
  serving = false;
  private readonly replica: Replica;
  private readonly config: ServerConfig;
  private readonly ownMetrics: CoreMetrics;
  private readonly startMs: number;

  constructor(replica: Replica, config: ServerConfig, metrics: CoreMetrics, startMs: number) {
    this.replica = replica;
    this.config = config;
    this.ownMetrics = metrics;
    this.startMs = startMs;
  }

  counts(): ServerCounts {
    const { replica } = this;
    const { tree, sessions, ephemerals, watches, clients, proposals, replier } = replica.parts;
    const s = replier.statistics;
    return {
      latency: { count: s.latencyCount, sum: s.totalLatencyMs, min: s.minLatencyMs, max: s.maxLatencyMs },
      packetsReceived: s.packetsReceived,
      packetsSent: s.packetsSent,
      connections: clients.count,
      outstanding: proposals.length,
      lastZxid: replica.progress.committed,
      // Apache keeps the root under two names, "" and "/", and counts both, here and in the data size.
      nodes: tree.nodeCount + 1,
      ephemerals: ephemerals.count,
      watches: watches.watchCount,
      sessions: sessions.size,
      dataBytes: tree.dataBytes + 1,
      uptimeMs: Math.floor(replica.clock.nowMs - this.startMs),
      authFailures: replica.parts.authenticator.failures,
      lastReplyBytes: s.lastResponseBytes,
      minReplyBytes: s.minResponseBytes,
      maxReplyBytes: s.maxResponseBytes,
    };
  }

  connections(): readonly ConnectionView[] {
    const views: ConnectionView[] = [];
    for (const client of this.replica.parts.clients.all()) {
      views.push({
        address: client.address,
        port: client.port,
        interestOps: client.state === ClientState.closing ? ASKING : READING,
        queued: client.queue.count + client.proposals,
        received: client.received,
        sent: client.sent,
        session: client.session < 0 ? null : this.sessionOf(client),
      });
    }
    return views;
  }

  sessionBuckets(): readonly SessionBucket[] {
    const { lifecycle } = this.replica;
    return lifecycle.expiry.dump().map(({ timeMs, slots }) => ({
      expiresWallMs: this.wallOf(timeMs),
      sessionIds: slots.map((slot) => this.sessionId(slot)),
    }));
  }

  connectionBuckets(): readonly ConnectionBucket[] {
    const byTime = new Map<number, ConnectionBucket['connections'][number][]>();
    for (const client of this.replica.parts.clients.all()) {
      const expires =
        client.session < 0
          ? this.replica.clock.nowMs + this.config.sessionlessTimeoutMs
          : this.replica.lifecycle.expiry.expiryTimeMs(client.session);
      const list = byTime.get(expires) ?? [];
      byTime.set(expires, list);
      const sessionId = client.session < 0 ? 0n : this.sessionId(client.session);
      list.push({ address: client.address, port: client.port, sessionId });
    }
    return [...byTime.keys()]
      .sort((a, b) => a - b)
      .map((time) => ({ expiresWallMs: this.wallOf(time), connections: byTime.get(time)! }));
  }

  ephemerals(): readonly PathsOfSession[] {
    const { ephemerals, tree } = this.replica.parts;
    const cursor = tree.cursor();
    const result: PathsOfSession[] = [];
    for (const slot of ephemerals.sessions()) {
      const paths: string[] = [];
      for (const id of ephemerals.of(slot) ?? []) {
        const record = tree.committedOf(id);
        if (record === 0) continue;
        cursor.moveTo(record);
        paths.push(pathText(cursor.bytes, cursor.pathStart, cursor.pathLength));
      }
      result.push({ sessionId: this.sessionId(slot), paths });
    }
    return result;
  }

  watches(): WatchCounts {
    return this.replica.parts.watches.summary();
  }

  watchesBySession(): readonly PathsOfSession[] {
    const result: PathsOfSession[] = [];
    for (const [conn, paths] of this.replica.parts.watches.byConnection()) {
      result.push({ sessionId: this.sessionOfConnection(conn), paths });
    }
    return result;
  }

  watchesByPath(): readonly SessionsOfPath[] {
    const result: SessionsOfPath[] = [];
    for (const [path, conns] of this.replica.parts.watches.byPath()) {
      result.push({ path, sessionIds: conns.map((conn) => this.sessionOfConnection(conn)) });
    }
    return result;
  }

  digests(): readonly { readonly zxid: number; readonly digest: bigint }[] {
    const digests = [...this.replica.parts.committer.digests.all()];
    return digests.map(({ zxid, high, low }) => ({ zxid, digest: joinHalves(high, low) }));
  }

  directoryBytes(): { readonly dataDir: number; readonly dataLogDir: number } {
    const dataDir = treeBytes(join(this.config.dataDir, 'version-2'));
    const { dataLogDir } = this.config;
    if (dataLogDir === this.config.dataDir) return { dataDir, dataLogDir: dataDir };
    return { dataDir, dataLogDir: treeBytes(join(dataLogDir, 'version-2')) };
  }

  metrics(): MetricsView {
    return this.ownMetrics;
  }

  resetConnectionStats(): void {
    for (const client of this.replica.parts.clients.all()) client.resetStatistics();
  }

  resetServerStats(): void {
    this.replica.parts.replier.resetStatistics();
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

function treeBytes(directory: string): number {
  let total = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) total += treeBytes(path);
    else total += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }
  return total;
}

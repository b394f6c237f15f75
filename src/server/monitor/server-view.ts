/**
 * What the four-letter words want to know of a running server. The server layer implements this over the core's tables,
 * the connection table and the counters; the words only format. Single values are kept, not computed; whatever grows
 * with clients comes step by step, and the tables may change between two steps: what stays is met once. `null` is a
 * step that met nothing to show. One thread: the one that answers.
 */
import type { Zxid } from '../../base/zxid.ts';
import type { Summary } from './distribution.ts';
import type { EnsembleView } from './ensemble-view.ts';
import type { FileFacts } from './file-facts.ts';
import type { OwnMetric } from './metrics.ts';

export interface ServerView {
  /** False while the database loads and after the stop has begun. */
  readonly serving: boolean;
  /** Serving, and without a leader. */
  readonly isReadOnly: boolean;
  /** standalone, follower … */
  readonly mode: string;
  /** Null of a server alone. */
  readonly ensemble: EnsembleView | null;
  readonly files: FileFacts;
  counts(): ServerCounts;
  connections(): Iterable<ConnectionView>;
  /** In time order, empty buckets included. */
  sessionBuckets(): Generator<null, readonly Bucket<bigint>[]>;
  /** The same of sessions that are this server's alone; `hasLocalSessions`: there may be some. */
  localSessionBuckets(): Generator<null, readonly Bucket<bigint>[]>;
  readonly hasLocalSessions: boolean;
  /** Connections by the time at which silence would close them, in time order. */
  connectionBuckets(): Generator<null, readonly Bucket<ConnectionName>[]>;
  /** All there are, for a server that ends none by its own clock. */
  sessions(): Generator<null, readonly SessionName[]>;
  ephemerals(): Iterable<PathsOfSession>;
  /** Watches of the data table only, as in Apache. */
  watches(): WatchCounts;
  /** Connections without such a watch may be among them. */
  watchesBySession(): Iterable<PathsOfSession>;
  watchesByPath(): Iterable<SessionsOfPath | null>;
  /** Of the tree, oldest first. */
  digests(): readonly { readonly zxid: Zxid; readonly digest: bigint }[];
  metrics(): MetricsView;
  /** `crst`: packet counts and latencies of every connection start afresh. */
  resetConnectionStats(): Iterable<null>;
  /** `srst`: the same for the server, with its metrics. */
  resetServerStats(): void;
}

export interface ServerCounts {
  /** In ms over all requests since the last reset; `min` and `max` are 0 when there were none. */
  readonly latency: Summary;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly connections: number;
  readonly outstanding: number;
  readonly lastZxid: Zxid;
  readonly nodes: number;
  readonly ephemerals: number;
  /** Sessions that own some. */
  readonly ephemeralSessions: number;
  /** Of both watch tables. */
  readonly watches: number;
  /** Those that all servers know, and those of this server alone. */
  readonly sessions: number;
  readonly localSessions: number;
  /** Paths and data, as Apache estimates it. */
  readonly dataBytes: number;
  readonly uptimeMs: number;
  readonly authFailures: number;
  /** -1 before the first reply. */
  readonly lastReplyBytes: number;
  readonly minReplyBytes: number;
  readonly maxReplyBytes: number;
}

export interface ConnectionView {
  readonly address: string;
  readonly port: number;
  /** 1 = reading, 5 = reading and writing, 0 = the connection that asks. */
  readonly interestOps: number;
  readonly queued: number;
  readonly received: number;
  readonly sent: number;
  /** Null before the session is established. */
  readonly session: ConnectionSession | null;
}

export interface ConnectionSession {
  readonly id: bigint;
  /** 0 = none yet. */
  readonly lastOpcode: number;
  readonly establishedWallMs: number;
  readonly timeoutMs: number;
  /** < 0 = none yet. */
  readonly lastXid: number;
  /** < 0 = none yet. */
  readonly lastZxid: Zxid;
  readonly lastResponseMs: number;
  readonly lastLatencyMs: number;
  readonly minLatencyMs: number;
  readonly averageLatencyMs: number;
  readonly maxLatencyMs: number;
}

/** Those that expire at one time. */
export interface Bucket<T> {
  readonly expiresWallMs: number;
  readonly count: number;
  readonly members: Iterable<T>;
}

export interface ConnectionName {
  readonly address: string;
  readonly port: number;
  /** 0 before the session is established. */
  readonly sessionId: bigint;
}

export interface SessionName {
  readonly id: bigint;
  readonly timeoutMs: number;
}

export interface PathsOfSession {
  readonly sessionId: bigint;
  readonly paths: Iterable<string | null>;
}

export interface SessionsOfPath {
  readonly path: string;
  readonly sessionIds: Iterable<bigint | null>;
}

export interface WatchCounts {
  readonly connections: number;
  readonly paths: number;
  readonly watches: number;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
}

/** Names are Apache's (metrics.ts), times in milliseconds. Null or 0 for what this server does not record. */
export interface MetricsView {
  counter(name: string): number;
  summary(name: string): Summary | null;
  percentiles(name: string): Percentiles | null;
  /** What Apache has no name for; printed behind `zk_ringkeeper_`. */
  own(): readonly OwnMetric[];
}

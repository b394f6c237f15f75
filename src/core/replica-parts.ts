/** Builds the components of a replica and hands them to each other; no logic of its own. */
import { type HashKey, KeyedHash } from '../base/keyed-hash.ts';
import type { SegmentPool } from '../shm/segments.ts';
import { AclTable } from './acl/acl-table.ts';
import { AuthProviders } from './acl/auth-providers.ts';
import type { Client } from './client/client.ts';
import type { ClientTable } from './client/client-table.ts';
import { Replier } from './client/replier.ts';
import { WriteNumbers } from './client/write-numbers.ts';
import { ContainerSweep } from './container/container-sweep.ts';
import { Forwarder } from './forwarding/forwarder.ts';
import type { AdminPort, CryptoPort, LogPort } from './ports/ports.ts';
import type { ReportPort } from './ports/report-port.ts';
import type { ServerRole } from './progress/commit-point.ts';
import { Progress } from './progress/progress.ts';
import type { Statistics } from './progress/statistics.ts';
import type { TurnClock } from './progress/turn-clock.ts';
import type { TurnWork } from './progress/turn-work.ts';
import { Authenticator } from './request/authenticator.ts';
import { DescendantCount } from './request/descendant-count.ts';
import { LargeReply } from './request/large-reply.ts';
import { LocalSessions } from './request/local-sessions.ts';
import { MultiRead } from './request/multi-read.ts';
import { PathLookup } from './request/path-lookup.ts';
import { ReadOps } from './request/read-ops.ts';
import { WatchOps } from './request/watch-ops.ts';
import { WatchRestore } from './request/watch-restore.ts';
import { WordAnswers } from './request/word-answers.ts';
import { EndedSessions } from './session/ended-sessions.ts';
import { SessionTable } from './session/session-table.ts';
import { Ephemerals } from './tree/ephemerals.ts';
import { spareBytesOf, Tree } from './tree/tree.ts';
import { Change } from './txn/change.ts';
import { ChangeEncoder } from './txn/change-encoder.ts';
import { type CommitListener, Committer } from './txn/committer.ts';
import { LatestView } from './txn/latest-view.ts';
import { MultiTxn } from './txn/multi-txn.ts';
import { CreatePreparation } from './txn/prepare-create.ts';
import { DeletePreparation } from './txn/prepare-delete.ts';
import { SetPreparation } from './txn/prepare-set.ts';
import { ProposalQueue } from './txn/proposal-queue.ts';
import { ProposalWriter } from './txn/proposal-writer.ts';
import { Proposer } from './txn/proposer.ts';
import { Stager } from './txn/stager.ts';
import { TreeEffects } from './txn/tree-effects.ts';
import { TxnStager } from './txn/txn-stager.ts';
import { WatchTable } from './watch/watch-table.ts';

/** A write may build far more than it brings: a new child copies its parent's data. */
const IN_FLIGHT_BYTES_MAX = 128 * 1024 * 1024;

export interface ReplicaOptions {
  /** 0-255; standalone servers use 1. */
  readonly serverId: number;
  readonly tickTimeMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly storeBytesMax: number;
  /** What watches are charged: watch-rows.ts. */
  readonly watchBytesPerConnectionMax: number;
  readonly watchBytesMax: number;
  /** Of an ensemble: request/local-sessions.ts. */
  readonly localSessionsEnabled: boolean;
  readonly localSessionsUpgradingEnabled: boolean;
  readonly digestEnabled: boolean;
  readonly closeSessionTxnEnabled: boolean;
  readonly extendedTypesEnabled: boolean;
  readonly enforceQuota: boolean;
  readonly reconfigEnabled: boolean;
  readonly skipAcl: boolean;
  readonly digestAuthEnabled: boolean;
  readonly superDigest: string | null;
  readonly containerCheckIntervalMs: number;
  readonly containerMaxPerMinute: number;
  readonly containerMaxNeverUsedMs: number;
  /** A learner that loses its leader keeps its clients for the next one. */
  readonly keepClientsOnLeaderChange: boolean;
}

export interface ReplicaPorts {
  readonly log: LogPort;
  readonly crypto: CryptoPort;
  readonly admin: AdminPort;
  readonly reports: ReportPort;
  /** Secret and another for each process: what clients choose must not choose where it lands in a table. */
  readonly hashKey: HashKey;
}

/** What a replica finds when it begins and leaves behind when it ends. */
export interface Surroundings {
  readonly role: ServerRole;
  readonly clock: TurnClock;
  readonly work: TurnWork;
  readonly statistics: Statistics;
  readonly clients: ClientTable;
  readonly segments: SegmentPool;
}

export interface PartsListener extends CommitListener {
  onLargeReplyDone(client: Client): void;
}

export interface ReplicaParts {
  readonly role: ServerRole;
  readonly writes: WriteNumbers;
  readonly forwarder: Forwarder;
  readonly progress: Progress;
  readonly clock: TurnClock;
  readonly work: TurnWork;
  readonly statistics: Statistics;
  readonly tree: Tree;
  readonly acls: AclTable;
  readonly providers: AuthProviders;
  readonly sessions: SessionTable;
  /** Null: no session is one server's alone. */
  readonly ended: EndedSessions | null;
  readonly ephemerals: Ephemerals;
  readonly watches: WatchTable;
  readonly clients: ClientTable;
  readonly effects: TreeEffects;
  readonly sweep: ContainerSweep;
  readonly proposals: ProposalQueue;
  readonly latest: LatestView;
  readonly writer: ProposalWriter;
  readonly proposer: Proposer;
  readonly txnStager: TxnStager;
  readonly replier: Replier;
  readonly largeReply: LargeReply;
  readonly descendants: DescendantCount;
  readonly restore: WatchRestore;
  readonly reads: ReadOps;
  readonly words: WordAnswers;
  readonly authenticator: Authenticator;
  readonly locals: LocalSessions;
  readonly reports: ReportPort;
  readonly committer: Committer;
}

export function createParts(
  options: ReplicaOptions,
  ports: ReplicaPorts,
  surroundings: Surroundings,
  listener: PartsListener,
): ReplicaParts {
  const { reports } = ports;
  const state = createState(options, ports, surroundings);
  const replier = new Replier(state.progress, state.clock, state.statistics, state.clients);
  const writes = createWrites(options, ports, state);
  const largeReply = new LargeReply(state.tree, state.work, replier, (client) =>
    listener.onLargeReplyDone(client),
  );
  const lookup = new PathLookup(state.tree, state.acls, state.providers);
  const watchOps = new WatchOps(state.watches, lookup, replier, (conn, limit) => {
    const client = state.clients.get(conn);
    if (client !== undefined) state.clients.endAtLimit(client, limit);
  });
  const descendants = new DescendantCount(state.tree, state.work, state.effects, replier, (client) =>
    listener.onLargeReplyDone(client),
  );
  const restore = new WatchRestore(watchOps, state.work, lookup, replier, (client) =>
    listener.onLargeReplyDone(client),
  );
  const multiRead = new MultiRead(lookup, state.work, replier, largeReply);
  const reads = new ReadOps({
    ...state,
    watchOps,
    restore,
    lookup,
    replier,
    multiRead,
    largeReply,
    descendants,
  });
  const words = new WordAnswers(state.clients, replier);
  const authenticator = new Authenticator({ ...state, replier, reports });
  const locals = new LocalSessions(options, { ...state, ...writes, replier, reports });
  const committer = new Committer({
    ...state,
    ...writes,
    replier,
    listener,
    checkDigest: options.digestEnabled,
  });
  const reading = { replier, largeReply, descendants, restore, reads, words };
  return { ...state, ...writes, ...reading, authenticator, locals, committer, reports };
}

/** What the server knows. */
function createState(options: ReplicaOptions, ports: ReplicaPorts, surroundings: Surroundings) {
  const { role, clock, work, statistics, clients, segments } = surroundings;
  const hash = new KeyedHash(ports.hashKey);
  const tree = new Tree({
    bytesMax: options.storeBytesMax,
    digest: options.digestEnabled,
    extendedTypes: options.extendedTypesEnabled,
    hash,
    segments,
  });
  const writes = new WriteNumbers();
  const sessions = new SessionTable(hash);
  return {
    role,
    progress: new Progress(),
    writes,
    forwarder: new Forwarder({
      keepsRequests: options.keepClientsOnLeaderChange,
      role,
      writes,
      sessions,
      clients,
      clock,
    }),
    clock,
    work,
    statistics,
    clients,
    tree,
    acls: new AclTable(hash),
    providers: new AuthProviders(
      {
        skipAcl: options.skipAcl,
        digestEnabled: options.digestAuthEnabled,
        superDigest: options.superDigest,
      },
      ports.crypto,
      work,
    ),
    sessions,
    ended: options.localSessionsEnabled ? new EndedSessions(hash) : null,
    ephemerals: new Ephemerals(),
    watches: new WatchTable(hash, {
      connectionBytesMax: options.watchBytesPerConnectionMax,
      bytesMax: options.watchBytesMax,
    }),
    effects: new TreeEffects(tree, statistics),
  };
}

/** What changes it. */
function createWrites(options: ReplicaOptions, ports: ReplicaPorts, state: ReturnType<typeof createState>) {
  const recordBytesMax = Math.min(IN_FLIGHT_BYTES_MAX, spareBytesOf(options.storeBytesMax) / 2);
  const proposals = new ProposalQueue(recordBytesMax);
  const change = new Change();
  const latest = new LatestView(state);
  const preparation = {
    ...state,
    quotas: state.effects.quotas,
    latest,
    change,
    enforceQuota: options.enforceQuota,
  };
  const writer = new ProposalWriter({
    ...state,
    proposals,
    log: ports.log,
    hasDigest: options.digestEnabled,
  });
  const encoder = new ChangeEncoder(change, state.acls);
  const stager = new Stager({ ...state, proposals });
  const deletes = new DeletePreparation(preparation);
  const proposer = new Proposer(
    {
      ...state,
      proposals,
      change,
      encoder,
      writer,
      creates: new CreatePreparation(preparation),
      deletes,
      sets: new SetPreparation(preparation),
      latest,
      stager,
      multiTxn: new MultiTxn(change, encoder, writer),
      closeSessionPaths: options.closeSessionTxnEnabled,
    },
    { reconfigEnabled: options.reconfigEnabled },
  );
  const sweep = new ContainerSweep(
    {
      checkIntervalMs: options.containerCheckIntervalMs,
      maxPerMinute: options.containerMaxPerMinute,
      maxNeverUsedIntervalMs: options.containerMaxNeverUsedMs,
    },
    0,
  );
  const txnStager = new TxnStager({ ...state, latest, change, deletes, stager, writer, proposals });
  return { proposals, latest, writer, proposer, txnStager, sweep };
}

/** Builds the components of a replica and hands them to each other; no logic of its own. */
import { AclTable } from './acl/acl-table.ts';
import { AuthProviders } from './acl/auth-providers.ts';
import { ContainerSweep } from './container/container-sweep.ts';
import type { AdminPort, CryptoPort, LogPort } from './ports.ts';
import { ChildrenReply } from './request/children-reply.ts';
import type { Client } from './request/client.ts';
import { ClientTable } from './request/client-table.ts';
import { ReadOps } from './request/read-ops.ts';
import { Replier } from './request/replier.ts';
import { SessionTable } from './session/session-table.ts';
import { Ephemerals } from './tree/ephemerals.ts';
import { Tree } from './tree/tree.ts';
import { Change } from './txn/change.ts';
import { type CommitListener, Committer } from './txn/committer.ts';
import { ProposalQueue } from './txn/proposal-queue.ts';
import { Proposer } from './txn/proposer.ts';
import { TreeEffects } from './txn/tree-effects.ts';
import { WatchTable } from './watch/watch-table.ts';

export interface ReplicaOptions {
  /** 0-255; standalone servers use 1. */
  readonly serverId: number;
  readonly tickTimeMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly storeBytesMax: number;
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
}

export interface ReplicaPorts {
  readonly log: LogPort;
  readonly crypto: CryptoPort;
  readonly admin: AdminPort;
}

export interface PartsListener extends CommitListener {
  onLargeReplyDone(client: Client): void;
}

export interface ReplicaParts {
  readonly tree: Tree;
  readonly acls: AclTable;
  readonly providers: AuthProviders;
  readonly sessions: SessionTable;
  readonly ephemerals: Ephemerals;
  readonly watches: WatchTable;
  readonly clients: ClientTable;
  readonly effects: TreeEffects;
  readonly sweep: ContainerSweep;
  readonly proposals: ProposalQueue;
  readonly change: Change;
  readonly proposer: Proposer;
  readonly replier: Replier;
  readonly childrenReply: ChildrenReply;
  readonly reads: ReadOps;
  readonly committer: Committer;
}

export function createParts(
  options: ReplicaOptions,
  ports: ReplicaPorts,
  listener: PartsListener,
): ReplicaParts {
  const tree = new Tree({
    bytesMax: options.storeBytesMax,
    digest: options.digestEnabled,
    extendedTypes: options.extendedTypesEnabled,
  });
  const acls = new AclTable();
  const providers = new AuthProviders(
    { skipAcl: options.skipAcl, digestEnabled: options.digestAuthEnabled, superDigest: options.superDigest },
    ports.crypto,
  );
  const sessions = new SessionTable();
  const ephemerals = new Ephemerals();
  const watches = new WatchTable();
  const effects = new TreeEffects(tree);
  const sweep = new ContainerSweep(
    {
      checkIntervalMs: options.containerCheckIntervalMs,
      maxPerMinute: options.containerMaxPerMinute,
      maxNeverUsedIntervalMs: options.containerMaxNeverUsedMs,
    },
    0,
  );
  const proposals = new ProposalQueue();
  const change = new Change({
    tree,
    acls,
    providers,
    quotas: effects.quotas,
    ephemerals,
    proposals,
    options: { extendedTypes: options.extendedTypesEnabled, enforceQuota: options.enforceQuota },
  });
  const proposer = new Proposer({
    tree,
    acls,
    sessions,
    ephemerals,
    change,
    proposals,
    log: ports.log,
    options: {
      digest: options.digestEnabled,
      closeSessionPaths: options.closeSessionTxnEnabled,
      reconfigEnabled: options.reconfigEnabled,
    },
  });
  const replier = new Replier();
  const childrenReply = new ChildrenReply(tree, replier, (client) => listener.onLargeReplyDone(client));
  const reads = new ReadOps({
    tree,
    acls,
    providers,
    sessions,
    ephemerals,
    watches,
    replier,
    children: childrenReply,
  });
  const committer = new Committer({
    tree,
    acls,
    sessions,
    ephemerals,
    watches,
    change,
    proposals,
    replier,
    effects,
    listener,
    checkDigest: options.digestEnabled,
  });
  return {
    tree,
    acls,
    providers,
    sessions,
    ephemerals,
    watches,
    clients: new ClientTable(),
    effects,
    sweep,
    proposals,
    change,
    proposer,
    replier,
    childrenReply,
    reads,
    committer,
  };
}

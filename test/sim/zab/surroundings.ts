/** What the parts of the simulated ensemble know of each other; implemented by `Member` and `ZabCluster`. */
import type { Prng } from '../../../src/base/prng.ts';
import type { Zxid } from '../../../src/base/zxid.ts';
import type { QuorumVerifier } from '../../../src/core/quorum/quorum-verifier.ts';
import type { EpochKind } from '../../../src/core/zab/learner.ts';
import type { World } from '../world.ts';
import type { MemberDisk, Txn } from './member-disk.ts';
import type { ZabVariant } from './variants.ts';

/** The ensemble, to a server and its role. */
export interface Ensemble {
  readonly world: World;
  readonly variant: ZabVariant;
  readonly tickMs: number;
  readonly latencyMsMax: number;
  readonly syncMsMax: number;
  /** All servers say that they are ours. */
  readonly isOurs: boolean;
  count(what: string): void;
  check(holds: boolean, what: string | (() => string)): void;
}

/** A server, to its role. */
export interface Server {
  readonly sid: number;
  readonly isObserver: boolean;
  readonly cluster: Ensemble;
  readonly variant: ZabVariant;
  readonly prng: Prng;
  readonly disk: MemberDisk;
  readonly committedZxid: Zxid;
  loaded: Txn[] | null;
  trace(what: string): void;
  after(minMs: number, maxMs: number, run: () => void): void;
  log(txn: Txn, done: () => void): void;
  synced(done: () => void): void;
  saveEpoch(kind: EpochKind, epoch: number, done: () => void): void;
  installLoaded(done: () => void): void;
  onDiskReplaced(): void;
  onCommit(zxid: Zxid): void;
  onPromised(epoch: number): void;
  onLead(): void;
  onDecided(zxid: Zxid): void;
  serve(): void;
  look(): void;
}

/** The checks and choices of the ensemble that name a server. */
export interface Judge<S> extends Ensemble {
  elect(server: S): void;
  verifierFor(server: S): QuorumVerifier;
  onPromised(server: S, epoch: number): void;
  onLead(server: S): void;
  onDecided(server: S, zxid: Zxid): void;
  onServing(server: S): void;
}

/**
 * This server's part in an ensemble, beside its core: elections (QuorumPeer), and a term with each leader: another (LearnerTerm), or
 * itself (LeaderTerm). Built by the server once its log runs; mode `shared`, on the main thread.
 */
import { epochOf } from '../../base/zxid.ts';
import { parseQuorumConfig, type QuorumConfig } from '../../core/quorum/quorum-config.ts';
import { ProposalLog } from '../../core/zab/proposal-log.ts';
import type { DataDirs } from '../../storage/data-dir.ts';
import type { Disk } from '../../storage/disk.ts';
import { EpochKind, readEpoch } from '../../storage/epoch-files.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { Desks } from '../host/desks.ts';
import type { Log } from '../logging/logging.ts';
import { EnsembleMeter } from '../monitor/ensemble-meter.ts';
import { EnsembleFigures } from './ensemble-figures.ts';
import { KnownMembership } from './known-membership.ts';
import { LeaderTerm } from './leader-term.ts';
import type { LeaderTermParts } from './leader-term-parts.ts';
import { createLinkFaultCounts } from './learner-faults.ts';
import { LearnerTerm } from './learner-term.ts';
import type { Epochs, LearnerTermOptions } from './learner-term-parts.ts';
import { MembershipFiles } from './membership-files.ts';
import { MembershipGuard } from './membership-guard.ts';
import { peerSetupOf } from './peer-setup.ts';
import { QuorumPeer, type QuorumPeerPlatform } from './quorum-peer.ts';
import type { RoleRunner, RunningTerm, Term, TermControl } from './role-runner.ts';

/** Of a PROPOSAL what is not its transaction, and a transaction's own head and digest. */
const PACKET_HEAD_BYTES_MAX = 1024;

export class Ensemble implements RoleRunner {
  readonly peer: QuorumPeer;
  readonly figures: EnsembleFigures;
  private readonly options: LearnerTermOptions;
  private readonly desks: Desks;
  private readonly platform: QuorumPeerPlatform;
  private readonly log: Log;
  private readonly epochs: Epochs;
  private readonly leading: LeaderTermParts;

  /** `config` is of an ensemble. @throws CorruptionFailure when the epochs or the mark of another membership are unreadable */
  constructor(
    config: ServerConfig,
    desks: Desks,
    dirs: DataDirs,
    platform: QuorumPeerPlatform & { readonly disk: Disk },
    log: Log,
  ) {
    const ensemble = config.ensemble!;
    const meter = new EnsembleMeter();
    const membership = membershipOf(config, platform.disk, dirs, log);
    this.options = {
      sid: ensemble.sid,
      tickMs: config.tickTimeMs,
      initLimit: ensemble.initLimitTicks,
      syncLimit: ensemble.syncLimitTicks,
      connectLimit: ensemble.connectToLearnerMasterLimitTicks || ensemble.initLimitTicks,
      observerDelayMs: ensemble.observerReconnectDelayMs,
      packetBytesMax: PACKET_HEAD_BYTES_MAX + config.frameBytesMax + config.juteExtraBytes,
      membership,
      meter,
    };
    this.desks = desks;
    this.platform = platform;
    this.log = log;
    const { disk } = platform;
    const { learner, leader } = desks;
    // A server that was alone has no files: its history tells what it has taken over.
    const epoch = epochOf(learner.lastZxid);
    this.epochs = {
      accepted: readEpoch(disk, dirs.snapshotDirectory, EpochKind.accepted) ?? epoch,
      current: readEpoch(disk, dirs.snapshotDirectory, EpochKind.current) ?? epoch,
    };
    this.leading = {
      desk: leader,
      epochs: this.epochs,
      history: { disk, dirs, reach: leader },
      // What one turn proposes must be there when it is sent, or every learner has fallen behind at once, again and again.
      proposals: new ProposalLog(Math.max(ensemble.proposalLogBytes, config.proposalRingBytes)),
      faults: createLinkFaultCounts(),
      listenOnAllIps: ensemble.quorumListenOnAllIps,
      servesClients: ensemble.leaderServes,
      standaloneEnabled: ensemble.standaloneEnabled,
      epochWaitMs: ensemble.maxTimeToWaitForEpochMs,
      platform,
      log,
    };
    learner.beginLearning('follower');
    const standing = { zxid: learner.electionZxid, currentEpoch: this.epochs.current };
    this.peer = new QuorumPeer(
      {
        ...peerSetupOf(ensemble, config),
        committed: membership.committed,
        lastSeen: membership.lastSeen,
        standing,
      },
      platform,
      this,
      log,
      meter,
    );
    this.figures = new EnsembleFigures(ensemble, this.peer, this.epochs, meter, () =>
      platform.clock.monotonicMs(),
    );
  }

  /** @throws BindFailure */
  start(): Promise<void> {
    return this.peer.start();
  }

  stop(): void {
    this.peer.stop('this server stops');
  }

  begin(term: Term, control: TermControl): RunningTerm {
    if (term.role === 'leading') {
      const leading = new LeaderTerm(this.options, term, control, this.leading);
      this.figures.leadingTerm = leading;
      return leading;
    }
    const { options, desks, epochs, platform, log } = this;
    return new LearnerTerm(options, term, control, desks.learner, epochs, platform, log);
  }

  get hasVote(): boolean {
    return this.options.membership.hasVote;
  }

  onConfigLearned(config: QuorumConfig): void {
    this.options.membership.onInForce(config);
  }

  beginReadOnly(): void {
    this.desks.learner.beginReadOnly();
  }

  endReadOnly(): void {
    this.desks.learner.endReadOnly();
  }
}

/** What this server was started with, and what it has heard of since. @throws CorruptionFailure */
function membershipOf(config: ServerConfig, disk: Disk, dirs: DataDirs, log: Log): KnownMembership {
  const { sid, quorumText, nextText, rewritableFile } = config.ensemble!;
  const committed = parseQuorumConfig(quorumText);
  return new KnownMembership({
    committed,
    lastSeen: nextText === null ? committed : parseQuorumConfig(nextText),
    reconfigEnabled: config.reconfigEnabled,
    files: rewritableFile === null ? null : new MembershipFiles(sid, rewritableFile, disk),
    guard: new MembershipGuard(sid, committed, disk, dirs, log),
    log,
  });
}

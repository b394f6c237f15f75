/**
 * This server's part in an ensemble, beside its core: elections (QuorumPeer), and a term with each leader (LearnerTerm). Built by
 * the server once its log runs; mode `shared`, on the main thread.
 */
import { epochOf } from '../../base/zxid.ts';
import type { QuorumConfig } from '../../core/quorum/quorum-config.ts';
import type { Disk } from '../../storage/disk.ts';
import { EpochKind, readEpoch } from '../../storage/epoch-files.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { LearnerDesk } from '../host/learner-desk.ts';
import type { Log } from '../logging/logging.ts';
import { EnsembleMeter } from '../monitor/ensemble-meter.ts';
import { EnsembleFigures } from './ensemble-figures.ts';
import { type Epochs, LearnerTerm, type LearnerTermOptions } from './learner-term.ts';
import { peerSetupOf } from './peer-setup.ts';
import { QuorumPeer, type QuorumPeerPlatform } from './quorum-peer.ts';
import type { RoleRunner, RunningTerm, Term, TermControl } from './role-runner.ts';

/** Of a PROPOSAL what is not its transaction, and a transaction's own head and digest. */
const PACKET_HEAD_BYTES_MAX = 1024;
/** A leader that cannot lead yet makes room for others: they find one in the meantime. */
const LEADING_PAUSE_MS = 1000;

export class Ensemble implements RoleRunner {
  readonly peer: QuorumPeer;
  readonly figures: EnsembleFigures;
  private readonly options: LearnerTermOptions;
  private readonly desk: LearnerDesk;
  private readonly platform: QuorumPeerPlatform;
  private readonly log: Log;
  private readonly epochs: Epochs;

  /** `config` is of an ensemble; `directory`: of the epoch files. @throws CorruptionFailure when they are unreadable */
  constructor(
    config: ServerConfig,
    desk: LearnerDesk,
    platform: QuorumPeerPlatform & { readonly disk: Disk },
    directory: string,
    log: Log,
  ) {
    const ensemble = config.ensemble!;
    const meter = new EnsembleMeter();
    this.options = {
      sid: ensemble.sid,
      tickMs: config.tickTimeMs,
      initLimit: ensemble.initLimitTicks,
      syncLimit: ensemble.syncLimitTicks,
      packetBytesMax: PACKET_HEAD_BYTES_MAX + config.frameBytesMax + config.juteExtraBytes,
      meter,
    };
    this.desk = desk;
    this.platform = platform;
    this.log = log;
    const { disk } = platform;
    // A server that was alone has no files: its history tells what it has taken over.
    const epoch = epochOf(desk.lastZxid);
    this.epochs = {
      accepted: readEpoch(disk, directory, EpochKind.accepted) ?? epoch,
      current: readEpoch(disk, directory, EpochKind.current) ?? epoch,
    };
    desk.beginLearning('follower');
    const standing = { zxid: desk.lastZxid, currentEpoch: this.epochs.current };
    this.peer = new QuorumPeer(
      { ...peerSetupOf(ensemble, config.reconfigEnabled), standing },
      platform,
      this,
      log,
      meter,
    );
    this.figures = new EnsembleFigures(ensemble, this.peer, this.epochs, meter);
  }

  /** @throws BindFailure */
  start(): Promise<void> {
    return this.peer.start();
  }

  stop(): void {
    this.peer.stop('this server stops');
  }

  begin(term: Term, control: TermControl): RunningTerm {
    if (term.role !== 'leading') {
      return new LearnerTerm(this.options, term, control, this.desk, this.epochs, this.platform, this.log);
    }
    return this.refuseToLead(control);
  }

  onConfigLearned(_config: QuorumConfig): void {}

  private refuseToLead(control: TermControl): RunningTerm {
    const over = (reason: string): void => {
      timer.cancel();
      const standing = { zxid: this.desk.lastZxid, currentEpoch: this.epochs.current };
      control.over({ reason, standing, designated: null });
    };
    const timer = this.platform.loop.after(LEADING_PAUSE_MS, () => over('this server cannot lead yet'));
    return { onLookingVoter: () => {}, end: over };
  }
}

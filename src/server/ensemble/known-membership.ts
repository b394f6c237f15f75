/**
 * The membership that this server goes by, and what of it a restart will find. On the thread of the core.
 *
 *     PROPOSAL, NEWLEADER                         COMMITANDACTIVATE, UPTODATE, a notification
 *          ▼                                            ▼
 *      lastSeen: elections need its quorum too      committed: in force
 *          │ saved before it is acknowledged            │ saved when it is known
 *          ▼                                            ▼
 *      <zoo.cfg>.dynamic.next                       <zoo.cfg>.dynamic.<version>, which <zoo.cfg> names
 *
 * Where nothing may be reconfigured, or the files cannot be written, elections after a restart would go by the old voters: the guard
 * sees to it then that this server has no vote (membership-guard.ts).
 */
import { StorageFailure } from '../../base/failure.ts';
import type { QuorumConfig } from '../../core/quorum/quorum-config.ts';
import type { Log } from '../logging/logging.ts';
import type { MembershipFiles } from './membership-files.ts';
import type { MembershipGuard } from './membership-guard.ts';

export interface MembershipParts {
  /** Of the configuration file, and of `.dynamic.next`; the same where there is none. */
  readonly committed: QuorumConfig;
  readonly lastSeen: QuorumConfig;
  readonly reconfigEnabled: boolean;
  /** Null: there is no file that could be rewritten. */
  readonly files: MembershipFiles | null;
  readonly guard: MembershipGuard;
  readonly log: Log;
}

export class KnownMembership {
  /** In force. */
  committed: QuorumConfig;
  /** The newest that was proposed; the same when nothing is. */
  lastSeen: QuorumConfig;
  readonly reconfigEnabled: boolean;
  private readonly files: MembershipFiles | null;
  private readonly guard: MembershipGuard;
  private readonly log: Log;

  constructor({ committed, lastSeen, reconfigEnabled, files, guard, log }: MembershipParts) {
    this.committed = committed;
    this.lastSeen = lastSeen;
    this.reconfigEnabled = reconfigEnabled;
    this.files = reconfigEnabled ? files : null;
    this.guard = guard;
    this.log = log;
    // What could not be written at the time, or was not to be.
    const { heard } = guard;
    if (this.files !== null && heard !== null) {
      if (heard.isInForce) this.onInForce(heard.config);
      else this.onProposed(heard.config);
    }
    guard.begin();
  }

  /** False: this server goes into elections as one that nobody listens to, and cannot be elected. */
  get hasVote(): boolean {
    return this.guard.hasVote;
  }

  /** It may come into force, or may never. Durable on return: nothing of it has been acknowledged yet. */
  onProposed(config: QuorumConfig): void {
    if (!this.reconfigEnabled) this.guard.onProposed(config);
    else if (config.version > this.lastSeen.version) this.see(config);
  }

  /**
   * What a leader goes by that has a quorum's histories. What else was proposed here before is in none of them: it has come to
   * nothing. Durable on return.
   */
  onLeaders(config: QuorumConfig): void {
    if (!this.reconfigEnabled) {
      this.guard.onProposed(config);
      return;
    }
    const { committed, lastSeen } = this;
    const next = config.version > committed.version ? config : committed;
    if (next.version !== lastSeen.version) this.see(next);
  }

  /** A quorum's leader, or a server that has it from one, goes by it. */
  onInForce(config: QuorumConfig): void {
    if (!this.reconfigEnabled) {
      this.guard.onInForce(config);
      return;
    }
    if (config.version <= this.committed.version) return;
    this.committed = config;
    if (this.lastSeen.version < config.version) this.lastSeen = config;
    const isSaved = this.save((files) => {
      files.saveInForce(config);
      if (this.lastSeen.version === config.version) files.forgetProposed();
    });
    if (!isSaved) this.guard.onInForce(config);
    this.log.info('a changed membership is in force', {
      version: config.version.toString(16),
      members: config.text.split('\n').slice(0, -1).join(' '),
    });
  }

  private see(config: QuorumConfig): void {
    this.lastSeen = config;
    const isSaved = this.save((files) => {
      if (config.version === this.committed.version) files.forgetProposed();
      else files.saveProposed(config);
    });
    if (!isSaved) this.guard.onProposed(config);
  }

  /** False: a restart will not find it. */
  private save(write: (files: MembershipFiles) => void): boolean {
    const { files, guard, log } = this;
    if (files === null) return false;
    try {
      write(files);
    } catch (error) {
      if (!(error instanceof StorageFailure)) throw error;
      log.warn(`a change of the members cannot be written: ${error.message}`, {
        remedy:
          'let this server write its configuration file and beside it, or change its members there by hand',
      });
      return false;
    }
    guard.onSaved(this.committed, this.lastSeen);
    return true;
  }
}

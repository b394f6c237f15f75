/**
 * The desks of a core, at which an ensemble has it do what a term asks for: learn from a leader, or lead. None while a server is
 * alone. Core thread.
 */
import { discardSnapshots } from '../../storage/txnlog-truncate.ts';
import type { TappedLogPort } from '../log/tapped-log-port.ts';
import type { Log } from '../logging/logging.ts';
import type { CoreSetup, HostPlatform } from './core-setup.ts';
import { LeaderDesk, type LeaderDeskHost } from './leader-desk.ts';
import { type DeskHost, LearnerDesk } from './learner-desk.ts';
import { MarkedCompleteness } from './member-recovery.ts';
import { recover } from './recovery.ts';

/** What of a host the desks are opened over. */
export interface DeskOwner extends Omit<DeskHost, 'discardSnapshots' | 'reload' | 'completeness'> {
  readonly logPort: TappedLogPort;
  readonly hearThrough: LeaderDeskHost['hearThrough'];
}

export class Desks {
  readonly learner: LearnerDesk;
  readonly leader: LeaderDesk;

  constructor(owner: DeskOwner, setup: CoreSetup, platform: HostPlatform, log: Log) {
    const { disk, clock } = platform;
    const { config, dirs } = setup;
    this.learner = new LearnerDesk({
      ...owner,
      discardSnapshots: (zxid) => discardSnapshots(disk, dirs.snapshotDirectory, zxid),
      completeness: new MarkedCompleteness(disk, dirs, log),
      reload: () => {
        const recovery = recover(owner.incarnations, disk, dirs, config, log, clock);
        owner.historyFloor.value = recovery.snapshotZxid;
        return recovery.lastZxid;
      },
    });
    this.leader = new LeaderDesk(owner);
  }

  /** At the end of the core's turn. */
  poll(): void {
    this.learner.poll();
    this.leader.poll();
  }

  /** Whether `poll` may find something. */
  get hasWork(): boolean {
    return this.learner.hasWork || this.leader.hasWork;
  }
}

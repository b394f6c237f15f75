/**
 * Opens the desks of a core, at which an ensemble has it do what a term asks for (learner-desk.ts). None while a server is alone.
 * Core thread.
 */
import { discardSnapshots } from '../../storage/txnlog-truncate.ts';
import type { Log } from '../logging/logging.ts';
import type { CoreSetup, HostPlatform } from './core-setup.ts';
import { type DeskHost, LearnerDesk } from './learner-desk.ts';
import { recover } from './recovery.ts';

/** What of a host the desks are opened over. */
export type DeskOwner = Omit<DeskHost, 'discardSnapshots' | 'reload'>;

export function openLearnerDesk(
  owner: DeskOwner,
  setup: CoreSetup,
  platform: HostPlatform,
  log: Log,
): LearnerDesk {
  const { disk, clock } = platform;
  const { config, dirs } = setup;
  return new LearnerDesk({
    ...owner,
    discardSnapshots: (zxid) => discardSnapshots(disk, dirs.snapshotDirectory, zxid),
    reload: () => recover(owner.incarnations, disk, dirs, config, log, clock).lastZxid,
  });
}

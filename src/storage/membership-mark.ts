/**
 * What a member remembers of a membership that is not the one of its configuration file: without it a restart would forget, and this
 * server help the old voters to a quorum. Beside the snapshots; Apache ignores the file.
 *
 *     <dataDir>/version-2/ringkeeper.membership     proposed | in force      one line
 *                                                   server.<sid>=… …         its text, see core/quorum/quorum-config.ts
 *
 * On the thread of the core, and at start-up: it changes as seldom as members do.
 */
import { CorruptionFailure } from '../base/failure.ts';
import { decodeUtf8 } from '../wire/utf8.ts';
import type { DataDirs } from './data-dir.ts';
import type { Disk } from './disk.ts';
import { readWhole, saveWhole } from './whole-file.ts';

const NAME = 'ringkeeper.membership';

export interface MembershipMark {
  /** A leader with a quorum has said so; otherwise it was proposed, and may never have counted. */
  readonly isInForce: boolean;
  readonly text: string;
}

/** For the operator. */
export function membershipMarkPath({ snapshotDirectory }: DataDirs): string {
  return `${snapshotDirectory}/${NAME}`;
}

/** Null when there is none. @throws CorruptionFailure */
export function readMembershipMark(disk: Disk, dirs: DataDirs): MembershipMark | null {
  const path = membershipMarkPath(dirs);
  const bytes = readWhole(disk, path);
  if (bytes === null) return null;
  const content = decodeUtf8(bytes, 0, bytes.length);
  const [, state, text] = /^(proposed|in force)\n(.*)$/s.exec(content) ?? damaged(path);
  return { isInForce: state === 'in force', text: text! };
}

/** Durable on return. */
export function saveMembershipMark(disk: Disk, dirs: DataDirs, { isInForce, text }: MembershipMark): void {
  saveWhole(disk, dirs.snapshotDirectory, NAME, `${isInForce ? 'in force' : 'proposed'}\n${text}`);
}

/** Durable on return. */
export function removeMembershipMark(disk: Disk, dirs: DataDirs): void {
  disk.remove(membershipMarkPath(dirs));
  disk.syncDirectory(dirs.snapshotDirectory);
}

/** @throws CorruptionFailure always. */
export function damaged(path: string): never {
  throw new CorruptionFailure(
    `${path} holds no membership; see that the configuration file has the members of the ensemble, and remove it`,
  );
}

/**
 * Keeps this server from voting for, or leading, a membership that is no longer in force, where changes cannot be written into its
 * configuration file (known-membership.ts): elections after a restart go by that. Quorums of old and new voters need not have a server in common, so whoever has heard of
 * other voters than its file names has no vote in elections (zxid -1, as a server whose history is damaged), also after a restart.
 * It follows on: what a learner acknowledges is counted by its leader, which knows the voters.
 *
 *              proposed (saved before it is acknowledged)         a leader of a quorum, or an activation: in force
 *     votes ───────────────────────────────────────────▶ proposed ─────────────────────────────────────────────▶ in force
 *       ▲                                                   │                                                      │
 *       ├── a leader of a quorum has the file's voters ◀────┴──────────────────────────────────────────────────────┤
 *       └── started with a file that has the voters in force ◀─────────────────────────────────────────────────────┘
 *
 * A configuration whose version is not newer than the file's is another server's file and says nothing. On the thread of the core.
 */
import { MalformedQuorumConfig, type Sid } from '../../core/quorum/member.ts';
import { parseQuorumConfig, type QuorumConfig } from '../../core/quorum/quorum-config.ts';
import type { DataDirs } from '../../storage/data-dir.ts';
import type { Disk } from '../../storage/disk.ts';
import {
  damaged,
  membershipMarkPath,
  readMembershipMark,
  removeMembershipMark,
  saveMembershipMark,
} from '../../storage/membership-mark.ts';
import type { Log } from '../logging/logging.ts';

export interface Heard {
  readonly config: QuorumConfig;
  readonly isInForce: boolean;
}

export class MembershipGuard {
  private readonly sid: Sid;
  /** Of the configuration file. */
  private file: QuorumConfig;
  private readonly disk: Disk;
  private readonly dirs: DataDirs;
  private readonly log: Log;
  private remembered: Heard | null;

  /** @throws CorruptionFailure */
  constructor(sid: Sid, file: QuorumConfig, disk: Disk, dirs: DataDirs, log: Log) {
    this.sid = sid;
    this.file = file;
    this.disk = disk;
    this.dirs = dirs;
    this.log = log;
    this.remembered = readHeard(disk, dirs);
    if (this.heard === null) return;
    const { config, isInForce } = this.heard;
    if (file.version > config.version || (isInForce && file.hasSameVoters(config))) this.forget();
  }

  /** Other voters than the file's; null: none were heard of. As it is on the disk. */
  get heard(): Heard | null {
    return this.remembered;
  }

  /** The server begins: tells of what it has no vote for. */
  begin(): void {
    if (this.remembered !== null) this.tell(this.remembered);
  }

  /** The configuration file has `committed` now, and `lastSeen` stands beside it. */
  onSaved(committed: QuorumConfig, lastSeen: QuorumConfig): void {
    this.file = committed;
    const { heard } = this;
    if (heard === null) return;
    if (heard.config.version <= (heard.isInForce ? committed : lastSeen).version) this.forget();
  }

  /** False: this server goes into elections as one that nobody listens to, and cannot be elected. */
  get hasVote(): boolean {
    return this.heard === null;
  }

  /** It may come into force, or may never. Durable on return: nothing of it has been acknowledged yet. */
  onProposed(config: QuorumConfig): void {
    if (this.file.hasSameVoters(config) || config.version <= this.file.version) return;
    if (this.heard === null || !this.heard.config.hasSameVoters(config))
      this.remember({ config, isInForce: false });
  }

  /** A quorum's leader, or a server that has it from one, goes by it. */
  onInForce(config: QuorumConfig): void {
    if (this.file.hasSameVoters(config)) {
      if (this.heard !== null) this.forget();
      return;
    }
    if (config.version <= this.file.version) return;
    if (this.heard?.isInForce === true && this.heard.config.hasSameVoters(config)) return;
    this.remember({ config, isInForce: true });
  }

  private remember(heard: Heard): void {
    saveMembershipMark(this.disk, this.dirs, { isInForce: heard.isInForce, text: heard.config.text });
    this.remembered = heard;
    this.tell(heard);
  }

  private forget(): void {
    removeMembershipMark(this.disk, this.dirs);
    this.remembered = null;
    this.log.info('the configuration file of this server has the members of the ensemble now: it votes');
  }

  private tell({ config, isInForce }: Heard): void {
    const version = config.version.toString(16);
    if (!isInForce) {
      this.log.warn(
        'a change of the members of the ensemble was proposed: this server has no vote until a leader tells whether it counts',
        { version, remembered: membershipMarkPath(this.dirs) },
      );
      return;
    }
    const isMember = config.member(this.sid) !== undefined;
    this.log.warn(
      'the members of the ensemble are others than in the configuration file of this server, so it has no vote in elections: ' +
        (isMember
          ? 'put these members in place of the lines server.N there, and start it again'
          : 'it is none of them any more; stop it, or add it again'),
      { version, members: config.text.split('\n').slice(0, -1).join(' ') },
    );
  }
}

function readHeard(disk: Disk, dirs: DataDirs): Heard | null {
  const mark = readMembershipMark(disk, dirs);
  if (mark === null) return null;
  try {
    return { config: parseQuorumConfig(mark.text), isInForce: mark.isInForce };
  } catch (error) {
    if (!(error instanceof MalformedQuorumConfig)) throw error;
    return damaged(membershipMarkPath(dirs));
  }
}

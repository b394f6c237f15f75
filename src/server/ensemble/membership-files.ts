/**
 * The files in which Apache's servers keep who belongs to the ensemble, beside the configuration file `F`; either of the two servers
 * can be started with what the other has left. Blocking, on the thread of the core: members change seldom.
 *
 *     F.dynamic.next        proposed: may be in force by now, or never           with its version
 *     F.dynamic.<version>   in force, the version in hex                          without
 *     F                     dynamicConfigFile=F.dynamic.<version> in place of its lines of members; the rest stays as it is
 *     F.bak                 F as it was while the members stood in it
 *
 * Each is whole and durable, or the old one; F is written last, so a restart in between finds the old members and what was proposed.
 */
import { basename, dirname } from 'node:path';
import type { Sid } from '../../core/quorum/member.ts';
import { isQuorumKey, type QuorumConfig } from '../../core/quorum/quorum-config.ts';
import type { Disk } from '../../storage/disk.ts';
import { readWhole, saveWhole } from '../../storage/whole-file.ts';
import { parseProperties, propertyValue, withoutProperties } from '../../wire/java-properties.ts';

export class MembershipFiles {
  private readonly sid: Sid;
  private readonly disk: Disk;
  private readonly directory: string;
  private readonly name: string;

  /** `file`: the configuration file of server `sid`, an absolute path. */
  constructor(sid: Sid, file: string, disk: Disk) {
    this.sid = sid;
    this.disk = disk;
    this.directory = dirname(file);
    this.name = basename(file);
  }

  get file(): string {
    return `${this.directory}/${this.name}`;
  }

  /** Durable on return. @throws StorageFailure */
  saveProposed(config: QuorumConfig): void {
    saveWhole(this.disk, this.directory, this.nextName, config.fileText(true));
  }

  /** Nothing is proposed, or it has come to nothing. @throws StorageFailure */
  forgetProposed(): void {
    const path = `${this.directory}/${this.nextName}`;
    if (this.disk.stat(path) === null) return;
    this.disk.remove(path);
    this.disk.syncDirectory(this.directory);
  }

  /** Durable on return. @throws StorageFailure */
  saveInForce(config: QuorumConfig): void {
    const dynamic = `${this.name}.dynamic.${config.version.toString(16)}`;
    saveWhole(this.disk, this.directory, dynamic, config.fileText(false));
    const before = readWhole(this.disk, this.file) ?? new Uint8Array(0);
    // As java.util.Properties reads it: a byte is a character.
    const text = Buffer.from(before.buffer, before.byteOffset, before.length).toString('latin1');
    if (parseProperties(text).some(({ key }) => isQuorumKey(key)))
      saveWhole(this.disk, this.directory, `${this.name}.bak`, before);
    const kept = withoutProperties(text, (key) => this.isReplaced(key, config));
    const separator = kept === '' || kept.endsWith('\n') ? '' : '\n';
    const pointer = `dynamicConfigFile=${propertyValue(`${this.directory}/${dynamic}`)}\n`;
    const after = Buffer.from(`${kept}${separator}${pointer}`, 'latin1');
    saveWhole(this.disk, this.directory, this.name, after);
  }

  /** The line of a member may say where its clients connect; then no key may say it again. */
  private isReplaced(key: string, config: QuorumConfig): boolean {
    if (isQuorumKey(key) || key === 'dynamicConfigFile' || key === 'peerType') return true;
    const isTold = (config.member(this.sid)?.client ?? null) !== null;
    return isTold && (key === 'clientPort' || key === 'clientPortAddress');
  }

  private get nextName(): string {
    return `${this.name}.dynamic.next`;
  }
}

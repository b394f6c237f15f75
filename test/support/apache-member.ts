/**
 * A member of an ensemble, Apache 3.8.0 of the Debian package. It is told the membership and started; whether it finds a
 * leader is what its test is about, so `start` waits for nothing. What it decides stands in its log.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLASS_PATH, JVM_FLAGS } from './apache.ts';
import { fourLetterWord } from './four-letter-word.ts';
import { ServerKind, TestServer } from './server.ts';
import { until } from './until.ts';

export interface MemberOptions {
  readonly sid: number;
  /** Values of the server lines by sid. */
  readonly servers: Readonly<Record<number, string>>;
  readonly config?: Readonly<Record<string, string>>;
  /** Properties that only the command line sets. */
  readonly flags?: readonly string[];
}

/** A reconfiguration has changed it: it is the server's now. */
export function namesDynamicFile(configFile: string): boolean {
  return existsSync(configFile) && /^dynamicConfigFile=/m.test(readFileSync(configFile, 'utf8'));
}

export class ApacheMember extends TestServer {
  readonly kind = ServerKind.apache;
  private readonly member: MemberOptions;

  constructor(member: MemberOptions) {
    super(member.config === undefined ? {} : { config: member.config });
    this.member = member;
  }

  get sid(): number {
    return this.member.sid;
  }

  protected async launch(): Promise<void> {
    const { sid, servers, flags: own = [] } = this.member;
    const data = join(this.directory, 'data');
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, 'myid'), `${sid}\n`);
    const extra: Record<string, string> = {
      'admin.enableServer': 'false',
      tickTime: '500',
      initLimit: '10',
      syncLimit: '10',
    };
    for (const [other, value] of Object.entries(servers)) extra[`server.${other}`] = value;
    const configFile = join(this.directory, 'zoo.cfg');
    if (!namesDynamicFile(configFile)) writeFileSync(configFile, this.configText(extra));
    const flags = [...JVM_FLAGS, ...own, '-Dorg.slf4j.simpleLogger.defaultLogLevel=info'];
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    this.spawnLogged('java', [...flags, '-cp', CLASS_PATH, main, configFile], this.directory);
  }

  get log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Waits until its log has said `pattern` `count` times. */
  async hasLogged(pattern: RegExp, count = 1): Promise<void> {
    await until(async () => (this.log.match(new RegExp(pattern, 'g')) ?? []).length >= count);
  }

  /** Of `srvr`: leader, follower, observer; null while it serves nobody. */
  async mode(): Promise<string | null> {
    const answer = await fourLetterWord(this.port, 'srvr', 1000).catch(() => '');
    return /Mode: (\w+)/.exec(answer)?.[1] ?? null;
  }
}

/** Our member of an ensemble, beside ApacheMember: told the membership and started; what it does stands in its log. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MemberOptions, namesDynamicFile } from '../../support/apache-member.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { LAUNCHER } from '../../support/program.ts';
import { ServerKind, TestServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';

export class RingkeeperMember extends TestServer {
  readonly kind = ServerKind.ringkeeper;
  private readonly member: MemberOptions;

  constructor(member: MemberOptions) {
    super(member.config === undefined ? {} : { config: member.config });
    this.member = member;
  }

  get sid(): number {
    return this.member.sid;
  }

  get dataDir(): string {
    return join(this.directory, 'data');
  }

  get log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  get configFile(): string {
    return readFileSync(join(this.directory, 'zoo.cfg'), 'utf8');
  }

  /** Of `srvr`: leader, follower, observer; null while it serves nobody. */
  async mode(): Promise<string | null> {
    const answer = await fourLetterWord(this.port, 'srvr', 1000).catch(() => '');
    return /Mode: (\w+)/.exec(answer)?.[1] ?? null;
  }

  /** To its process, which lives on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child?.kill(signal);
  }

  /** Waits until its log has said `pattern` `count` times. */
  async hasLogged(pattern: RegExp, count = 1): Promise<void> {
    await until(async () => (this.log.match(new RegExp(pattern, 'g')) ?? []).length >= count);
  }

  protected async launch(): Promise<void> {
    mkdirSync(this.dataDir, { recursive: true });
    const { sid, servers } = this.member;
    writeFileSync(join(this.dataDir, 'myid'), `${sid}\n`);
    const lines: Record<string, string> = { tickTime: '500', initLimit: '10', syncLimit: '10' };
    for (const [other, value] of Object.entries(servers)) lines[`server.${other}`] = value;
    const configFile = join(this.directory, 'zoo.cfg');
    if (!namesDynamicFile(configFile)) writeFileSync(configFile, this.configText(lines));
    const logStart = existsSync(this.logFile) ? this.log.length : 0;
    this.spawnLogged(process.execPath, [LAUNCHER, 'serve', configFile], this.directory);
    await this.ready(async () => /^ready /m.test(this.log.slice(logStart)));
  }
}

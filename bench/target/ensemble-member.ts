/**
 * One server of an ensemble on this machine: started, killed, paused and started again over the same files, as faults and
 * people want it.
 *
 *     down --start--> running --stop, kill--> down
 *                        '--ends by itself--> down (`onEnd` is told why)
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Address } from '../base/address.ts';
import { APACHE_NOISE, type Apache, apacheArgs } from './apache-program.ts';
import { LAUNCHER, RINGKEEPER_NOISE } from './embedded.ts';
import { memberDirectory, writeMemberFiles } from './ensemble-directory.ts';
import { clientAddress, type MemberPlan } from './ensemble-plan.ts';
import { readMode } from './leader.ts';
import { type ProcessPlan, ServerProcess } from './server-process.ts';
import type { Settings } from './target-spec.ts';

/** What all servers of an ensemble share. */
export interface EnsembleSetting {
  readonly directory: string;
  readonly members: readonly MemberPlan[];
  /** All of them as one of them is to know them: addresses may lead through something. Null: as they are. */
  readonly viewOf: ((member: MemberPlan) => readonly MemberPlan[]) | null;
  readonly settings: Settings;
  /** Of ringkeeper's servers, on top of this process's own. */
  readonly environmentOf: ((member: MemberPlan) => Readonly<Record<string, string>>) | null;
  /** Root of the checkout or package whose ringkeeper is meant. */
  readonly root: string;
  /** Null: no server is Apache's. */
  readonly apache: Apache | null;
  readonly apacheLogLevel: string;
  readonly javaArgs: readonly string[];
  /** Each line that a server writes. */
  readonly onLine: (member: EnsembleMember, line: string) => void;
  /** A server has ended by itself; once per start. */
  readonly onEnd: (member: EnsembleMember, why: string) => void;
}

export class EnsembleMember {
  readonly plan: MemberPlan;
  /** `server 2 (apache)`, for messages. */
  readonly name: string;
  readonly address: Address;
  private readonly setting: EnsembleSetting;
  private process: ServerProcess | null = null;

  constructor(plan: MemberPlan, setting: EnsembleSetting) {
    this.plan = plan;
    this.name = `server ${plan.sid} (${plan.kind}${plan.isObserver ? ', observer' : ''})`;
    this.address = clientAddress(plan);
    this.setting = setting;
  }

  get isRunning(): boolean {
    return this.process?.isRunning === true;
  }

  /** Null while it does not run. */
  get pid(): number | null {
    return this.isRunning ? this.process!.child.pid! : null;
  }

  /** Why it has ended by itself; null when it has not. */
  get failure(): string | null {
    return this.process?.failure ?? null;
  }

  get lastWords(): string {
    return this.process?.lastWords ?? 'it was not started';
  }

  /** Its process runs then; whether it serves is another question. Not while it runs. */
  start(): void {
    const { directory, members, viewOf, settings } = this.setting;
    const view = viewOf?.(this.plan) ?? members;
    const configFile = writeMemberFiles(directory, this.plan, view, settings);
    const own = new ServerProcess(this.processPlan(configFile));
    this.process = own;
    for (const input of [own.child.stdout!, own.child.stderr!]) {
      createInterface({ input }).on('line', (line) => this.setting.onLine(this, line));
    }
    void own.exited.then(() => {
      if (own.failure !== null) this.setting.onEnd(this, own.failure);
    });
  }

  /** In order; by force when that takes too long. */
  async stop(): Promise<void> {
    await this.process?.stop();
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.process?.kill();
  }

  /** At once, without waiting; `SIGSTOP` and `SIGCONT` make it hang and go on. */
  signal(name: NodeJS.Signals): void {
    this.process?.signalNow(name);
  }

  /** What it says of itself: leader, follower, observer, standalone; null while it serves nobody. */
  mode(): Promise<string | null> {
    return readMode(this.address);
  }

  private processPlan(configFile: string): ProcessPlan {
    const { name } = this;
    const { directory, root, apache, settings, apacheLogLevel, javaArgs } = this.setting;
    if (this.plan.kind === 'ringkeeper') {
      const args = [join(root, LAUNCHER), 'serve', configFile];
      const environment = this.setting.environmentOf?.(this.plan);
      return { name, command: process.execPath, args, noise: RINGKEEPER_NOISE, environment };
    }
    const args = apacheArgs(apache!, {
      configFile,
      logDir: memberDirectory(directory, this.plan),
      logLevel: apacheLogLevel,
      isRead: true,
      settings,
      javaArgs,
    });
    return { name, command: 'java', args, noise: APACHE_NOISE };
  }
}

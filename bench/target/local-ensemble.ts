/**
 * Several servers on this machine as one ensemble: real processes on loopback, ours, Apache's, or both. Used by
 * `ringkeeper ensemble` and by whoever measures or disturbs one; all servers go with this process, whatever ends it
 * short of SIGKILL.
 *
 *     directory -> members --start--> all processes run --awaitServing--> all serve ... --stop--> gone
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigFailure } from '../../src/base/failure.ts';
import { type Address, addressText } from '../base/address.ts';
import { PACKAGE_ROOT } from '../base/package-root.ts';
import { findApache } from './apache-program.ts';
import { type EnsembleShape, openEnsembleDirectory } from './ensemble-directory.ts';
import { EnsembleMember, type EnsembleSetting } from './ensemble-member.ts';
import type { MemberPlan } from './ensemble-plan.ts';
import type { Settings } from './target-spec.ts';

const SERVING_MS_MAX = 120_000;
const ASKED_EVERY_MS = 50;

export interface EnsembleOptions
  extends EnsembleShape,
    Pick<EnsembleSetting, 'directory' | 'settings' | 'onLine' | 'onEnd'> {
  /** For messages: the flag or target that wants it. */
  readonly wantedBy: string;
  readonly root?: string;
  readonly apacheLogLevel?: string;
  readonly javaArgs?: readonly string[];
  readonly environmentOf?: (member: MemberPlan) => Readonly<Record<string, string>>;
  /** What stands between the servers, made before the first of them starts; whoever gives it ends it. */
  readonly makeNetwork?: (
    members: readonly MemberPlan[],
  ) => Promise<{ viewOf(member: MemberPlan): readonly MemberPlan[] }>;
}

/** Nothing runs yet. @throws ConfigFailure saying what to mend */
export async function makeLocalEnsemble(options: EnsembleOptions): Promise<LocalEnsemble> {
  const hasApache = [...options.voters, ...options.observers].includes('apache');
  const apache = hasApache ? await findApache(options.wantedBy) : null;
  const members = await openEnsembleDirectory(options.directory, options);
  const network = await options.makeNetwork?.(members);
  return new LocalEnsemble({
    root: PACKAGE_ROOT,
    apacheLogLevel: 'warn',
    javaArgs: [],
    environmentOf: null,
    ...options,
    apache,
    members,
    viewOf: network === undefined ? null : (member) => network.viewOf(member),
  });
}

export class LocalEnsemble {
  /** By their ids, 1 first. */
  readonly members: readonly EnsembleMember[];
  private readonly settings: Settings;

  constructor(setting: EnsembleSetting) {
    this.members = setting.members.map((plan: MemberPlan) => new EnsembleMember(plan, setting));
    this.settings = setting.settings;
  }

  get voters(): readonly EnsembleMember[] {
    return this.members.filter(({ plan }) => !plan.isObserver);
  }

  get addresses(): readonly Address[] {
    return this.members.map(({ address }) => address);
  }

  get connectString(): string {
    return this.addresses.map(addressText).join(',');
  }

  textOf({ address }: EnsembleMember): string {
    return addressText(address);
  }

  /** Enough voters run to choose a leader. */
  get hasMajority(): boolean {
    return 2 * this.voters.filter(({ isRunning }) => isRunning).length > this.voters.length;
  }

  start(): void {
    for (const member of this.members) member.start();
  }

  /**
   * Resolves with the role of each server once all serve, in the order of `members`. A leader that shall serve nobody is not
   * waited for. @throws ConfigFailure when one ends or does not come up; an AbortError
   */
  async awaitServing(abort?: AbortSignal): Promise<readonly (string | null)[]> {
    const isQuietLeader = this.settings['leaderServes'] === 'no' && this.members.length > 1;
    const wanted = this.members.length - (isQuietLeader ? 1 : 0);
    const deadline = performance.now() + SERVING_MS_MAX;
    for (;;) {
      abort?.throwIfAborted();
      const ended = this.members.find(({ failure }) => failure !== null);
      if (ended !== undefined) throw new ConfigFailure(ended.failure!);
      const modes = await this.modes();
      if (modes.filter((mode) => mode !== null).length >= wanted) return modes;
      if (performance.now() > deadline) throw new ConfigFailure(this.lateText(modes));
      await delay(ASKED_EVERY_MS, undefined, { signal: abort });
    }
  }

  /** What each says of itself now. */
  modes(): Promise<(string | null)[]> {
    return Promise.all(this.members.map((member) => (member.isRunning ? member.mode() : null)));
  }

  /** Null while nobody leads. */
  async leader(): Promise<EnsembleMember | null> {
    const modes = await this.modes();
    return this.members[modes.findIndex((mode) => mode === 'leader' || mode === 'standalone')] ?? null;
  }

  /** All at once, in order; by force what takes too long. */
  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop()));
  }

  /** Now. */
  async kill(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
  }

  private lateText(modes: readonly (string | null)[]): string {
    const late = this.members.filter((_, at) => modes[at] === null);
    const seconds = SERVING_MS_MAX / 1000;
    return `not serving after ${seconds} s: ${late.map(({ name, lastWords }) => `${name}: ${lastWords}`).join('; ')}`;
  }
}

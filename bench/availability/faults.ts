/**
 * What can be done to a server of an ensemble, and undone. Which server is meant is decided at the moment: roles move.
 *
 *     kill           SIGKILL                          started again
 *     stop           in order, by SIGTERM             started again
 *     pause          SIGSTOP                          SIGCONT
 *     partition      nothing to or from the others    what was held back arrives (network.ts)
 *     partition-in   nothing from the others          "
 *     partition-out  nothing to the others            "
 *     delay          each way so much later           as before
 *     jitter         each way 0 to twice so much      as before
 *     disk-full      no file takes another byte       it does; started again if it has ended (disk.ts)
 *     disk-slow      each sync takes so much longer   as before; ringkeeper's servers only
 *     step-down      the leader is made an observer   a voter again (step-down.ts)
 */
import { ConfigFailure } from '../../src/base/failure.ts';
import type { EnsembleMember } from '../target/ensemble-member.ts';
import type { ServerDisks } from './disk.ts';
import type { CutWay, ServerNetwork } from './network.ts';
import { stepDown, stepUp } from './step-down.ts';

const CUT_WAYS: Readonly<Partial<Record<FaultKind, CutWay>>> = {
  partition: 'both',
  'partition-in': 'in',
  'partition-out': 'out',
};
export const FAULT_KINDS = [
  ...(['kill', 'pause', 'stop'] as const),
  ...(['partition', 'partition-in', 'partition-out', 'delay', 'jitter'] as const),
  ...(['disk-full', 'disk-slow', 'step-down'] as const),
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];
/** `each`: all servers, one after the other, each when the one before serves again; with `stop`, a rolling restart. */
export const VICTIMS = [
  ...(['leader', 'follower', 'observer'] as const),
  ...(['leader+follower', 'two-followers', 'each'] as const),
] as const;
export type Victim = (typeof VICTIMS)[number];

export interface FaultPlan {
  readonly kind: FaultKind;
  readonly victim: Victim;
}

/** `kill,pause:leader`: a kind with a victim of its own, or for each of `victims`. @throws ConfigFailure */
export function parseFaults(faults: string, victims: string): FaultPlan[] {
  const common = victims.split(',').map((word) => oneOf('victims', word, VICTIMS));
  return faults.split(',').flatMap((word): FaultPlan[] => {
    const colon = word.indexOf(':');
    const kind = oneOf('faults', colon < 0 ? word : word.slice(0, colon), FAULT_KINDS);
    const own = colon < 0 ? common : [oneOf('faults', word.slice(colon + 1), VICTIMS)];
    if (kind === 'step-down') return [{ kind, victim: leaderOf(word, colon < 0 ? ['leader'] : own) }];
    return own.map((victim) => ({ kind, victim }));
  });
}

function leaderOf(word: string, victims: readonly Victim[]): Victim {
  if (victims[0] === 'leader') return 'leader';
  throw new ConfigFailure(`--faults: "${word}" - allowed: step-down:leader, nobody else leads`);
}

/** A reconfiguration tells all servers how the leader knows them, past the links of the others. @throws ConfigFailure */
export function refuseTogether(faults: readonly FaultPlan[]): void {
  const linked = faults.find(needsNetwork);
  if (linked === undefined || !faults.some(needsReconfig)) return;
  throw new ConfigFailure(
    `--faults: step-down not together with ${linked.kind} - allowed: each in a run of its own`,
  );
}

export function needsReconfig({ kind }: FaultPlan): boolean {
  return kind === 'step-down';
}

export function needsNetwork({ kind }: FaultPlan): boolean {
  return kind in CUT_WAYS || kind === 'delay' || kind === 'jitter';
}

export class FaultInjector {
  private readonly members: readonly EnsembleMember[];
  /** Null: nothing that needs it is asked for. */
  private readonly network: ServerNetwork | null;
  private readonly disks: ServerDisks;
  private readonly delayMs: number;

  constructor(
    members: readonly EnsembleMember[],
    network: ServerNetwork | null,
    disks: ServerDisks,
    delayMs: number,
  ) {
    this.members = members;
    this.network = network;
    this.disks = disks;
    this.delayMs = delayMs;
  }

  async injure(member: EnsembleMember, kind: FaultKind): Promise<void> {
    const way = CUT_WAYS[kind];
    if (kind === 'kill') await member.kill();
    else if (kind === 'stop') await member.stop();
    else if (kind === 'pause') member.signal('SIGSTOP');
    else if (kind === 'step-down') await stepDown(member, this.othersOf(member));
    else if (kind === 'disk-full') await this.disks.fill(member.pid!);
    else if (kind === 'disk-slow') this.disks.slow(member.plan);
    else if (way !== undefined) this.network!.isolate(member.plan, way);
    else if (kind === 'delay') this.network!.slow(member.plan, this.delayMs, 0);
    else this.network!.slow(member.plan, 0, 2 * this.delayMs);
  }

  async mend(member: EnsembleMember, kind: FaultKind): Promise<void> {
    if (kind === 'disk-full') {
      if (member.isRunning) await this.disks.empty(member.pid!);
      else member.start();
    } else if (kind === 'disk-slow') this.disks.quicken(member.plan);
    else if (kind === 'step-down') await stepUp(member, this.othersOf(member));
    else if (kind === 'pause') member.signal('SIGCONT');
    else if (kind === 'kill' || kind === 'stop') member.start();
    else this.network!.mend();
  }

  private othersOf(member: EnsembleMember): EnsembleMember[] {
    return this.members.filter((other) => other !== member);
  }
}

function oneOf<T extends string>(flag: string, word: string, allowed: readonly T[]): T {
  const known = allowed.find((one) => one === word.trim());
  if (known !== undefined) return known;
  throw new ConfigFailure(`--${flag}: "${word}" - allowed: ${allowed.join(', ')}, several by comma`);
}

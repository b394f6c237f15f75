/**
 * One target under faults: servers of an ensemble on this machine are made to fail one after the other, each for a while, while
 * the probes of measure/probes.ts go on. One fault at a time; the next one comes when all servers serve again, at a
 * moment that is drawn anew, because a period of the servers (a tick, a snapshot) must not always meet the same phase.
 *
 *     all serve --rest, random part of a tick--> fault --down--> mended --all serve--> all serve ...
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigFailure } from '../../src/base/failure.ts';
import { Prng } from '../../src/base/prng.ts';
import { monotonicMs } from '../base/phase-clock.ts';
import { AvailabilityProbes } from '../measure/probes.ts';
import type { AvailabilityResult } from '../result/run-json.ts';
import { requestRefused } from '../session/refusal.ts';
import { withSession } from '../session/session.ts';
import { makeTempDir } from '../target/child-server.ts';
import type { EnsembleMember } from '../target/ensemble-member.ts';
import { type LocalEnsemble, makeLocalEnsemble } from '../target/local-ensemble.ts';
import type { TargetSpec } from '../target/target-spec.ts';
import { AcknowledgedWrites } from './acknowledged-writes.ts';
import { costOf, type FaultCost, type FaultSpan } from './fault-figures.ts';

/** `kill`: SIGKILL; `pause`: SIGSTOP, later SIGCONT; `stop`: in order, by SIGTERM. */
export const FAULT_KINDS = ['kill', 'pause', 'stop'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];
export const VICTIMS = ['leader', 'follower', 'observer'] as const;
export type Victim = (typeof VICTIMS)[number];
export type EnsembleSpec = Extract<TargetSpec, { kind: 'ensemble' }>;

export interface FaultSetting {
  readonly kinds: readonly FaultKind[];
  readonly victims: readonly Victim[];
  /** Of each kind, for each victim. */
  readonly rounds: number;
  readonly downMs: number;
  readonly restMs: number;
  readonly seed: number;
  readonly tempDir: string;
}

export interface InjectedFault extends FaultSpan {
  readonly kind: FaultKind;
  readonly victim: Victim;
  /** Class of probes -> what it cost. */
  readonly costs: Readonly<Record<string, FaultCost>>;
}

export interface TargetUnderFaults {
  readonly target: string;
  /** Times count from the first probe that counts. */
  readonly faults: readonly InjectedFault[];
  readonly totalMs: number;
  readonly availability: AvailabilityResult;
  readonly acknowledged: number;
  /** Acknowledged writes that a server does not show in the end; must be empty. */
  readonly missing: readonly string[];
}

const ROOT = '/ringkeeper-availability';
const WRITES = `${ROOT}/writes`;
const PROBES = { periodMs: 20, deadlineMs: 200 };
const TICK_MS = 2_000;
const SET_UP_MS_MAX = 10_000;

/** @throws ConfigFailure when servers do not start or do not come back; an AbortError. Nothing of it runs afterwards. */
export async function measureFaults(
  spec: EnsembleSpec,
  setting: FaultSetting,
  abort: AbortSignal,
  onFault: (done: number, of: number, fault: string) => void,
): Promise<TargetUnderFaults> {
  const directory = makeTempDir(setting.tempDir);
  const removeFiles = (): void => rmSync(directory, { recursive: true, force: true });
  process.on('exit', removeFiles);
  let ensemble: LocalEnsemble | null = null;
  try {
    ensemble = await makeLocalEnsemble({
      ...{ voters: spec.voters, observers: spec.observers, clientPort: null, settings: spec.settings },
      ...{ wantedBy: `"${spec.text}"`, directory: join(directory, 'servers') },
      onLine: () => {},
      onEnd: () => {},
    });
    ensemble.start();
    await ensemble.awaitServing(abort);
    return await disturb(ensemble, spec, setting, abort, onFault);
  } finally {
    await ensemble?.stop();
    removeFiles();
    process.off('exit', removeFiles);
  }
}

async function disturb(
  ensemble: LocalEnsemble,
  spec: EnsembleSpec,
  setting: FaultSetting,
  abort: AbortSignal,
  onFault: (done: number, of: number, fault: string) => void,
): Promise<TargetUnderFaults> {
  const { addresses } = ensemble;
  for (const path of [ROOT, WRITES]) {
    const error = await withSession(addresses[0]!, SET_UP_MS_MAX, (session) =>
      session.create(path, Buffer.alloc(0)),
    );
    if (error !== null) throw requestRefused(`create ${path}`, error);
  }
  const servers = ensemble.members.map((member) => ({
    name: ensemble.textOf(member),
    address: member.address,
  }));
  const probes = new AvailabilityProbes(servers, PROBES, `${ROOT}/probe`);
  const writes = new AcknowledgedWrites(addresses, WRITES);
  const prng = new Prng(setting.seed);
  const order = faultOrder(setting, prng);
  const spans: (FaultSpan & Pick<InjectedFault, 'kind' | 'victim'>)[] = [];
  await probes.start();
  writes.start();
  let fromMs = 0;
  let toMs = 0;
  try {
    await delay(setting.restMs, undefined, { signal: abort });
    fromMs = monotonicMs();
    for (const { kind, victim } of order) {
      onFault(spans.length + 1, order.length, `${kind} of the ${victim}`);
      await delay(prng.below(TICK_MS), undefined, { signal: abort });
      const member = await choose(ensemble, victim, prng);
      const injectedMs = monotonicMs();
      await injure(member, kind);
      await delay(setting.downMs, undefined, { signal: abort });
      await mend(member, kind);
      await ensemble.awaitServing(abort);
      await delay(setting.restMs, undefined, { signal: abort });
      spans.push({ kind, victim, fromMs: injectedMs - fromMs, toMs: monotonicMs() - fromMs });
    }
    toMs = monotonicMs();
  } finally {
    await writes.stop();
    await probes.stop();
  }
  const availability = probes.result(fromMs, toMs);
  return {
    target: spec.text,
    totalMs: toMs - fromMs,
    availability,
    acknowledged: writes.count,
    missing: await writes.missing(),
    faults: spans.map((span) => ({ ...span, costs: costsOf(span, availability) })),
  };
}

function costsOf(span: FaultSpan, { classes }: AvailabilityResult): Record<string, FaultCost> {
  return Object.fromEntries(
    Object.entries(classes).map(([name, { outages }]) => [name, costOf(span, outages)]),
  );
}

/** All of them, mixed, so that no kind has the warm end of the run for itself. */
function faultOrder({ kinds, victims, rounds }: FaultSetting, prng: Prng) {
  const order = Array.from({ length: rounds }, () =>
    kinds.flatMap((kind) => victims.map((victim) => ({ kind, victim }))),
  ).flat();
  for (let last = order.length - 1; last > 0; last--) {
    const other = prng.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

async function choose(ensemble: LocalEnsemble, victim: Victim, prng: Prng): Promise<EnsembleMember> {
  const modes = await ensemble.modes();
  const candidates = ensemble.members.filter((_, at) => modes[at] === victim);
  if (candidates.length === 0)
    throw new ConfigFailure(`no server is ${victim} just now: ${modes.join(', ')}`);
  return prng.pick(candidates);
}

async function injure(member: EnsembleMember, kind: FaultKind): Promise<void> {
  if (kind === 'kill') await member.kill();
  else if (kind === 'stop') await member.stop();
  else member.signal('SIGSTOP');
}

async function mend(member: EnsembleMember, kind: FaultKind): Promise<void> {
  if (kind === 'pause') member.signal('SIGCONT');
  else member.start();
}

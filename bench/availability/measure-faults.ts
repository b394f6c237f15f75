/**
 * One target under faults: an ensemble on this machine is started, its servers are made to fail (fault-run.ts) while the probes
 * of measure/probes.ts and a writer go on, and what came of it is put together. All of it has ended when it returns.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Prng } from '../../src/base/prng.ts';
import { monotonicMs } from '../base/phase-clock.ts';
import { AvailabilityProbes } from '../measure/probes.ts';
import type { AvailabilityResult } from '../result/run-json.ts';
import { requestRefused } from '../session/refusal.ts';
import { withSession } from '../session/session.ts';
import { makeTempDir } from '../target/child-server.ts';
import { type LocalEnsemble, makeLocalEnsemble } from '../target/local-ensemble.ts';
import type { TargetSpec } from '../target/target-spec.ts';
import { AcknowledgedWrites } from './acknowledged-writes.ts';
import { costOf, type FaultCost, type FaultSpan } from './fault-figures.ts';
import { type FaultPace, type PastFault, runFaults } from './fault-run.ts';
import { FaultInjector, type FaultPlan, needsNetwork } from './faults.ts';
import { ServerNetwork } from './network.ts';

export type EnsembleSpec = Extract<TargetSpec, { kind: 'ensemble' }>;

export interface FaultSetting extends FaultPace {
  /** Of `delay` each way, and the mean of `jitter`. */
  readonly delayMs: number;
  readonly seed: number;
  readonly tempDir: string;
}

/** Times count from the beginning of the rest before the first. */
export interface InjectedFault extends FaultSpan, FaultPlan {
  /** Class of probes -> what it cost. */
  readonly costs: Readonly<Record<string, FaultCost>>;
}

export interface TargetUnderFaults {
  readonly target: string;
  readonly faults: readonly InjectedFault[];
  readonly totalMs: number;
  readonly availability: AvailabilityResult;
  readonly acknowledged: number;
  /** Acknowledged writes that a server does not show in the end; must be empty. */
  readonly missing: readonly string[];
}

type OnFault = (done: number, of: number, fault: string) => void;

const ROOT = '/ringkeeper-availability';
const WRITES = `${ROOT}/writes`;
const PROBES = { periodMs: 20, deadlineMs: 200 };
const SET_UP_MS_MAX = 10_000;

/** @throws ConfigFailure when servers do not start or do not come back; an AbortError. Nothing of it runs afterwards. */
export async function measureFaults(
  spec: EnsembleSpec,
  setting: FaultSetting,
  abort: AbortSignal,
  onFault: OnFault,
): Promise<TargetUnderFaults> {
  const directory = makeTempDir(setting.tempDir);
  const removeFiles = (): void => rmSync(directory, { recursive: true, force: true });
  process.on('exit', removeFiles);
  let network: ServerNetwork | null = null;
  let ensemble: LocalEnsemble | null = null;
  try {
    ensemble = await makeLocalEnsemble({
      ...{ voters: spec.voters, observers: spec.observers, clientPort: null, settings: spec.settings },
      ...{ wantedBy: `"${spec.text}"`, directory: join(directory, 'servers') },
      onLine: () => {},
      onEnd: () => {},
      // Only where it is needed: what goes through it goes through this process.
      ...(setting.faults.some(needsNetwork)
        ? {
            makeNetwork: async (members) =>
              (network = await ServerNetwork.open(members, new Prng(setting.seed))),
          }
        : {}),
    });
    ensemble.start();
    await ensemble.awaitServing(abort);
    const injector = new FaultInjector(network, setting.delayMs);
    return { target: spec.text, ...(await disturb(ensemble, injector, setting, abort, onFault)) };
  } finally {
    await ensemble?.stop();
    (network as ServerNetwork | null)?.close();
    removeFiles();
    process.off('exit', removeFiles);
  }
}

async function disturb(
  ensemble: LocalEnsemble,
  injector: FaultInjector,
  setting: FaultSetting,
  abort: AbortSignal,
  onFault: OnFault,
): Promise<Omit<TargetUnderFaults, 'target'>> {
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
  await probes.start();
  writes.start();
  const fromMs = monotonicMs();
  let past: readonly PastFault[];
  try {
    past = await runFaults(ensemble, injector, setting, new Prng(setting.seed), abort, onFault);
  } finally {
    await writes.stop();
    await probes.stop();
  }
  const toMs = past.at(-1)!.toMs;
  const availability = probes.result(fromMs, toMs);
  return {
    faults: past.map((fault) => {
      const span = { fromMs: fault.fromMs - fromMs, toMs: fault.toMs - fromMs };
      return { ...fault, ...span, costs: costsOf(span, availability) };
    }),
    totalMs: toMs - fromMs,
    availability,
    acknowledged: writes.count,
    missing: await writes.missing(),
  };
}

function costsOf(span: FaultSpan, { classes }: AvailabilityResult): Record<string, FaultCost> {
  return Object.fromEntries(
    Object.entries(classes).map(([name, { outages }]) => [name, costOf(span, outages)]),
  );
}

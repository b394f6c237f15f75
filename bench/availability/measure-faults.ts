/**
 * One target under faults: an ensemble on this machine is started, its servers are made to fail (fault-run.ts) while the probes
 * of measure/probes.ts and a writer go on, and what came of it is put together. All of it has ended when it returns.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
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
import { ServerDisks } from './disk.ts';
import { ELECTION_JAVA_ARGS, type Election, ElectionLog } from './election-log.ts';
import { costOf, type FaultCost, type FaultSpan, longestElectionMs } from './fault-figures.ts';
import { type FaultPace, type PastFault, runFaults } from './fault-run.ts';
import { runScript } from './fault-script.ts';
import { FaultInjector, needsNetwork, needsReconfig } from './faults.ts';
import { type GoodputSeries, type LoadCost, loadCostOf } from './goodput.ts';
import { ServerNetwork } from './network.ts';
import { type LoadSetting, PacedLoad } from './paced-load.ts';
import { STEP_DOWN_SETTINGS } from './step-down.ts';

export type EnsembleSpec = Extract<TargetSpec, { kind: 'ensemble' }>;

export interface FaultSetting extends FaultPace {
  /** Of `delay` each way, and the mean of `jitter`. */
  readonly delayMs: number;
  /** Of `disk-slow`, each sync. */
  readonly syncMs: number;
  /** In place of the faults above, those of the script, in so much time. */
  readonly scriptMs: number | null;
  /** Null: the probes and the writer alone. */
  readonly load: LoadSetting | null;
  /** Of the load and the probes, before anything counts. */
  readonly warmMs: number;
  readonly seed: number;
  readonly tempDir: string;
}

/** Times count from the beginning of the rest before the first. */
export interface InjectedFault extends PastFault {
  /** Class of probes -> what it cost. */
  readonly costs: Readonly<Record<string, FaultCost>>;
  /** The longest that made a leader, as that one's log says it; null when there was none. */
  readonly electionMs: number | null;
  readonly load: LoadCost | null;
}

export interface TargetUnderFaults {
  readonly target: string;
  readonly faults: readonly InjectedFault[];
  readonly totalMs: number;
  readonly availability: AvailabilityResult;
  readonly elections: readonly Election[];
  readonly load: GoodputSeries | null;
  /** How late the engine itself sent a probe at worst: outages are known no better. */
  readonly lagMsMax: number;
  readonly acknowledged: number;
  /** Acknowledged writes that a server does not show in the end; must be empty. */
  readonly missing: readonly string[];
}

type Seen = Pick<TargetUnderFaults, 'availability' | 'elections' | 'load'>;
type OnFault = (done: number, of: number, fault: string) => void;

const ROOT = '/ringkeeper-availability';
const WRITES = `${ROOT}/writes`;
const LOAD = `${ROOT}/load`;
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
  const log = new ElectionLog();
  const disks = new ServerDisks(directory, setting.syncMs);
  let network: ServerNetwork | null = null;
  let ensemble: LocalEnsemble | null = null;
  try {
    ensemble = await makeLocalEnsemble({
      ...{ voters: spec.voters, observers: spec.observers, clientPort: null },
      settings: { ...(setting.faults.some(needsReconfig) ? STEP_DOWN_SETTINGS : {}), ...spec.settings },
      ...{ wantedBy: `"${spec.text}"`, directory: join(directory, 'servers') },
      javaArgs: ELECTION_JAVA_ARGS,
      onLine: (member, line) => log.onLine(member.plan.sid, line),
      onEnd: () => {},
      ...(setting.faults.some(({ kind }) => kind === 'disk-slow')
        ? { environmentOf: (member) => disks.environmentOf(member) }
        : {}),
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
    const injector = new FaultInjector(ensemble.members, network, disks, setting.delayMs);
    return { target: spec.text, ...(await disturb(ensemble, log, injector, setting, abort, onFault)) };
  } finally {
    await ensemble?.stop();
    (network as ServerNetwork | null)?.close();
    removeFiles();
    process.off('exit', removeFiles);
  }
}

async function disturb(
  ensemble: LocalEnsemble,
  log: ElectionLog,
  injector: FaultInjector,
  setting: FaultSetting,
  abort: AbortSignal,
  onFault: OnFault,
): Promise<Omit<TargetUnderFaults, 'target'>> {
  const { addresses } = ensemble;
  for (const path of [ROOT, WRITES, LOAD]) {
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
  const load = setting.load === null ? null : new PacedLoad(setting.load);
  let fromMs = 0;
  let past: readonly PastFault[];
  try {
    await load?.start(addresses, LOAD);
    await probes.start();
    writes.start();
    await delay(setting.warmMs, undefined, { signal: abort });
    fromMs = monotonicMs();
    past =
      setting.scriptMs === null
        ? await runFaults(ensemble, injector, setting, new Prng(setting.seed), abort, onFault)
        : await runScript(ensemble, injector, setting.scriptMs, abort, onFault);
  } finally {
    await Promise.all([writes.stop(), probes.stop(), load?.stop()]);
  }
  const toMs = past.at(-1)!.toMs;
  const seen: Seen = {
    availability: probes.result(fromMs, toMs),
    elections: log.elections
      .filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
      .map((election) => ({ ...election, atMs: election.atMs - fromMs })),
    load: load?.series(fromMs, toMs) ?? null,
  };
  const faults = past.map((fault) => ({
    ...fault,
    fromMs: fault.fromMs - fromMs,
    wholeMs: fault.wholeMs - fromMs,
    toMs: fault.toMs - fromMs,
  }));
  return {
    faults: faults.map((fault) => ({ ...fault, ...judged(fault, seen) })),
    totalMs: toMs - fromMs,
    ...seen,
    lagMsMax: probes.lagMsMax,
    acknowledged: writes.count,
    missing: await writes.missing(),
  };
}

function judged(
  span: FaultSpan,
  { availability, elections, load }: Seen,
): Pick<InjectedFault, 'costs' | 'electionMs' | 'load'> {
  const costs = Object.entries(availability.classes).map(([name, { outages }]): [string, FaultCost] => [
    name,
    costOf(span, outages),
  ]);
  return {
    costs: Object.fromEntries(costs),
    electionMs: longestElectionMs(span, elections),
    load: load === null ? null : loadCostOf(span, load),
  };
}

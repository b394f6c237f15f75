/**
 * One server on a copy of the tree, first at its peak, then at a share of it while it takes snapshots.
 *
 *     server 1 |-- warming --|-- peak: closed loop --|                      rate = share x peak, snapCount from it
 *     server 2 |-- warming --|-- warm-up at the rate --|srst|-- open loop ... until N snapshots have begun and ended --|mntr|
 *
 * `snapCount` is Apache's default, 100,000, or less where the writes of the rate would then take longer to bring a
 * snapshot about than wanted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../../base/phase-clock.ts';
import { LoadController, type RunningPhase } from '../../generator/controller.ts';
import { GcLog } from '../../measure/gc-pauses.ts';
import { readCpuPressureMicros } from '../../measure/process-usage.ts';
import type { Plan } from '../../plan/plan.ts';
import { silentProgress } from '../../run/progress.ts';
import { warmUp } from '../../run/warm-up.ts';
import type { Target } from '../../target/target.ts';
import { snapshotSpans } from './data-dir.ts';
import type { LoadResult, ServerName } from './large-tree-json.ts';
import { LatenessWatch } from './lateness-watch.ts';
import { type PhaseTimes, pacedPlan, peakPlan, WRITE_SHARE } from './load-plans.ts';
import { type PacedResult, pacedResult, repliesPerSecond, type Watched } from './paced-result.ts';
import { SLICE_MS } from './reply-times.ts';
import { larger, readMonitor, readResident, resetMonitor, snapshotsWritten } from './server-facts.ts';
import { onCopy, type ServerPlace } from './servers.ts';

export interface LoadOptions extends ServerPlace {
  readonly nodes: number;
  /** Of the peak. */
  readonly share: number;
  /** That must begin and end in the measured time. */
  readonly snapshots: number;
  /** Between two of them, on average and at most. */
  readonly snapshotSeconds: number;
  /** As for any run (run/warm-up.ts): until the CPU per request is level, at most so long; 0: not. */
  readonly warmUpMsMax: number;
  readonly peak: PhaseTimes;
  /** `measureMs`: given up then. */
  readonly paced: PhaseTimes;
  readonly abort: AbortSignal;
}

export const SNAP_COUNT_DEFAULT = 100_000;
const SNAP_COUNT_MIN = 200;
/** A snapshot comes after a random count between half of `snapCount` and all of it. */
const SNAP_COUNT_MEAN = 0.75;
const LOOK_MS = 100;
/** Looks between two questions whether snapshots have ended. */
const LOOKS_PER_QUESTION = 5;
/** Behind the last snapshot, so that what it held up still arrives in the measured time. */
const TAIL_MS = 500;

/** Null when it was aborted. `template`: a data directory with the wide tree, which stays as it is. */
export async function measureLoad(
  server: ServerName,
  template: string,
  options: LoadOptions,
): Promise<LoadResult | null> {
  const peakPerSecond = await onCopy(server, {}, template, options, (target) => measurePeak(target, options));
  if (options.abort.aborted) return null;
  const ratePerSecond = Math.max(1, Math.round(peakPerSecond * options.share));
  const snapCount = snapCountFor(ratePerSecond, options.snapshotSeconds);
  const settings = { snapCount: String(snapCount) };
  return onCopy(server, settings, template, options, async (target) => {
    const paced = await measurePaced(target, ratePerSecond, options);
    if (options.abort.aborted) return null;
    return { server, target: target.description, peakPerSecond, ratePerSecond, snapCount, ...paced };
  });
}

export function snapCountFor(ratePerSecond: number, snapshotSeconds: number): number {
  const wanted = Math.round((ratePerSecond * WRITE_SHARE * snapshotSeconds) / SNAP_COUNT_MEAN);
  return Math.min(SNAP_COUNT_DEFAULT, Math.max(SNAP_COUNT_MIN, wanted));
}

async function measurePeak(target: Target, options: LoadOptions): Promise<number> {
  return withLoad(peakPlan(options.nodes, options.peak), target, options, async (controller) => {
    const running = controller.startPhase(0);
    const [report] = await running.reports;
    const { measureStartMs } = running.grid;
    return repliesPerSecond(running, measureStartMs, report!.measuredMs);
  });
}

async function measurePaced(target: Target, rate: number, options: LoadOptions): Promise<PacedResult> {
  const plan = pacedPlan(options.nodes, rate, options.paced);
  const gcLogFile = target.servers[0]?.gcLogFile ?? null;
  const gcLog = gcLogFile === null ? null : new GcLog(gcLogFile);
  try {
    return await withLoad(plan, target, options, async (controller) => {
      const running = controller.startPhase(0, SLICE_MS);
      const watched = await watchPhase(target, controller, running, options);
      const [report] = await running.reports;
      gcLog?.poll();
      const values = await readMonitor(target.addresses[0]!);
      return pacedResult(
        { target, running, report: report!, values, rate, gcLog, ...watched },
        options.snapshots,
      );
    });
  } finally {
    gcLog?.close();
  }
}

async function withLoad<T>(
  plan: Plan,
  target: Target,
  { warmUpMsMax, abort }: LoadOptions,
  use: (controller: LoadController) => Promise<T>,
): Promise<T> {
  const controller = await LoadController.open(plan, target.addresses);
  const stop = (): void => controller.stopPhase();
  abort.addEventListener('abort', stop);
  try {
    await warmUp(0, { plan, controller, target, warmUpMsMax, progress: silentProgress(), abort });
    return await use(controller);
  } finally {
    abort.removeEventListener('abort', stop);
    await controller.close();
  }
}

/** From the begin of the measured time until enough snapshots have ended, which ends the phase. */
async function watchPhase(
  target: Target,
  controller: LoadController,
  running: RunningPhase,
  { snapshots, abort }: LoadOptions,
): Promise<Watched> {
  const { measureStartMs, measureEndMs } = running.grid;
  const address = target.addresses[0]!;
  const lateness = new LatenessWatch(running.counters[0]!.lag);
  await Promise.race([delay(Math.max(0, measureStartMs - monotonicMs())), running.reports]);
  await resetMonitor(address);
  const before = snapshotsWritten(await readMonitor(address)) ?? 0;
  const pressureBefore = readCpuPressureMicros();
  let residentBytes: number | null = null;
  let over = false;
  running.reports.then(
    () => (over = true),
    () => (over = true), // the failure is thrown where the reports are awaited
  );
  for (let look = 0; !over && !abort.aborted && monotonicMs() < measureEndMs; look++) {
    await delay(LOOK_MS);
    lateness.look();
    residentBytes = larger(residentBytes, readResident(target));
    if (look % LOOKS_PER_QUESTION !== 0) continue;
    const written = snapshotsWritten(await readMonitor(address));
    if (written === null) continue; // too busy just now: the next look may get an answer
    const begunBefore = snapshotSpans(target.dataDir!).filter(
      ({ fromMs, toMs }) => fromMs < measureStartMs && toMs >= measureStartMs,
    );
    if (written - before - begunBefore.length < snapshots) continue;
    await delay(TAIL_MS);
    controller.stopPhase();
    break;
  }
  lateness.look();
  const cpuPressure = pressureShare(pressureBefore, monotonicMs() - measureStartMs);
  return { lateness, residentBytes, cpuPressure };
}

function pressureShare(beforeMicros: number | null, measuredMs: number): number | null {
  const afterMicros = readCpuPressureMicros();
  if (beforeMicros === null || afterMicros === null) return null;
  return (afterMicros - beforeMicros) / 1000 / Math.max(1, measuredMs);
}

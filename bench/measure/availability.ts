/**
 * Availability = up time / time, from probe outcomes. Pure arithmetic; probes.ts makes the outcomes.
 *
 * Every probe is judged at the instant it was due. `ok` is an answer within the deadline; `late` a right answer
 * after it; `failed` a definite no, or none; `unknown` counts neither way (probe-track.ts says when).
 *
 *     up --late or failed, due at t0--> down --ok, ok, ok, the first due at t1--> up       down time = t1 - t0
 *
 * Three in a row end an outage, so that one lucky answer does not. Each edge is known to one probe period. Outages
 * are found in the whole history of a class and then cut to the asked time, so a boundary between phases neither
 * ends an outage nor begins one.
 */
import { unionOf } from '../result/outage-bands.ts';
import type { AvailabilityResult, AvailabilitySummary, OutageBand } from '../result/run-json.ts';
import type { ProbeHistory, Verdict } from './probe-track.ts';

/** Windows whose worst case is reported. */
export const WORST_WINDOWS_MS: readonly number[] = [100, 1_000, 10_000, 60_000];

/** The classes that say whether the service is up; others say it of one of its servers. */
const SERVICE_CLASSES: readonly string[] = ['write', 'read', 'freshRead', 'session'];

const OK_IN_A_ROW = 3;

/** The outages of one class, in time order; the last one lasts to `historyEndMs` when nothing ended it. */
export function findOutages(history: ProbeHistory, historyEndMs: number): OutageBand[] {
  const outages: OutageBand[] = [];
  let downSince: number | null = null;
  let firstOkMs = 0;
  let okInRow = 0;
  for (let i = 0; i < history.count; i++) {
    const verdict = history.verdictAt(i);
    if (verdict === 'unknown' || verdict === 'open') continue;
    const dueMs = history.dueMsAt(i);
    if (verdict !== 'ok') {
      downSince ??= dueMs;
      okInRow = 0;
    } else if (downSince !== null) {
      if (okInRow++ === 0) firstOkMs = dueMs;
      if (okInRow < OK_IN_A_ROW) continue;
      outages.push({ fromMs: downSince, toMs: firstOkMs });
      downSince = null;
      okInRow = 0;
    }
  }
  if (downSince !== null) outages.push({ fromMs: downSince, toMs: Math.max(downSince, historyEndMs) });
  return outages;
}

/** The parts of the bands inside `[fromMs, toMs)`, counted from `fromMs`. */
export function cutBands(bands: readonly OutageBand[], fromMs: number, toMs: number): OutageBand[] {
  return bands
    .map((band) => ({
      fromMs: Math.max(band.fromMs, fromMs) - fromMs,
      toMs: Math.min(band.toMs, toMs) - fromMs,
    }))
    .filter((band) => band.toMs > band.fromMs);
}

/** One class over `[fromMs, toMs)`: its outages by time, its probes that were due then by count. */
export function summarizeAvailability(
  history: ProbeHistory,
  fromMs: number,
  toMs: number,
): AvailabilitySummary {
  const outcomes = countOutcomes(history, fromMs, toMs);
  const outages = cutBands(findOutages(history, toMs), fromMs, toMs);
  const judged = outcomes.ok + outcomes.late + outcomes.failed;
  const totalMs = toMs - fromMs;
  const downMs = sumMs(outages);
  return {
    byTime: totalMs > 0 ? 1 - downMs / totalMs : 1,
    byCount: judged === 0 ? null : outcomes.ok / judged,
    outcomes,
    outages,
    downMs,
    longestOutageMs: outages.reduce((longest, band) => Math.max(longest, band.toMs - band.fromMs), 0),
    worstWindow: worstWindows(outages, totalMs),
  };
}

/** All classes over `[fromMs, toMs)`; the service is up while none of `SERVICE_CLASSES` is down. */
export function combineAvailability(
  histories: ReadonlyMap<string, ProbeHistory>,
  fromMs: number,
  toMs: number,
): AvailabilityResult {
  const classes: Record<string, AvailabilitySummary> = {};
  for (const [name, history] of histories) classes[name] = summarizeAvailability(history, fromMs, toMs);
  const service = SERVICE_CLASSES.flatMap((name) => classes[name]?.outages ?? []);
  const totalMs = toMs - fromMs;
  return { byTime: totalMs > 0 ? 1 - sumMs(unionOf(service)) / totalMs : 1, classes };
}

/**
 * The least share of up time in any window of each length inside `[0, totalMs]`; lengths above `totalMs` have no
 * window and no figure. It tells one long outage from many blips with the same sum.
 */
function worstWindows(outages: readonly OutageBand[], totalMs: number): Record<string, number> {
  const worst: Record<string, number> = {};
  for (const lengthMs of WORST_WINDOWS_MS) {
    if (lengthMs <= totalMs) worst[lengthMs] = 1 - worstDownMs(outages, totalMs, lengthMs) / lengthMs;
  }
  return worst;
}

/**
 * Most down time in a window of `lengthMs` within `[0, totalMs]`. `outages` are in order and do not overlap. Down
 * time in a sliding window changes its slope only where an edge of the window meets an edge of an outage, and is
 * greatest where the window begins with an outage or ends with one, or at an end of the time.
 */
export function worstDownMs(outages: readonly OutageBand[], totalMs: number, lengthMs: number): number {
  const before = [0];
  for (const { fromMs, toMs } of outages) before.push(before.at(-1)! + toMs - fromMs);
  const downUntil = (atMs: number): number => {
    const begun = countBegun(outages, atMs);
    if (begun === 0) return 0;
    const { fromMs, toMs } = outages[begun - 1]!;
    return before[begun - 1]! + Math.min(atMs, toMs) - fromMs;
  };
  let most = 0;
  const tryWindow = (startMs: number): void => {
    const start = Math.min(Math.max(0, startMs), totalMs - lengthMs);
    most = Math.max(most, downUntil(start + lengthMs) - downUntil(start));
  };
  for (const { fromMs, toMs } of outages) {
    tryWindow(fromMs);
    tryWindow(toMs - lengthMs);
  }
  return most;
}

/** How many bands begin before `atMs`. */
function countBegun(bands: readonly OutageBand[], atMs: number): number {
  let low = 0;
  let high = bands.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bands[middle]!.fromMs < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function countOutcomes(history: ProbeHistory, fromMs: number, toMs: number) {
  const counts: Record<Verdict, number> = { open: 0, ok: 0, late: 0, failed: 0, unknown: 0 };
  for (let i = 0; i < history.count; i++) {
    const dueMs = history.dueMsAt(i);
    if (dueMs >= fromMs && dueMs < toMs) counts[history.verdictAt(i)]++;
  }
  const { ok, late, failed, unknown, open } = counts;
  return { ok, late, failed, unknown: unknown + open };
}

function sumMs(bands: readonly OutageBand[]): number {
  return bands.reduce((sum, band) => sum + band.toMs - band.fromMs, 0);
}

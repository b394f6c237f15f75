/**
 * Availability = up time / time, from probe outcomes. Pure arithmetic; probes.ts makes the outcomes.
 *
 * Every probe is judged at the instant it was due. `ok` is an answer within the deadline, `late` a right answer
 * after it, `failed` a definite no, `unknown` a connection lost after sending; unknown counts neither way.
 *
 *     up --late or failed, due at t0--> down --ok, ok, ok, the first due at t1--> up       down time = t1 - t0
 *
 * Three in a row end an outage, so that one lucky answer does not. Each edge is known to one probe period.
 */
export type ProbeOutcome = 'ok' | 'late' | 'failed' | 'unknown';

export interface ProbeResult {
  /** When the probe was due; results are in this order. */
  readonly dueMs: number;
  readonly outcome: ProbeOutcome;
}

export interface Outage {
  readonly startMs: number;
  readonly endMs: number;
}

export interface AvailabilitySummary {
  /** Up time / time. */
  readonly byTime: number;
  /** ok / (all but unknown); null without probes. */
  readonly byCount: number | null;
  readonly outcomes: Readonly<Record<ProbeOutcome, number>>;
  readonly outageCount: number;
  readonly downMs: number;
  readonly longestOutageMs: number;
}

const OK_IN_A_ROW = 3;

/** Outages within `[startMs, endMs)`, from probes that were due in it. */
export function findOutages(results: readonly ProbeResult[], startMs: number, endMs: number): Outage[] {
  const outages: Outage[] = [];
  let downSince: number | null = null;
  let firstOkMs = 0;
  let okInRow = 0;
  for (const { dueMs, outcome } of results) {
    if (dueMs < startMs || dueMs >= endMs || outcome === 'unknown') continue;
    if (outcome !== 'ok') {
      downSince ??= dueMs;
      okInRow = 0;
    } else if (downSince !== null) {
      if (okInRow++ === 0) firstOkMs = dueMs;
      if (okInRow < OK_IN_A_ROW) continue;
      outages.push({ startMs: downSince, endMs: firstOkMs });
      downSince = null;
      okInRow = 0;
    }
  }
  if (downSince !== null) outages.push({ startMs: downSince, endMs });
  return outages;
}

export function summarizeAvailability(
  results: readonly ProbeResult[],
  startMs: number,
  endMs: number,
): AvailabilitySummary {
  const outcomes = { ok: 0, late: 0, failed: 0, unknown: 0 };
  for (const { dueMs, outcome } of results) if (dueMs >= startMs && dueMs < endMs) outcomes[outcome]++;
  const judged = outcomes.ok + outcomes.late + outcomes.failed;
  const outages = findOutages(results, startMs, endMs);
  const downMs = sumMs(outages);
  return {
    byTime: endMs > startMs ? 1 - downMs / (endMs - startMs) : 1,
    byCount: judged === 0 ? null : outcomes.ok / judged,
    outcomes,
    outageCount: outages.length,
    downMs,
    longestOutageMs: outages.reduce(
      (longest, { startMs: from, endMs: to }) => Math.max(longest, to - from),
      0,
    ),
  };
}

/** The time in which at least one of the classes was down, as a share of up time. */
export function combinedAvailability(outages: readonly Outage[], startMs: number, endMs: number): number {
  const sorted = [...outages].sort((a, b) => a.startMs - b.startMs);
  let downMs = 0;
  let coveredTo = startMs;
  for (const outage of sorted) {
    const from = Math.max(outage.startMs, coveredTo);
    const to = Math.min(outage.endMs, endMs);
    if (to > from) downMs += to - from;
    coveredTo = Math.max(coveredTo, to);
  }
  return endMs > startMs ? 1 - downMs / (endMs - startMs) : 1;
}

function sumMs(outages: readonly Outage[]): number {
  return outages.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
}

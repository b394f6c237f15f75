/**
 * The rows that are to be met with 1,000,000 znodes of 100 bytes, each with its figures and its outcome. Where a target
 * is missed it says so; with another number of znodes nothing is said. Pure.
 *
 *     memory      resident memory, largest of every look at it                 under 450 MB
 *     worst       worst reply to a request due under 20 % of the peak          under 50 ms during snapshots
 *     start       spawn until the first correct read, median                   below Apache's
 *     collector   longest pause of any thread                                  under 20 ms under the load
 */
import { median } from 'simple-statistics';
import { formatMs, MISSING, orMissing } from '../../figures/format.ts';
import type { LargeTreeResult, LoadResult, ServerName, ShapeResult, StartResult } from './large-tree-json.ts';

export const NODES = 1_000_000;
export const SHARE = 0.2;
export const RESIDENT_BYTES_MAX = 450e6;
export const WORST_MS_MAX = 50;
export const GC_MS_MAX = 20;

export type Outcome = 'met' | 'missed' | 'not measured' | 'other size';

export interface TargetRow {
  readonly name: string;
  readonly target: string;
  readonly ringkeeper: string;
  readonly apache: string;
  readonly outcome: Outcome;
}

type Facts = Pick<LargeTreeResult, 'nodes' | 'share' | 'shapes' | 'starts' | 'loads'>;

export function targetRows(facts: Facts): TargetRow[] {
  const comparable = facts.nodes === NODES;
  const judged = (met: boolean | null): Outcome => {
    if (met === null) return 'not measured';
    if (!comparable) return 'other size';
    return met ? 'met' : 'missed';
  };
  return [
    memoryRow(facts, judged),
    worstRow(facts, facts.share === SHARE ? judged : (met) => (met === null ? judged(met) : 'other size')),
    startRow(facts, judged),
    gcRow(facts, judged),
  ];
}

type Judge = (met: boolean | null) => Outcome;

function memoryRow(facts: Facts, judged: Judge): TargetRow {
  const own = largestResident(facts, 'ringkeeper');
  return {
    name: 'resident memory, largest seen',
    target: `under ${megabytes(RESIDENT_BYTES_MAX)}`,
    ringkeeper: orMissing(own, megabytes),
    apache: orMissing(largestResident(facts, 'apache'), megabytes),
    outcome: judged(own === null ? null : own < RESIDENT_BYTES_MAX),
  };
}

/** A server that took no snapshot in the measured time has not been measured. */
function worstRow({ loads }: Facts, judged: Judge): TargetRow {
  const worst = (server: ServerName): number | null => {
    const load = loadOf(loads, server);
    return load === undefined || load.snapshots.length === 0
      ? null
      : (load.replies.during.all?.maxMs ?? null);
  };
  const own = worst('ringkeeper');
  const doubtful = (loadOf(loads, 'ringkeeper')?.findings.length ?? 0) > 0;
  return {
    name: 'worst reply during snapshots, at a share of the peak',
    target: `under ${WORST_MS_MAX} ms`,
    ringkeeper: orMissing(own, millis),
    apache: orMissing(worst('apache'), millis),
    // A load with errors or too slow may not meet a target; it may well miss it.
    outcome: judged(own === null || (doubtful && own < WORST_MS_MAX) ? null : own < WORST_MS_MAX),
  };
}

function startRow({ starts }: Facts, judged: Judge): TargetRow {
  const own = medianStart(starts, 'ringkeeper');
  const other = medianStart(starts, 'apache');
  return {
    name: 'start with the tree on disk',
    target: 'faster than Apache',
    ringkeeper: startText(starts, 'ringkeeper'),
    apache: startText(starts, 'apache'),
    outcome: judged(own === null || other === null ? null : own < other),
  };
}

function gcRow({ loads }: Facts, judged: Judge): TargetRow {
  const pause = (server: ServerName): number | null => loadOf(loads, server)?.gcPauseMaxMs ?? null;
  const own = pause('ringkeeper');
  return {
    name: 'longest GC pause meanwhile',
    target: `under ${GC_MS_MAX} ms`,
    ringkeeper: orMissing(own, millis),
    apache: orMissing(pause('apache'), millis),
    outcome: judged(own === null ? null : own < GC_MS_MAX),
  };
}

export function loadOf(loads: readonly LoadResult[], server: ServerName): LoadResult | undefined {
  return loads.find((load) => load.server === server);
}

/** After making each shape, after starts, under the load; shapes are ringkeeper's only. */
function largestResident({ shapes, starts, loads }: Facts, server: ServerName): number | null {
  const ofShapes = (shape: ShapeResult): (number | null)[] => [
    shape.residentBytes,
    shape.residentAfterRestartBytes,
  ];
  const all = [
    ...(server === 'ringkeeper' ? shapes.flatMap(ofShapes) : []),
    ...startsOf(starts, server).map(({ residentBytes }) => residentBytes),
    ...loads.filter((load) => load.server === server).map(({ residentBytes }) => residentBytes),
  ];
  const known = all.filter((bytes) => bytes !== null);
  return known.length === 0 ? null : Math.max(...known);
}

export function startsOf(starts: readonly StartResult[], server: ServerName): StartResult[] {
  return starts.filter((start) => start.server === server);
}

function medianStart(starts: readonly StartResult[], server: ServerName): number | null {
  const own = startsOf(starts, server).map(({ ms }) => ms);
  return own.length === 0 ? null : median(own);
}

/** `1.50 s (1.40 to 1.72, 5 starts)` */
export function startText(starts: readonly StartResult[], server: ServerName): string {
  const own = startsOf(starts, server).map(({ ms }) => ms);
  if (own.length === 0) return MISSING;
  const seconds = (ms: number): string => (ms / 1000).toFixed(2);
  return `${seconds(median(own))} s (${seconds(Math.min(...own))} to ${seconds(Math.max(...own))}, ${own.length} starts)`;
}

/** Decimal, as the targets are written. */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function millis(ms: number): string {
  return `${formatMs(ms)} ms`;
}

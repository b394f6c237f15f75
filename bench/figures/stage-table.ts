/**
 * Where the server's time went, phase by phase: its threads, its stages and the queues between them, as ringkeeper tells
 * them by `mntr` (names and how to read them: src/server/monitor/README.md). Rows of text; none for other servers.
 *
 *     client -> io --queue--> core --queue--> log -> disk       times: growth over the measured time
 *               io <--queue-- core <-------------               fills and `most`: since the server's start
 */

import type { PhaseResult } from '../result/run-json.ts';
import {
  formatCount,
  formatMiB,
  formatMicros,
  formatMs,
  formatPercent,
  MISSING,
  orMissing,
  plural,
} from './format.ts';
import type { TextTable } from './run-tables.ts';

export const STAGE_NOTE =
  'Threads, stages and queues by the server\'s own count, over the measured time; "most" is since its start. A thread that ' +
  'is busy without a processor waits for its disk (log, snapshot) or for its turn.';

const THREAD_BUSY = /^ringkeeper_thread_(\w+)_busy_ms$/;
/** A thread that is busier than this has no time left for more. */
const FULL_SHARE = 0.85;
/** Its busy time delays nobody. */
const BESIDE = 'snapshot';

type Cell = (phase: PhaseValues) => string;

interface StageRow {
  readonly label: string;
  readonly cell: Cell;
}

const STAGE_ROWS: readonly StageRow[] = [
  {
    label: 'core: read, answer, propose; us per request',
    cell: (p) => perItem(p, 'core_request_ms', 'core_requests'),
  },
  { label: 'core: commit, reply; us per write', cell: (p) => perItem(p, 'core_commit_ms', 'core_commits') },
  { label: 'log: frame, checksum; us per write', cell: (p) => perItem(p, 'log_append_ms', 'log_records') },
  { label: 'log: write; us per write', cell: (p) => perItem(p, 'log_write_ms', 'log_records') },
  { label: 'log: fdatasync; us per write', cell: (p) => perItem(p, 'log_fsync_ms', 'log_records') },
  { label: 'log: writes per sync', cell: (p) => ratio(p, 'log_records', 'log_batches') },
  { label: 'snapshots ended, time of each', cell: snapshots },
  { label: 'queue to the core, most of its room', cell: (p) => fill(p, 'core') },
  { label: 'queue to the log, most of its room', cell: (p) => fill(p, 'log') },
  { label: 'queue back to io, most of its room', cell: (p) => fill(p, 'io') },
  { label: 'requests in flight in the core, most', cell: (p) => count(p, 'core_in_flight_max') },
  { label: 'stopped: window of a connection full', cell: (p) => count(p, 'io_pauses_window') },
  { label: 'stopped: globalOutstandingLimit', cell: (p) => count(p, 'io_pauses_outstanding') },
  { label: 'stopped: ring to the core full', cell: (p) => count(p, 'io_pauses_ring') },
];

/** Rows that no phase has a figure for are left out; none at all unless the server is a ringkeeper. */
export function stageTable(phases: readonly PhaseResult[]): TextTable {
  const values = phases.map((phase) => new PhaseValues(phase));
  const roles = new Set(values.flatMap((phase) => phase.roles));
  const threads = [...roles].map((role) => ({
    label: `thread ${role}: busy (on a processor)`,
    cell: (phase: PhaseValues) => busyText(phase, role),
  }));
  const rows = [...threads, ...STAGE_ROWS]
    .map(({ label, cell }) => [label, ...values.map(cell)])
    .filter(([, ...cells]) => cells.some((text) => text !== MISSING));
  return { head: ['', ...phases.map(({ plan }) => plan.name)], rows };
}

/** One sentence per phase: which thread had no time left, or that none was the limit. */
export function limitSentences(phases: readonly PhaseResult[]): string[] {
  return phases.flatMap((phase) => {
    const values = new PhaseValues(phase);
    const threads = values.roles
      .filter((role) => role !== BESIDE)
      .map((role) => ({ role, share: values.share(`thread_${role}_busy_ms`) ?? 0 }))
      .sort((a, b) => b.share - a.share);
    const busiest = threads[0];
    if (busiest === undefined) return [];
    const { role, share } = busiest;
    const text =
      share >= FULL_SHARE
        ? `the limit was thread ${role}, busy ${formatPercent(Math.min(1, share))} of the time`
        : `no thread was the limit: the busiest, ${role}, had ${formatPercent(1 - share)} of its time left`;
    return [`${phase.plan.name}: ${text}.`];
  });
}

class PhaseValues {
  private readonly values: Readonly<Record<string, number>>;
  private readonly measuredMs: number;

  constructor({ metrics, measuredMs }: PhaseResult) {
    this.values = metrics?.values ?? {};
    this.measuredMs = measuredMs;
  }

  get roles(): string[] {
    return Object.keys(this.values).flatMap((name) => THREAD_BUSY.exec(name)?.[1] ?? []);
  }

  /** Of ringkeeper's own names; 0 is not recorded and comes back as null. */
  of(name: string): number | null {
    return this.values[`ringkeeper_${name}`] ?? null;
  }

  /** Of the measured time. */
  share(name: string): number | null {
    const ms = this.of(name);
    return ms === null || this.measuredMs === 0 ? null : ms / this.measuredMs;
  }
}

function busyText(phase: PhaseValues, role: string): string {
  const busy = phase.share(`thread_${role}_busy_ms`);
  if (busy === null) return MISSING;
  const cpu = phase.share(`thread_${role}_cpu_ms`) ?? 0;
  return `${formatPercent(Math.min(1, busy))} (${formatPercent(cpu)})`;
}

function perItem(phase: PhaseValues, sumMs: string, items: string): string {
  const total = phase.of(items);
  return total === null ? MISSING : orMissing(phase.of(sumMs), (ms) => formatMicros((ms * 1000) / total));
}

function ratio(phase: PhaseValues, items: string, batches: string): string {
  const count = phase.of(batches);
  return count === null ? MISSING : orMissing(phase.of(items), (all) => (all / count).toFixed(1));
}

function snapshots(phase: PhaseValues): string {
  const ended = phase.of('snapshot_count');
  return ended === null
    ? MISSING
    : `${plural(ended, 'snapshot')}, ${formatMs((phase.of('snapshot_ms') ?? 0) / ended)} ms`;
}

function fill(phase: PhaseValues, stage: string): string {
  const capacity = phase.of(`${stage}_queue_bytes_capacity`);
  const full = phase.of(`${stage}_queue_full`);
  return orMissing(phase.of(`${stage}_queue_bytes_max`), (bytes) => {
    const share = capacity === null ? '' : ` (${formatPercent(bytes / capacity)})`;
    return `${formatMiB(bytes)}${share}${full === null ? '' : `, full ${plural(full, 'time')}`}`;
  });
}

function count(phase: PhaseValues, name: string): string {
  return orMissing(phase.of(name), formatCount);
}

/** A replay as text: operations recorded and replayed side by side, then what differs and what to know. */
import Table from 'cli-table3';
import { formatCount, formatDuration, formatMs, formatRate, MISSING, orMissing } from '../figures/format.ts';
import type { LatencySummary } from '../result/run-json.ts';
import type { ReplayRun } from './replay-result.ts';
import type { Difference } from './replay-tally.ts';

/** Kinds of differences that are listed. */
const DIFFERENCES_MAX = 10;

const HEAD = [
  'op',
  'recorded',
  'replayed',
  'differ',
  'recorded p50',
  'p99, ms',
  'replayed p50',
  'p99, ms',
  'due p99, ms',
];

/** The latency `due` counts from the intended instant; the others from the sending. */
export function renderReplay(run: ReplayRun): string {
  const { replay } = run;
  const phase = run.phases[0]!;
  const table = new Table({
    head: HEAD,
    colAligns: HEAD.map((_, i) => (i === 0 ? 'left' : 'right')),
    style: plain,
  });
  for (const op of replay.ops) {
    const result = phase.ops.find(({ label }) => label === op.label);
    table.push([
      op.label,
      formatCount(op.recorded),
      formatCount(op.replies),
      op.differing === 0 ? MISSING : formatCount(op.differing),
      ...latencyCells(op.recordedLatency, result?.uncorrected ?? null, result?.latency ?? null),
    ]);
  }
  table.push([
    'all requests',
    orMissing(replay.recordedPerSecond, formatRate),
    formatRate(phase.throughputPerSecond),
    replay.differing === 0 ? MISSING : formatCount(replay.differing),
    ...latencyCells(replay.recordedLatency, phase.uncorrected, phase.latency),
  ]);
  return [headline(run), table.toString(), ...differences(replay.differences), ...sentences(run)].join('\n');
}

const plain = { head: [], border: [] };

function headline({ replay, phases }: ReplayRun): string {
  const speed = replay.speed === 'max' ? 'at full speed' : `at ${replay.speed} x its speed`;
  const took = formatDuration(phases[0]!.measuredMs);
  return (
    `${replay.file}: ${formatDuration(replay.recordedMs)} recorded, replayed ${speed} in ${took}, ` +
    `${formatCount(replay.sameResults)} same results, ${formatCount(replay.differing)} other ones`
  );
}

function latencyCells(
  recorded: LatencySummary | null,
  sent: LatencySummary | null,
  due: LatencySummary | null,
): string[] {
  const cell = (latency: LatencySummary | null, figure: 'p50Ms' | 'p99Ms'): string =>
    orMissing(latency?.[figure], formatMs);
  return [
    cell(recorded, 'p50Ms'),
    cell(recorded, 'p99Ms'),
    cell(sent, 'p50Ms'),
    cell(sent, 'p99Ms'),
    cell(due, 'p99Ms'),
  ];
}

function differences(list: readonly Difference[]): string[] {
  const lines = list.slice(0, DIFFERENCES_MAX).map(({ op, recorded, replayed, count, examples }) => {
    const { connection, atSeconds, path } = examples[0]!;
    const where = `connection ${connection} at ${atSeconds.toFixed(3)} s${path === null ? '' : `, ${path}`}`;
    return `  ${formatCount(count)} x ${op}: ${recorded} when recorded, ${replayed} now (first: ${where})`;
  });
  if (list.length > DIFFERENCES_MAX)
    lines.push(`  and ${list.length - DIFFERENCES_MAX} more kinds, see run.json`);
  return lines;
}

function sentences({ phases, replay }: ReplayRun): string[] {
  return [
    ...phases[0]!.findings.map(({ text }) => `void: ${text}`),
    ...replay.notes.map((note) => `note: ${note}`),
  ];
}

/** The campaign in words and tables: rows of targets for the terminal, and `summary.md`. */
import { median } from 'simple-statistics';
import {
  formatCount,
  formatMs,
  formatPercent,
  formatRate,
  MISSING,
  orMissing,
  plural,
} from '../../figures/format.ts';
import { markdownTable } from '../../figures/markdown.ts';
import type { LatencySummary } from '../../result/run-json.ts';
import { campaignFoot } from '../campaign.ts';
import type { LargeTreeResult, LoadResult, ServerName, ShapeResult, StartResult } from './large-tree-json.ts';
import { SAMPLES } from './measure-shape.ts';
import type { ReplyTimes } from './reply-times.ts';
import { larger } from './server-facts.ts';
import { megabytes, NODES, startsOf, startText, targetRows } from './targets.ts';

const STARTUP_FIGURES: readonly (readonly [name: string, head: string])[] = [
  ['startup_snap_load_time', 'snapshot read, ms'],
  ['startup_txns_loaded', 'transactions behind it'],
  ['startup_txns_load_time', 'replayed in, ms'],
];
const SERVERS: readonly ServerName[] = ['ringkeeper', 'apache'];

/** One line per target, for the terminal. */
export function targetLines(result: LargeTreeResult): string[] {
  return targetRows(result).map(
    ({ name, target, ringkeeper, apache, outcome }) =>
      `${outcome.padEnd(13)}${name}: ${ringkeeper}; Apache ${apache}; target ${target}`,
  );
}

export function renderLargeTreeSummary(result: LargeTreeResult): string {
  const rows = targetRows(result).map((row) => [
    row.name,
    row.target,
    row.ringkeeper,
    row.apache,
    `**${row.outcome}**`,
  ]);
  const lines = [
    `# Large tree: ${formatCount(result.nodes)} znodes of 100 bytes`,
    '',
    ...notes(result),
    '## Targets',
    '',
    ...markdownTable(['row', 'target', 'ringkeeper', 'Apache', 'outcome'], rows, () => 'left'),
    '',
    'Every figure: `large-tree.json`. What is measured how: `bench/campaigns/large-tree/README.md`.',
    '',
    ...loadSection(result),
    ...startSection(result),
    ...shapeSection(result.shapes),
    ...campaignFoot(result),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function notes(result: LargeTreeResult): string[] {
  const found: string[] = [];
  if (!result.complete) found.push('**Not complete**: the campaign was interrupted.');
  if (result.nodes !== NODES)
    found.push(`The targets are for ${formatCount(NODES)} znodes: **this run says nothing about them.**`);
  return found.flatMap((note) => [note, '']);
}

function loadSection({ loads, share }: LargeTreeResult): string[] {
  if (loads.length === 0) return [];
  const figures: readonly (readonly [name: string, text: (load: LoadResult) => string])[] = [
    ['peak, closed loop', ({ peakPerSecond }) => formatRate(peakPerSecond)],
    [
      'rate asked for, reached',
      (load) => `${formatRate(load.ratePerSecond)}, ${formatRate(load.reachedPerSecond)}`,
    ],
    ['measured time', ({ measuredMs }) => `${(measuredMs / 1000).toFixed(1)} s`],
    ['`snapCount`', ({ snapCount }) => formatCount(snapCount)],
    ['whole snapshots in it', ({ snapshots }) => String(snapshots.length)],
    [
      'their durations, ms',
      ({ snapshots }) => snapshots.map(({ ms }) => formatCount(ms)).join(', ') || MISSING,
    ],
    ['**during snapshots**: worst', ({ replies }) => worst(replies.during)],
    ['... p99', ({ replies }) => p99(replies.during)],
    ['**outside of snapshots**: worst', ({ replies }) => worst(replies.outside)],
    ['... p99', ({ replies }) => p99(replies.outside)],
    ['whole time: worst', ({ replies }) => worst(replies.whole)],
    ['worst from sending to reply, ms', ({ uncorrected }) => orMissing(uncorrected?.maxMs, formatMs)],
    ['generator late: p99, worst, ms', ({ generator }) => latenessText(generator.lateness)],
    ['generator: longest GC pause, ms', ({ generator }) => formatMs(generator.gcPauseMaxMs)],
    ['generator: thread busy', ({ generator }) => formatPercent(generator.busy)],
    ['some task waited for a processor', ({ cpuPressure }) => orMissing(cpuPressure, formatPercent)],
    ['server: longest GC pause, ms', gcText],
    ['server: longest fsync of its log, ms', fsyncText],
    ['resident, largest sample', ({ residentBytes }) => orMissing(residentBytes, megabytes)],
    ['resident, peak since its start', ({ residentPeakBytes }) => orMissing(residentPeakBytes, megabytes)],
  ];
  return [
    '## Under load while snapshots are written',
    '',
    `70 % get, 30 % set of 100 bytes. Open loop at ${formatPercent(share)} of **each server's own** peak; latency from the`,
    'instant a request was due. Figures are all, reads, writes in ms. Generator and server share the machine: a worst reply',
    'is no better than the generator was on time.',
    '',
    ...markdownTable(
      ['', ...loads.map(({ target }) => target)],
      figures.map(([name, text]) => [name, ...loads.map(text)]),
    ),
    '',
    ...loads.flatMap(findingLines),
    ...loads.flatMap(momentLines),
  ];
}

function findingLines({ server, findings }: LoadResult): string[] {
  if (findings.length === 0) return [];
  return [`**Doubtful, ${server}**: ${findings.join('; ')}.`, ''];
}

function momentLines({ server, worst: moments }: LoadResult): string[] {
  const number = (value: number | null): string => orMissing(value, formatMs);
  const whole = (value: number | null): string => orMissing(value, formatCount);
  return [
    `Worst tenths of a second, ${server}:`,
    '',
    ...markdownTable(
      [
        'at, ms',
        'read, ms',
        'write, ms',
        'generator late, ms',
        'snapshot',
        'since its begin, ms',
        'since its end, ms',
      ],
      moments.map((moment) => [
        formatCount(moment.atMs),
        number(moment.readMs),
        number(moment.writeMs),
        number(moment.generatorLateMs),
        whole(moment.snapshot),
        whole(moment.sinceBeginMs),
        whole(moment.sinceEndMs),
      ]),
      () => 'right',
    ),
    '',
  ];
}

function startSection({ starts }: LargeTreeResult): string[] {
  if (starts.length === 0) return [];
  const rows = SERVERS.flatMap((server) => {
    const some = startsOf(starts, server);
    if (some.length === 0) return [];
    const resident = some.map(({ residentBytes }) => residentBytes).reduce(larger);
    const own = STARTUP_FIGURES.map(([name]) => medianOwn(some, name));
    return [[server, startText(starts, server), orMissing(resident, megabytes), ...own]];
  });
  return [
    '## Start with the tree on disk',
    '',
    'Spawn of the process until the first correct reply to a read; the servers in turn, each on a copy of the same files',
    '(newest snapshot and the log behind it) in the page cache. Right: medians of what the servers say of it themselves.',
    '',
    ...markdownTable(
      ['', 'median (range)', 'resident then, largest', ...STARTUP_FIGURES.map(([, head]) => head)],
      rows,
    ),
    '',
  ];
}

function medianOwn(starts: readonly StartResult[], name: string): string {
  const known = starts.flatMap(({ own }) => own[name] ?? []);
  return known.length === 0 ? MISSING : formatCount(median(known));
}

function shapeSection(shapes: readonly ShapeResult[]): string[] {
  if (shapes.length === 0) return [];
  const figures: readonly (readonly [name: string, text: (shape: ShapeResult) => string])[] = [
    [
      'made in, one session',
      ({ createMs, znodes }) =>
        `${(createMs / 1000).toFixed(1)} s, ${formatRate((znodes / createMs) * 1000)}`,
    ],
    ['resident then', ({ residentBytes }) => orMissing(residentBytes, megabytes)],
    [
      'getChildren of all',
      ({ childList }) =>
        orMissing(
          childList,
          ({ bytes, wholeMs }) => `${(bytes / 1e6).toFixed(1)} MB in ${wholeMs.toFixed(0)} ms`,
        ),
    ],
    [
      'worst ping of another client meanwhile',
      ({ childList }) =>
        orMissing(childList, ({ worstPingMs, pings }) => `${worstPingMs.toFixed(1)} ms of ${pings}`),
    ],
    ['last snapshots, ms', ({ snapshotsMs }) => snapshotsMs.slice(-3).join(', ') || MISSING],
    ['restart until the first read', ({ restartMs }) => `${(restartMs / 1000).toFixed(2)} s`],
    ['resident then, data checked', (shape) => orMissing(shape.residentAfterRestartBytes, megabytes)],
  ];
  return [
    '## Shapes of tree, ringkeeper',
    '',
    ...markdownTable(
      ['', ...shapes.map(({ shape }) => shape)],
      figures.map(([name, text]) => [name, ...shapes.map(text)]),
    ),
    '',
    `After each restart the number of znodes and the data of ${plural(SAMPLES, 'znode')} were compared: equal.`,
    '',
  ];
}

function worst(times: ReplyTimes): string {
  return figureOf(times, ({ maxMs }) => maxMs);
}

function p99(times: ReplyTimes): string {
  return figureOf(times, ({ p99Ms }) => p99Ms);
}

function figureOf({ all, reads, writes }: ReplyTimes, of: (latency: LatencySummary) => number): string {
  return [all, reads, writes].map((latency) => orMissing(latency, (some) => formatMs(of(some)))).join(', ');
}

function latenessText(lateness: LatencySummary | null): string {
  return orMissing(lateness, ({ p99Ms, maxMs }) => `${formatMs(p99Ms)}, ${formatMs(maxMs)}`);
}

function gcText({ gcPauseMaxMs, threadPauses }: LoadResult): string {
  const threads = threadPauses.filter(({ maxMs }) => maxMs > 0);
  const byThread = threads.map(({ thread, maxMs }) => `${thread} ${formatMs(maxMs)}`).join(', ');
  return `${orMissing(gcPauseMaxMs, formatMs)}${byThread === '' ? '' : ` (${byThread})`}`;
}

function fsyncText({ extremes }: LoadResult): string {
  return orMissing(extremes['ringkeeper_log_fsync_ms_max'] ?? extremes['max_fsynctime'], formatMs);
}

/** The way of a write as tables: for the terminal and for `summary.md`. */
import { formatMicros, formatRate, MISSING, orMissing } from '../../figures/format.ts';
import { markdownTable } from '../../figures/markdown.ts';
import { type CampaignHead, campaignFoot } from '../campaign.ts';
import type { MeasuredPath } from './measure-path.ts';

export interface WritePathResult extends CampaignHead {
  readonly loads: readonly MeasuredPath[];
}

export const PICTURE_FILE = 'write-path.svg';

/** Stages down, loads across; the last rows check the sum. */
export function stageTable(loads: readonly MeasuredPath[]): string[] {
  const stages = loads[0]?.path.stages ?? [];
  const rows = stages.map(({ name, origin }, index) => [
    name,
    origin,
    ...loads.flatMap(({ path }) => {
      const micros = path.stages[index]!.micros;
      return [
        orMissing(micros, formatMicros),
        orMissing(micros, (known) => `${((known / path.clientMicros) * 100).toFixed(0)} %`),
      ];
    }),
  ]);
  const total = (name: string, of: (load: MeasuredPath) => number | null): string[] => [
    name,
    '',
    ...loads.flatMap((load) => [orMissing(of(load), formatMicros), '']),
  ];
  return markdownTable(
    ['stage', 'how known', ...loads.flatMap(({ name }) => [`${name}, us`, 'share'])],
    [
      ...rows,
      total('**as the client sees it**', ({ path }) => path.clientMicros),
      total('in the server, by its own clock', ({ path }) => path.serverMicros),
    ],
    (column) => (column < 2 ? 'left' : 'right'),
  );
}

function workTable(loads: readonly MeasuredPath[]): string[] {
  const names = loads[0]?.path.work.map(({ name }) => name) ?? [];
  const rows = names.map((name, index) => [
    name,
    ...loads.map(({ path }) => orMissing(path.work[index]!.microsPerWrite, formatMicros)),
  ]);
  return markdownTable(['busy with', ...loads.map(({ name }) => `${name}, us per write`)], rows);
}

export function renderWritePathSummary(result: WritePathResult): string {
  const { loads } = result;
  const lines = [
    '# Where one write spends its microseconds',
    '',
    `![Stages of a write](${PICTURE_FILE})`,
    '',
    ...(result.complete ? [] : ['**Not complete**: the campaign was interrupted.', '']),
    ...stageTable(loads),
    '',
    'Means over the measured time. *measured*: by the meter of that stage, per batch, because a write waits for its whole',
    'batch. *by difference*: the rest of the time until the log is durable, which no meter shows alone. *by reads*: what a',
    'read takes on the same connections beyond the server’s part of it; in a pipeline a read waits for the writes before it',
    'and shows nothing. *unexplained*: the client’s latency less all of these. More: `bench/campaigns/write-path/path.ts`.',
    '',
    '## What each stage is busy with',
    '',
    'Time per write whatever its batch: the stage with the most is the limit of throughput. Of the log’s thread these are',
    'wall times, waits for the disk included; of the others time that the event loop was not idle.',
    '',
    ...workTable(loads),
    '',
    ...loads.flatMap(loadLines),
    '',
    ...campaignFoot(result),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function loadLines({
  name,
  title,
  load,
  writesPerSecond,
  threading,
  findings,
  path,
}: MeasuredPath): string[] {
  const { requests, records } = path.batches;
  return [
    `- ${name}: ${title}; ${load}; ${formatRate(writesPerSecond)}, threading ${threading}; ` +
      `${size(requests)} requests per batch of the core, ${size(records)} records per sync`,
    ...findings.map(({ text }) => `  - ${text}`),
  ];
}

function size(count: number | null): string {
  return count === null ? MISSING : count.toFixed(1);
}

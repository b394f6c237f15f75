/** The campaign in words and tables. */
import { formatBytes, formatMicros, formatRate, orMissing, plural } from '../../figures/format.ts';
import { markdownTable } from '../../figures/markdown.ts';
import { campaignFoot } from '../campaign.ts';
import { type ClientCampaignResult, type ClientFigures, TASKS, type Task } from './client-json.ts';
import { OURS } from './figures.ts';

const TITLES: Readonly<Record<Task, string>> = {
  gets: '100 getData of 100 bytes under way at a time, one connection',
  single: 'One getData at a time',
  pair: 'One getData at a time, in turn with a raw socket in the same process (CPU and allocation are of both)',
  tree: 'A cache of the whole tree, filled in a fresh process',
  lock: 'A lock nobody else wants: acquire and release',
};

const UNITS = {
  gets: 'pipelined get',
  single: 'get alone',
  tree: 'znode of a cache',
  lock: 'lock and unlock',
} as const;

export function targetLines({ targets }: Pick<ClientCampaignResult, 'targets'>): string[] {
  const verdict = (met: boolean | null): string => (met === null ? 'not measured' : met ? 'yes' : 'NO');
  const rows = targets.map(({ what, target, measured, met }) => [what, target, measured, verdict(met)]);
  return markdownTable(['', 'target', 'median [95 %]', 'met'], rows);
}

export function figureLines(figures: readonly ClientFigures[], task: Task): string[] {
  const rows = figures
    .filter((one) => one.task === task)
    .sort((a, b) => b.perCpuSecond - a.perCpuSecond)
    .map((one) => [
      one.client,
      task === 'tree' ? `${one.seconds.toFixed(2)} s` : formatRate(one.perSecond),
      Math.round(one.perCpuSecond).toLocaleString('en-US'),
      `${one.cpuMicrosPerOp.toFixed(2)} us`,
      orMissing(one.p50Micros, formatMicros),
      orMissing(one.p99Micros, formatMicros),
      orMissing(one.allocatedBytesPerOp, (bytes) => formatBytes(Math.round(bytes))),
    ]);
  const first = task === 'tree' ? 'filled in' : 'per second';
  return markdownTable(['', first, 'per CPU second', 'CPU each', 'p50', 'p99', 'allocated each'], rows);
}

/** What is to be known and has no bound: one lock, and what each kind of request takes. */
function askedFor(figures: readonly ClientFigures[]): string[] {
  const of = (task: Task): ClientFigures | undefined =>
    figures.find((one) => one.task === task && one.client === OURS);
  const lock = of('lock');
  const allocated = (['gets', 'single', 'tree', 'lock'] as const).flatMap((task) => {
    const bytes = of(task)?.allocatedBytesPerOp ?? null;
    return bytes === null ? [] : [`${formatBytes(Math.round(bytes))} per ${UNITS[task]}`];
  });
  return [
    ...(lock === undefined
      ? []
      : [
          `Lock and unlock, nobody else there: ${formatRate(lock.perSecond)}, ${lock.cpuMicrosPerOp.toFixed(0)} us of CPU each.`,
        ]),
    ...(allocated.length === 0 ? [] : [`Allocated: ${allocated.join(', ')}.`]),
    '',
  ];
}

export function renderClientSummary(result: ClientCampaignResult): string {
  const { rounds, secondsEach, server, clients, absent } = result;
  return `${[
    '# The client library beside others',
    '',
    `${plural(rounds, 'round')} on ${server}; each client a process of its own, ${secondsEach} s measured behind its warming, ` +
      'every second round in the other order. Medians; CPU is that of the client process with all its threads. Allocated: objects ' +
      'of the runtime (V8 counts what lies outside its heap nowhere; kazoo and older Node count nothing).',
    '',
    ...targetLines(result),
    '',
    ...askedFor(result.figures),
    ...TASKS.flatMap((task) => [`## ${TITLES[task]}`, '', ...figureLines(result.figures, task), '']),
    '## Who took part',
    '',
    ...clients.map(({ name, what }) => `- ${name}: ${what}`),
    ...absent.map(({ name, why }) => `- ${name}: NOT, ${why}`),
    '',
    ...campaignFoot(result),
  ].join('\n')}\n`;
}

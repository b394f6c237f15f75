/** `report.html` of a soak: the verdict, and how memory, latency, pauses and counts went on. */

import { environmentLine } from '../../figures/describe.ts';
import { formatInstant, formatRate } from '../../figures/format.ts';
import type { Chart } from '../../report/html/chart.ts';
import { factList, html, verdictBox } from '../../report/html/markup.ts';
import { ChartSheet, renderPage } from '../../report/html/page.ts';
import { type Curve, curvesChart } from './curve-chart.ts';
import { GC_PAUSE_MS_MAX } from './rules.ts';
import type { ServerSample, SoakResult } from './soak-json.ts';

const MIB = 1024 * 1024;
const X_NAME = 'Measured time, minutes';

export function renderSoakPage(result: SoakResult): string {
  const { verdict, loads, environment } = result;
  const sheet = new ChartSheet();
  const failed = verdict.some(({ outcome }) => outcome === 'failed');
  const open = verdict.some(({ outcome }) => outcome === 'cannot tell');
  const title = failed ? 'Not steady' : open ? 'Not known in all points' : 'Steady';
  const lines = verdict.map(({ rule, outcome, text }) => `${rule}: ${outcome}. ${text}.`);
  const body = html`<header>
<p class="kicker">Soak</p>
<h1>Steady under load</h1>
${factList([
  ['Server', result.target],
  [
    'Loads',
    loads.map(({ name, throughputPerSecond }) => `${name} ${formatRate(throughputPerSecond)}`).join(', '),
  ],
  ['Machine', environmentLine(environment)],
  ['When', `${formatInstant(result.startedAt)}, ${Number(result.minutes.toFixed(2))} minutes`],
  ['Again', result.command],
])}
</header>
${verdictBox(failed ? 'bad' : open ? 'warn' : 'good', title, lines)}
<h2 id="curves">Over time</h2>
${sheet.placeAll(charts(result))}`;
  return renderPage('Steady under load', body, sheet);
}

function charts({ samples, latencies }: SoakResult): Chart[] {
  const minutes = samples.map(({ atMs }) => atMs / 60_000);
  const of = (name: string, figure: (sample: ServerSample) => number | null): Curve => ({
    name,
    values: samples.map(figure),
  });
  const x = { x: minutes, xName: X_NAME, xFormat: 'plain' } as const;
  return [
    curvesChart({
      ...x,
      title: 'Memory of the server',
      note: 'Resident memory of the process: median and highest reading of each period.',
      yName: 'MiB',
      yFormat: 'mib',
      curves: [
        of('median', ({ rssBytes }) => rssBytes / MIB),
        of('highest', ({ rssMaxBytes }) => rssMaxBytes / MIB),
      ],
    }),
    curvesChart({
      ...x,
      title: 'The znode store',
      note: 'What `mntr` tells of the znode store: live blocks, pages they keep in use, segments.',
      yName: 'MiB',
      yFormat: 'mib',
      curves: memoryNames(samples).map((name) => of(name, ({ memory }) => inMiB(memory[name]))),
    }),
    curvesChart({
      title: 'Latency of the mixed load',
      note: 'All requests of each period, counted from the instant each was due.',
      x: latencies.map(({ atMs }) => atMs / 60_000),
      xName: X_NAME,
      xFormat: 'plain',
      yName: 'Latency, ms',
      yFormat: 'plain',
      logarithmic: true,
      curves: [
        { name: 'max', values: latencies.map(({ maxMs }) => maxMs) },
        { name: 'p99', values: latencies.map(({ p99Ms }) => p99Ms) },
        { name: 'p50', values: latencies.map(({ p50Ms }) => p50Ms) },
      ],
    }),
    curvesChart({
      ...x,
      title: 'Longest so far',
      note: 'Largest values since the measured time began, so the curves only rise.',
      yName: 'ms',
      yFormat: 'ms',
      logarithmic: true,
      curves: [
        of('GC pause', ({ gcPause }) => gcPause?.maxMs ?? null),
        { ...of('allowed', () => GC_PAUSE_MS_MAX), dash: 'dashed' },
        of('event loop late by', ({ timerDelayMsMax }) => timerDelayMsMax),
        of('snapshot', ({ snapshotMsMax }) => snapshotMsMax),
        of('fdatasync', ({ fsyncMsMax }) => fsyncMsMax),
      ],
    }),
    curvesChart({
      ...x,
      title: 'What the server holds',
      note: 'At the end of each period.',
      yName: 'Count',
      yFormat: 'short',
      logarithmic: true,
      curves: [
        of('znodes', ({ znodes }) => znodes),
        of('ephemerals', ({ ephemerals }) => ephemerals),
        of('watches', ({ watches }) => watches),
        of('sessions', ({ sessions }) => sessions),
        of('open files', ({ openFiles }) => openFiles),
      ],
    }),
    curvesChart({
      ...x,
      title: 'Disk',
      note: 'What log files and snapshots take up; the purge runs three times a minute.',
      yName: 'MiB',
      yFormat: 'mib',
      curves: [of('disk', ({ diskBytes }) => diskBytes / MIB)],
    }),
  ].filter((chart) => chart !== null);
}

function memoryNames(samples: readonly ServerSample[]): string[] {
  return Object.keys(samples[0]?.memory ?? {});
}

function inMiB(bytes: number | undefined): number | null {
  return bytes === undefined ? null : bytes / MIB;
}

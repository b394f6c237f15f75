/** A soak in words and figures: lines while it runs, the verdict, `summary.md`. */
import {
  formatCount,
  formatMiB,
  formatMs,
  formatRate,
  MISSING,
  orMissing,
  plural,
} from '../../figures/format.ts';
import { markdownTable } from '../../figures/markdown.ts';
import { campaignFoot } from '../campaign.ts';
import type { RuleVerdict, ServerSample, SoakLoad, SoakResult } from './soak-json.ts';

const COLUMNS: readonly (readonly [head: string, width: number, text: (sample: ServerSample) => string])[] = [
  ['at, s', 7, ({ atMs }) => (atMs / 1000).toFixed(0)],
  ['memory', 11, ({ rssBytes }) => formatMiB(rssBytes)],
  ['store', 11, ({ memory }) => orMissing(memory['store_pages_bytes_now'], formatMiB)],
  ['znodes', 9, ({ znodes }) => formatCount(znodes)],
  ['ephemerals', 11, ({ ephemerals }) => formatCount(ephemerals)],
  ['watches', 9, ({ watches }) => formatCount(watches)],
  ['sessions', 9, ({ sessions }) => formatCount(sessions)],
  ['files', 6, ({ openFiles }) => formatCount(openFiles)],
  ['disk', 11, ({ diskBytes }) => formatMiB(diskBytes)],
  ['snapshots', 10, ({ snapshots }) => orMissing(snapshots, formatCount)],
  ['gc max, ms', 11, ({ gcPause }) => orMissing(gcPause?.maxMs, formatMs)],
];

export function sampleLineHead(): string {
  return COLUMNS.map(([head, width]) => head.padStart(width)).join('');
}

export function sampleLine(sample: ServerSample): string {
  return COLUMNS.map(([, width, text]) => text(sample).padStart(width)).join('');
}

export function verdictLines(verdict: readonly RuleVerdict[]): string[] {
  return verdict.map(({ rule, outcome, text }) => `${rule.padEnd(10)} ${outcome.padEnd(11)} ${text}`);
}

export function renderSoakSummary(result: SoakResult): string {
  const { samples, latencies, loads, verdict } = result;
  const lines = [
    `# Steady under load: ${Number(result.minutes.toFixed(2))} minutes`,
    '',
    `\`${result.target}\`, ${formatRate(result.ratePerSecond)} of mixed requests${peakText(result)} beside a session storm.`,
    `${result.complete ? '' : '**Interrupted.** '}Curves: \`report.html\`; every figure: \`soak.json\`; the rules: \`bench/campaigns/soak/rules.ts\`.`,
    '',
    '## Verdict',
    '',
    ...markdownTable(
      ['rule', 'outcome', 'figures'],
      verdict.map(({ rule, outcome, text }) => [rule, `**${outcome}**`, text]),
      () => 'left',
    ),
    '',
    '## Over time',
    '',
    `Server at the end of each period; largest pauses are since the measured time began.${missedText(result)}`,
    '',
    ...markdownTable(
      COLUMNS.map(([head]) => head),
      samples.map((sample) => COLUMNS.map(([, , text]) => text(sample))),
      () => 'right',
    ),
    '',
    'Latency of the mixed load, from the instant each request was due.',
    '',
    ...markdownTable(
      ['until, s', 'requests', 'p50, ms', 'p99, ms', 'max, ms'],
      latencies.map(({ atMs, count, p50Ms, p99Ms, maxMs }) => [
        (atMs / 1000).toFixed(0),
        formatCount(count),
        formatMs(p50Ms),
        formatMs(p99Ms),
        formatMs(maxMs),
      ]),
      () => 'right',
    ),
    '',
    '## Loads',
    '',
    ...loads.flatMap(loadLines),
    ...campaignFoot(result),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function missedText({ missedSamples }: SoakResult): string {
  return missedSamples === 0 ? '' : ` In ${plural(missedSamples, 'period')} it did not answer in time.`;
}

function peakText({ peakPerSecond, ratePerSecond }: SoakResult): string {
  if (peakPerSecond === null) return '';
  const share = ((ratePerSecond / peakPerSecond) * 100).toFixed(0);
  return ` (${share} % of the ${formatRate(peakPerSecond)} that the same mix reaches in a closed loop)`;
}

function loadLines({ name, load, throughputPerSecond, findings, ops }: SoakLoad): string[] {
  return [
    `**${name}**, ${formatRate(throughputPerSecond)}: ${load}.`,
    '',
    ...findings.map(({ text }) => `- ${text}`),
    ...(findings.length > 0 ? [''] : []),
    ...markdownTable(
      ['op', 'rate', 'p50, ms', 'p99, ms', 'p99.9, ms', 'max, ms'],
      ops.map(({ label, perSecond, latency }) => [
        label,
        formatRate(perSecond),
        ...[latency.p50Ms, latency.p99Ms, latency.p999Ms, latency.maxMs].map((ms) =>
          Number.isFinite(ms) ? formatMs(ms) : MISSING,
        ),
      ]),
    ),
    '',
  ];
}

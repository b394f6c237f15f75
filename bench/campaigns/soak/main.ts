/**
 * Is the server steady under load for as long as one cares to wait? Sessions, ephemerals, watches, multis, lists and
 * snapshots at once, at a share of the peak; one line per minute, a verdict by rule at the end (rules.ts). Exit status 1
 * when a rule failed.
 *
 *     node bench/campaigns/soak/main.ts [--minutes 30] [--share 20%] [--rate N] [--clients 2] [--snapshots 15s]
 *
 *     --share        of the peak, which is measured first, in a closed loop on a server of its own
 *     --rate         requests per second in its place
 *     --clients      of the session storm
 *     --snapshots    time between two snapshots, on average
 *     --out, --temp-dir   where the result goes, where the server keeps its data
 */
import { tmpdir } from 'node:os';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { parseDuration, parseShare } from '../../plan/quantity.ts';
import { prepareOut } from '../../report/result-dir.ts';
import { RESULTS_DIR } from '../../terminal/flags.ts';
import { terminalProgress } from '../../terminal/progress.ts';
import { countFlag, numberFlag, readFlags, repeatText, runCampaign, saveCampaign } from '../campaign.ts';
import { soak } from './soak.ts';
import { renderSoakPage } from './soak-page.ts';
import { renderSoakSummary, sampleLine, sampleLineHead, verdictLines } from './soak-text.ts';

await runCampaign('stopping; what was measured is saved', async (abort) => {
  const args = process.argv.slice(2);
  const flags = readFlags(args, {
    minutes: '30',
    share: '20%',
    rate: '',
    clients: '2',
    snapshots: '15s',
    out: RESULTS_DIR,
    'temp-dir': tmpdir(),
  });
  prepareOut(flags.out);
  const options = {
    minutes: numberFlag('minutes', flags.minutes, 0.05, 1440),
    ratePerSecond: flags.rate === '' ? null : numberFlag('rate', flags.rate, 1, 50_000_000),
    peakShare: shareFlag(flags.share),
    sessionClients: countFlag('clients', flags.clients, 1, 1_000),
    snapshotSeconds: secondsFlag(flags.snapshots),
    tempParent: flags['temp-dir'],
    command: repeatText('bench/campaigns/soak/main.ts', args),
  };
  process.stdout.write(`${sampleLineHead()}\n`);
  const result = await soak({
    ...options,
    abort,
    progress: terminalProgress(),
    onSample: (sample) => process.stdout.write(`${sampleLine(sample)}\n`),
  });
  if (result === null) {
    process.stderr.write('nothing was measured\n');
    return 1;
  }
  process.stdout.write(`\n${verdictLines(result.verdict).join('\n')}\n`);
  const dir = saveCampaign(flags.out, 'soak', result, [
    { name: 'summary.md', content: renderSoakSummary(result) },
    { name: 'report.html', content: renderSoakPage(result) },
  ]);
  process.stdout.write(`saved in ${dir}\n`);
  return result.verdict.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
});

function shareFlag(text: string): number {
  const share = parseShare(text);
  if (share !== null && share > 0) return share;
  throw new ConfigFailure(`--share: "${text}" - allowed: a percentage above 0, e.g. 20%`);
}

function secondsFlag(text: string): number {
  const ms = parseDuration(text);
  if (ms !== null && ms >= 1_000) return ms / 1000;
  throw new ConfigFailure(`--snapshots: "${text}" - allowed: a time with its unit from 1s, e.g. 15s`);
}

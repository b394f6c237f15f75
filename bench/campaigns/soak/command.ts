/**
 * `ringkeeper bench campaign soak`: is the server steady under load for as long as one cares to wait? Sessions,
 * ephemerals, watches, multis, lists and snapshots at once, at a share of the peak; one line per minute, a verdict by
 * rule at the end (rules.ts). Exit status 1 when a rule failed.
 */
import type { Argv, CommandModule } from 'yargs';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { parseDuration, parseShare } from '../../plan/quantity.ts';
import { prepareOut } from '../../report/result-dir.ts';
import { oneText, type WarmFlags, warmUpMsOf, withWarmFlag } from '../../terminal/flags.ts';
import { interruptible } from '../../terminal/interruption.ts';
import { terminalProgress } from '../../terminal/progress.ts';
import {
  countFlag,
  numberFlag,
  type PlaceFlags,
  saveCampaign,
  thisCommand,
  withPlaces,
} from '../campaign.ts';
import { soak } from './soak.ts';
import { renderSoakPage } from './soak-page.ts';
import { renderSoakSummary, sampleLine, sampleLineHead, verdictLines } from './soak-text.ts';

interface SoakFlags extends PlaceFlags, WarmFlags {
  readonly minutes: string;
  readonly share: string;
  readonly rate: string;
  readonly clients: string;
  readonly snapshots: string;
}

export const soakCommand: CommandModule<object, SoakFlags> = {
  builder: (args: Argv): Argv<SoakFlags> =>
    withWarmFlag(withPlaces(args), 'Servers that are started:')
      .option('minutes', { ...oneText, default: '30', describe: 'how long' })
      .option('share', {
        ...oneText,
        default: '20%',
        describe: 'of the peak, which is measured first, in a closed loop on a server of its own',
      })
      .option('rate', {
        ...oneText,
        default: '',
        defaultDescription: 'by --share',
        describe: 'requests a second instead',
      })
      .option('clients', { ...oneText, default: '2', describe: 'of the session storm' })
      .option('snapshots', {
        ...oneText,
        default: '15s',
        describe: 'time between two snapshots, on average',
      }) as Argv<unknown> as Argv<SoakFlags>,
  handler: (flags) => interruptible('stopping; what was measured is saved', (abort) => runSoak(flags, abort)),
};

async function runSoak(flags: SoakFlags, abort: AbortSignal): Promise<number> {
  prepareOut(flags.out);
  const options = {
    minutes: numberFlag('minutes', flags.minutes, 0.05, 1440),
    ratePerSecond: flags.rate === '' ? null : numberFlag('rate', flags.rate, 1, 50_000_000),
    peakShare: shareFlag(flags.share),
    sessionClients: countFlag('clients', flags.clients, 1, 1_000),
    snapshotSeconds: secondsFlag(flags.snapshots),
    tempParent: flags.tempDir,
    warmUpMsMax: warmUpMsOf(flags),
    command: thisCommand(),
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
}

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

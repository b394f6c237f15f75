/**
 * `ringkeeper bench campaign write-path`: where does one write spend its microseconds? Durable writes by 8 clients with one in flight, then by 50 with 100, each
 * on a fresh server; the stages from the server's own meters, beside the latency that the clients see (path.ts).
 *
 *     <date>-write-path-<commit>/    write-path.json   summary.md   write-path.svg (for the README; light and dark)
 */
import type { Argv, CommandModule } from 'yargs';
import { captureMachine } from '../../measure/environment.ts';
import { prepareOut } from '../../report/result-dir.ts';
import { oneText, type WarmFlags, warmUpMsOf, withWarmFlag } from '../../terminal/flags.ts';
import { interruptible } from '../../terminal/interruption.ts';
import { terminalProgress } from '../../terminal/progress.ts';
import { numberFlag, type PlaceFlags, saveCampaign, thisCommand, withPlaces } from '../campaign.ts';
import { type MeasuredPath, measurePath, PATH_LOADS } from './measure-path.ts';
import { PICTURE_FILE, renderWritePathSummary, stageTable, type WritePathResult } from './path-text.ts';
import { renderPicture } from './picture.ts';

const WARMUP_SHARE = 0.4;

interface WritePathFlags extends PlaceFlags, WarmFlags {
  readonly seconds: string;
}

export const writePathCommand: CommandModule<object, WritePathFlags> = {
  builder: (args: Argv): Argv<WritePathFlags> =>
    withWarmFlag(withPlaces(args), 'Servers that are started:').option('seconds', {
      ...oneText,
      default: '10',
      describe: 'measured per load',
    }) as Argv<unknown> as Argv<WritePathFlags>,
  handler: (flags) =>
    interruptible('stopping; loads that are done are saved', (abort) => runWritePath(flags, abort)),
};

async function runWritePath(flags: WritePathFlags, abort: AbortSignal): Promise<number> {
  prepareOut(flags.out);
  const measureMs = numberFlag('seconds', flags.seconds, 0.5, 3600) * 1000;
  const times = { warmupMs: Math.round(measureMs * WARMUP_SHARE), measureMs };
  const tempParent = flags.tempDir;
  const warmUpMsMax = warmUpMsOf(flags);
  const command = thisCommand();
  const startedAt = new Date().toISOString();
  const environment = captureMachine(tempParent);
  const progress = terminalProgress();
  const loads: MeasuredPath[] = [];
  for (const load of PATH_LOADS) {
    if (abort.aborted) break;
    const options = { tempParent, command, abort, warmUpMsMax, progress };
    const measured = await measurePath(load, times, options);
    if (measured !== null) loads.push(measured);
  }
  if (loads.length === 0) {
    process.stderr.write('nothing was measured\n');
    return 1;
  }
  const result: WritePathResult = {
    schema: 'ringkeeper-bench-write-path',
    schemaVersion: 1,
    startedAt,
    command,
    complete: loads.length === PATH_LOADS.length,
    environment,
    loads,
  };
  process.stdout.write(`${stageTable(loads).join('\n')}\n`);
  const dir = saveCampaign(flags.out, 'write-path', result, [
    { name: 'summary.md', content: renderWritePathSummary(result) },
    { name: PICTURE_FILE, content: renderPicture(loads) },
  ]);
  process.stdout.write(`saved in ${dir}\n`);
  return 0;
}

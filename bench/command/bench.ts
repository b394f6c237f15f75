/**
 * `ringkeeper bench <command>`: mounted by the program's command line, which loads it only when it is asked for. How each
 * command ends: exit-status.ts.
 */
import type { Argv, CommandModule } from 'yargs';
import { availabilityCommand } from './availability.ts';
import { campaignCommand } from './campaign.ts';
import { compareCommand } from './compare.ts';
import { listCommand } from './list.ts';
import { recordCommand } from './record.ts';
import { replayCommand } from './replay.ts';
import { reportCommand } from './report.ts';
import { runCommand } from './run.ts';
import { sweepCommand } from './sweep.ts';
import { tuneCommand } from './tune.ts';

export const benchCommand: CommandModule<object, object> = {
  command: 'bench',
  describe: 'Measure any ZooKeeper service: throughput, latency, availability',
  builder: (args: Argv): Argv<object> =>
    args
      .command(runCommand)
      .command(listCommand)
      .command(sweepCommand)
      .command(compareCommand)
      .command(tuneCommand)
      .command(reportCommand)
      .command(recordCommand)
      .command(replayCommand)
      .command(availabilityCommand)
      .command(campaignCommand)
      .epilogue(
        'Exit status: 0 the figures hold; 1 the target failed, or the result was not saved; 2 something to mend, with one line; ' +
          '3 a gate or a check refuses; 4 the figures are void; 128 + n after a signal',
      )
      .demandCommand(1, 'say what to do: ringkeeper bench run PLAN, or ringkeeper bench --help'),
  handler: () => {},
};

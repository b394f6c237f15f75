/**
 * `ringkeeper bench availability TARGET...`: how much of the time is an ensemble up while its servers fail? Each target in
 * turn, under the same faults in the same order; what it means is in README.md. Exit status 3 when an acknowledged write
 * is missing.
 *
 *     results/<date>-availability-<commit>/   availability.json   summary.md
 */
import type { Argv, CommandModule } from 'yargs';
import { ConfigFailure } from '../../src/base/failure.ts';
import {
  campaignFoot,
  countFlag,
  numberFlag,
  type PlaceFlags,
  saveCampaign,
  thisCommand,
  withPlaces,
} from '../campaigns/campaign.ts';
import { captureMachine } from '../measure/environment.ts';
import { prepareOut } from '../report/result-dir.ts';
import { parseTargetSpec } from '../target/target-spec.ts';
import { oneText } from '../terminal/flags.ts';
import { interruptible } from '../terminal/interruption.ts';
import { availabilityLines } from './availability-text.ts';
import {
  type EnsembleSpec,
  FAULT_KINDS,
  measureFaults,
  type TargetUnderFaults,
  VICTIMS,
} from './measure-faults.ts';

interface AvailabilityFlags extends PlaceFlags {
  readonly targets?: readonly string[];
  readonly faults: string;
  readonly victims: string;
  readonly rounds: string;
  readonly down: string;
  readonly rest: string;
  readonly perMonth: string;
  readonly seed: string;
}

const STATUS_LOST = 3;

export const availabilityCommand: CommandModule<object, AvailabilityFlags> = {
  builder: (args: Argv): Argv<AvailabilityFlags> =>
    withPlaces(args)
      .positional('targets', { type: 'string', array: true, describe: 'embedded:3, apache:3, mixed:2+1 ...' })
      .option('faults', { ...oneText, default: FAULT_KINDS.join(','), describe: 'of these, by comma' })
      .option('victims', { ...oneText, default: 'leader,follower', describe: `of ${VICTIMS.join(', ')}` })
      .option('rounds', { ...oneText, default: '9', describe: 'of each fault, for each victim' })
      .option('down', { ...oneText, default: '5', describe: 'seconds until a server is mended' })
      .option('rest', { ...oneText, default: '3', describe: 'seconds of peace after all serve again' })
      .option('per-month', { ...oneText, default: '4', describe: 'faults, for what it means a month' })
      .option('seed', {
        ...oneText,
        default: '1',
        describe: 'of the order, the moments and the victims',
      }) as Argv<unknown> as Argv<AvailabilityFlags>,
  handler: (flags) =>
    interruptible('stopping the servers; nothing is saved', (abort) => runAvailability(flags, abort)),
};

async function runAvailability(flags: AvailabilityFlags, abort: AbortSignal): Promise<number> {
  const specs = (flags.targets ?? []).map(ensembleOf);
  if (specs.length === 0)
    throw new ConfigFailure('bench availability: of what? - for instance: embedded:3 apache:3');
  const setting = {
    kinds: listOf('faults', flags.faults, FAULT_KINDS),
    victims: listOf('victims', flags.victims, VICTIMS),
    rounds: countFlag('rounds', flags.rounds, 1, 1_000),
    downMs: 1_000 * numberFlag('down', flags.down, 0.1, 600),
    restMs: 1_000 * numberFlag('rest', flags.rest, 0.5, 600),
    seed: countFlag('seed', flags.seed, 0, 2 ** 32 - 1),
    tempDir: flags.tempDir,
  };
  const perMonth = numberFlag('per-month', flags.perMonth, 0, 1_000_000);
  for (const { text, observers } of specs) {
    if (!setting.victims.includes('observer') || observers.length > 0) continue;
    throw new ConfigFailure(
      `--victims: observer - "${text}" has none; allowed: with observers, like embedded:3+1`,
    );
  }
  prepareOut(flags.out);
  const startedAt = new Date().toISOString();
  const environment = captureMachine(flags.tempDir);
  const results: TargetUnderFaults[] = [];
  for (const spec of specs) {
    const onFault = (done: number, of: number, fault: string): void => {
      process.stderr.write(`${spec.text}: ${done}/${of} ${fault}\n`);
    };
    results.push(await measureFaults(spec, setting, abort, onFault));
  }
  const { tempDir: _, ...settingShown } = setting;
  const head = {
    schema: 'ringkeeper-bench-availability',
    schemaVersion: 1,
    startedAt,
    command: thisCommand(),
    environment,
    complete: true,
  };
  const text = availabilityLines(results, perMonth);
  process.stdout.write(`${text.join('\n')}\n`);
  const document = { ...head, setting: settingShown, faultsPerMonth: perMonth, targets: results };
  const summary = `${[...text, ...campaignFoot(head)].join('\n')}\n`;
  const dir = saveCampaign(flags.out, 'availability', document, [{ name: 'summary.md', content: summary }]);
  process.stdout.write(`saved in ${dir}\n`);
  return results.some(({ missing }) => missing.length > 0) ? STATUS_LOST : 0;
}

function ensembleOf(text: string): EnsembleSpec {
  const spec = parseTargetSpec(text);
  if (spec.kind === 'ensemble' && spec.voters.length >= 3) return spec;
  throw new ConfigFailure(
    `bench availability: "${text}" - allowed: three voters or more on this machine, like embedded:3, apache:3, mixed:2+1`,
  );
}

function listOf<T extends string>(flag: string, text: string, allowed: readonly T[]): T[] {
  return text.split(',').map((word) => {
    const known = allowed.find((one) => one === word.trim());
    if (known !== undefined) return known;
    throw new ConfigFailure(`--${flag}: "${word}" - allowed: ${allowed.join(', ')}, several by comma`);
  });
}

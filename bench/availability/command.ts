/**
 * `ringkeeper bench availability TARGET...`: how much of the time is an ensemble up while its servers fail? Each target in
 * turn, under the same faults in the same order; what it means is in README.md. Exit status 3 when an acknowledged write
 * is missing.
 *
 *     results/<date>-availability-<commit>/   availability.json   summary.md   report.html
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
import { formatDuration } from '../figures/format.ts';
import { captureMachine } from '../measure/environment.ts';
import { prepareOut } from '../report/result-dir.ts';
import { parseTargetSpec } from '../target/target-spec.ts';
import { oneText } from '../terminal/flags.ts';
import { interruptible } from '../terminal/interruption.ts';
import { renderAvailabilityPage } from './availability-page.ts';
import { availabilityLines } from './availability-text.ts';
import { refuseWithoutPrlimit } from './disk.ts';
import { expectedMs } from './fault-run.ts';
import { SCRIPT_VOTERS_MIN } from './fault-script.ts';
import { FAULT_KINDS, type FaultPlan, parseFaults, refuseTogether, VICTIMS } from './faults.ts';
import {
  type EnsembleSpec,
  type FaultSetting,
  measureFaults,
  type TargetUnderFaults,
} from './measure-faults.ts';
import type { LoadSetting } from './paced-load.ts';

interface AvailabilityFlags extends PlaceFlags {
  readonly targets?: readonly string[];
  readonly faults: string;
  readonly victims: string;
  readonly rounds: string;
  readonly down: string;
  readonly rest: string;
  readonly warm: string;
  readonly delay: string;
  readonly slowSync: string;
  readonly script: string;
  readonly scriptSeconds: string;
  readonly load: string;
  readonly sessionTimeout: string;
  readonly perMonth: string;
  readonly seed: string;
}

const STATUS_LOST = 3;
const START_MS = 5_000;
const SCRIPT = 'atc10-fig8';

export const availabilityCommand: CommandModule<object, AvailabilityFlags> = {
  builder: (args: Argv): Argv<AvailabilityFlags> =>
    withPlaces(args)
      .positional('targets', { type: 'string', array: true, describe: 'embedded:3, apache:3, mixed:2+1 ...' })
      .option('faults', {
        ...oneText,
        default: 'kill,pause,stop,partition',
        describe: `by comma, of ${FAULT_KINDS.join(', ')}; kill:leader has a victim of its own`,
      })
      .option('victims', {
        ...oneText,
        default: 'leader,follower',
        describe: `of faults without one, by comma, of ${VICTIMS.join(', ')}`,
      })
      .option('rounds', { ...oneText, default: '9', describe: 'of each fault, for each victim' })
      .option('down', { ...oneText, default: '5', describe: 'seconds until a server is mended' })
      .option('rest', { ...oneText, default: '3', describe: 'seconds of peace after all serve again' })
      .option('warm', { ...oneText, default: '10', describe: 'seconds of load before the first fault' })
      .option('delay', { ...oneText, default: '25', describe: 'ms, of delay and jitter between servers' })
      .option('slow-sync', { ...oneText, default: '100', describe: 'ms, of disk-slow, on top of each sync' })
      .option('script', {
        ...oneText,
        default: '',
        defaultDescription: 'none',
        describe: 'atc10-fig8: the failures of the ZooKeeper paper instead of --faults; five voters',
      })
      .option('script-seconds', { ...oneText, default: '300', describe: 'of the script' })
      .option('load', {
        ...oneText,
        default: '500',
        describe: 'requests a second beside the probes, 30 % of them writes of 1 KB; 0: none',
      })
      .option('session-timeout', {
        ...oneText,
        default: '6',
        describe: 'seconds, of the clients of the load',
      })
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
  const scriptMs = scriptOf(flags);
  const setting = {
    scriptMs,
    faults: scriptMs === null ? parseFaults(flags.faults, flags.victims) : [],
    rounds: countFlag('rounds', flags.rounds, 1, 1_000),
    downMs: 1_000 * numberFlag('down', flags.down, 0.1, 600),
    restMs: 1_000 * numberFlag('rest', flags.rest, 0.5, 600),
    warmMs: 1_000 * numberFlag('warm', flags.warm, 0, 600),
    delayMs: numberFlag('delay', flags.delay, 1, 10_000),
    syncMs: countFlag('slow-sync', flags.slowSync, 1, 60_000),
    load: loadOf(flags),
    seed: countFlag('seed', flags.seed, 0, 2 ** 32 - 1),
    tempDir: flags.tempDir,
  };
  const perMonth = numberFlag('per-month', flags.perMonth, 0, 1_000_000);
  for (const spec of specs) {
    if (scriptMs === null) refuseMissing(spec, setting.faults);
    else refuseSmall(spec);
  }
  if (setting.faults.some(({ kind }) => kind === 'disk-full')) await refuseWithoutPrlimit();
  refuseTogether(setting.faults);
  prepareOut(flags.out);
  const startedAt = new Date().toISOString();
  const environment = captureMachine(flags.tempDir);
  process.stderr.write(`about ${formatDuration(wholeMs(specs, setting))} in all\n`);
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
  const page = renderAvailabilityPage(head, results, perMonth);
  const dir = saveCampaign(flags.out, 'availability', document, [
    { name: 'summary.md', content: summary },
    { name: 'report.html', content: page },
  ]);
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

/** Of all targets, with the starts of their servers. */
function wholeMs(specs: readonly EnsembleSpec[], setting: FaultSetting): number {
  const { scriptMs, warmMs } = setting;
  return specs
    .map(({ voters, observers }) => scriptMs ?? expectedMs(setting, voters.length + observers.length))
    .reduce((sum, ms) => sum + START_MS + warmMs + ms, 0);
}

function scriptOf({ script, scriptSeconds }: AvailabilityFlags): number | null {
  if (script !== '' && script !== SCRIPT)
    throw new ConfigFailure(`--script: "${script}" - allowed: ${SCRIPT}`);
  const seconds = numberFlag('script-seconds', scriptSeconds, 10, 36_000);
  return script === '' ? null : 1_000 * seconds;
}

function refuseSmall({ text, voters }: EnsembleSpec): void {
  if (voters.length >= SCRIPT_VOTERS_MIN) return;
  throw new ConfigFailure(
    `--script ${SCRIPT}: "${text}" - allowed: five voters or more, two of them fail at once`,
  );
}

function loadOf(flags: AvailabilityFlags): LoadSetting | null {
  const tens = countFlag('load', flags.load, 0, 20_000) / 10;
  if (!Number.isInteger(tens))
    throw new ConfigFailure(`--load: "${flags.load}" - allowed: a multiple of 10 requests a second`);
  const sessionTimeoutMs = 1_000 * numberFlag('session-timeout', flags.sessionTimeout, 1, 600);
  return tens === 0 ? null : { ratePerSecond: 10 * tens, sessionTimeoutMs };
}

/** What an ensemble cannot have. */
function refuseMissing({ text, voters, observers }: EnsembleSpec, faults: readonly FaultPlan[]): void {
  for (const { kind, victim } of faults) {
    if (kind === 'disk-slow' && [...voters, ...observers].includes('apache'))
      throw new ConfigFailure(
        `disk-slow: "${text}" - allowed: servers of ringkeeper; to slow Apache's takes a device of root's`,
      );
    if (victim === 'observer' && observers.length === 0)
      throw new ConfigFailure(
        `${kind}:observer - "${text}" has none; allowed: with observers, like embedded:3+1`,
      );
  }
}

/** `ringkeeper bench tune TARGET`: searches the server's settings for an objective, and confirms what it found. */
import type { Argv, CommandModule } from 'yargs';
import { ConfigFailure } from '../../src/base/failure.ts';
import { formatDuration, formatRatio, plural } from '../figures/format.ts';
import { settingsText } from '../figures/tune-figures.ts';
import { plannedMs } from '../plan/plan.ts';
import { parseShare } from '../plan/quantity.ts';
import { prepareOut } from '../report/result-dir.ts';
import { saveTuning, tuneDirName } from '../report/save-tune.ts';
import type { Tuning } from '../result/tune-json.ts';
import { targetNeeds } from '../run/run-plan.ts';
import { startTarget } from '../target/start-target.ts';
import { parseTargetSpec, type TargetSpec, withSettings } from '../target/target-spec.ts';
import { manyTexts, type OutputFlags, oneText, warmUpMsOf, withOutputFlags } from '../terminal/flags.ts';
import { interruptible } from '../terminal/interruption.ts';
import { repeatCommand } from '../terminal/repeat-command.ts';
import { renderTuning } from '../terminal/terminal-tune.ts';
import { parseObjective } from '../tune/objective.ts';
import { type Parameter, parseParameter, withoutFixed } from '../tune/space.ts';
import { SPACES, type SpaceName } from '../tune/spaces.ts';
import { tuneTarget } from '../tune/tune-target.ts';
import { runsAtMost, type Tuner } from '../tune/tuner.ts';
import {
  type CeilingFlags,
  measureOn,
  type ServerFlags,
  withCeilingFlag,
  withServerFlags,
} from './engine.ts';
import { ExitStatus, statusOfSeries } from './exit-status.ts';
import { labelled, printAndSave, progressFor, tell, warnOfOthers } from './output.ts';
import { type PlanFlags, planFromFlags, withPlanFlags } from './plan-flags.ts';
import { nothingMeasured } from './run.ts';
import { SeriesDir } from './series-dir.ts';

interface TuneFlags extends PlanFlags, OutputFlags, ServerFlags, CeilingFlags {
  readonly target: string;
  readonly plan: string;
  readonly objective: string;
  readonly param: readonly string[];
  readonly settings: number;
  readonly pairs: number;
  readonly minEffect: string;
}

/** Start, tree and end of a server, roughly. */
const AROUND_RUN_MS = 1_500;

type TunableSpec = Extract<TargetSpec, { readonly settings: unknown }>;

export const tuneCommand: CommandModule<object, TuneFlags> = {
  command: 'tune [target]',
  describe: 'Search batching and threading settings that beat the default',
  builder: (args: Argv): Argv<TuneFlags> =>
    withOutputFlags(withServerFlags(withPlanFlags(withOwnFlags(args))))
      .example('$0 bench tune embedded --objective "goodput at p99 <= 5ms"', '')
      .example(
        '$0 bench tune apache:3 --param flushDelay=1,5 --param maxBatchSize=100,5000',
        '',
      ) as Argv<unknown> as Argv<TuneFlags>,
  handler: (flags) => interruptible('stopping; what was measured is saved', (abort) => tune(flags, abort)),
};

function withOwnFlags<T>(args: Argv<T>): Argv<T> {
  const group = 'Tuning:';
  const one = { ...oneText, group };
  const number = { type: 'number', group } as const;
  const own = args
    .positional('target', {
      type: 'string',
      default: 'embedded',
      describe:
        'embedded, apache, embedded:3, apache:3, mixed:2+1 or commit:REV; its own settings stay as they are',
    })
    .option('plan', { ...one, default: 'durable-writes', describe: 'name of a preset, or a file' })
    .option('objective', {
      ...one,
      default: 'goodput at p99 <= 5ms',
      describe: 'also throughput, p50, p99, p999, mean, cpu',
    })
    .option('param', {
      ...manyTexts,
      group,
      default: [],
      defaultDescription: 'those of the kind of server',
      describe: 'only this parameter: KEY=VALUE,VALUE; may be given again',
    })
    .option('settings', { ...number, default: 12, describe: 'settings in the first round' })
    .option('pairs', { ...number, default: 12, describe: 'fresh pairs that confirm the best one' })
    .option('min-effect', { ...one, default: '5%', describe: 'the smallest gain that matters' });
  return withCeilingFlag(own, group, { warmMax: '3s', ceiling: false }) as Argv<unknown> as Argv<T>;
}

async function tune(flags: TuneFlags, abort: AbortSignal): Promise<number> {
  const base = tunable(flags.target);
  const objective = parseObjective(flags.objective);
  const parameters = parametersFor(base, flags.param);
  const { plan } = planFromFlags(flags.plan, flags);
  if (plan.sweep.length > 0 || plan.search !== null)
    throw new ConfigFailure(
      `--plan: ${flags.plan} has a sweep or a search - allowed: one load, take them away with --set sweep={}`,
    );
  const options = {
    parameters,
    objective,
    startCount: countOf('--settings', flags.settings, 2),
    confirmPairs: countOf('--pairs', flags.pairs, 6),
    minEffect: shareOf(flags.minEffect),
    seed: plan.seed,
  };
  prepareOut(flags.out);
  await warnOfOthers(flags);
  const { serverArg: serverArgs, tempDir: tempParent } = flags;
  await (await startTarget(base, { serverArgs, tempParent, ...targetNeeds(plan) })).stop();
  const runCount = runsAtMost(options);
  if (!flags.json) {
    const runMs = plannedMs(plan) + plan.phases.length * warmUpMsOf(flags) + AROUND_RUN_MS;
    process.stderr.write(`at most ${runCount} runs, which may take ${formatDuration(runCount * runMs)}\n`);
  }
  const dir = new SeriesDir(flags.out);
  const targets = new Map<string, TargetSpec>();
  const sideOf = (settings: Readonly<Record<string, string>>): string => {
    const spec = withSettings(base, settings);
    targets.set(spec.text, spec);
    return spec.text;
  };
  const progress = labelled(progressFor(flags), () => dir.runs.length + 1, runCount);
  const command = repeatCommand(process.argv.slice(2));
  const { tuning, failure } = await tuneTarget(
    plan,
    {
      ...options,
      ...{ sideOf, command },
      onRun: (run) => dir.save(run),
      onRound: (round, tuner) => {
        if (!flags.json) process.stderr.write(`${roundText(round, tuner)}\n`);
      },
    },
    measureOn(targets, { flags, command, progress, abort }),
  );
  const failed = failure === null ? 0 : tell(failure);
  if (tuning === null) return failed || nothingMeasured();
  const printed = {
    text: (style: Parameters<typeof renderTuning>[1]) => renderTuning(tuning, style),
    json: `${JSON.stringify(tuning)}\n`,
  };
  const saved = printAndSave(printed, flags, () =>
    dir.finish(tuneDirName(tuning), (place) => saveTuning(tuning, place)),
  );
  return failed || saved || statusOfSeries(dir.runs) || statusOf(tuning);
}

/** A confirmation with a void run is none; in the search, settings are tried that a server cannot live with. */
function statusOf({ runs }: Tuning): number {
  const isVoid = runs.some(({ round, verdict }) => round === 0 && verdict === 'void');
  return isVoid ? ExitStatus.void : ExitStatus.done;
}

function roundText(round: number, tuner: Tuner): string {
  if (round === 0) return `confirming ${settingsText(tuner.best ?? {})} in fresh pairs`;
  const { leader } = tuner;
  const known =
    leader === null
      ? ''
      : `; ahead: ${settingsText(leader.settings)}, ${formatRatio(leader.ratio)} in ${plural(leader.pairs, 'pair')}`;
  return `round ${round} of 3${known}`;
}

function tunable(text: string): TunableSpec {
  const spec = parseTargetSpec(text);
  if ('settings' in spec) return spec;
  throw new ConfigFailure(
    `bench tune: "${text}" cannot be started with other settings - allowed: embedded, commit:REV, apache, or an ensemble of them`,
  );
}

function parametersFor(base: TunableSpec, asked: readonly string[]): readonly Parameter[] {
  const given = asked.map(parseParameter);
  const twice = given.find(({ key }, at) => given.findIndex((other) => other.key === key) < at);
  if (twice !== undefined) throw new ConfigFailure(`--param: ${twice.key} is given twice`);
  const fixed = given.find(({ key }) => key in base.settings);
  if (fixed !== undefined) {
    throw new ConfigFailure(
      `--param: ${fixed.key} is set by the target "${base.text}" already: leave it out of one of them`,
    );
  }
  if (given.length > 0) return given;
  const parameters = withoutFixed(SPACES[spaceOf(base)], base.settings);
  if (parameters.length > 0) return parameters;
  throw new ConfigFailure(
    `bench tune: the target "${base.text}" sets all that is tuned: leave out some of it`,
  );
}

function spaceOf(base: TunableSpec): SpaceName {
  if (base.kind !== 'ensemble') return base.kind === 'apache' ? 'apache' : 'ringkeeper';
  const kinds = new Set([...base.voters, ...base.observers]);
  if (kinds.size > 1) return 'mixed';
  return kinds.has('apache') ? 'apache-ensemble' : 'ringkeeper';
}

function countOf(flag: string, count: number, least: number): number {
  if (Number.isInteger(count) && count >= least && count <= 1_000) return count;
  throw new ConfigFailure(`${flag}: ${count} - allowed: ${least} to 1000`);
}

function shareOf(text: string): number {
  const share = parseShare(text);
  if (share !== null && share > 0) return share;
  throw new ConfigFailure(`--min-effect: "${text}" - allowed: a percentage above 0, e.g. 5%`);
}

/** `ringkeeper bench run PLAN`: one run, or the runs of a sweep or a search. */
import { join, relative } from 'node:path';
import type { Argv, CommandModule } from 'yargs';
import { ConfigFailure } from '../../src/base/failure.ts';
import { searchRate } from '../compare/search.ts';
import { planSweep, runSweep } from '../compare/sweep.ts';
import { onlyTarget } from '../compare/target-axes.ts';
import { closingLines } from '../figures/verdict.ts';
import type { Plan } from '../plan/plan.ts';
import { presetNames } from '../plan/presets.ts';
import { sweepPoints } from '../plan/sweep.ts';
import { prepareOut } from '../report/result-dir.ts';
import { saveSweep, sweepDirName } from '../report/save-comparison.ts';
import { saveRun } from '../report/save-run.ts';
import type { Sweep } from '../result/compare-json.ts';
import { runPlan } from '../run/run-plan.ts';
import { withCredentials } from '../target/credentials.ts';
import { parseTargetSpec, type TargetSpec } from '../target/target-spec.ts';
import { type OutputFlags, oneText, withOutputFlags } from '../terminal/flags.ts';
import { interruptible } from '../terminal/interruption.ts';
import { repeatCommand } from '../terminal/repeat-command.ts';
import { renderJson, renderSweep } from '../terminal/terminal-compare.ts';
import { renderRun } from '../terminal/terminal-run.ts';
import type { TerminalStyle } from '../terminal/terminal-tables.ts';
import {
  type AuthFlags,
  type CeilingFlags,
  type EngineSetting,
  measureOn,
  runOptions,
  type ServerFlags,
  withAuthFlag,
  withCeilingFlag,
  withServerFlags,
} from './engine.ts';
import { ExitStatus, statusOfRun, statusOfSeries } from './exit-status.ts';
import { notesOn } from './notes.ts';
import { labelled, printAndSave, progressFor, tell, warnOfOthers } from './output.ts';
import { type PlanFlags, type PlanInput, planFromFlags, withPlanFlags } from './plan-flags.ts';
import { searchAdvice } from './search-advice.ts';
import { SeriesDir } from './series-dir.ts';

interface RunFlags extends PlanFlags, OutputFlags, ServerFlags, AuthFlags, CeilingFlags {
  readonly plan?: string;
  readonly target: string;
  readonly replicates?: number;
}

export const runCommand: CommandModule<object, RunFlags> = {
  command: 'run [plan]',
  describe: 'Run a plan: a preset or a YAML file',
  builder: (args: Argv): Argv<RunFlags> =>
    withOutputFlags(withServerFlags(withAuthFlag(withPlanFlags(withOwnFlags(args)))))
      .example('$0 bench run standalone-quick --target apache', '')
      .example(
        '$0 bench run mine.yaml --target zk1:2181,zk2:2181 --set connections=200',
        '',
      ) as Argv<unknown> as Argv<RunFlags>,
  handler: (flags) => interruptible('stopping; what was measured is saved', (abort) => run(flags, abort)),
};

function withOwnFlags<T>(args: Argv<T>): Argv<T> {
  const group = 'Run:';
  const own = args
    .positional('plan', { type: 'string', describe: 'name of a preset, or a file' })
    .option('target', {
      ...oneText,
      group,
      default: 'embedded',
      describe:
        'embedded, apache, embedded:3, apache:5+2, mixed:2+1, null, commit:REV or host:port,host:port',
    })
    .option('replicates', {
      type: 'number',
      group,
      defaultDescription: '1',
      describe: 'runs per point of a sweep',
    });
  return withCeilingFlag(own, group) as Argv<unknown> as Argv<T>;
}

async function run(flags: RunFlags, abort: AbortSignal): Promise<number> {
  if (flags.plan === undefined) {
    throw new ConfigFailure(`bench run: which plan? a YAML file or one of ${presetNames().join(', ')}`);
  }
  const input = planFromFlags(flags.plan, flags);
  refuseReplicates(flags, input.plan);
  const target = withCredentials(parseTargetSpec(flags.target), flags.auth);
  prepareOut(flags.out);
  for (const note of notesOn(input.plan, target)) process.stderr.write(`${note}\n`);
  await warnOfOthers(flags);
  const command = repeatCommand(process.argv.slice(2));
  const setting = { flags, command, progress: progressFor(flags), abort };
  const { sweep, search } = input.plan;
  return sweep.length > 0 || search !== null
    ? runSeries(input, target, flags, setting)
    : runSingle(input, target, flags, setting);
}

/** A flag that would do nothing is a mistake somewhere. */
function refuseReplicates({ replicates }: RunFlags, { sweep, search }: Plan): void {
  if (replicates === undefined || (sweep.length > 0 && search === null)) return;
  const instead =
    search !== null
      ? 'a search has its own: --set search.replicates=N'
      : 'for one load again and again: bench compare A A, or --set sweep.KEY=[VALUE]';
  throw new ConfigFailure(`--replicates: only for a plan with a sweep, which this one has not - ${instead}`);
}

async function runSingle(
  { plan }: PlanInput,
  target: TargetSpec,
  flags: RunFlags,
  setting: EngineSetting,
): Promise<number> {
  const outcome = await runPlan(plan, { ...runOptions(setting), target });
  if (outcome === null) return nothingMeasured();
  const { run, intervals } = outcome;
  const printed = {
    text: (style: TerminalStyle) => renderRun(run, style),
    json: renderJson(run),
    closing: (dir: string) => closingLines(run, join(shortPath(dir), 'report.html')),
  };
  const saved = printAndSave(printed, flags, () => saveRun(run, flags.out, intervals));
  return saved || statusOfRun(run);
}

async function runSeries(
  input: PlanInput,
  target: TargetSpec,
  flags: RunFlags,
  setting: EngineSetting,
): Promise<number> {
  const dir = new SeriesDir(flags.out);
  const { plan, document, build } = input;
  const replicates = flags.replicates ?? 1;
  // A search makes as many as it needs.
  const runCount = plan.search === null ? [...sweepPoints(plan.sweep)].length * replicates : null;
  const progress = labelled(setting.progress, () => dir.runs.length + 1, runCount);
  const measure = measureOn(new Map([[flags.target, target]]), { ...setting, progress });
  const { command } = setting;
  const { sweep, failure } =
    plan.search === null
      ? await runSweep(
          planSweep(document, plan.sweep, { targets: onlyTarget(flags.target), replicates }, build),
          { command, measure, onPoint: (point) => dir.save(point), abort: setting.abort },
        )
      : await searchRate(plan, plan.search, { side: flags.target, command }, measure, (probe) =>
          dir.save(probe),
        );
  const failed = failure === null ? 0 : tell(failure);
  if (sweep === null) return failed || nothingMeasured();
  return (
    printAndSave(printedSweep(sweep, plan.search), flags, () =>
      dir.finish(sweepDirName(sweep), (place) => saveSweep(sweep, place)),
    ) ||
    failed ||
    statusOfSeries(dir.runs)
  );
}

function printedSweep(sweep: Sweep, search: Plan['search']) {
  const advice = sweep.search === null || search === null ? [] : searchAdvice(sweep.search, search);
  return {
    text: (style: Parameters<typeof renderSweep>[1]) => [renderSweep(sweep, style), ...advice].join('\n'),
    json: renderJson(sweep),
  };
}

/** From here where it lies below, for people to type. */
function shortPath(dir: string): string {
  const path = relative('', dir);
  return path === '' || path.startsWith('..') ? dir : path;
}

export function nothingMeasured(): number {
  process.stderr.write('nothing was measured\n');
  return ExitStatus.failed;
}

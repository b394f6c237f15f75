/**
 * `ringkeeper bench sweep PLAN --targets A,B,...`: a plan on services of several sizes and kinds, in alternating order, and at
 * every value of its own axes.
 *
 *     PLAN, --targets, flags --> runs in their order --+--> --dry-run: listed
 *     --resume DIR: manifest, runs that are done ------'--> manifest, run, run, ... --> sweep.json, summary.md, report.html
 *                                                                   | Ctrl-C, a failure: the same of what there is, `-partial`
 */
import { dirname, resolve } from 'node:path';
import type { Argv, CommandModule } from 'yargs';
import { ConfigFailure } from '../../src/base/failure.ts';
import { type PlannedRun, type PlannedSweep, planSweep, runSweep } from '../compare/sweep.ts';
import { targetAxes } from '../compare/target-axes.ts';
import { formatDuration, plural } from '../figures/format.ts';
import { axisName } from '../figures/sweep-figures.ts';
import { captureMachine } from '../measure/environment.ts';
import type { Plan } from '../plan/plan.ts';
import { presetNames } from '../plan/presets.ts';
import { prepareOut } from '../report/result-dir.ts';
import { saveSweep, sweepDirName } from '../report/save-comparison.ts';
import { readDoneRuns, readManifest, type SweepManifest, writeManifest } from '../report/sweep-manifest.ts';
import type { RunResult } from '../result/run-json.ts';
import { refuseLeaderKill } from '../run/leader-kill.ts';
import { findApache } from '../target/apache-program.ts';
import { connectExternal } from '../target/external.ts';
import { type ListedTarget, parseTargetList } from '../target/target-list.ts';
import { manyTexts, type OutputFlags, oneText, warmUpMsOf, withOutputFlags } from '../terminal/flags.ts';
import { interruptible } from '../terminal/interruption.ts';
import { repeatCommand } from '../terminal/repeat-command.ts';
import { renderJson, renderSweep } from '../terminal/terminal-compare.ts';
import type { TerminalStyle } from '../terminal/terminal-tables.ts';
import { type CeilingFlags, measureOn, withCeilingFlag } from './engine.ts';
import { statusOfSeries } from './exit-status.ts';
import { notesOn } from './notes.ts';
import { labelled, printAndSave, progressFor, tell, warnOfOthers } from './output.ts';
import {
  firstPlanFlag,
  type PlanFlags,
  type PlanInput,
  planFromDocument,
  planFromFlags,
  withPlanFlags,
} from './plan-flags.ts';
import { nothingMeasured } from './run.ts';
import { SeriesDir } from './series-dir.ts';
import { atMostMs, expectedMs, type RunTime, restMs, runTimes } from './sweep-time.ts';

interface SweepFlags extends PlanFlags, OutputFlags, CeilingFlags {
  readonly plan?: string;
  readonly targets?: readonly string[];
  readonly sizes?: string;
  readonly replicates?: number;
  readonly resume?: string;
  readonly dryRun: boolean;
}

/** What is swept, from flags or from the manifest of an earlier time. */
interface SweepInput {
  readonly input: PlanInput;
  readonly targets: readonly ListedTarget[];
  readonly replicates: number;
  readonly flags: SweepFlags;
  readonly command: string;
  /** Of an earlier time. */
  readonly dir: string | null;
}

export const sweepCommand: CommandModule<object, SweepFlags> = {
  command: 'sweep [plan]',
  describe: 'Run a plan on services of several sizes and kinds; goes on where it was interrupted',
  builder: (args: Argv): Argv<SweepFlags> =>
    withOutputFlags(withPlanFlags(withSweepFlags(args)))
      .example(
        '$0 bench sweep atc10-table1 --targets embedded:1,embedded:3,embedded:5,apache:3 --dry-run',
        '',
      )
      .example('$0 bench sweep atc10-fig5 --targets embedded:3,embedded:5+2 --replicates 3', '')
      .example('$0 bench sweep --resume results/local/DIR', '') as Argv<unknown> as Argv<SweepFlags>,
  handler: (flags) => interruptible('stopping; what was measured is saved', (abort) => sweep(flags, abort)),
};

function withSweepFlags<T>(args: Argv<T>): Argv<T> {
  const group = 'Sweep:';
  const own = args
    .positional('plan', { type: 'string', describe: 'name of a preset, or a file; its own sweep is kept' })
    .option('targets', {
      ...manyTexts,
      group,
      describe: 'embedded:1,embedded:3,apache:3,mixed:2+1, embedded:5+2 (observers) ...; may be given again',
    })
    .option('sizes', {
      ...oneText,
      group,
      describe: 'e.g. 1,3,5,5+2: of each target that says none, --targets embedded,apache',
    })
    .option('replicates', { type: 'number', group, defaultDescription: '1', describe: 'runs per point' })
    .option('resume', {
      ...oneText,
      group,
      describe: 'the directory of a sweep that was interrupted: goes on, with all that it was begun with',
    })
    .option('dry-run', {
      type: 'boolean',
      group,
      default: false,
      describe: 'list the runs in their order and the time that they will take, and end',
    });
  return withCeilingFlag(own, group) as Argv<unknown> as Argv<T>;
}

async function sweep(flags: SweepFlags, abort: AbortSignal): Promise<number> {
  const asked = flags.resume === undefined ? fromFlags(flags) : fromManifest(flags.resume, flags);
  const { input, targets, replicates } = asked;
  const warmUpMsMax = warmUpMsOf(asked.flags);
  const services = targetAxes(targets.map(({ spec, ...place }) => ({ side: spec.text, ...place })));
  const planned = planSweep(input.document, input.plan.sweep, { targets: services, replicates }, input.build);
  const places = planned.runs.map(({ dir }) => dir);
  const kept = asked.dir === null ? places.map(() => null) : readDoneRuns(asked.dir, places);
  const byText = new Map(targets.map((target) => [target.spec.text, target]));
  const times = runTimes(planned.runs, byText, { ceiling: asked.flags.ceiling, warmUpMsMax });
  if (flags.dryRun) {
    process.stdout.write(dryRunText(planned, times, kept));
    return 0;
  }
  if (!kept.includes(null)) throw new ConfigFailure(`--resume: ${flags.resume} - nothing is left`);
  await refuseMissing(targets, input.plan);
  prepareOut(asked.flags.out);
  return measure({ ...asked, planned, kept, times }, byText, abort);
}

interface ReadySweep extends SweepInput {
  readonly planned: PlannedSweep;
  /** Of each run its result of an earlier time. */
  readonly kept: readonly (RunResult | null)[];
  readonly times: readonly RunTime[];
}

async function measure(
  ready: ReadySweep,
  targets: ReadonlyMap<string, ListedTarget>,
  abort: AbortSignal,
): Promise<number> {
  const { input, flags, planned, kept, command } = ready;
  for (const note of notesOn(input.plan, [...targets.values()][0]!.spec)) process.stderr.write(`${note}\n`);
  await warnOfOthers(flags);
  const dir = new SeriesDir(flags.out, ready.dir);
  if (ready.dir === null) beginDir(dir, ready);
  const startedMs = performance.now();
  const ahead = planned.runs.filter(({ number }) => kept[number - 1] === null);
  let current = ahead[0]!;
  const progress = labelled(
    progressFor(flags),
    () => current.number,
    planned.runs.length,
    () => current.side,
  );
  const setting = { flags: { ...flags, serverArg: [] }, command, progress, abort };
  const specs = new Map([...targets].map(([text, { spec }]) => [text, spec]));
  const { sweep: made, failure } = await runSweep(planned, {
    command,
    measure: measureOn(specs, setting),
    onStart: (run) => {
      current = run;
    },
    onPoint: (run) => {
      dir.save(run);
      if (!flags.json && run.result.complete)
        sayTimeLeft(ready, ahead, run.number, performance.now() - startedMs);
    },
    onFailure: ({ number, side }, error) =>
      process.stderr.write(`run ${number}: ${error.message} - other runs of ${side} are left out\n`),
    kept,
    abort,
  });
  const failed = failure === null ? 0 : tell(failure);
  if (made === null) {
    dir.discard();
    return failed || nothingMeasured();
  }
  const printed = {
    text: (style: TerminalStyle) => renderSweep(made, style),
    json: renderJson(made),
  };
  const saved = printAndSave(printed, flags, () =>
    dir.finish(sweepDirName(made), (place) => saveSweep(made, place)),
  );
  if (!made.complete) sayResume(dir.path);
  return saved || failed || statusOfSeries([...kept.filter((run) => run !== null), ...dir.runs]);
}

/** `ahead`: the runs to be made, of which those up to `number` took `tookMs`. */
function sayTimeLeft(
  { planned, times }: ReadySweep,
  ahead: readonly PlannedRun[],
  number: number,
  tookMs: number,
): void {
  const at = ahead.findIndex((run) => run.number === number) + 1;
  if (at === ahead.length) return;
  const timesOf = (runs: readonly PlannedRun[]) => runs.map((run) => times[run.number - 1]!);
  const leftMs = restMs(timesOf(ahead.slice(at)), timesOf(ahead.slice(0, at)), tookMs);
  process.stderr.write(
    `run ${number} of ${planned.runs.length} is saved; about ${formatDuration(Math.round(leftMs / 1000) * 1000)} left\n`,
  );
}

function fromFlags(flags: SweepFlags): SweepInput {
  if (flags.plan === undefined) {
    throw new ConfigFailure(`bench sweep: which plan? a YAML file or one of ${presetNames().join(', ')}`);
  }
  if (flags.targets === undefined) {
    throw new ConfigFailure(
      `bench sweep: which services? --targets embedded:1,embedded:3,apache:3; one alone: bench run ${flags.plan}`,
    );
  }
  const input = planFromFlags(flags.plan, flags);
  if (input.plan.search !== null) {
    throw new ConfigFailure(
      'the plan has a search - a sweep measures loads that are given: --set search=null',
    );
  }
  return {
    input,
    targets: parseTargetList(flags.targets, flags.sizes),
    replicates: flags.replicates ?? 1,
    flags,
    command: repeatCommand(process.argv.slice(2)),
    dir: null,
  };
}

function fromManifest(resume: string, flags: SweepFlags): SweepInput {
  const stray =
    flags.plan !== undefined
      ? `a plan (${flags.plan})`
      : flags.targets !== undefined
        ? '--targets'
        : flags.sizes !== undefined
          ? '--sizes'
          : flags.replicates !== undefined
            ? '--replicates'
            : flags.publish
              ? '--publish'
              : firstPlanFlag(flags);
  if (stray !== null) {
    throw new ConfigFailure(`--resume: not together with ${stray}: the sweep goes on as it was begun`);
  }
  const dir = resolve(resume);
  const manifest = readManifest(dir);
  const { commit } = captureMachine(null);
  if (commit !== manifest.commit) {
    throw new ConfigFailure(
      `--resume: ${resume} - begun with commit ${shortCommit(manifest.commit)}, this is ${shortCommit(commit)}: points of both ` +
        'would stand side by side; check that commit out, or begin anew',
    );
  }
  const { document, changed, origin, targets, replicates, command, ceiling, warmMax, publish } = manifest;
  return {
    input: planFromDocument(document, changed, origin),
    targets: parseTargetList(targets),
    replicates,
    flags: { ...flags, ceiling, warmMax, publish, out: dirname(dir) },
    command,
    dir,
  };
}

function shortCommit(commit: string | null): string {
  return commit?.slice(0, 7) ?? 'unknown';
}

/** What is not there is told before the first run of what is, not behind the last of them. */
async function refuseMissing(targets: readonly ListedTarget[], plan: Plan): Promise<void> {
  for (const target of targets) {
    refuseLeaderKill(plan, target.spec);
    refusePlacement(plan, target);
    if (target.spec.kind === 'external') await connectExternal(target.spec);
  }
  const wanting = targets.find(
    ({ spec }) =>
      spec.kind === 'apache' ||
      (spec.kind === 'ensemble' && [...spec.voters, ...spec.observers].includes('apache')),
  );
  if (wanting !== undefined) await findApache(`--targets "${wanting.spec.text}"`);
}

/** Of services that are started here the roles are known before. */
function refusePlacement({ connectTo }: Plan, { spec, voters, observers }: ListedTarget): void {
  if (spec.kind === 'external') return;
  const lacks = (connectTo === 'followers' && voters < 2) || (connectTo === 'observers' && observers === 0);
  if (!lacks) return;
  throw new ConfigFailure(
    `--targets: "${spec.text}" - has no ${connectTo}, and the plan connects to them (connectTo)`,
  );
}

function beginDir(dir: SeriesDir, { input, flags, targets, replicates, command }: SweepInput): void {
  const startedAt = new Date().toISOString();
  const manifest: Omit<SweepManifest, 'schema' | 'schemaVersion'> = {
    startedAt,
    command,
    commit: captureMachine(null).commit,
    origin: flags.plan ?? '',
    document: input.document,
    changed: input.changed,
    targets: targets.map(({ spec }) => spec.text),
    replicates,
    ceiling: flags.ceiling,
    warmMax: flags.warmMax,
    publish: flags.publish,
  };
  writeManifest(dir.begin(`${input.plan.name}-sweep`, startedAt), manifest);
}

function sayResume(dir: string | null): void {
  if (dir !== null) process.stderr.write(`to go on: npx ringkeeper bench sweep --resume ${dir}\n`);
}

/** Each run in its order, and the sums. */
function dryRunText(
  { axes, runs }: PlannedSweep,
  times: readonly RunTime[],
  kept: readonly (RunResult | null)[],
): string {
  const rows = runs.map(({ number, side, at, replicate, plan }, index) => [
    String(number),
    side,
    axes.map(({ path }, axis) => `${axisName(path)} ${at[axis]}`).join(', '),
    plan.phases.map(({ name }) => name).join(', '),
    String(replicate),
    kept[index] !== null ? 'done' : formatDuration(Math.round(times[index]!.expectedMs / 1000) * 1000),
  ]);
  const head = ['run', 'target', 'at', 'phases', 'replicate', 'expected'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const lines = [head, ...rows].map((row) => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column]!));
    return `${cells.join('  ').trimEnd()}\n`;
  });
  const left = times.filter((_, index) => kept[index] === null);
  return [
    ...lines,
    `${plural(left.length, 'run')} to be made, ${formatDuration(expectedMs(left))} expected on two cores, ` +
      `${formatDuration(atMostMs(left))} when every warm-up takes all that --warm-max gives it\n`,
  ].join('');
}

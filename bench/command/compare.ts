/** `ringkeeper bench compare A B`: paired runs of two targets, the verdict, and a gate for changes. */
import type { Argv, CommandModule } from 'yargs';
import { ConfigFailure } from '../../src/base/failure.ts';
import { compareTargets, tooFewPairs } from '../compare/compare-targets.ts';
import { type GateOptions, type GateStatus, gateStatus } from '../compare/gate.ts';
import type { Plan } from '../plan/plan.ts';
import { parseShare } from '../plan/quantity.ts';
import { prepareOut } from '../report/result-dir.ts';
import { comparisonDirName, saveComparison } from '../report/save-comparison.ts';
import type { Comparison } from '../result/compare-json.ts';
import { targetNeeds } from '../run/run-plan.ts';
import { withCredentials } from '../target/credentials.ts';
import { startTarget } from '../target/start-target.ts';
import { parseTargetSpec, type TargetSpec } from '../target/target-spec.ts';
import { manyTexts, type OutputFlags, oneText, withOutputFlags } from '../terminal/flags.ts';
import { interruptible } from '../terminal/interruption.ts';
import { repeatCommand } from '../terminal/repeat-command.ts';
import { renderComparison, renderJson } from '../terminal/terminal-compare.ts';
import type { TerminalStyle } from '../terminal/terminal-tables.ts';
import {
  type AuthFlags,
  type CeilingFlags,
  measureOn,
  type ServerFlags,
  withAuthFlag,
  withCeilingFlag,
  withServerFlags,
} from './engine.ts';
import { statusOfComparison } from './exit-status.ts';
import { labelled, printAndSave, progressFor, tell, warnOfOthers } from './output.ts';
import { type PlanFlags, planFromFlags, withPlanFlags } from './plan-flags.ts';
import { nothingMeasured } from './run.ts';
import { SeriesDir } from './series-dir.ts';

const GATE = 'Gate:';

interface CompareFlags extends PlanFlags, OutputFlags, ServerFlags, AuthFlags, CeilingFlags {
  readonly a: string;
  readonly b: string;
  readonly plan: string;
  readonly pairs: number;
  readonly floorPairs: number;
  readonly minEffect: string;
  readonly stopWhen?: string;
  readonly gate?: 'slower' | 'not-faster';
  readonly maxLoss?: string;
  readonly gateAllow?: readonly ('unstable' | 'void')[];
}

export const compareCommand: CommandModule<object, CompareFlags> = {
  command: 'compare <a> <b>',
  describe: 'Compare two targets, commits or settings by pairs of runs',
  builder: (args: Argv): Argv<CompareFlags> =>
    withOutputFlags(withServerFlags(withAuthFlag(withPlanFlags(withGateFlags(withEffortFlags(args))))))
      .example('$0 bench compare apache embedded --plan prod-mix', '')
      .example(
        '$0 bench compare commit:main embedded --gate slower --max-loss 5%',
        '',
      ) as Argv<unknown> as Argv<CompareFlags>,
  handler: (flags) => interruptible('stopping; whole pairs are saved', (abort) => compare(flags, abort)),
};

function withEffortFlags<T>(args: Argv<T>): Argv<T> {
  const group = 'Comparison:';
  const one = { ...oneText, group };
  const number = { type: 'number', group } as const;
  const effort = args
    .positional('a', {
      type: 'string',
      demandOption: true,
      describe: 'embedded, embedded:key=value,..., apache, apache:3, mixed:2+1, commit:REV or host:port',
    })
    .positional('b', { type: 'string', demandOption: true, describe: 'what is judged against it' })
    .option('plan', { ...one, default: 'standalone-quick', describe: 'name of a preset, or a file' })
    .option('pairs', { ...number, default: 8, describe: 'pairs of runs, A B | B A | ...' })
    .option('floor-pairs', {
      ...number,
      default: 4,
      describe: 'pairs of A against itself first: how far equal things differ',
    })
    .option('min-effect', { ...one, default: '5%', describe: 'the smallest effect that matters' })
    .option('stop-when', { ...one, describe: 'stop when the intervals are this narrow, e.g. 2%' });
  return withCeilingFlag(effort, group) as Argv<unknown> as Argv<T>;
}

function withGateFlags<T>(args: Argv<T>): Argv<T> {
  return args
    .option('gate', {
      choices: ['slower', 'not-faster'] as const,
      requiresArg: true,
      group: GATE,
      describe: 'exit with status 3 when B is shown to be slower, or not shown to be faster',
    })
    .option('max-loss', {
      ...oneText,
      group: GATE,
      describe: 'with --gate slower: also when a loss above this is not ruled out, e.g. 5%',
    })
    .option('gate-allow', {
      ...manyTexts,
      group: GATE,
      choices: ['unstable', 'void'] as const,
      describe: 'let pass: a machine too noisy to tell, or runs whose figures do not mean what they say',
    }) as Argv<T>;
}

async function compare(flags: CompareFlags, abort: AbortSignal): Promise<number> {
  const gate = gateOptions(flags);
  const { plan } = planFromFlags(flags.plan, flags);
  refuseSeries(plan);
  const targets = new Map([
    [flags.a, targetOf('A', flags.a)],
    [flags.b, targetOf('B', flags.b)],
  ]);
  giveCredentials(targets, flags.auth);
  prepareOut(flags.out);
  for (const line of tooFewPairs(flags.pairs, flags.floorPairs)) process.stderr.write(`${line}\n`);
  await warnOfOthers(flags);
  await tryTarget(plan, targets.get(flags.b)!, flags);
  const dir = new SeriesDir(flags.out);
  const runCount = 2 * (flags.pairs + flags.floorPairs);
  const progress = labelled(progressFor(flags), () => dir.runs.length + 1, runCount);
  const command = repeatCommand(process.argv.slice(2));
  const { comparison, failure } = await compareTargets(
    plan,
    { a: flags.a, b: flags.b, command, ...effortOf(flags) },
    measureOn(targets, { flags, command, progress, abort }),
    (run) => dir.save(run),
  );
  const failed = failure === null ? 0 : tell(failure);
  if (comparison === null) return failed || nothingMeasured();
  const judged = gate === null ? null : gateStatus(comparison, gate);
  const saved = printAndSave(printedComparison(comparison, judged), flags, () =>
    dir.finish(comparisonDirName(comparison), (place) => saveComparison(comparison, dir.runs, place)),
  );
  if (judged !== null && flags.json) process.stderr.write(`${judged.lines.join('\n')}\n`);
  return failed || saved || statusOfComparison(dir.runs, judged);
}

/** A is started by the first run; that B cannot be must not come out behind all runs of A against itself. */
async function tryTarget(plan: Plan, target: TargetSpec, flags: CompareFlags): Promise<void> {
  const { serverArg: serverArgs, tempDir: tempParent } = flags;
  await (await startTarget(target, { serverArgs, tempParent, ...targetNeeds(plan) })).stop();
}

function printedComparison(comparison: Comparison, judged: GateStatus | null) {
  return {
    text: (style: TerminalStyle) =>
      [renderComparison(comparison, style), ...(judged?.lines ?? [])].join('\n'),
    json: renderJson(comparison),
  };
}

function effortOf({ pairs, floorPairs, minEffect, stopWhen }: CompareFlags) {
  return {
    pairs,
    floorPairs,
    minEffect: shareOf('--min-effect', minEffect),
    ...(stopWhen === undefined ? {} : { stopWhen: shareOf('--stop-when', stopWhen) }),
  };
}

/** Null without --gate. What a gate lets through without being shown has to be named. */
function gateOptions({ gate, maxLoss, gateAllow = [] }: CompareFlags): GateOptions | null {
  if (gate === undefined) {
    const stray = maxLoss !== undefined ? '--max-loss' : gateAllow.length > 0 ? '--gate-allow' : null;
    if (stray !== null) throw new ConfigFailure(`${stray}: only with --gate slower or --gate not-faster`);
    return null;
  }
  if (maxLoss !== undefined && gate !== 'slower')
    throw new ConfigFailure('--max-loss: only with --gate slower');
  const passes = (what: 'unstable' | 'void') => (gateAllow.includes(what) ? 'pass' : 'fail');
  return {
    failOn: gate,
    cannotTell: maxLoss === undefined ? 'pass' : { lossAtMost: shareOf('--max-loss', maxLoss) },
    unstable: passes('unstable'),
    voidRuns: passes('void'),
  };
}

function targetOf(side: string, text: string): TargetSpec {
  try {
    return parseTargetSpec(text);
  } catch (error) {
    if (!(error instanceof ConfigFailure)) throw error;
    throw new ConfigFailure(error.message.replace(/^--target/, side));
  }
}

/** To those that run already, of which there must be one. */
function giveCredentials(targets: Map<string, TargetSpec>, auth: readonly string[]): void {
  const external = [...targets].filter(([, spec]) => spec.kind === 'external');
  if (auth.length > 0 && external.length === 0) withCredentials([...targets.values()][0]!, auth);
  for (const [side, spec] of external) targets.set(side, withCredentials(spec, auth));
}

function refuseSeries({ sweep, search }: Plan): void {
  const found = sweep.length > 0 ? 'sweep' : search !== null ? 'search' : null;
  if (found === null) return;
  throw new ConfigFailure(
    `the plan has a ${found} - a comparison has one load: take it away with --set ${found}={} and choose the values with --set`,
  );
}

function shareOf(flag: string, text: string): number {
  const share = parseShare(text);
  if (share !== null && share > 0) return share;
  throw new ConfigFailure(`${flag}: "${text}" - allowed: a percentage above 0, e.g. 5%`);
}

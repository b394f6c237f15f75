/** From flags to runs: one target or several, one meter of the generator's ceiling for all of them. */
import type { Argv } from 'yargs';
import type { Measure } from '../compare/measure.ts';
import { CeilingMeter } from '../run/ceiling.ts';
import type { Progress } from '../run/progress.ts';
import { type RunOptions, runPlan } from '../run/run-plan.ts';
import type { TargetSpec } from '../target/target-spec.ts';
import { manyTexts, type OutputFlags, type WarmFlags, warmUpMsOf, withWarmFlag } from '../terminal/flags.ts';

export interface ServerFlags {
  readonly serverArg: readonly string[];
}

export interface AuthFlags {
  readonly auth: readonly string[];
}

export interface CeilingFlags extends WarmFlags {
  readonly ceiling: boolean;
}

export function withServerFlags<T>(args: Argv<T>): Argv<T & ServerFlags> {
  return args.option('server-arg', {
    ...manyTexts,
    default: [],
    defaultDescription: 'none',
    group: 'Servers that are started:',
    describe: 'extra argument; may be given again',
  }) as Argv<unknown> as Argv<T & ServerFlags>;
}

/** Not for replays, whose sessions bring their own. */
export function withAuthFlag<T>(args: Argv<T>): Argv<T & AuthFlags> {
  return args.option('auth', {
    ...manyTexts,
    default: [],
    defaultDescription: 'none',
    group: 'Services that run already:',
    describe: 'credentials, digest:USER:PASSWORD, or @FILE with such lines; may be given again',
  }) as Argv<unknown> as Argv<T & AuthFlags>;
}

/** @param defaults Of commands whose many runs are short. */
export function withCeilingFlag<T>(
  args: Argv<T>,
  group: string,
  defaults: { readonly ceiling: boolean; readonly warmMax: string } = { ceiling: true, warmMax: '30s' },
): Argv<T & CeilingFlags> {
  const withCeiling = args.option('ceiling', {
    type: 'boolean',
    group,
    default: defaults.ceiling,
    describe:
      'first measure where the generator itself would end; --no-ceiling saves 2 s a phase, and the result says so',
  });
  return withWarmFlag(withCeiling, group, defaults.warmMax) as Argv<unknown> as Argv<T & CeilingFlags>;
}

export interface EngineSetting {
  readonly flags: OutputFlags & ServerFlags & CeilingFlags;
  readonly command: string;
  readonly progress: Progress;
  readonly abort: AbortSignal;
}

export function runOptions({ flags, command, progress, abort }: EngineSetting): Omit<RunOptions, 'target'> {
  return {
    serverArgs: flags.serverArg,
    tempParent: flags.tempDir,
    command,
    progress,
    abort,
    warmUpMsMax: warmUpMsOf(flags),
    ceilings: flags.ceiling ? new CeilingMeter(flags.tempDir) : null,
  };
}

/** For series: each run on a fresh server of the side that is asked for. */
export function measureOn(targets: ReadonlyMap<string, TargetSpec>, setting: EngineSetting): Measure {
  const options = runOptions(setting);
  return async (side, plan) => {
    const outcome = await runPlan(plan, { ...options, target: targets.get(side)! });
    return outcome?.run ?? null;
  };
}

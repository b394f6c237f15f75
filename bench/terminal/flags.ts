/** Flags that several commands have. */
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import type { Argv } from 'yargs';
import { ConfigFailure } from '../../src/base/failure.ts';
import { PACKAGE_ROOT } from '../base/package-root.ts';
import { parseDuration } from '../plan/quantity.ts';

const IS_INSTALLED = PACKAGE_ROOT.split(sep).includes('node_modules');

/** The results that belong to a checkout, under version control: written only when asked, with `--publish`. */
export const PUBLISHED_DIR = join(PACKAGE_ROOT, 'results');
/** What is measured by the way: beside them, where version control does not look; in an installed package the user's own. */
export const RESULTS_DIR = IS_INSTALLED ? resolve('results') : join(PUBLISHED_DIR, 'local');

/** A flag with one value; given twice, the last counts. */
export const oneText = {
  type: 'string',
  requiresArg: true,
  coerce: (value: string | string[]): string => (Array.isArray(value) ? value.at(-1)! : value),
} as const;

/** A flag that may be given several times. One value each, so that it never swallows what stands behind it. */
export const manyTexts = { type: 'string', array: true, nargs: 1 } as const;

const OUTPUT = 'Output:';

export interface OutputFlags {
  readonly out: string;
  readonly publish: boolean;
  readonly tempDir: string;
  readonly json: boolean;
}

export function withOutputFlags<T>(args: Argv<T>): Argv<T & OutputFlags> {
  return withTempDirFlag(withOutFlag(args)).option('json', {
    type: 'boolean',
    group: OUTPUT,
    default: false,
    describe: 'one JSON document on stdout, nothing else',
  }) as unknown as Argv<T & OutputFlags>;
}

export function withOutFlag<T>(args: Argv<T>): Argv<T> {
  return (args as Argv<unknown> as Argv<object>)
    .option('out', {
      ...oneText,
      group: OUTPUT,
      defaultDescription: IS_INSTALLED ? 'results' : 'results/local',
      describe: 'where results are saved',
    })
    .option('publish', {
      type: 'boolean',
      group: OUTPUT,
      default: false,
      describe: "save in the checkout's own results/, and list the result in its README",
    })
    .middleware((flags: { out?: string; publish?: boolean }) => {
      flags.out = outOf(flags.out, flags.publish === true);
    }) as unknown as Argv<T>;
}

function outOf(out: string | undefined, publish: boolean): string {
  if (!publish) return out ?? RESULTS_DIR;
  if (out !== undefined)
    throw new ConfigFailure('--publish: not together with --out, it names the place itself');
  if (IS_INSTALLED)
    throw new ConfigFailure('--publish: only in a checkout of ringkeeper, whose results/ it writes into');
  return PUBLISHED_DIR;
}

export function withTempDirFlag<T>(args: Argv<T>): Argv<T> {
  return args.option('temp-dir', {
    ...oneText,
    group: 'Servers that are started:',
    default: tmpdir(),
    defaultDescription: 'of the system',
    describe: 'where they keep their data',
  }) as unknown as Argv<T>;
}

export interface WarmFlags {
  readonly warmMax: string;
}

/** Wherever servers are started to be measured: runs and campaigns warm them by one rule (run/warm-up.ts). */
export function withWarmFlag<T>(args: Argv<T>, group: string, warmMax = '30s'): Argv<T & WarmFlags> {
  return args.option('warm-max', {
    ...oneText,
    group,
    default: warmMax,
    describe:
      "warm a fresh server with each phase's own load until its CPU per request is level, at most so long; 0s: not at all",
  }) as Argv<unknown> as Argv<T & WarmFlags>;
}

/** @throws ConfigFailure naming the flag, the value and what is allowed. */
export function warmUpMsOf({ warmMax }: WarmFlags): number {
  const ms = parseDuration(warmMax);
  if (ms !== null) return ms;
  throw new ConfigFailure(
    `--warm-max: "${warmMax}" - allowed: a duration, e.g. 30s; 0s: the server is not warmed`,
  );
}

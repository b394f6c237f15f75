/** Flags that several commands have. */
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import type { Argv } from 'yargs';
import { PACKAGE_ROOT } from '../base/package-root.ts';

/** In a checkout the results that belong to it; beside the user's own work where this is an installed package. */
export const RESULTS_DIR = PACKAGE_ROOT.split(sep).includes('node_modules')
  ? resolve('results')
  : join(PACKAGE_ROOT, 'results');

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
  return args.option('out', {
    ...oneText,
    group: OUTPUT,
    default: RESULTS_DIR,
    defaultDescription: 'results',
    describe: 'where results are saved',
  }) as unknown as Argv<T>;
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

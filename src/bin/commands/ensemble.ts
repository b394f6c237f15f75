/**
 * `ringkeeper ensemble`: several servers on this machine in one terminal, for development. Reads the flags; the processes
 * are started by the engine's part for that (bench/target/local-ensemble.ts), which is loaded only here.
 */
import type { Argv, CommandModule } from 'yargs';
import { LOG_LEVELS } from '../../server/config/server-config.ts';
import { ENSEMBLE_KINDS, type EnsembleFlags, wishOf } from './ensemble-wish.ts';

/** Given twice, the last counts, as with serve. */
function last<T>(value: T | T[]): T {
  return Array.isArray(value) ? value.at(-1)! : value;
}

const oneText = {
  type: 'string',
  requiresArg: true,
  coerce: (value: string | string[]): string => last(value),
} as const;
const oneNumber = {
  type: 'number',
  requiresArg: true,
  coerce: (value: number | number[]): number => last(value),
} as const;

export const ensembleCommand: CommandModule<object, EnsembleFlags> = {
  command: 'ensemble',
  describe: 'Run several servers on this machine, for development',
  builder: (args: Argv): Argv<EnsembleFlags> =>
    args
      .option('size', { ...oneNumber, default: 3, describe: 'servers that vote' })
      .option('observers', { ...oneNumber, default: 0, describe: 'servers that do not' })
      .option('kind', {
        ...oneText,
        default: 'ringkeeper',
        describe: `${ENSEMBLE_KINDS.join(', ')}: every second one is Apache's`,
      })
      .option('client-port', {
        ...oneNumber,
        describe: 'of server 1, the others follow; default: free ports',
      })
      .option('data-dir', {
        ...oneText,
        describe: 'kept, and taken up again by a later run; default: a temporary one',
      })
      .option('log-level', { ...oneText, describe: LOG_LEVELS.join(', ') })
      .option('set', {
        type: 'string',
        array: true,
        nargs: 1,
        default: [],
        describe: 'key=value of any zoo.cfg key, for all servers',
      })
      .example('$0 ensemble', 'three servers; Ctrl-C stops all')
      .example('$0 ensemble --size 5 --observers 2 --client-port 2181 --data-dir dev', '')
      .example('$0 ensemble --kind mixed', 'ringkeeper and Apache together'),
  handler: async (flags) => {
    const wish = wishOf(flags);
    const { runEnsemble } = await import('./ensemble-run.ts');
    process.exit(await runEnsemble(wish));
  },
};

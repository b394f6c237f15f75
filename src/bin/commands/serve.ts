/**
 * `ringkeeper serve`: gathers file and flags into one configuration, says what it thinks of it, and runs the server
 * until a signal or a failure. The server itself is loaded only when the configuration is good, so that a typing
 * error costs no start-up time.
 */
import { isatty } from 'node:tty';
import type { Argv, CommandModule } from 'yargs';
import { ConfigFailure } from '../../base/failure.ts';
import { LOG_LEVELS, readServerConfig, THREADING_MODES } from '../../server/config/server-config.ts';
import type { Override } from '../../server/config/setting-values.ts';
import { readZooCfg } from '../../server/config/zoo-cfg.ts';
import { STDERR_FD, STDOUT_FD, standardOutput } from '../../server/logging/line-output.ts';
import { createMainLog, type Log } from '../../server/logging/logging.ts';
import { runServerProcess } from './server-process.ts';

/** How long the last lines of a process may wait for a slow reader. */
const LAST_LINES_MS = 500;

interface ServeOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly clientPort?: string;
  readonly clientPortAddress?: string;
  readonly threading?: string;
  readonly ioThreads?: string;
  readonly logLevel?: string;
  readonly set: readonly string[];
}

/** An option with one value; given twice, the last counts, as in the file. */
const one = {
  type: 'string',
  requiresArg: true,
  coerce: (value: string | string[]): string => (Array.isArray(value) ? value.at(-1)! : value),
} as const;

export const serveCommand: CommandModule<object, ServeOptions> = {
  command: 'serve [config]',
  describe: 'Run a server',
  builder: (args: Argv): Argv<ServeOptions> =>
    args
      .positional('config', { type: 'string', describe: 'a zoo.cfg; flags win over it' })
      .option('data-dir', { ...one, describe: 'where snapshots and logs are kept' })
      .option('client-port', { ...one, describe: 'where clients connect; 0 = any free port' })
      .option('client-port-address', { ...one, describe: 'address to listen on' })
      .option('threading', { ...one, describe: `threading mode: ${THREADING_MODES.join(', ')}` })
      .option('io-threads', { ...one, describe: 'io threads in mode dedicated' })
      .option('log-level', { ...one, describe: LOG_LEVELS.join(', ') })
      .option('set', {
        type: 'string',
        array: true,
        nargs: 1,
        default: [],
        describe: 'key=value of any zoo.cfg key',
      })
      .example('$0 serve conf/zoo.cfg', '')
      .example('$0 serve --data-dir data --client-port 2181 --set snapCount=50000', ''),
  handler: serve,
};

async function serve(options: ServeOptions): Promise<void> {
  const file =
    options.config === undefined ? null : { name: options.config, lines: readZooCfg(options.config) };
  const { config, notices } = readServerConfig({ file, overrides: overridesOf(options) });
  const output = standardOutput(STDERR_FD);
  const log = createMainLog({ level: config.logLevel, pretty: isatty(STDERR_FD), output });
  guardStreams(log);
  for (const notice of notices) log[notice.level](notice.text);
  const { startServer } = await import('../../server/server.ts');
  const status = await runServerProcess(
    () => startServer(config, log),
    log,
    (line) => {
      if (!standardOutput(STDOUT_FD).write(line)) log.warn('the ready line could not be written to stdout');
    },
  );
  output.close(LAST_LINES_MS);
  process.exit(status);
}

/** What Node itself writes to the standard streams (a thread's output, a warning) must not end the server either. */
function guardStreams(log: Log): void {
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  process.removeAllListeners('warning');
  process.on('warning', (warning) => log.warn(`${warning.name}: ${warning.message}`));
}

function overridesOf(options: ServeOptions): Override[] {
  const overrides: Override[] = [];
  const add = (flag: string, key: string, value: string | undefined): void => {
    if (value !== undefined) overrides.push({ flag, key, value });
  };
  add('--data-dir', 'dataDir', options.dataDir);
  add('--client-port', 'clientPort', options.clientPort);
  add('--client-port-address', 'clientPortAddress', options.clientPortAddress);
  add('--threading', 'ringkeeper.threadingMode', options.threading);
  add('--io-threads', 'ringkeeper.ioThreads', options.ioThreads);
  add('--log-level', 'ringkeeper.logLevel', options.logLevel);
  for (const pair of options.set) {
    const equals = pair.indexOf('=');
    if (equals <= 0) throw new ConfigFailure(`--set ${pair}: allowed: key=value`);
    add('--set', pair.slice(0, equals).trim(), pair.slice(equals + 1).trim());
  }
  return overrides;
}

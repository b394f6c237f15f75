/**
 * `ringkeeper shell`: the command line of the shell, in yargs' spelling and in that of Apache's zkCli (`-server`,
 * `-timeout`, `-r`, a command behind them). The shell itself is loaded only behind it.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Argv, CommandModule } from 'yargs';
import { ConfigFailure } from '../../base/failure.ts';
import { packageVersion } from '../../server/monitor/version.ts';

const SERVERS_DEFAULT = 'localhost:2181';
const SESSION_TIMEOUT_MS_DEFAULT = 30_000;
const WAIT_MS_DEFAULT = 10_000;

interface ShellFlags {
  readonly server?: string;
  readonly timeout: number;
  readonly wait: number;
  readonly readonly: boolean;
  readonly command: readonly string[];
  readonly file?: string;
  readonly json: boolean;
  readonly yes: boolean;
  readonly keepGoing: boolean;
  readonly clientConfiguration?: string;
  readonly tls: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly jaas?: string;
  /** One command, as words. */
  readonly '--'?: readonly string[];
}

/** Apache's flags, and those of ours that have one letter. */
const SPELLINGS: Readonly<Record<string, string>> = {
  '-server': '--server',
  '-timeout': '--timeout',
  '-r': '--readonly',
  '-waitforconnection': '--waitforconnection',
  '-client-configuration': '--client-configuration',
  '-c': '--command',
  '-f': '--file',
  '-y': '--yes',
};
const FLAGS_WITH_VALUE: ReadonlySet<string> = new Set([
  '--server',
  '--timeout',
  '--wait',
  '--command',
  '--file',
  '--client-configuration',
  '--tls-ca',
  '--tls-cert',
  '--tls-key',
  '--jaas',
]);

/** Arguments of the whole program: behind the first word of a command, nothing is a flag of ours. */
export async function spellShellArguments(args: readonly string[]): Promise<string[]> {
  if (args[0] !== 'shell') return [...args];
  const { isCommand } = await import('../../shell/index.ts');
  const own = ['shell'];
  let at = 1;
  for (; at < args.length; at++) {
    const word = args[at]!;
    if (word === '--') {
      at++;
      break;
    }
    if (word.startsWith('-')) {
      const flag = SPELLINGS[word] ?? word;
      own.push(flag);
      // Joined, so that a value may begin with a dash.
      if (FLAGS_WITH_VALUE.has(flag) && at + 1 < args.length) own[own.length - 1] = `${flag}=${args[++at]}`;
    } else if (!isCommand(word) && !own.some((one) => one.startsWith('--server='))) {
      own.push(`--server=${word}`);
    } else {
      break;
    }
  }
  return [...own, ...(at < args.length ? ['--', ...args.slice(at)] : [])];
}

export const shellCommand: CommandModule<object, ShellFlags> = {
  command: 'shell',
  describe: 'A shell for any ZooKeeper service: commands of zkCli, and trees, dumps, comparisons',
  builder: (args: Argv): Argv<ShellFlags> =>
    args
      .usage('$0 shell [connect string] [command ...]')
      .parserConfiguration({ 'populate--': true })
      .option('server', { type: 'string', describe: 'host:port,…/root (as zkCli: -server)' })
      .option('timeout', {
        type: 'number',
        default: SESSION_TIMEOUT_MS_DEFAULT,
        describe: 'session timeout in ms (-timeout)',
      })
      .option('wait', { type: 'number', default: WAIT_MS_DEFAULT, describe: 'ms to wait for a server' })
      .option('readonly', { type: 'boolean', default: false, describe: 'a read-only server will do (-r)' })
      .option('waitforconnection', {
        type: 'boolean',
        hidden: true,
        describe: 'as zkCli: always so here',
      })
      .option('command', {
        alias: 'c',
        type: 'string',
        array: true,
        nargs: 1,
        default: [],
        describe: 'commands, with ; or newlines between; stops at the first failure',
      })
      .option('file', { alias: 'f', type: 'string', describe: 'a file of commands, one a line; - = stdin' })
      .option('json', { type: 'boolean', default: false, describe: 'one JSON object per result' })
      .option('yes', {
        alias: 'y',
        type: 'boolean',
        default: false,
        describe: 'answer every question with yes',
      })
      .option('keep-going', { type: 'boolean', default: false, describe: 'go on behind a failure' })
      .option('client-configuration', {
        type: 'string',
        describe: "a file of Java's client: zookeeper.client.secure, ssl, sasl (-client-configuration)",
      })
      .option('tls', { type: 'boolean', default: false, describe: 'TLS; the system says who is believed' })
      .option('tls-ca', { type: 'string', describe: 'PEM file: TLS, and these authorities are believed' })
      .option('tls-cert', { type: 'string', describe: 'PEM file: our certificate' })
      .option('tls-key', { type: 'string', describe: 'PEM file: its key' })
      .option('jaas', { type: 'string', describe: 'JAAS file: SASL DIGEST-MD5 as its section Client says' })
      .example("$0 shell zk1:2181,zk2:2181/app -c 'ls -R /'", '')
      .example('$0 shell zk1 dump / > app.jsonl', '') as unknown as Argv<ShellFlags>,
  handler: async (flags) => {
    const { runShell } = await import('../../shell/index.ts');
    process.exitCode = await runShell(
      {
        servers: flags.server ?? SERVERS_DEFAULT,
        sessionTimeoutMs: positive('--timeout', flags.timeout),
        waitMs: positive('--wait', flags.wait),
        readOnly: flags.readonly,
        words: flags['--'] ?? [],
        commands: flags.command,
        file: flags.file ?? null,
        json: flags.json,
        yes: flags.yes,
        keepGoing: flags.keepGoing,
        security: {
          clientConfiguration: flags.clientConfiguration ?? null,
          tls: flags.tls,
          tlsCa: flags.tlsCa ?? null,
          tlsCert: flags.tlsCert ?? null,
          tlsKey: flags.tlsKey ?? null,
          jaas: flags.jaas ?? null,
        },
        version: packageVersion(),
        historyFile: historyFile(process.env),
      },
      process,
    );
  },
};

/** As the XDG rules say; RINGKEEPER_HISTORY names another one, empty = none. */
function historyFile(env: NodeJS.ProcessEnv): string | null {
  const named = env['RINGKEEPER_HISTORY'];
  if (named !== undefined) return named === '' ? null : named;
  const state = env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state');
  return join(state, 'ringkeeper', 'shell-history');
}

function positive(flag: string, value: number): number {
  if (!Number.isSafeInteger(value) || value <= 0)
    throw new ConfigFailure(`${flag} is a number of ms above 0, not ${value}`);
  return value;
}

/**
 * The command line: one file of `commands/` per sub-command, found by name here. Prints one clear line and exits
 * with status 2 for anything the user can mend; a stack trace is only ever a defect of ours (status 1).
 */
import yargs from 'yargs';
import { ConfigFailure, Failure } from '../base/failure.ts';
import { STDERR_FD, standardOutput } from '../server/logging/line-output.ts';
import { packageVersion } from '../server/monitor/version.ts';
import { benchCommand } from './commands/bench.ts';
import { ensembleCommand } from './commands/ensemble.ts';
import { serveCommand } from './commands/serve.ts';
import { shellCommand, spellShellArguments } from './commands/shell.ts';

/** How long a slow reader of stderr is waited for. */
const COMPLAINT_MS_MAX = 500;

/** Called by ringkeeper.js with the arguments behind the program's name. Ends the process itself when something is wrong. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await commandLine(await spellShellArguments(args)).parseAsync();
  } catch (error) {
    // At once: a start that failed half-way may have left threads behind.
    process.exit(report(error));
  }
}

function commandLine(args: readonly string[]) {
  return yargs([...args])
    .scriptName('ringkeeper')
    .usage(
      '$0 <command>\n\nA ZooKeeper-compatible coordination server, and the benchmark engine that proves it.',
    )
    .command(serveCommand)
    .command(ensembleCommand)
    .command(benchCommand)
    .command(shellCommand)
    .demandCommand(
      1,
      'say what to do: ringkeeper serve ..., ringkeeper ensemble, ringkeeper shell ..., ringkeeper bench ..., or ringkeeper --help',
    )
    .strict()
    .recommendCommands()
    .version(packageVersion())
    .help()
    .alias({ h: 'help', v: 'version' })
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .exitProcess(false)
    .fail((message, error) => {
      // A message is a complaint about the arguments; an error alone comes out of a command.
      throw message ? new ConfigFailure(inOurWords(message, args)) : error;
    });
}

/** What yargs finds wrong with the arguments, with the word it means and where to look. */
function inOurWords(message: string, args: readonly string[]): string {
  const end = args.findIndex((arg) => arg.startsWith('-'));
  const words = end < 0 ? args : args.slice(0, end);
  const depth = words[0] !== 'bench' ? 1 : words[1] === 'campaign' ? 3 : 2;
  const command = words.slice(0, depth);
  const help = (known: readonly string[]): string => `${['ringkeeper', ...known, '--help'].join(' ')} lists`;
  const recommended = /^Did you mean (.+)\?$/.exec(message)?.[1];
  const unknown = /^Unknown arguments?: (.+)$/.exec(message)?.[1]?.split(', ');
  const last = command.at(-1);
  if (last !== undefined && (recommended !== undefined || unknown?.[0] === last)) {
    const guess = recommended === undefined ? '' : `did you mean "${recommended}"? `;
    return `no such command: ${last} - ${guess}${help(command.slice(0, -1))} all of them`;
  }
  if (unknown !== undefined) {
    // A flag with a dash is complained about a second time in camel case.
    const once = unknown.filter(
      (name) => !unknown.some((other) => other !== name && camelCase(other) === name),
    );
    return `unknown argument: ${once.join(', ')} - ${help(command)} what there is`;
  }
  if (message.startsWith('Not enough non-option arguments')) {
    return `an argument is missing - ${help(command)} what is asked for`;
  }
  return message;
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function report(error: unknown): number {
  if (error instanceof Failure) {
    complain(`ringkeeper: ${error.message}\n`);
    return error.exitStatus;
  }
  complain(`ringkeeper: ${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}

/** The exit status says it too, where nobody can read. */
function complain(text: string): void {
  const output = standardOutput(STDERR_FD);
  output.write(text);
  output.close(COMPLAINT_MS_MAX);
}

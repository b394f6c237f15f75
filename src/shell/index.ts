/**
 * `ringkeeper shell`: what the command line hands over, and the status that it gets back. Decides between a person and a
 * batch, connects, and sees to it that the session is closed in every case, so that its ephemeral znodes go at once.
 */
import type { Readable, Writable } from 'node:stream';
import { type BatchLine, linesOfFile, linesOfTexts, runBatch } from './batch.ts';
import {
  type ClientConfiguration,
  readClientConfiguration,
  type SecurityFlags,
} from './client-configuration.ts';
import { describeFailure, Status } from './command/failure.ts';
import { type Json, Output, showsColours } from './command/output.ts';
import { eventName, eventText, WatchBook } from './command/watch-book.ts';
import { ShellConnection } from './connection.ts';
import { Shell } from './shell.ts';
import { HistoryFile } from './terminal/history-file.ts';
import { PathNames } from './terminal/path-names.ts';
import { askOnce, Terminal } from './terminal/terminal.ts';

export { isCommand } from './commands/table.ts';

export interface ShellOptions {
  readonly servers: string;
  readonly sessionTimeoutMs: number;
  readonly readOnly: boolean;
  /** How long a server is waited for. */
  readonly waitMs: number;
  /** One command, as words; empty = none. */
  readonly words: readonly string[];
  /** Commands of `-c`. */
  readonly commands: readonly string[];
  /** A file of commands, `-` = stdin; null = none. */
  readonly file: string | null;
  readonly json: boolean;
  readonly yes: boolean;
  readonly keepGoing: boolean;
  readonly version: string;
  readonly security: SecurityFlags;
  /** Where a terminal keeps its lines; null = nowhere. */
  readonly historyFile: string | null;
}

interface Stream {
  readonly isTTY?: boolean;
}

export interface ShellStreams {
  readonly stdin: Readable & Stream;
  readonly stdout: Writable & Stream;
  readonly stderr: Writable & Stream;
}

/** Resolves with the exit status, when the session is closed. */
export async function runShell(options: ShellOptions, streams: ShellStreams): Promise<number> {
  const { stdin, stdout, stderr } = streams;
  const isPerson = stdin.isTTY === true && stdout.isTTY === true && isWithoutCommands(options);
  const out = new Output(stdout, stderr, {
    json: options.json,
    colours: showsColours(stdout, process.env),
  });
  const configuration = await securityOf(options.security, out);
  if (configuration === null) return Status.usage;
  const paths = new PathNames(() => (connection.isOpen ? connection.zk : null));
  const tell = (value: Json, text: string): void => {
    if (isPerson) terminal.above(out.json ? JSON.stringify(value) : text);
    else void out.result(value, text).then(() => out.flush());
  };
  const watches = new WatchBook((item) => {
    const event = item.type === 'gap' ? { gap: item.cause } : { type: eventName(item.type), path: item.path };
    tell({ event }, `\nWATCHER::\n\n${eventText(item)}`);
  });
  const connection = new ShellConnection({
    configuration,
    sessionTimeoutMs: options.sessionTimeoutMs,
    readOnly: options.readOnly,
    waitMs: options.waitMs,
    // A person sees that nothing comes, and has Ctrl-C.
    requestTimeoutMs: isPerson ? 0 : options.sessionTimeoutMs,
    onState: ({ state, cause }) => {
      if (isPerson && terminal.isOpen)
        tell({ state, cause }, `(${state}${cause === null ? '' : `: ${cause}`})`);
    },
    onReplaced: () => {
      watches.clear();
      paths.clear();
    },
  });
  const shell: Shell = new Shell({
    out,
    connection,
    watches,
    version: options.version,
    yes: options.yes,
    coloursErrors: showsColours(stderr, process.env),
    ask: (question) => (isPerson ? terminal.ask(question) : askWhoIsThere(question, options, streams)),
  });
  const terminal = new Terminal({
    stdin,
    stdout,
    paths,
    history: new HistoryFile(isPerson ? options.historyFile : null, (message) => terminal.above(message)),
    prompt: () => `${connection.servers} (${connection.state.toUpperCase()}) ${shell.present}> `,
  });
  const onInterrupt = (): void => shell.interrupt();
  process.on('SIGINT', onInterrupt);
  try {
    // What cannot be read, or needs no server, waits for none.
    if (options.words.length > 0) {
      const checked = await shell.check(options.words);
      if (checked !== 'needsConnection') return checked;
    }
    const connected = await shell.guard('', (signal) => connection.connect(options.servers, signal));
    if (isPerson && connected !== Status.usage) {
      await terminal.run(shell);
      return Status.done;
    }
    if (connected !== Status.done) return connected;
    if (options.words.length > 0) return await shell.runWords(options.words);
    return await runBatch(shell, linesOf(options, stdin), options.keepGoing);
  } finally {
    process.off('SIGINT', onInterrupt);
    await connection.close();
    await out.flush();
  }
}

/** null: it makes no sense, which was told. */
async function securityOf(flags: SecurityFlags, out: Output): Promise<ClientConfiguration | null> {
  try {
    return readClientConfiguration(flags);
  } catch (error) {
    const failure = describeFailure(error);
    if (failure === null) throw error;
    await out.note(failure.message);
    await out.flush();
    return null;
  }
}

function isWithoutCommands({ words, commands, file }: ShellOptions): boolean {
  return words.length === 0 && commands.length === 0 && file === null;
}

/** null where nobody sits, or where the lines themselves come from the terminal. */
function askWhoIsThere(
  question: string,
  { file, commands, words }: ShellOptions,
  { stdin, stderr }: ShellStreams,
): Promise<string> | null {
  const readsStdin = file === '-' || (file === null && commands.length === 0 && words.length === 0);
  if (readsStdin || stdin.isTTY !== true || stderr.isTTY !== true) return null;
  return askOnce(question, stdin, stderr);
}

function linesOf(options: ShellOptions, stdin: Readable): AsyncIterable<BatchLine> | Iterable<BatchLine> {
  if (options.commands.length > 0) return linesOfTexts(options.commands);
  return linesOfFile(options.file ?? '-', stdin);
}

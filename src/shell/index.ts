/**
 * `ringkeeper shell`: what the command line hands over, and the status that it gets back. Decides between a person and a
 * batch, connects, and sees to it that the session is closed in every case, so that its ephemeral znodes go at once.
 */
import type { Readable, Writable } from 'node:stream';
import { type BatchLine, linesOfFile, linesOfTexts, runBatch } from './batch.ts';
import { Status } from './command/failure.ts';
import { Output, showsColours } from './command/output.ts';
import { eventName, eventText, WatchBook } from './command/watch-book.ts';
import { ShellConnection } from './connection.ts';
import { Shell } from './shell.ts';

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
  const out = new Output(stdout, stderr, {
    json: options.json,
    colours: showsColours(stdout, process.env),
  });
  const watches = new WatchBook((item) => {
    const event = item.type === 'gap' ? { gap: item.cause } : { type: eventName(item.type), path: item.path };
    void out.result({ event }, `\nWATCHER::\n\n${eventText(item)}`).then(() => out.flush());
  });
  const connection = new ShellConnection({
    sessionTimeoutMs: options.sessionTimeoutMs,
    readOnly: options.readOnly,
    waitMs: options.waitMs,
    requestTimeoutMs: options.sessionTimeoutMs,
    onState: () => undefined,
    onReplaced: () => watches.clear(),
  });
  const shell = new Shell({
    out,
    connection,
    watches,
    version: options.version,
    yes: options.yes,
    coloursErrors: showsColours(stderr, process.env),
    ask: () => null,
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
    if (connected !== Status.done) return connected;
    if (options.words.length > 0) return await shell.runWords(options.words);
    return await runBatch(shell, linesOf(options, stdin), options.keepGoing);
  } finally {
    process.off('SIGINT', onInterrupt);
    await connection.close();
    await out.flush();
  }
}

function linesOf(options: ShellOptions, stdin: Readable): AsyncIterable<BatchLine> | Iterable<BatchLine> {
  if (options.commands.length > 0) return linesOfTexts(options.commands);
  return linesOfFile(options.file ?? '-', stdin);
}

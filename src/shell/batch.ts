/**
 * Commands without a person: from `-c`, from a file, from a pipe. Stops at the first one that fails, unless told to go on;
 * the status is that of the first failure.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Status } from './command/failure.ts';
import { splitCommands } from './command/words.ts';
import type { Shell } from './shell.ts';

export interface BatchLine {
  readonly command: string;
  /** `file:line`, or nothing. */
  readonly where: string;
}

export async function runBatch(
  shell: Shell,
  lines: AsyncIterable<BatchLine> | Iterable<BatchLine>,
  keepGoing: boolean,
): Promise<Status> {
  let first: Status = Status.done;
  try {
    for await (const { command, where } of lines) {
      const status = await shell.run(command, where);
      if (first === Status.done) first = status;
      if (status === Status.interrupted) return status;
      if (status !== Status.done && !keepGoing) return status;
      if (shell.hasQuit) break;
    }
  } catch (error) {
    // The file itself.
    return shell.complain('', error);
  }
  return first;
}

/** `-c`, given once or several times. */
export function linesOfTexts(texts: readonly string[]): BatchLine[] {
  return texts.flatMap((text) => splitCommands(text)).map((command) => ({ command, where: '' }));
}

/** `-` is what comes in by the pipe. */
export async function* linesOfFile(file: string, stdin: Readable): AsyncGenerator<BatchLine> {
  const input = file === '-' ? stdin : createReadStream(file);
  const opened = Promise.withResolvers<void>();
  if (file === '-') opened.resolve();
  input.once('open', () => opened.resolve());
  input.once('error', (error) => opened.reject(error));
  await opened.promise;
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    const command = line.trim();
    const where = file === '-' ? '' : `${file}:${number}`;
    if (command !== '' && !command.startsWith('#')) yield { command, where };
  }
}

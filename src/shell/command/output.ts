/**
 * Where a command's results go: text for people or one JSON object per line, to stdout; complaints to stderr. Text is
 * gathered and written in pieces of 64 KiB, and a slow reader is waited for, so that a tree of any size passes in bounded
 * memory. Colours are put on only when the stream is a terminal that shows them.
 */
import type { Writable } from 'node:stream';

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };
export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

const COLOUR_CODES: Readonly<Record<Colour, number>> = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  cyan: 36,
};
const PIECE_LENGTH = 64 * 1024;

export interface OutputOptions {
  readonly json: boolean;
  readonly colours: boolean;
}

export class Output {
  readonly json: boolean;
  readonly colours: boolean;
  private readonly stdout: Writable;
  private readonly stderr: Writable;
  private gathered = '';

  constructor(stdout: Writable, stderr: Writable, options: OutputOptions) {
    this.stdout = stdout;
    this.stderr = stderr;
    this.json = options.json;
    this.colours = options.colours;
  }

  /** One result: `value` where JSON is wanted, else `text`, which may be several lines; '' prints nothing. */
  async result(value: Json, text: string): Promise<void> {
    await this.put(this.json ? `${JSON.stringify(value)}\n` : text === '' ? '' : `${text}\n`);
  }

  /** For people only. */
  async line(text: string): Promise<void> {
    if (!this.json) await this.put(`${text}\n`);
  }

  /** What has a form of its own, whether JSON is wanted or not. */
  async text(text: string): Promise<void> {
    await this.put(text);
  }

  /** Bytes as they are, behind everything that was printed. */
  async bytes(bytes: Uint8Array): Promise<void> {
    await this.flush();
    if (!this.stdout.write(bytes)) await drained(this.stdout);
  }

  /** Something people should know; never a result. */
  async note(text: string): Promise<void> {
    await this.flush();
    this.stderr.write(`${text}\n`);
  }

  async flush(): Promise<void> {
    if (this.gathered === '') return;
    const text = this.gathered;
    this.gathered = '';
    if (!this.stdout.write(text)) await drained(this.stdout);
  }

  paint(text: string, colour: Colour): string {
    return this.colours ? `\u001b[${COLOUR_CODES[colour]}m${text}\u001b[0m` : text;
  }

  private async put(text: string): Promise<void> {
    this.gathered += text;
    if (this.gathered.length >= PIECE_LENGTH) await this.flush();
  }
}

/** A reader that has gone away ends the process elsewhere; here it only must not be waited for. */
function drained(stream: Writable): Promise<void> {
  if (stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
  });
}

/** Whether a stream shows colours: a terminal that is none too simple, and nobody said no. */
export function showsColours(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return stream.isTTY === true && !refused;
}

/**
 * A person at a terminal: line editing, completion, history, one command after the other. Node's readline owns the keys; a
 * line that comes while a command runs waits for its turn, unless the command has asked something.
 *
 *     key ─▶ readline ─▶ line ─▶ asked? ─▶ the command that asked
 *                                else    ─▶ waiting lines ─▶ shell.run ─▶ prompt
 *     Ctrl-C: ends the command that runs, or drops the line; Ctrl-D: leaves
 *     events and state changes are printed above the line that is being typed
 */
import { once } from 'node:events';
import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { isSecretLine } from '../commands/table.ts';
import { complete, type PathSource } from './complete.ts';
import { HISTORY_MAX, type HistoryFile } from './history-file.ts';

/** Lines that may wait, of somebody who pastes; more are not read until they have run. */
const WAITING_MAX = 1_000;

/** What runs the lines. */
export interface LineRunner {
  readonly hasQuit: boolean;
  readonly isRunning: boolean;
  /** Number of the next line. */
  present: number;
  run(line: string): Promise<unknown>;
  interrupt(): void;
}

export interface TerminalParts {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly history: HistoryFile;
  readonly paths: PathSource;
  prompt(): string;
}

export class Terminal {
  private readonly parts: TerminalParts;
  private lines: Interface | null = null;
  private readonly waiting: string[] = [];
  private asked: ((answer: string) => void) | null = null;
  private onLine: (() => void) | null = null;
  private isClosed = false;
  /** Whether a line is being typed below what is printed. */
  private isPrompting = false;

  constructor(parts: TerminalParts) {
    this.parts = parts;
  }

  /** Whether somebody sits before it. */
  get isOpen(): boolean {
    return this.lines !== null && !this.isClosed;
  }

  /** Resolves when the person has left. */
  async run(shell: LineRunner): Promise<void> {
    const { stdin, stdout, history } = this.parts;
    const kept = await history.load();
    const lines = createInterface({
      input: stdin,
      output: stdout,
      terminal: true,
      history: kept.toReversed(),
      historySize: HISTORY_MAX,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        void complete(line, this.parts.paths).then(({ offers, word }) => done(null, [offers, word]));
      },
    });
    this.lines = lines;
    this.listen(lines, shell);
    // What came before was none of theirs.
    shell.present = 0;
    try {
      while (!shell.hasQuit) {
        const line = await this.nextLine();
        if (line === null) break;
        await shell.run(line);
      }
    } finally {
      this.isClosed = true;
      lines.close();
      await history.settled();
    }
  }

  /** Prints `text` above the line that is being typed. */
  above(text: string): void {
    const { stdout } = this.parts;
    if (!this.isPrompting) {
      stdout.write(`${text}\n`);
      return;
    }
    cursorTo(stdout, 0);
    clearLine(stdout, 0);
    stdout.write(`${text}\n`);
    this.lines!.setPrompt(this.parts.prompt());
    this.lines!.prompt(true);
  }

  /** The next line that is typed from now on; '' when the person leaves instead. */
  async ask(question: string): Promise<string> {
    const { lines } = this;
    if (lines === null || this.isClosed) return '';
    const answer = Promise.withResolvers<string>();
    this.asked = answer.resolve;
    lines.setPrompt(question);
    lines.prompt();
    try {
      return await answer.promise;
    } finally {
      this.asked = null;
    }
  }

  private listen(lines: Interface, shell: LineRunner): void {
    const { history, stdout } = this.parts;
    lines.on('line', (line) => {
      this.isPrompting = false;
      if (this.asked !== null) {
        this.asked(line);
        return;
      }
      if (!isSecretLine(line)) history.add(line);
      this.waiting.push(line);
      if (this.waiting.length >= WAITING_MAX) lines.pause();
      this.onLine?.();
    });
    // Answers are no commands, and secrets are kept nowhere.
    lines.on('history', (entries) => {
      const [newest] = entries;
      if (newest !== undefined && (this.asked !== null || isSecretLine(newest))) entries.shift();
    });
    lines.on('SIGINT', () => {
      if (shell.isRunning) {
        shell.interrupt();
        this.asked?.('');
        return;
      }
      stdout.write('^C\n');
      // Ends the line that is being typed.
      lines.write(null, { ctrl: true, name: 'e' });
      lines.write(null, { ctrl: true, name: 'u' });
      lines.prompt();
    });
    lines.on('close', () => {
      this.isClosed = true;
      this.isPrompting = false;
      if (shell.isRunning) shell.interrupt();
      this.asked?.('');
      this.onLine?.();
    });
  }

  /** null when the person has left. */
  private async nextLine(): Promise<string | null> {
    const line = this.waiting.shift();
    if (line !== undefined) {
      if (this.waiting.length === 0 && !this.isClosed) this.lines!.resume();
      return line;
    }
    if (this.isClosed) return null;
    this.isPrompting = true;
    this.lines!.setPrompt(this.parts.prompt());
    this.lines!.prompt();
    await new Promise<void>((resolve) => {
      this.onLine = resolve;
    });
    this.onLine = null;
    return this.nextLine();
  }
}

/** One question of a command that was given on the command line. */
export async function askOnce(question: string, stdin: Readable, output: Writable): Promise<string> {
  const lines = createInterface({ input: stdin, output, terminal: true });
  lines.on('SIGINT', () => lines.close());
  try {
    const closed = once(lines, 'close').then(() => '');
    lines.setPrompt(question);
    lines.prompt();
    return await Promise.race([once(lines, 'line').then(([line]) => String(line)), closed]);
  } finally {
    lines.close();
  }
}

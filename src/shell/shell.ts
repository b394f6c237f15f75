/**
 * Runs one line at a time: words, the table's entry, its flags, the command; and turns whatever goes wrong into one line
 * and a status. Who reads the lines, a batch or a terminal, is another file.
 *
 *     line ──▶ words ──▶ spec ──▶ invocation ──▶ run ──▶ results (stdout), complaint (stderr), status
 */
import type { Context, HistoryPort } from './command/context.ts';
import { describeFailure, type FailureFacts, Status } from './command/failure.ts';
import { readInvocation } from './command/invocation.ts';
import type { Output } from './command/output.ts';
import type { WatchBook } from './command/watch-book.ts';
import { splitWords } from './command/words.ts';
import { commandNamed, isSecretLine } from './commands/table.ts';
import type { ShellConnection } from './connection.ts';

export interface ShellParts {
  readonly out: Output;
  readonly connection: ShellConnection;
  readonly watches: WatchBook;
  readonly version: string;
  readonly yes: boolean;
  /** Whether complaints are coloured. */
  readonly coloursErrors: boolean;
  ask(question: string): Promise<string> | null;
}

/** Commands that `history` and `redo` know. */
const REMEMBERED_MAX = 1_000;

export class Shell implements HistoryPort {
  hasQuit = false;
  /** Number of the command that runs, or of the next one. */
  present = 0;
  private readonly parts: ShellParts;
  private readonly remembered = new Map<number, string>();
  private running: AbortController | null = null;

  constructor(parts: ShellParts) {
    this.parts = parts;
  }

  get isRunning(): boolean {
    return this.running !== null;
  }

  line(number: number): string | null {
    return this.remembered.get(number) ?? null;
  }

  /** Ctrl-C: the command that runs ends; without one nothing happens. */
  interrupt(): void {
    this.running?.abort();
  }

  /** `where` stands in front of a complaint: the place in a batch file. */
  async run(line: string, where = ''): Promise<Status> {
    if (line.trim() === '') return Status.done;
    return this.guard(where, async (signal) => {
      if (!isSecretLine(line)) this.remembered.set(this.present, line);
      this.remembered.delete(this.present - REMEMBERED_MAX);
      await this.execute(
        splitWords(line).map(({ text }) => text),
        signal,
      );
    });
  }

  /** Words that a shell of the system has split. */
  async runWords(words: readonly string[]): Promise<Status> {
    return this.guard('', (signal) => this.execute(words, signal));
  }

  /** Runs a command that needs no connection, and complains about one that cannot be read; leaves any other alone. */
  async check(words: readonly string[]): Promise<Status | 'needsConnection'> {
    let isLocal = false;
    const read = await this.guard('', async () => {
      const [name = '', ...rest] = words;
      isLocal = readInvocation(commandNamed(name), rest).spec.isLocal === true;
    });
    if (read !== Status.done) return read;
    return isLocal ? this.runWords(words) : 'needsConnection';
  }

  /** Anything else that a person may interrupt and that may fail in the ways of a command. */
  async guard(where: string, work: (signal: AbortSignal) => Promise<void>): Promise<Status> {
    const running = new AbortController();
    this.running = running;
    try {
      await work(running.signal);
      // `watch` ends in order, but what was to follow is not wanted either.
      return running.signal.aborted ? Status.interrupted : Status.done;
    } catch (error) {
      return await this.complain(where, error, running.signal.aborted);
    } finally {
      this.running = null;
      this.present++;
      await this.parts.out.flush();
    }
  }

  private async execute(words: readonly string[], signal: AbortSignal): Promise<void> {
    const [name, ...rest] = words;
    if (name === undefined) return;
    const spec = commandNamed(name);
    const invocation = readInvocation(spec, rest);
    if (invocation.advice !== null) await this.parts.out.note(invocation.advice);
    await spec.run(invocation, this.contextFor(signal));
  }

  private contextFor(signal: AbortSignal): Context {
    const { out, connection, watches, version, yes, ask } = this.parts;
    const execute = (line: string): Promise<void> =>
      this.execute(
        splitWords(line).map(({ text }) => text),
        signal,
      );
    const quit = (): void => {
      this.hasQuit = true;
    };
    return { out, connection, watches, history: this, version, signal, yes, ask, execute, quit };
  }

  /** Tells a failure. @throws what is none but a defect of ours. */
  async complain(where: string, error: unknown, isInterrupted = false): Promise<Status> {
    const facts = describeFailure(error);
    if (facts === null) throw error;
    await this.tell(where, isInterrupted ? INTERRUPTED : facts);
    return isInterrupted ? Status.interrupted : facts.status;
  }

  private async tell(where: string, facts: FailureFacts): Promise<void> {
    const { out, coloursErrors } = this.parts;
    const { message, status, code, path, outcome } = facts;
    if (message === '') return;
    if (out.json) {
      await out.result({ error: { message, status, code, path, outcome, where: where || undefined } }, '');
      return;
    }
    const line = where === '' ? message : `${where}: ${message}`;
    await out.note(coloursErrors ? `\u001b[31m${line}\u001b[0m` : line);
  }
}

const INTERRUPTED: FailureFacts = { message: 'interrupted', status: Status.interrupted };

/**
 * Log lines of every thread, written to stderr by the main thread alone: readable on a terminal, one JSON object a
 * line otherwise. stdout stays free for the `ready` line. Writes are synchronous, so the line that explains a fatal
 * exit is out before the process ends; no thread of its own is involved. A stream that takes no lines holds nobody up
 * (`line-output.ts`). Not for the data plane: a line costs a system call.
 *
 *   any worker   ThreadLog --LogLine--> postMessage --> main thread: MainLog.write --> pino --> stderr
 */
import { createRequire } from 'node:module';
import { type Logger, pino, stdTimeFunctions } from 'pino';
import { LOG_LEVELS, type LogLevel } from '../config/server-config.ts';
import { LineOutput } from './line-output.ts';

export type LogFields = Readonly<Record<string, unknown>>;

/** What agents see, on any thread. `text` is for people; values to search by go into `fields`. */
export interface Log {
  debug(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
}

export type LineLevel = keyof Log;

/** The message a worker posts for each line. */
export interface LogLine {
  readonly type: 'log';
  readonly level: LineLevel;
  readonly thread: string;
  readonly text: string;
  readonly fields: LogFields;
}

/** The log of the main thread, and the way out for the lines of workers. */
export class MainLog implements Log {
  private readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  debug(text: string, fields: LogFields = {}): void {
    this.logger.debug(fields, text);
  }

  info(text: string, fields: LogFields = {}): void {
    this.logger.info(fields, text);
  }

  warn(text: string, fields: LogFields = {}): void {
    this.logger.warn(fields, text);
  }

  error(text: string, fields: LogFields = {}): void {
    this.logger.error(fields, text);
  }

  /** Writes a line that a worker posted. */
  write(line: LogLine): void {
    this.logger[line.level]({ thread: line.thread, ...line.fields }, line.text);
  }
}

/** The log of a worker: lines below `level` are dropped where they arise, the others are posted. */
export class ThreadLog implements Log {
  private readonly thread: string;
  private readonly levelIndex: number;
  private readonly post: (line: LogLine) => void;

  constructor(thread: string, level: LogLevel, post: (line: LogLine) => void) {
    this.thread = thread;
    this.levelIndex = LOG_LEVELS.indexOf(level);
    this.post = post;
  }

  debug(text: string, fields: LogFields = {}): void {
    this.send('debug', text, fields);
  }

  info(text: string, fields: LogFields = {}): void {
    this.send('info', text, fields);
  }

  warn(text: string, fields: LogFields = {}): void {
    this.send('warn', text, fields);
  }

  error(text: string, fields: LogFields = {}): void {
    this.send('error', text, fields);
  }

  private send(level: LineLevel, text: string, fields: LogFields): void {
    if (LOG_LEVELS.indexOf(level) < this.levelIndex) return;
    this.post({ type: 'log', level, thread: this.thread, text, fields });
  }
}

/** Anything that takes whole lines at once. */
export interface LogOutput {
  write(text: string): unknown;
}

export function createMainLog(options: {
  readonly level: LogLevel;
  readonly pretty: boolean;
  readonly output: LogOutput;
}): MainLog {
  const { output } = options;
  const logger = pino(
    { level: options.level, base: undefined, timestamp: stdTimeFunctions.isoTime },
    options.pretty ? prettyOutput(output) : output,
  );
  if (output instanceof LineOutput) {
    output.onLost = (lines, reason) => logger.warn({ lines, reason }, 'log lines were lost');
  }
  return new MainLog(logger);
}

/**
 * pino-pretty as a plain function instead of a stream, so that a line is out when the call returns. Loaded only where lines go
 * to a terminal: it and what it needs are 29 modules of every other start.
 */
function prettyOutput(output: LogOutput): LogOutput {
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
  const prettify = prettyFactory({ translateTime: 'SYS:HH:MM:ss.l', singleLine: true });
  return { write: (line) => void output.write(prettify(line)) };
}

/**
 * The real server (`ringkeeper serve`, its own process, loopback, real files) with what the fault tests need on top
 * of a plain start: faults injected into its disk calls, a low limit of open files, a look at its memory and its
 * descriptors, and its exit status with its last words.
 *
 *     new Server ──▶ ready() ──▶ kill / stop / it ends by itself ──▶ ended
 *
 * Whatever still runs when the test process ends is killed.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { LAUNCHER } from '../../support/program.ts';
import { SERVER_FLAGS } from '../../support/v8-flags.ts';
import type { DiskFault } from './disk-fault.ts';
import { faultEnvironment } from './inject-faults.ts';

export const THREADING_MODES = ['shared', 'pipeline', 'dedicated'] as const;
export type ThreadingMode = (typeof THREADING_MODES)[number];

export interface ServerOptions {
  readonly dataDir: string;
  readonly threading?: ThreadingMode;
  /** zoo.cfg keys beyond the directory, the port and no limit of connections per address. */
  readonly settings?: Readonly<Record<string, string | number>>;
  readonly faults?: readonly DiskFault[];
  /** Descriptors the process may have open; by default what this process may. */
  readonly openFilesMax?: number;
}

export interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Server {
  /** Known once `ready` has resolved. */
  port = 0;
  stdout = '';
  stderr = '';
  /** Settles when the process has ended and all its output is here. */
  readonly ended: Promise<Ending>;
  private readonly child: ChildProcess;

  constructor(options: ServerOptions) {
    const [command, ...args] = commandLine(options);
    const env = { ...process.env, ...faultEnvironment(options.faults ?? []) };
    this.child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = once(this.child, 'close').then(([status, signal]) => ({ status, signal }));
    running.add(this.child);
    this.child.once('exit', () => running.delete(this.child));
  }

  /** Starts one and waits until it accepts clients. */
  static async start(options: ServerOptions): Promise<Server> {
    const server = new Server(options);
    await server.ready();
    return server;
  }

  /** The client port, once it is printed. Rejects when the process ends first. */
  async ready(): Promise<number> {
    const early = this.ended.then(({ status, signal }) => {
      throw new Error(`ended with status ${status}, signal ${signal} before it was ready:\n${this.stderr}`);
    });
    early.catch(() => {});
    for (;;) {
      const match = /^ready port=(\d+) /m.exec(this.stdout);
      if (match !== null) {
        this.port = Number(match[1]);
        return this.port;
      }
      await Promise.race([once(this.child.stdout!, 'data'), early]);
    }
  }

  /** Waits until it has logged such a line, which may have happened already. */
  async logged(line: RegExp): Promise<void> {
    const early = this.ended.then(() => assert.match(this.stderr, line));
    early.catch(() => {});
    while (!line.test(this.stderr)) await Promise.race([once(this.child.stderr!, 'data'), early]);
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.child.kill(signal);
  }

  /** SIGTERM (or another signal), and how it ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ending> {
    this.kill(signal);
    return this.ended;
  }

  /** It ends, or has ended, by itself: with this status, and its last line matches, without a stack trace. */
  async failsWith(status: number, lastLine: RegExp): Promise<void> {
    const { status: actual, signal } = await this.ended;
    assert.deepEqual({ status: actual, signal }, { status, signal: null }, this.stderr);
    assert.match(this.stderr.trimEnd().split('\n').at(-1)!, lastLine);
    assert.doesNotMatch(this.stderr, /^\s+at /m, 'a stack trace');
  }

  /** Resident memory in MiB. */
  residentMib(): number {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8'));
    return Math.round(Number(kib![1]) / 1024);
  }

  /** Open descriptors of the process. */
  openFiles(): number {
    return readdirSync(`/proc/${this.child.pid}/fd`).length;
  }

  /** The lines of `mntr`, without their prefix. */
  async metrics(): Promise<ReadonlyMap<string, string>> {
    const text = await fourLetterWord(this.port, 'mntr');
    return new Map([...text.matchAll(/^zk_(\w+)\t(.*)$/gm)].map((match) => [match[1]!, match[2]!]));
  }

  async metric(name: string): Promise<number> {
    const value = (await this.metrics()).get(name);
    assert.ok(value !== undefined, `mntr has no ${name}`);
    return Number(value);
  }
}

function commandLine(options: ServerOptions): string[] {
  const { dataDir, threading, settings = {}, openFilesMax } = options;
  const all = { '4lw.commands.whitelist': '*', maxClientCnxns: 0, ...settings };
  return [
    ...(openFilesMax === undefined ? [] : ['prlimit', `--nofile=${openFilesMax}:${openFilesMax}`]),
    ...[process.execPath, ...SERVER_FLAGS, LAUNCHER, 'serve', '--data-dir', dataDir],
    ...['--client-port', '0', '--client-port-address', '127.0.0.1'],
    ...(threading === undefined ? [] : ['--threading', threading]),
    ...(threading === 'dedicated' ? ['--io-threads', '2'] : []),
    ...Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
  ];
}

/**
 * A server as its user runs it: a process with flags, a ready line, a port, an exit status and what it printed. The
 * data directory is the test's; whatever still runs at the end of the test file is killed.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { LAUNCHER } from '../../support/program.ts';
import { SERVER_FLAGS } from '../../support/v8-flags.ts';

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class ServerProcess {
  stdout = '';
  stderr = '';
  /** Settles when the process has ended and all its output is here. */
  readonly ended: Promise<{ readonly status: number | null; readonly signal: string | null }>;
  private readonly child: ChildProcess;

  constructor(dataDir: string, flags: readonly string[] = []) {
    const own = ['--data-dir', dataDir, '--client-port', '0', '--client-port-address', '127.0.0.1'];
    const args = [...SERVER_FLAGS, LAUNCHER, 'serve', ...own, '--set', '4lw.commands.whitelist=*', ...flags];
    this.child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
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

  /** The port of the ready line. */
  async ready(): Promise<number> {
    const early = this.ended.then(({ status }) => {
      throw new Error(`ended with status ${status} before it was ready: ${this.stderr}`);
    });
    for (;;) {
      const match = /^ready port=(\d+) mode=standalone threading=(\w+) pid=\d+$/m.exec(this.stdout);
      if (match !== null) {
        early.catch(() => {});
        return Number(match[1]);
      }
      await Promise.race([once(this.child.stdout!, 'data'), early]);
    }
  }

  /** Waits until it has logged such a line. */
  async logged(line: RegExp): Promise<void> {
    while (!line.test(this.stderr)) await once(this.child.stderr!, 'data');
  }

  get pid(): number {
    return this.child.pid!;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.kill(signal);
    return (await this.ended).status;
  }

  /** Ends by itself with `status`, and its last words match. */
  async failsWith(status: number, words: RegExp): Promise<void> {
    const { status: actual, signal } = await this.ended;
    assert.deepEqual({ status: actual, signal }, { status, signal: null }, this.stderr);
    const last = this.stderr.trimEnd().split('\n').at(-1)!;
    assert.match(last, words);
    assert.doesNotMatch(this.stderr, /^ {4}at /m, 'no stack trace');
  }
}

/**
 * One server as a child process: started at once, its last words kept, ended with everything it has started. Whatever ends
 * this process, short of SIGKILL, the child goes with it: a command turns signals into orderly exits.
 *
 *     running --stop, kill--> ending --exit--> gone
 *         '--exit, or never began--> gone (`failure` says why; nothing throws)
 */
import { type ChildProcess, spawn } from 'node:child_process';

const STOP_MS_MAX = 10_000;
/** Of the server's last words, kept for messages. */
const OUTPUT_CHARS_MAX = 2_000;

export interface ProcessPlan {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Lines of its output that explain nothing when it fails. */
  readonly noise?: RegExp | undefined;
  /** On top of this process's own. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

export class ServerProcess {
  /** Just before it was started, by `performance.now()`. */
  readonly spawnedMs = performance.now();
  readonly child: ChildProcess;
  /** It and everything that shares its output has ended. */
  readonly exited: Promise<void>;
  /** Why it ended by itself; null while it runs, and when it was told to end. */
  failure: string | null = null;
  private readonly plan: ProcessPlan;
  private readonly onProcessExit = (): void => this.signalNow('SIGKILL');
  private isEnding = false;
  private isGone = false;
  private output = '';

  constructor(plan: ProcessPlan) {
    this.plan = plan;
    // A process group of its own: Ctrl-C reaches this process only, which then ends the server in its order.
    this.child = spawn(plan.command, plan.args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...plan.environment },
    });
    process.on('exit', this.onProcessExit);
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on('data', (text: Buffer) => {
        this.output = (this.output + text.toString()).slice(-OUTPUT_CHARS_MAX);
      });
    }
    this.exited = new Promise((resolve) => {
      this.child.on('error', (error) => {
        this.failure = `${plan.command} could not be started: ${error.message}`;
        this.onGone(resolve);
      });
      this.child.on('close', (code, signal) => {
        // Whoever is killed has said nothing of it.
        const why = signal === 'SIGKILL' ? '' : `: ${this.lastWords}`;
        if (!this.isEnding) this.failure ??= `${plan.name} ended (${signal ?? code})${why}`;
        this.onGone(resolve);
      });
    });
  }

  get isRunning(): boolean {
    return !this.isGone && this.child.exitCode === null && this.child.signalCode === null;
  }

  get lastWords(): string {
    const lines = this.output.split('\n').filter((line) => !this.plan.noise?.test(line));
    return lines.join('\n').trim() || 'it said nothing';
  }

  /** In order, and by force when that takes too long. Never throws; safe to call again. */
  async stop(): Promise<void> {
    this.isEnding = true;
    const kill = setTimeout(() => this.signalNow('SIGKILL'), STOP_MS_MAX);
    this.child.kill('SIGTERM');
    // A process that stands still would hear of it only when it goes on.
    this.signalNow('SIGCONT');
    await this.exited;
    clearTimeout(kill);
  }

  /** At once, as a power cut would. */
  async kill(): Promise<void> {
    this.isEnding = true;
    this.signalNow('SIGKILL');
    await this.exited;
  }

  /** To the whole group: the command may be a launcher, with the server as its child. */
  signalNow(signal: NodeJS.Signals): void {
    const { pid } = this.child;
    if (pid === undefined || this.isGone) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // No such group: all of it has ended.
    }
  }

  private onGone(resolve: () => void): void {
    this.isGone = true;
    process.off('exit', this.onProcessExit);
    resolve();
  }
}

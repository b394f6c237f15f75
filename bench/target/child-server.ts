/**
 * A server as a child process with a temporary directory. Whatever ends this process, short of SIGKILL, the
 * child is killed and the directory removed: both are registered with `process.on('exit')`, which also runs
 * after signals, because start.ts turns those into orderly exits.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Address } from '../load/load-connection.ts';
import type { Target } from './target.ts';

const STOP_MS_MAX = 10_000;
const ERROR_TEXT_MAX = 2_000;

export interface ChildPlan {
  readonly name: string;
  readonly description: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly tempDir: string;
  readonly dataDir: string | null;
  /** Resolves with where the server serves, once it does. */
  readonly ready: (child: ChildProcess) => Promise<{ readonly address: Address; readonly pid: number }>;
  readonly readyMsMax: number;
}

export function makeTempDir(parent: string): string {
  return mkdtempSync(join(parent, 'ringkeeper-bench-'));
}

export async function startChild(plan: ChildPlan): Promise<Target> {
  // A process group of its own: Ctrl-C reaches the engine only, which then ends the server in its order.
  const child = spawn(plan.command, plan.args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const server = new ChildServer(plan, child);
  try {
    await server.awaitReady();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

class ChildServer implements Target {
  readonly name: string;
  readonly description: string;
  readonly dataDir: string | null;
  address: Address = { host: '127.0.0.1', port: 0 };
  pid: number | null = null;
  failure: string | null = null;
  private readonly plan: ChildPlan;
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private readonly onProcessExit = (): void => this.cleanUpNow();
  private stopping = false;
  private errorText = '';

  constructor(plan: ChildPlan, child: ChildProcess) {
    this.name = plan.name;
    this.description = plan.description;
    this.dataDir = plan.dataDir;
    this.plan = plan;
    this.child = child;
    process.on('exit', this.onProcessExit);
    child.stderr!.on('data', (text: Buffer) => {
      this.errorText = (this.errorText + text.toString()).slice(-ERROR_TEXT_MAX);
    });
    this.exited = new Promise((resolve) => {
      child.on('error', (error) => {
        this.failure = `${plan.command} could not be started: ${error.message}`;
        resolve();
      });
      child.on('close', (code, signal) => {
        if (!this.stopping)
          this.failure ??= `${plan.name} ended (${signal ?? code}): ${this.errorText.trim()}`;
        resolve();
      });
    });
  }

  async awaitReady(): Promise<void> {
    const { plan } = this;
    const slow = rejectAfter(
      plan.readyMsMax,
      () => `${plan.name} was not ready within ${plan.readyMsMax} ms: ${this.errorText.trim()}`,
    );
    const dead = this.exited.then(() => {
      throw new Error(this.failure ?? `${plan.name} ended`);
    });
    try {
      const { address, pid } = await Promise.race([plan.ready(this.child), slow.promise, dead]);
      this.address = address;
      this.pid = pid;
    } finally {
      slow.cancel();
      dead.catch(() => {}); // a later, wanted exit is no failure of the start
    }
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const kill = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS_MAX);
    this.child.kill('SIGTERM');
    await this.exited;
    clearTimeout(kill);
    this.cleanUpNow();
    process.off('exit', this.onProcessExit);
  }

  private cleanUpNow(): void {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    rmSync(this.plan.tempDir, { recursive: true, force: true });
  }
}

/** Resolves with the first line of stdout that `pattern` matches. The output is drained for ever after. */
export function awaitLine(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve) => {
    let text = '';
    let found = false;
    child.stdout!.on('data', (chunk: Buffer) => {
      if (found) return;
      text += chunk.toString();
      const match = pattern.exec(text);
      if (match === null) return;
      found = true;
      resolve(match);
    });
  });
}

/** A port that was free a moment ago, for servers that cannot report the port they chose. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function rejectAfter(ms: number, message: () => string): { promise: Promise<never>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message())), ms);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}

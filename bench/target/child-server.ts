/**
 * A server as a child process with a temporary directory. Whatever ends this process, short of SIGKILL, the
 * child is killed and the directory removed: both are registered with `process.on('exit')`, which also runs
 * after signals, because the command turns those into orderly exits.
 *
 *     starting --ready--> running --stop--> stopping --exit--> gone
 *         |                  '--exit--> failed (`failure` says why; nothing throws) --stop--> gone
 *         '--exit, or too slow--> ConfigFailure with what the server said last
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Address } from '../base/address.ts';
import type { Target } from './target.ts';

const STOP_MS_MAX = 10_000;
const END_MS_MAX = 500;
/** Of the server's last words, kept for messages. */
const OUTPUT_CHARS_MAX = 2_000;
const PORT_MIN = 15_000;
const PORT_MAX = 32_000;

export interface ChildPlan
  extends Pick<Target, 'name' | 'description' | 'dataDir' | 'gcLogFile' | 'javaVersion' | 'settings'> {
  /** What the user wrote, for messages. */
  readonly spec: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly tempDir: string;
  /** Resolves with where the server serves, once it does; stays pending when it cannot. */
  readonly ready: (child: ChildProcess) => Promise<Ready>;
  readonly readyMsMax: number;
  /** Lines of its output that explain nothing when it fails. */
  readonly noise?: RegExp;
}

export interface Ready {
  readonly address: Address;
  readonly pid: number;
  /** What the server says of itself when it is ready. */
  readonly settings?: Readonly<Record<string, string>>;
}

export function makeTempDir(parent: string): string {
  try {
    return mkdtempSync(join(parent, 'ringkeeper-bench-'));
  } catch (error) {
    throw new ConfigFailure(
      `the server's data cannot be kept in ${parent}: ${(error as Error).message} - choose another directory`,
    );
  }
}

/** @throws ConfigFailure when the server does not start. */
export async function startChild(plan: ChildPlan): Promise<Target> {
  // A process group of its own: Ctrl-C reaches the engine only, which then ends the server in its order.
  const spawnedMs = performance.now();
  const child = spawn(plan.command, plan.args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const server = new ChildServer(plan, child, spawnedMs);
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
  readonly gcLogFile: string | null;
  readonly javaVersion: string | null;
  readonly spawnedMs: number;
  settings: Readonly<Record<string, string>>;
  addresses: readonly Address[] = [];
  pid: number | null = null;
  failure: string | null = null;
  private readonly plan: ChildPlan;
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private readonly onProcessExit = (): void => this.cleanUpNow();
  private stopping = false;
  /** It and everything that shares its output has ended. */
  private closed = false;
  private output = '';

  constructor(plan: ChildPlan, child: ChildProcess, spawnedMs: number) {
    this.name = plan.name;
    this.description = plan.description;
    this.dataDir = plan.dataDir;
    this.gcLogFile = plan.gcLogFile;
    this.javaVersion = plan.javaVersion;
    this.settings = plan.settings;
    this.spawnedMs = spawnedMs;
    this.plan = plan;
    this.child = child;
    process.on('exit', this.onProcessExit);
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (text: Buffer) => {
        this.output = (this.output + text.toString()).slice(-OUTPUT_CHARS_MAX);
      });
    }
    this.exited = new Promise((resolve) => {
      child.on('error', (error) => {
        this.failure = `${plan.command} could not be started: ${error.message}`;
        resolve();
      });
      child.on('close', (code, signal) => {
        this.closed = true;
        if (!this.stopping) this.failure ??= `${plan.name} ended (${signal ?? code}): ${this.lastWords}`;
        resolve();
      });
    });
  }

  async awaitReady(): Promise<void> {
    const { plan } = this;
    const slow = rejectAfter(
      plan.readyMsMax,
      () => `${plan.name} was not ready within ${plan.readyMsMax} ms: ${this.lastWords}`,
    );
    const dead = this.exited.then(() => {
      throw new Error(this.failure ?? `${plan.name} ended`);
    });
    try {
      const { address, pid, settings } = await Promise.race([plan.ready(this.child), slow.promise, dead]);
      this.addresses = [address];
      this.pid = pid;
      this.settings = { ...this.settings, ...settings };
    } catch (error) {
      throw new ConfigFailure(
        `--target: "${plan.spec}" - the server does not start: ${(error as Error).message}`,
      );
    } finally {
      slow.cancel();
      dead.catch(() => {}); // a later, wanted exit is no failure of the start
    }
  }

  /** A process that was killed has closed its connections a moment before it is seen to have ended. */
  async whyNotServing(): Promise<string | null> {
    if (this.failure === null) await Promise.race([this.exited, delay(END_MS_MAX)]);
    return this.failure;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const kill = setTimeout(() => this.killNow(), STOP_MS_MAX);
    this.child.kill('SIGTERM');
    await this.exited;
    clearTimeout(kill);
    this.cleanUpNow();
    process.off('exit', this.onProcessExit);
  }

  private get lastWords(): string {
    const lines = this.output.split('\n').filter((line) => !this.plan.noise?.test(line));
    return lines.join('\n').trim() || 'it said nothing';
  }

  private cleanUpNow(): void {
    this.killNow();
    rmSync(this.plan.tempDir, { recursive: true, force: true });
  }

  /** The whole group: the command may be a launcher, with the server as its child. */
  private killNow(): void {
    const { pid } = this.child;
    if (pid === undefined || this.closed) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // No such group: all of it has ended.
    }
  }
}

/** Resolves with the first match of `pattern` in what the child prints. */
export function awaitLine(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve) => {
    let text = '';
    const onData = (chunk: Buffer): void => {
      text = (text + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
      const match = pattern.exec(text);
      if (match === null) return;
      child.stdout!.off('data', onData);
      resolve(match);
    };
    child.stdout!.on('data', onData);
  });
}

/**
 * A port that was free a moment ago, for servers that cannot report the port they chose. Not one of those that the
 * system gives to outgoing connections: the load of another run might get it before the server does.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORT_MIN, PORT_MAX);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function rejectAfter(ms: number, message: () => string): { promise: Promise<never>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message())), ms);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}

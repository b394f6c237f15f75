/**
 * A server as a target: a child process (server-process.ts) with a temporary directory, which is removed when the process
 * has ended, and with whatever ends this one, short of SIGKILL.
 *
 *     starting --ready--> running --stop--> stopping --exit--> gone
 *         |                  '--exit--> failed (`failure` says why; nothing throws) --stop--> gone
 *         '--exit, or too slow--> ConfigFailure with what the server said last
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Address } from '../base/address.ts';
import { type ProcessPlan, ServerProcess } from './server-process.ts';
import type { Target, TargetServer } from './target.ts';

const END_MS_MAX = 500;
/** Of what it prints, looked at for a line. */
const OUTPUT_CHARS_MAX = 2_000;

export interface ChildPlan
  extends ProcessPlan,
    Pick<Target, 'description' | 'dataDir' | 'javaVersion' | 'settings'> {
  readonly gcLogFile: string | null;
  /** What the user wrote, for messages. */
  readonly spec: string;
  readonly tempDir: string;
  /** Resolves with where the server serves, once it does; stays pending when it cannot. */
  readonly ready: (child: ChildProcess) => Promise<Ready>;
  readonly readyMsMax: number;
}

export interface Ready {
  readonly address: Address;
  readonly pid: number;
  /** What the server says of itself when it is ready. */
  readonly settings?: Readonly<Record<string, string>>;
}

export function makeTempDir(parent: string, name = 'ringkeeper-bench-'): string {
  try {
    return mkdtempSync(join(parent, name));
  } catch (error) {
    throw new ConfigFailure(
      `the server's data cannot be kept in ${parent}: ${(error as Error).message} - choose another directory`,
    );
  }
}

/** @throws ConfigFailure when the server does not start. */
export async function startChild(plan: ChildPlan): Promise<Target> {
  const server = new ChildServer(plan);
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
  readonly isOurs = true;
  readonly javaVersion: string | null;
  settings: Readonly<Record<string, string>>;
  servers: readonly TargetServer[] = [];
  private readonly plan: ChildPlan;
  private readonly process: ServerProcess;
  private readonly onProcessExit = (): void => this.cleanUpNow();

  constructor(plan: ChildPlan) {
    this.name = plan.name;
    this.description = plan.description;
    this.dataDir = plan.dataDir;
    this.javaVersion = plan.javaVersion;
    this.settings = plan.settings;
    this.plan = plan;
    this.process = new ServerProcess(plan);
    process.on('exit', this.onProcessExit);
  }

  get addresses(): readonly Address[] {
    return this.servers.map(({ address }) => address);
  }

  get failure(): string | null {
    return this.process.failure;
  }

  get spawnedMs(): number {
    return this.process.spawnedMs;
  }

  async awaitReady(): Promise<void> {
    const { plan } = this;
    const slow = rejectAfter(
      plan.readyMsMax,
      () => `${plan.name} was not ready within ${plan.readyMsMax} ms: ${this.process.lastWords}`,
    );
    const dead = this.process.exited.then(() => {
      throw new Error(this.failure ?? `${plan.name} ended`);
    });
    try {
      const { address, pid, settings } = await Promise.race([
        plan.ready(this.process.child),
        slow.promise,
        dead,
      ]);
      this.servers = [{ name: plan.name, address, pid, gcLogFile: plan.gcLogFile }];
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
    if (this.failure === null) await Promise.race([this.process.exited, delay(END_MS_MAX)]);
    return this.failure;
  }

  async stop(): Promise<void> {
    await this.process.stop();
    this.cleanUpNow();
    process.off('exit', this.onProcessExit);
  }

  private cleanUpNow(): void {
    this.process.signalNow('SIGKILL');
    rmSync(this.plan.tempDir, { recursive: true, force: true });
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

function rejectAfter(ms: number, message: () => string): { promise: Promise<never>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message())), ms);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}

/**
 * A server started by a line of shell, as its users start it: behind nohup, npx, a redirection, in a terminal of its own.
 * `SERVE` in the line stands for `serve` with a fresh data directory and a free port.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { create, ok, okAll, setData } from '../../faults/support/requests.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { RawClient } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

export const ROOT = join(import.meta.dirname, '..', '..', '..');
export const LAUNCHER = join(ROOT, 'src', 'bin', 'ringkeeper.js');
/** With the pinned Node as `node`. */
const PATH = `${join(ROOT, 'node_modules', '.bin')}:${process.env['PATH']}`;

const FLAGS =
  '--client-port 0 --client-port-address 127.0.0.1 --threading shared --set 4lw.commands.whitelist=*';

export interface ShellOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly flags?: string;
  /** Where the line sends the server's stdout, when it is not the shell's. */
  readonly readyFile?: string;
}

/** A directory for one test file, and the servers in it. */
export class ShellWorkspace {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), 'ringkeeper-test-')));
  private readonly servers: ShellServer[] = [];

  dispose(): void {
    for (const server of this.servers) server.dispose();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Resolves when the server is ready. */
  async start(line: string, options: ShellOptions = {}): Promise<ShellServer> {
    const dataDir = join(this.directory, `data-${this.servers.length}`);
    const serve = `serve --data-dir ${dataDir} ${FLAGS} ${options.flags ?? ''}`;
    const child = spawn('bash', ['-c', line.replace('SERVE', serve)], {
      cwd: options.cwd ?? this.directory,
      env: { ...process.env, PATH, npm_command: undefined, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new ShellServer(child, dataDir);
    this.servers.push(server);
    await server.ready(options.readyFile);
    return server;
  }
}

export class ShellServer {
  readonly shell: ChildProcess;
  readonly dataDir: string;
  /** The server's own process. */
  pid = 0;
  port = 0;
  stderr = '';
  /** Settles when everything that holds the shell's stderr has ended. */
  readonly closed: Promise<void>;
  private client: RawClient | null = null;

  constructor(shell: ChildProcess, dataDir: string) {
    this.shell = shell;
    this.dataDir = dataDir;
    shell.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    shell.once('close', () => resolve());
    this.closed = promise;
  }

  async ready(file?: string): Promise<void> {
    if (file === undefined) {
      for await (const line of createInterface(this.shell.stdout!)) if (this.take(line)) return;
    } else {
      const text = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
      await until(async () => this.shell.exitCode !== null || this.take(text()));
      if (this.pid !== 0) return;
    }
    assert.fail(`has ended before it was ready: ${this.stderr}`);
  }

  private take(text: string): boolean {
    const match = /^ready port=(\d+) .* pid=(\d+)/m.exec(text);
    this.port = Number(match?.[1] ?? 0);
    this.pid = Number(match?.[2] ?? 0);
    return match !== null;
  }

  get isAlive(): boolean {
    return isAlive(this.pid);
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** SIGTERM, and it ends. */
  async stop(): Promise<void> {
    this.kill('SIGTERM');
    await until(async () => !this.isAlive);
  }

  async metric(name: string): Promise<number> {
    const text = await fourLetterWord(this.port, 'mntr');
    return Number(new RegExp(`^zk_${name}\\t(\\S+)$`, 'm').exec(text)?.[1]);
  }

  /** Acknowledged writes, `window` of them at a time. */
  async write(count: number, window = 100): Promise<void> {
    if (this.client === null) {
      this.client = await RawClient.open(this.port);
      await ok(this.client, create('/written'));
    }
    const one = (_: unknown, i: number) => setData('/written', Buffer.from(String(i)));
    await okAll(this.client, Array.from({ length: count }, one), window);
  }

  dispose(): void {
    if (this.pid !== 0 && this.isAlive) this.kill('SIGKILL');
    this.shell.kill('SIGKILL');
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (_) {
    return false;
  }
}

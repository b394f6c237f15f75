/**
 * What a compatibility test knows of the server it drives: an address and how to stop, kill and restart it. Apache
 * (`apache.ts`) and ringkeeper (`ringkeeper.ts`) both are one, so each harness is written once and run against
 * either. A server keeps its port and data directory over `stop` and `start`; `dispose` removes both. Both accept
 * Apache's zoo.cfg keys, therefore options travel as config lines and only SASL, which Apache takes from the command
 * line, has a field of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fourLetterWord } from './four-letter-word.ts';

export interface ServerOptions {
  /** zoo.cfg lines beyond the data directory, the port and the test defaults. */
  readonly config?: Readonly<Record<string, string>>;
  /** Accept SASL DIGEST-MD5 for user `jaasuser`, password `jaas_password` (Apache only). */
  readonly sasl?: boolean;
}

export const ServerKind = { apache: 'apache', ringkeeper: 'ringkeeper' } as const;
export type ServerKind = (typeof ServerKind)[keyof typeof ServerKind];

const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;
/** A server that is only starting may accept a connection and never answer it: ask again soon. */
const PROBE_TIMEOUT_MS = 500;

/** Keys every test server gets; both servers read them from zoo.cfg. */
const TEST_DEFAULTS: Readonly<Record<string, string>> = {
  tickTime: '2000',
  clientPortAddress: '127.0.0.1',
  maxClientCnxns: '0',
  '4lw.commands.whitelist': '*',
};

export abstract class TestServer {
  abstract readonly kind: ServerKind;
  readonly host = '127.0.0.1';
  /** Home of this server's files; exists from the first `start` to `dispose`. */
  directory = '';
  readonly options: ServerOptions;
  port = 0;
  protected child: ChildProcess | undefined;

  constructor(options: ServerOptions) {
    this.options = options;
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  get logFile(): string {
    return join(this.directory, 'server.log');
  }

  get running(): boolean {
    return this.child !== undefined;
  }

  async start(): Promise<void> {
    if (this.child !== undefined) return;
    if (this.directory === '') {
      this.directory = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
      this.port = await freePort();
    }
    await this.launch();
  }

  /** SIGTERM; data directory and port stay for the next `start`. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** SIGKILL: what the server had not made durable is lost. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async dispose(): Promise<void> {
    await this.end('SIGKILL');
    if (this.directory !== '') rmSync(this.directory, { recursive: true, force: true });
  }

  /** The last lines of the server's own output, for failure messages. */
  logTail(lineCount = 20): string {
    return readFileSync(this.logFile, 'utf8').split('\n').slice(-lineCount).join('\n');
  }

  protected abstract launch(): Promise<void>;

  protected configText(extra: Readonly<Record<string, string>>): string {
    const all: Record<string, string> = {
      ...TEST_DEFAULTS,
      dataDir: join(this.directory, 'data'),
      clientPort: String(this.port),
      ...extra,
      ...this.options.config,
    };
    return Object.entries(all)
      .map(([key, value]) => `${key}=${value}\n`)
      .join('');
  }

  /** Runs a command with its output in the log file; it dies with this process at the latest. */
  protected spawnLogged(command: string, args: readonly string[], cwd: string): ChildProcess {
    const log = openSync(this.logFile, 'a');
    const child = spawn(command, args, { stdio: ['ignore', log, log], cwd });
    closeSync(log);
    const killWithParent = (): void => void child.kill('SIGKILL');
    process.once('exit', killWithParent);
    child.once('exit', () => {
      process.off('exit', killWithParent);
      if (this.child === child) this.child = undefined;
    });
    this.child = child;
    return child;
  }

  /** Polls `probe` until it holds; fails at once when the process ends. */
  protected async ready(probe: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (this.child !== undefined && performance.now() < deadline) {
      if (await probe()) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const what = this.child === undefined ? 'ended before it was ready' : 'was not ready in time';
    await this.end('SIGKILL');
    throw new Error(`${this.kind} ${what}; its output:\n${this.logTail()}`);
  }

  protected async isServing(): Promise<boolean> {
    const answer = await fourLetterWord(this.port, 'srvr', PROBE_TIMEOUT_MS).catch(() => '');
    return answer.includes('Mode:');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    child.kill(signal);
    await ended;
    clearTimeout(late);
  }
}

/** A loopback port nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * The shell's connection: opened at the start, closed and replaced by commands, and told of when its state changes. Every
 * wait has an end: a batch gives up after `waitMs`, a person presses Ctrl-C.
 */
import { type Credential, open, type StateChange, type Zk } from '../client/index.ts';
import type { ClientConfiguration } from './client-configuration.ts';
import type { ConnectionPort } from './command/context.ts';
import { ShellError, Status, usageError } from './command/failure.ts';

export interface ConnectionOptions {
  readonly sessionTimeoutMs: number;
  readonly readOnly: boolean;
  /** How long a server is waited for. */
  readonly waitMs: number;
  /** Bound of each request; 0 = none. */
  readonly requestTimeoutMs: number;
  /** How it proves who it is, and bounds that a file has set. */
  readonly configuration: ClientConfiguration;
  onState(change: StateChange): void;
  /** The watches of the connection before are gone. */
  onReplaced(): void;
}

export class ShellConnection implements ConnectionPort {
  servers = '';
  private readonly options: ConnectionOptions;
  private present: Zk | null = null;
  private readonly credentials: Credential[] = [];

  constructor(options: ConnectionOptions) {
    this.options = options;
  }

  get zk(): Zk {
    if (this.present !== null) return this.present;
    throw new ShellError('not connected: connect host:port', Status.noConnection);
  }

  get isOpen(): boolean {
    return this.present !== null;
  }

  /** As the client names it; `closed` without one. */
  get state(): string {
    return this.present?.state ?? 'closed';
  }

  /** Resolves when a server has answered. After a failure it goes on trying, if the connect string makes sense. */
  async connect(servers: string, signal: AbortSignal): Promise<void> {
    const zk = await this.openClient(servers, []);
    await this.close();
    this.present = zk;
    this.servers = servers;
    void this.listen(zk);
    await this.untilConnected(zk, servers, signal);
  }

  async openOther(servers: string, withIdentities: boolean, signal: AbortSignal): Promise<Zk> {
    const zk = await this.openClient(servers, withIdentities ? this.credentials : []);
    try {
      await this.untilConnected(zk, servers, signal);
    } catch (error) {
      await zk.close();
      throw error;
    }
    return zk;
  }

  async addAuth(credential: Credential): Promise<void> {
    await this.zk.addAuth(credential);
    this.credentials.push(credential);
  }

  async close(): Promise<void> {
    const zk = this.present;
    this.present = null;
    this.credentials.length = 0;
    if (zk === null) return;
    this.options.onReplaced();
    await zk.close();
  }

  private async openClient(servers: string, auth: readonly Credential[]): Promise<Zk> {
    const { sessionTimeoutMs, readOnly, requestTimeoutMs, configuration } = this.options;
    try {
      return await open(servers, { sessionTimeoutMs, readOnly, requestTimeoutMs, ...configuration, auth });
    } catch (error) {
      throw error instanceof TypeError ? usageError(error.message) : error;
    }
  }

  private async listen(zk: Zk): Promise<void> {
    for await (const change of zk.states()) if (this.present === zk) this.options.onState(change);
  }

  private async untilConnected(zk: Zk, servers: string, signal: AbortSignal): Promise<void> {
    const { waitMs } = this.options;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
    const states = zk.states();
    const stop = (): void => void states.return();
    limit.addEventListener('abort', stop);
    if (limit.aborted) stop();
    let cause: string | null = null;
    try {
      for await (const change of states) {
        if (change.state === 'connected' || change.state === 'readonly') return;
        cause = change.cause ?? cause;
      }
    } finally {
      limit.removeEventListener('abort', stop);
    }
    if (signal.aborted) throw new ShellError('interrupted', Status.interrupted);
    cause ??= zk.core.driver.lastEnd;
    const why = cause === null ? '' : ` (${cause})`;
    throw new ShellError(
      limit.aborted
        ? `no server answers at ${servers} within ${waitMs} ms${why}`
        : `${servers} refused the session${why}`,
      Status.noConnection,
    );
  }
}

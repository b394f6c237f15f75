/** A folder of a test's own and the servers it starts there; `dispose` kills what still runs and removes the folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, type ServerOptions } from './server.ts';

export class Workspace {
  readonly directory = mkdtempSync(join(tmpdir(), 'ringkeeper-faults-'));
  private readonly servers: Server[] = [];

  get dataDir(): string {
    return join(this.directory, 'data');
  }

  /** Where snapshots and logs are. */
  get files(): string {
    return join(this.dataDir, 'version-2');
  }

  /** A server on this workspace's data directory, which is not ready yet. */
  launch(options: Partial<ServerOptions> = {}): Server {
    const server = new Server({ dataDir: this.dataDir, ...options });
    this.servers.push(server);
    return server;
  }

  /** The same, ready for clients. */
  async start(options: Partial<ServerOptions> = {}): Promise<Server> {
    const server = this.launch(options);
    await server.ready();
    return server;
  }

  async dispose(): Promise<void> {
    for (const server of this.servers) await server.stop('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/**
 * Our own server as a test server, started the way a user starts it (`ringkeeper serve <zoo.cfg>`), ready when it
 * prints its `ready` line.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LAUNCHER } from './program.ts';
import { ServerKind, type ServerOptions, TestServer } from './server.ts';
import { SERVER_FLAGS } from './v8-flags.ts';

export class RingkeeperServer extends TestServer {
  readonly kind = ServerKind.ringkeeper;

  constructor(options: ServerOptions = {}) {
    super(options);
  }

  protected async launch(): Promise<void> {
    const configFile = join(this.directory, 'zoo.cfg');
    mkdirSync(join(this.directory, 'data'), { recursive: true });
    writeFileSync(configFile, this.configText({}));
    const logStart = existsSync(this.logFile) ? readFileSync(this.logFile).length : 0;
    this.spawnLogged(process.execPath, [...SERVER_FLAGS, LAUNCHER, 'serve', configFile], this.directory);
    await this.ready(async () =>
      /^ready /m.test(readFileSync(this.logFile).subarray(logStart).toString('utf8')),
    );
  }
}

export function ringkeeperBuilt(): boolean {
  return existsSync(LAUNCHER);
}

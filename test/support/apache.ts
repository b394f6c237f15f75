/**
 * Apache ZooKeeper 3.8.0 of the Debian package `zookeeper` as a standalone test server: the oracle of every
 * compatibility test. The JVM runs with the cheap collector and compiler because a test server lives for seconds.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerKind, type ServerOptions, TestServer } from './server.ts';

export const ZOOKEEPER_JAR = '/usr/share/java/zookeeper.jar';
const LOGGER_JAR = '/usr/share/java/slf4j-simple.jar';

/** What TLS needs: the netty-all.jar that the manifest names is not complete. */
const NETTY_JARS: readonly string[] = ['codec', 'handler', 'resolver'].map(
  (name) => `/usr/share/java/netty-${name}.jar`,
);

/** The jar's manifest names its dependencies, so the class path needs only the logger and that beside it. */
export const CLASS_PATH = [ZOOKEEPER_JAR, LOGGER_JAR, ...NETTY_JARS].join(':');
export const JVM_FLAGS: readonly string[] = [
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-Xmx512m',
  '-Dfile.encoding=UTF-8',
  '-Djava.awt.headless=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

/** Properties without the `zookeeper.` prefix cannot come from Apache's zoo.cfg, only from the command line. */
const COMMAND_LINE_PREFIXES = ['znode.container.', 'jute.', 'readonlymode.'];

const JAAS = `Server {
  org.apache.zookeeper.server.auth.DigestLoginModule required
  user_super="super_secret"
  user_jaasuser="jaas_password";
};
`;

export class ApacheServer extends TestServer {
  readonly kind = ServerKind.apache;

  constructor(options: ServerOptions = {}) {
    super(options);
  }

  protected async launch(): Promise<void> {
    const configFile = join(this.directory, 'zoo.cfg');
    const flags: string[] = [];
    const extra: Record<string, string> = { 'admin.enableServer': 'false' };
    if (this.options.sasl) {
      const jaasFile = join(this.directory, 'jaas.conf');
      writeFileSync(jaasFile, JAAS);
      flags.push(`-Djava.security.auth.login.config=${jaasFile}`);
      extra['authProvider.1'] = 'org.apache.zookeeper.server.auth.SASLAuthenticationProvider';
    }
    for (const [key, value] of Object.entries(this.options.config ?? {})) {
      if (COMMAND_LINE_PREFIXES.some((prefix) => key.startsWith(prefix))) flags.push(`-D${key}=${value}`);
    }
    mkdirSync(join(this.directory, 'data'), { recursive: true });
    writeFileSync(configFile, this.configText(extra));
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    this.spawnLogged('java', [...JVM_FLAGS, ...flags, '-cp', CLASS_PATH, main, configFile], this.directory);
    await this.ready(() => this.isServing());
  }
}

export function apacheInstalled(): boolean {
  return existsSync(ZOOKEEPER_JAR);
}

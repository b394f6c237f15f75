/**
 * A fresh Apache ZooKeeper server, from ZOOKEEPER_HOME or from Debian's packages, in its default configuration:
 * the reference beside which the same run is made. Only what the machine and the measuring need is set: a free
 * port, no admin port, no limit of connections per address, all four-letter words, warnings only in its log, and a
 * log of the garbage collections. The target's settings come last and win.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Address } from '../base/address.ts';
import { withSession } from '../session/session.ts';
import { findFreePort, makeTempDir, startChild } from './child-server.ts';
import type { Target, TargetOptions } from './target.ts';
import type { Settings, TargetSpec } from './target-spec.ts';

type ApacheSpec = Extract<TargetSpec, { kind: 'embedded' | 'apache' }>;

const DEBIAN_JAR = '/usr/share/java/zookeeper.jar';
const DEBIAN_CONF = '/etc/zookeeper/conf';
const MAIN_CLASS = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
/** The heap that Apache's own start script gives a server. */
const HEAP = '-Xmx1000m';
/** A large tree with a heap that it fills takes its time. */
const READY_MS_MAX = 120_000;
const ATTEMPT_MS_MAX = 1_000;
/** So late a start may be noticed: little beside the seconds it takes. */
const RETRY_MS = 20;
/** Older Java machines refuse the flag for the log of collections. */
const JAVA_WITH_XLOG = 9;
/** Apache reads zoo.cfg keys as `zookeeper.<key>`; these properties have no such prefix and go to the Java machine. */
const PROPERTY_PREFIXES: readonly string[] = ['znode.container.', 'jute.', 'readonlymode.'];

interface Installation {
  readonly classPath: string;
  readonly label: string;
}

export async function startApache(spec: ApacheSpec, options: TargetOptions): Promise<Target> {
  const installation = findInstallation();
  const javaVersion = await readJavaVersion();
  const port = await findFreePort();
  const tempDir = makeTempDir(options.tempParent);
  const dataDir = options.dataDir ?? join(tempDir, 'data');
  mkdirSync(dataDir, { recursive: true });
  const given = { ...(options.extendedTypes ? { extendedTypesEnabled: 'true' } : {}), ...spec.settings };
  const properties = Object.entries(given).filter(([key]) => isProperty(key));
  const configFile = join(tempDir, 'zoo.cfg');
  writeFileSync(configFile, configText(dataDir, port, given));
  const gcLogFile = javaMajor(javaVersion) >= JAVA_WITH_XLOG ? join(tempDir, 'gc.log') : null;
  return startChild({
    spec: spec.text,
    name: 'apache',
    description: [installation.label, HEAP, ...pairsOf(given), ...options.serverArgs].join(' '),
    command: 'java',
    args: [
      HEAP,
      // Stamped with the nanoseconds of the machine's monotonic clock, which is the engine's clock too.
      ...(gcLogFile === null ? [] : [`-Xlog:gc:file="${gcLogFile}":timenanos:filecount=0`]),
      `-Dzookeeper.log.dir=${tempDir}`,
      '-Dzookeeper.root.logger=WARN,CONSOLE',
      ...properties.map(([key, value]) => `-D${key}=${value}`),
      ...options.serverArgs,
      ...['-cp', installation.classPath, MAIN_CLASS, configFile],
    ],
    tempDir,
    dataDir,
    gcLogFile,
    javaVersion,
    settings: given,
    ready: async (child) => {
      const address = { host: '127.0.0.1', port };
      await awaitSession(() => child.exitCode === null && child.signalCode === null, address);
      return { address, pid: child.pid!, settings: { heap: HEAP } };
    },
    readyMsMax: READY_MS_MAX,
    noise: /^SLF4J: /,
  });
}

function configText(dataDir: string, port: number, given: Settings): string {
  const lines: Settings = {
    dataDir,
    clientPort: String(port),
    clientPortAddress: '127.0.0.1',
    'admin.enableServer': 'false',
    maxClientCnxns: '0',
    '4lw.commands.whitelist': '*',
    ...Object.fromEntries(Object.entries(given).filter(([key]) => !isProperty(key))),
  };
  return pairsOf(lines).join('\n') + '\n';
}

function pairsOf(settings: Settings): string[] {
  return Object.entries(settings).map(([key, value]) => `${key}=${value}`);
}

function isProperty(key: string): boolean {
  return PROPERTY_PREFIXES.some((prefix) => key.startsWith(prefix));
}

/** Whether there is anything to start. */
export function hasApache(): boolean {
  try {
    findInstallation();
    return true;
  } catch (error) {
    if (error instanceof ConfigFailure) return false;
    throw error;
  }
}

function findInstallation(): Installation {
  const home = process.env['ZOOKEEPER_HOME'];
  if (home !== undefined && home !== '') {
    const lib = join(home, 'lib');
    const jar = existsSync(lib) ? findJar(lib) : undefined;
    if (jar === undefined) {
      throw new ConfigFailure(`ZOOKEEPER_HOME: ${home} - no lib/zookeeper-<version>.jar in it`);
    }
    return { classPath: `${join(home, 'conf')}:${join(lib, '*')}`, label: jar.slice(0, -'.jar'.length) };
  }
  if (!existsSync(DEBIAN_JAR)) {
    throw new ConfigFailure(
      '--target apache: no Apache ZooKeeper found - run "apt-get install zookeeper default-jre-headless" or set ZOOKEEPER_HOME',
    );
  }
  const label = findJar('/usr/share/java')?.slice(0, -'.jar'.length) ?? 'zookeeper';
  return { classPath: `${DEBIAN_CONF}:${DEBIAN_JAR}`, label: `${label} (Debian)` };
}

function findJar(folder: string): string | undefined {
  return readdirSync(folder).find((name) => /^zookeeper-\d[\d.]*\.jar$/.test(name));
}

/** @throws ConfigFailure when there is no Java. */
async function readJavaVersion(): Promise<string> {
  try {
    const { stderr, stdout } = await promisify(execFile)('java', ['-version']);
    return /version "([^"]+)"/.exec(stderr + stdout)?.[1] ?? 'unknown';
  } catch (error) {
    throw new ConfigFailure(
      `--target apache: java does not run (${(error as Error).message.split('\n')[0]}) - run "apt-get install default-jre-headless"`,
    );
  }
}

/** `1.8.0_392` is 8, `17.0.15` is 17; 0 for what cannot be read. */
function javaMajor(version: string): number {
  const [first, second] = version.split(/[._]/).map(Number);
  return (first === 1 ? second : first) || 0;
}

/** Stays pending when the server ends: its exit, with what it said, is the better answer. */
async function awaitSession(alive: () => boolean, address: Address): Promise<void> {
  while (alive()) {
    try {
      await withSession(address, ATTEMPT_MS_MAX, async () => {});
      return;
    } catch {
      await delay(RETRY_MS);
    }
  }
  await new Promise(() => {});
}

/**
 * Apache ZooKeeper as a program: where ZOOKEEPER_HOME or Debian's packages have it, on which Java it runs, and how a server of
 * it is started. What is measured is its default: the heap of Apache's own start script, and only the levels of its log changed.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Settings } from './target-spec.ts';

const DEBIAN_JAR = '/usr/share/java/zookeeper.jar';
const DEBIAN_CONF = '/etc/zookeeper/conf';
/** Debian's package brings no logger; this one writes to stderr. */
const DEBIAN_LOGGER = '/usr/share/java/slf4j-simple.jar';
const MAIN_CLASS = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
/** The heap that Apache's own start script gives a server. */
export const APACHE_HEAP = '-Xmx1000m';
/** Lines of its output that say nothing of a failure. */
export const APACHE_NOISE = /^SLF4J: /;
/** Older Java machines refuse the flag for the log of collections. */
const JAVA_WITH_XLOG = 9;
/** Apache reads zoo.cfg keys as `zookeeper.<key>`; these properties have no such prefix and go to the Java machine. */
const PROPERTY_PREFIXES: readonly string[] = ['znode.container.', 'jute.', 'readonlymode.'];

export interface Apache {
  readonly classPath: string;
  readonly label: string;
  readonly javaVersion: string;
}

export interface ApacheStart {
  readonly configFile: string;
  readonly logDir: string;
  readonly logLevel: string;
  /** Somebody reads its log; what is measured runs as it is installed. */
  readonly isRead: boolean;
  /** Of all settings, those that are no lines of its file count here. */
  readonly settings: Settings;
  readonly javaArgs: readonly string[];
}

/** @throws ConfigFailure when it or Java is not there, saying what to do. */
export async function findApache(wantedBy: string): Promise<Apache> {
  return { ...findInstallation(wantedBy), javaVersion: await readJavaVersion(wantedBy) };
}

/** Arguments of `java`. */
export function apacheArgs({ classPath }: Apache, start: ApacheStart): string[] {
  const properties = Object.entries(start.settings).filter(([key]) => isProperty(key));
  const logger = start.isRead && existsSync(DEBIAN_LOGGER) ? `:${DEBIAN_LOGGER}` : '';
  return [
    APACHE_HEAP,
    `-Dzookeeper.log.dir=${start.logDir}`,
    `-Dzookeeper.root.logger=${start.logLevel.toUpperCase()},CONSOLE`,
    ...properties.map(([key, value]) => `-D${key}=${value}`),
    ...start.javaArgs,
    ...(start.isRead ? simpleLogger(start.logLevel) : []),
    ...['-cp', classPath + logger, MAIN_CLASS, start.configFile],
  ];
}

function simpleLogger(level: string): string[] {
  const name = 'org.slf4j.simpleLogger';
  return [
    `-D${name}.defaultLogLevel=${level}`,
    `-D${name}.showThreadName=false`,
    `-D${name}.showShortLogName=true`,
  ];
}

/** What of the settings stands in the file. */
export function apacheLines(settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !isProperty(key)));
}

/** Whether it can log its collections where it is told to. */
export function hasGcLog({ javaVersion }: Apache): boolean {
  return javaMajor(javaVersion) >= JAVA_WITH_XLOG;
}

/** Whether there is anything to start. */
export function hasApache(): boolean {
  try {
    findInstallation('');
    return true;
  } catch (error) {
    if (error instanceof ConfigFailure) return false;
    throw error;
  }
}

function findInstallation(wantedBy: string): Pick<Apache, 'classPath' | 'label'> {
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
      `${wantedBy}: no Apache ZooKeeper found - run "apt-get install zookeeper default-jre-headless" or set ZOOKEEPER_HOME`,
    );
  }
  const label = findJar('/usr/share/java')?.slice(0, -'.jar'.length) ?? 'zookeeper';
  return { classPath: `${DEBIAN_CONF}:${DEBIAN_JAR}`, label: `${label} (Debian)` };
}

function findJar(folder: string): string | undefined {
  return readdirSync(folder).find((name) => /^zookeeper-\d[\d.]*\.jar$/.test(name));
}

/** @throws ConfigFailure when there is no Java. */
async function readJavaVersion(wantedBy: string): Promise<string> {
  try {
    const { stderr, stdout } = await promisify(execFile)('java', ['-version']);
    return /version "([^"]+)"/.exec(stderr + stdout)?.[1] ?? 'unknown';
  } catch (error) {
    throw new ConfigFailure(
      `${wantedBy}: java does not run (${(error as Error).message.split('\n')[0]}) - run "apt-get install default-jre-headless"`,
    );
  }
}

/** `1.8.0_392` is 8, `17.0.15` is 17; 0 for what cannot be read. */
function javaMajor(version: string): number {
  const [first, second] = version.split(/[._]/).map(Number);
  return (first === 1 ? second : first) || 0;
}

function isProperty(key: string): boolean {
  return PROPERTY_PREFIXES.some((prefix) => key.startsWith(prefix));
}

/**
 * A fresh Apache ZooKeeper server, from ZOOKEEPER_HOME or from Debian's packages, in its default configuration:
 * the reference beside which the same run is made. Only what the machine forces is set: a free port, no admin
 * port, no limit of connections per address, and warnings only in the log.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Address } from '../load/load-connection.ts';
import { RawSession } from '../load/raw-session.ts';
import { findFreePort, makeTempDir, startChild } from './child-server.ts';
import type { Target, TargetSetting } from './target.ts';

const DEBIAN_JAR = '/usr/share/java/zookeeper.jar';
const DEBIAN_CONF = '/etc/zookeeper/conf';
const MAIN_CLASS = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
/** The heap that Apache's own start script gives a server. */
const HEAP = '-Xmx1000m';
const READY_MS_MAX = 30_000;
const ATTEMPT_MS_MAX = 1_000;
const RETRY_MS = 100;

interface Installation {
  readonly classPath: string;
  readonly label: string;
}

export async function startApache(setting: TargetSetting): Promise<Target> {
  const installation = findInstallation();
  const port = await findFreePort();
  const tempDir = makeTempDir(setting.tempParent);
  const dataDir = join(tempDir, 'data');
  mkdirSync(dataDir);
  const configFile = join(tempDir, 'zoo.cfg');
  const config = [`dataDir=${dataDir}`, `clientPort=${port}`, 'clientPortAddress=127.0.0.1'];
  config.push('admin.enableServer=false', 'maxClientCnxns=0');
  writeFileSync(configFile, config.join('\n') + '\n');
  const flags = [HEAP, `-Dzookeeper.log.dir=${tempDir}`, '-Dzookeeper.root.logger=WARN,CONSOLE'];
  const classPath = ['-cp', installation.classPath];
  return startChild({
    name: 'apache',
    description: [installation.label, HEAP, ...setting.serverArgs].join(' '),
    command: 'java',
    args: [...flags, ...setting.serverArgs, ...classPath, MAIN_CLASS, configFile],
    tempDir,
    dataDir,
    ready: async (child) => {
      child.stdout!.resume();
      const address = { host: '127.0.0.1', port };
      await awaitSession(() => child.exitCode === null, address);
      return { address, pid: child.pid! };
    },
    readyMsMax: READY_MS_MAX,
  });
}

function findInstallation(): Installation {
  const home = process.env['ZOOKEEPER_HOME'];
  if (home !== undefined) {
    const lib = join(home, 'lib');
    const jar = existsSync(lib)
      ? readdirSync(lib).find((name) => /^zookeeper-\d.*\.jar$/.test(name))
      : undefined;
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
  const versioned = readdirSync('/usr/share/java').find((name) => /^zookeeper-\d.*\.jar$/.test(name));
  const label = versioned === undefined ? 'zookeeper' : versioned.slice(0, -'.jar'.length);
  return { classPath: `${DEBIAN_CONF}:${DEBIAN_JAR}`, label: `${label} (Debian)` };
}

/** Stays pending when the server ends: its exit, with what it said, is the better answer. */
async function awaitSession(alive: () => boolean, address: Address): Promise<void> {
  while (alive()) {
    try {
      const session = await RawSession.connect(address, ATTEMPT_MS_MAX);
      await session.close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  await new Promise(() => {});
}

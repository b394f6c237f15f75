/**
 * A fresh Apache ZooKeeper server, from ZOOKEEPER_HOME or from Debian's packages, in its default configuration:
 * the reference beside which the same run is made. Only what the machine and the measuring need is set: a free
 * port, no admin port, no limit of connections per address, all four-letter words, warnings only in its log, and a
 * log of the garbage collections. The target's settings come last and win.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Address } from '../base/address.ts';
import { withSession } from '../session/session.ts';
import {
  APACHE_HEAP,
  APACHE_NOISE,
  apacheArgs,
  apacheLines,
  findApache,
  hasGcLog,
} from './apache-program.ts';
import { makeTempDir, startChild } from './child-server.ts';
import { findFreePort } from './free-port.ts';
import type { Target, TargetOptions } from './target.ts';
import type { Settings, TargetSpec } from './target-spec.ts';

type ApacheSpec = Extract<TargetSpec, { kind: 'embedded' | 'apache' }>;

/** A large tree with a heap that it fills takes its time. */
const READY_MS_MAX = 120_000;
const ATTEMPT_MS_MAX = 1_000;
/** So late a start may be noticed: little beside the seconds it takes. */
const RETRY_MS = 20;

export async function startApache(spec: ApacheSpec, options: TargetOptions): Promise<Target> {
  const apache = await findApache('--target apache');
  const port = await findFreePort();
  const tempDir = makeTempDir(options.tempParent);
  const dataDir = options.dataDir ?? join(tempDir, 'data');
  mkdirSync(dataDir, { recursive: true });
  const given = { ...(options.extendedTypes ? { extendedTypesEnabled: 'true' } : {}), ...spec.settings };
  const configFile = join(tempDir, 'zoo.cfg');
  writeFileSync(configFile, configText(dataDir, port, given));
  const gcLogFile = hasGcLog(apache) ? join(tempDir, 'gc.log') : null;
  // Stamped with the nanoseconds of the machine's monotonic clock, which is the engine's clock too.
  const gcLog = gcLogFile === null ? [] : [`-Xlog:gc:file="${gcLogFile}":timenanos:filecount=0`];
  return startChild({
    spec: spec.text,
    name: 'apache',
    description: [apache.label, APACHE_HEAP, ...pairsOf(given), ...options.serverArgs].join(' '),
    command: 'java',
    args: apacheArgs(apache, {
      configFile,
      logDir: tempDir,
      logLevel: 'warn',
      isRead: false,
      settings: given,
      javaArgs: [...gcLog, ...options.serverArgs],
    }),
    tempDir,
    dataDir,
    gcLogFile,
    javaVersion: apache.javaVersion,
    settings: given,
    ready: async (child) => {
      const address = { host: '127.0.0.1', port };
      await awaitSession(() => child.exitCode === null && child.signalCode === null, address);
      return { address, pid: child.pid!, settings: { heap: APACHE_HEAP } };
    },
    readyMsMax: READY_MS_MAX,
    noise: APACHE_NOISE,
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
    ...apacheLines(given),
  };
  return pairsOf(lines).join('\n') + '\n';
}

function pairsOf(settings: Settings): string[] {
  return Object.entries(settings).map(([key, value]) => `${key}=${value}`);
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

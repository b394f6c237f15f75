/**
 * What a reader must know about the machine, the build and the server to judge a figure. Gathered once per run,
 * before the load; holds no host name and no path, so that results can be published as they are.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { PACKAGE_ROOT } from '../base/package-root.ts';
import type { Environment, PressureShares } from '../result/environment-facts.ts';
import { askWord } from '../target/four-letter-word.ts';
import type { Target } from '../target/target.ts';
import { readPressure } from './process-usage.ts';

const FILESYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x794c7630, 'overlayfs'],
  [0x2fc12fc1, 'zfs'],
]);
const GOVERNOR_FILE = '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor';
const ANSWER_MS_MAX = 2_000;
/** Of what `conf` says: settings that change what a server does, and none that name a place of this machine. */
const CONF_KEYS: ReadonlySet<string> = new Set([
  'tickTime',
  'maxClientCnxns',
  'minSessionTimeout',
  'maxSessionTimeout',
  'clientPortListenBacklog',
  'initLimit',
  'syncLimit',
  'electionAlg',
  'maxCnxns',
]);

/** Machine, build and server. */
export async function captureEnvironment(target: Target): Promise<Environment> {
  return {
    ...captureMachine(target.dataDir),
    javaVersion: target.javaVersion,
    serverSettings: { ...(await readConf(target)), ...target.settings },
  };
}

/** Machine and build alone; `dataDir`: where the server keeps its data, null when it is not here. */
export function captureMachine(dataDir: string | null): Environment {
  const processors = cpus();
  return {
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    cpuCount: processors.length,
    cpuGovernor: readLine(GOVERNOR_FILE),
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    nodeVersion: process.version,
    commit: git('rev-parse', 'HEAD'),
    dirty: (git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!results') ?? '') !== '',
    dataFilesystem: dataDir === null ? null : filesystemOf(dataDir),
    pressureAtStart: { cpu: pressureShares('cpu'), io: pressureShares('io') },
  };
}

async function readConf(target: Target): Promise<Record<string, string>> {
  const answer = await askWord(target.addresses[0]!, 'conf', ANSWER_MS_MAX);
  return parseConf(answer ?? '');
}

/** Lines `key=value`; only keys that are known to name nothing of the machine. */
export function parseConf(answer: string): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [, key, value] of answer.matchAll(/^([\w.]+)=(.*)$/gm)) {
    if (CONF_KEYS.has(key!)) settings[key!] = value!;
  }
  return settings;
}

function pressureShares(resource: 'cpu' | 'io'): PressureShares | null {
  const pressure = readPressure(resource);
  return pressure === null ? null : { avg10: pressure.avg10, avg60: pressure.avg60 };
}

function filesystemOf(path: string): string {
  const { type: magic } = statfsSync(path);
  return FILESYSTEMS.get(magic) ?? `0x${magic.toString(16)}`;
}

function readLine(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

function git(...args: string[]): string | null {
  try {
    return execFileSync('git', args, {
      cwd: PACKAGE_ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

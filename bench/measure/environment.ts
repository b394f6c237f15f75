/**
 * What a reader must know about the machine and the build to judge a figure. Gathered once per run, before the
 * load; holds no host name and no path, so that results can be published as they are.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';

const TMPFS_MAGIC = 0x01021994;
const FILESYSTEMS: ReadonlyMap<number, string> = new Map([
  [TMPFS_MAGIC, 'tmpfs'],
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x794c7630, 'overlayfs'],
  [0x2fc12fc1, 'zfs'],
]);

export interface Environment {
  readonly cpuModel: string;
  readonly cpuCount: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly nodeVersion: string;
  /** Null outside a checkout or before the first commit. */
  readonly commit: string | null;
  /** True when the checkout differs from the commit. */
  readonly dirty: boolean;
  /** Of the server's data; null for servers that were not started here. On tmpfs a write is not durable. */
  readonly dataFilesystem: string | null;
}

export function captureEnvironment(dataDir: string | null): Environment {
  const processors = cpus();
  return {
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    cpuCount: processors.length,
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    nodeVersion: process.version,
    commit: git('rev-parse', 'HEAD'),
    dirty: git('status', '--porcelain', '--untracked-files=no') !== '',
    dataFilesystem: dataDir === null ? null : filesystemOf(dataDir),
  };
}

/** The version in package.json. */
export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

function filesystemOf(path: string): string {
  const { type: magic } = statfsSync(path);
  return FILESYSTEMS.get(magic) ?? `0x${magic.toString(16)}`;
}

function git(...args: string[]): string | null {
  try {
    const cwd = new URL('../..', import.meta.url);
    return execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}

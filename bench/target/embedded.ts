/** A fresh ringkeeper server from a checkout (this one, or that of another commit), on a free port, without data. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT, packageVersion } from '../base/package-root.ts';
import { awaitLine, makeTempDir, type Ready, startChild } from './child-server.ts';
import type { Target, TargetOptions } from './target.ts';
import type { Settings, TargetSpec } from './target-spec.ts';

/** The launcher, from the root of a checkout or of the installed package. */
export const LAUNCHER = join('src', 'bin', 'ringkeeper.js');
const READY = /^ready port=(\d+) .*?threading=(\w+) .*?pid=(\d+)/m;
const READY_MS_MAX = 15_000;
/** What it says when all is well: the ready line, and log lines up to `info`. */
export const RINGKEEPER_NOISE = /^(?:ready |\{"level":(?:10|20|30),)/;

/** Which ringkeeper. */
export interface Build {
  readonly name: string;
  /** Version or commit. */
  readonly label: string;
  readonly root: string;
}

export function startEmbedded(
  spec: TargetSpec & { readonly settings: Settings },
  options: TargetOptions,
  build: Build = { name: 'embedded', label: packageVersion(), root: PACKAGE_ROOT },
): Promise<Target> {
  const tempDir = makeTempDir(options.tempParent);
  const dataDir = options.dataDir ?? join(tempDir, 'data');
  mkdirSync(dataDir, { recursive: true });
  const given = { ...(options.extendedTypes ? { extendedTypesEnabled: 'true' } : {}), ...spec.settings };
  // All connections of a load come from one address.
  const settings: Settings = { '4lw.commands.whitelist': '*', maxClientCnxns: '0', ...given };
  const pairs = Object.entries(given).map(([key, value]) => `${key}=${value}`);
  return startChild({
    spec: spec.text,
    name: build.name,
    description: ['ringkeeper', build.label, ...pairs, ...options.serverArgs].join(' '),
    command: process.execPath,
    args: [
      join(build.root, LAUNCHER),
      ...['serve', '--data-dir', dataDir, '--client-port', '0', '--client-port-address', '127.0.0.1'],
      ...Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
      ...options.serverArgs,
    ],
    tempDir,
    dataDir,
    gcLogFile: null,
    javaVersion: null,
    settings: given,
    ready: async (child): Promise<Ready> => {
      const [, port, threading, pid] = await awaitLine(child, READY);
      return {
        address: { host: '127.0.0.1', port: Number(port) },
        pid: Number(pid),
        settings: { threading: threading! },
      };
    },
    readyMsMax: READY_MS_MAX,
    noise: RINGKEEPER_NOISE,
  });
}

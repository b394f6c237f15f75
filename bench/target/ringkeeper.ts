/** A fresh ringkeeper server from this checkout, on a free port, with an empty data directory. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageVersion } from '../measure/environment.ts';
import { awaitLine, makeTempDir, startChild } from './child-server.ts';
import type { Target, TargetSetting } from './target.ts';

const BINARY = fileURLToPath(new URL('../../src/bin/ringkeeper.js', import.meta.url));
const READY = /^ready port=(\d+) .*?pid=(\d+)/m;
const READY_MS_MAX = 15_000;

export function startRingkeeper(setting: TargetSetting): Promise<Target> {
  const tempDir = makeTempDir(setting.tempParent);
  const dataDir = join(tempDir, 'data');
  mkdirSync(dataDir);
  const args = [BINARY, 'serve', '--data-dir', dataDir, '--client-port', '0', ...setting.serverArgs];
  return startChild({
    name: 'ringkeeper',
    description: ['ringkeeper', packageVersion(), ...setting.serverArgs].join(' '),
    command: process.execPath,
    args,
    tempDir,
    dataDir,
    ready: async (child) => {
      const match = await awaitLine(child, READY);
      return { address: { host: '127.0.0.1', port: Number(match[1]) }, pid: Number(match[2]) };
    },
    readyMsMax: READY_MS_MAX,
  });
}

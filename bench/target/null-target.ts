/** The null server as a target: the ceiling of the generator on this machine. */
import { fileURLToPath } from 'node:url';
import { awaitLine, makeTempDir, startChild } from './child-server.ts';
import type { Target, TargetSetting } from './target.ts';

const SCRIPT = fileURLToPath(new URL('../null-server.ts', import.meta.url));
const READY = /^ready port=(\d+) .*?pid=(\d+)/m;
const READY_MS_MAX = 10_000;

export function startNull(setting: TargetSetting): Promise<Target> {
  return startChild({
    name: 'null',
    description: 'null server: fixed replies, stores nothing',
    command: process.execPath,
    args: [SCRIPT, '--value-bytes', String(setting.valueBytes)],
    tempDir: makeTempDir(setting.tempParent),
    dataDir: null,
    ready: async (child) => {
      const match = await awaitLine(child, READY);
      return { address: { host: '127.0.0.1', port: Number(match[1]) }, pid: Number(match[2]) };
    },
    readyMsMax: READY_MS_MAX,
  });
}

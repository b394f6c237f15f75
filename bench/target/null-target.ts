/** The null server as a target: the ceiling of the generator on this machine, or a service with a known delay. */
import { sourceFile } from '../base/package-root.ts';
import { awaitLine, makeTempDir, type Ready, startChild } from './child-server.ts';
import type { Target, TargetOptions } from './target.ts';
import type { TargetSpec } from './target-spec.ts';

const SCRIPT = sourceFile('bench/null-server/main');
const READY = /^ready port=(\d+) .*?pid=(\d+)/m;
const READY_MS_MAX = 10_000;

export function startNull(
  spec: Extract<TargetSpec, { kind: 'null' }>,
  options: TargetOptions,
): Promise<Target> {
  const delay = spec.delayMs === 0 ? 'at once' : `after ${spec.delayMs} ms`;
  return startChild({
    spec: spec.text,
    name: 'null',
    description: `null server: fixed replies ${delay}, stores nothing`,
    command: process.execPath,
    args: [SCRIPT, '--value-bytes', String(options.valueBytes), '--delay-ms', String(spec.delayMs)],
    tempDir: makeTempDir(options.tempParent),
    dataDir: null,
    gcLogFile: null,
    javaVersion: null,
    settings: spec.delayMs === 0 ? {} : { delayMs: String(spec.delayMs) },
    ready: async (child): Promise<Ready> => {
      const [, port, pid] = await awaitLine(child, READY);
      return { address: { host: '127.0.0.1', port: Number(port) }, pid: Number(pid) };
    },
    readyMsMax: READY_MS_MAX,
  });
}

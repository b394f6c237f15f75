/**
 * How long a server takes to be of use with the tree on its disk: from the spawn of its process until the first correct
 * reply to a read. The servers take turns, each start on a copy of the same files that lies in the page cache.
 *
 *     spawn -> [process, runtime, recovery] -> port answers with a session -> get of a known znode -> its 100 bytes
 *
 * ringkeeper says when it is ready; Apache is asked every 20 ms, which may add as much.
 */
import type { Address } from '../../base/address.ts';
import { Session } from '../../session/session.ts';
import type { Target } from '../../target/target.ts';
import type { ServerName, StartResult } from './large-tree-json.ts';
import { readMonitor, readResident, startupFigures } from './server-facts.ts';
import { onCopy, type ServerPlace } from './servers.ts';
import { DATA } from './trees.ts';

const SESSION_MS_MAX = 10_000;

export interface StartOptions extends ServerPlace {
  readonly servers: readonly ServerName[];
  readonly rounds: number;
  /** A key of the tree. */
  readonly path: string;
  readonly abort: AbortSignal;
  readonly onStart: (start: StartResult) => void;
}

/** Whole rounds only, when aborted. */
export async function measureStarts(template: string, options: StartOptions): Promise<StartResult[]> {
  const starts: StartResult[] = [];
  for (let round = 0; round < options.rounds && !options.abort.aborted; round++) {
    // Who goes first changes, in case the one before leaves something behind.
    const turn = round % 2 === 0 ? options.servers : options.servers.toReversed();
    for (const server of turn) {
      const start = await measureStart(server, template, options);
      starts.push(start);
      options.onStart(start);
    }
  }
  return starts;
}

function measureStart(server: ServerName, template: string, options: StartOptions): Promise<StartResult> {
  return onCopy(server, {}, template, options, async (target) => {
    const ms = await firstReadMs(target, options.path);
    const residentBytes = readResident(target);
    const own = startupFigures(await readMonitor(target.addresses[0]!));
    return { server, ms, residentBytes, own };
  });
}

/** Since its process was spawned. @throws Error when what is read is not what was written. */
export async function firstReadMs(target: Target, path: string): Promise<number> {
  const address: Address = target.addresses[0]!;
  const session = await Session.connect(address, { withinMs: SESSION_MS_MAX });
  try {
    const { data } = await session.ask((zk) => zk.getData(path));
    const ms = performance.now() - target.spawnedMs!;
    if (data === null || Buffer.compare(data, DATA) !== 0)
      throw new Error(`${path} has other data after the start`);
    return ms;
  } finally {
    session.destroy();
  }
}

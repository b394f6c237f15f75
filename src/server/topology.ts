/**
 * Which agents share a thread. One enum, chosen by the number of cores unless configured:
 *
 *     mode        main thread             workers             for
 *     shared      io + core               log                 1-2 cores
 *     pipeline    io                      core, log           3-5 cores
 *     dedicated   supervisor only         core, log, io × N   6 cores and more
 *
 * One thread for background jobs (snapshots, purges) stands beside them in every mode.
 */
import type { ServerConfig } from './config/server-config.ts';

export type ResolvedMode = 'shared' | 'pipeline' | 'dedicated';

export interface Topology {
  readonly mode: ResolvedMode;
  /** Io threads; 1 except in `dedicated`. */
  readonly ioThreads: number;
}

const PIPELINE_CORES_MIN = 3;
const DEDICATED_CORES_MIN = 6;
/** Core, log and the snapshot thread want a core each; io gets the rest, up to what one core thread can feed. */
const OTHER_THREADS = 3;
const IO_THREADS_MAX = 4;

export function chooseTopology(config: ServerConfig, cores: number): Topology {
  // The core of a member stands beside its links to other servers.
  if (config.ensemble !== null) return { mode: 'shared', ioThreads: 1 };
  const mode = config.threadingMode === 'auto' ? modeFor(cores) : config.threadingMode;
  if (mode !== 'dedicated') return { mode, ioThreads: 1 };
  const chosen = Math.max(1, Math.min(IO_THREADS_MAX, cores - OTHER_THREADS));
  const ioThreads = config.ioThreads > 0 ? config.ioThreads : chosen;
  return { mode, ioThreads };
}

function modeFor(cores: number): ResolvedMode {
  if (cores >= DEDICATED_CORES_MIN) return 'dedicated';
  return cores >= PIPELINE_CORES_MIN ? 'pipeline' : 'shared';
}

/** Descriptors kept back for log, snapshots and threads: running out of them would end the server. */
const RESERVED_FILES = 64;
const RESERVED_FILES_PER_IO_THREAD = 16;

/** Clients may use up what the process may have open, but not the server's own part of it; 0 = no limit. */
export function connectionsMax(configured: number, openFilesMax: number | null, topology: Topology): number {
  if (openFilesMax === null) return configured;
  const reserved = RESERVED_FILES + RESERVED_FILES_PER_IO_THREAD * topology.ioThreads;
  const possible = Math.max(1, openFilesMax - reserved);
  return configured === 0 ? possible : Math.min(configured, possible);
}

/** A running service under test, as the rest of the engine sees it, whatever started it. */
import type { Address } from '../base/address.ts';

/** One server of a service. What changes while it runs is asked anew each time. */
export interface TargetServer {
  /** For people: `server 2 (apache)`, or its address. */
  readonly name: string;
  readonly address: Address;
  /** Null when it was not started here, or does not run just now. */
  readonly pid: number | null;
  /** Where a Java server logs its collections (`-Xlog:gc`, stamped with System.nanoTime); null for the others. */
  readonly gcLogFile: string | null;
}

export interface Target {
  /** Short, for file names and tables: `embedded`, `apache-3`, `null`, `external`, `commit-1a2b3c4`. */
  readonly name: string;
  /** Version and settings, one line. */
  readonly description: string;
  /** At least one. */
  readonly addresses: readonly Address[];
  /** In the order of the addresses. */
  readonly servers: readonly TargetServer[];
  /** Started here, for this run alone: only then there are figures of CPU and memory. */
  readonly isOurs: boolean;
  readonly dataDir: string | null;
  /** Why a process of it ended by itself; null while all run, or end because they are told to. */
  readonly failure: string | null;
  /** Asks once more: why no client would be served now; null when one would. Never throws. */
  whyNotServing(): Promise<string | null>;
  /** The machine under the server, e.g. `17.0.15`; null when it is not Java or not ours. */
  readonly javaVersion: string | null;
  /** Just before its process was started, by `performance.now()`; absent when it was not started here. */
  readonly spawnedMs?: number;
  /** What was asked for beyond the defaults; holds no paths. */
  readonly settings: Readonly<Record<string, string>>;
  /**
   * SIGKILL to the server that leads, which stays down and is no `failure`; null while nobody leads. `atMs` on the monotonic
   * clock. Absent where servers are not ours to kill.
   */
  killLeader?(): Promise<{ readonly name: string; readonly atMs: number } | null>;
  /** Ends the service and removes its files. Never throws; safe to call again. */
  stop(): Promise<void>;
}

/** What a target may need to know of the run. */
export interface TargetOptions {
  /** Extra arguments: of ringkeeper's command line, of the Java machine for Apache. */
  readonly serverArgs: readonly string[];
  /** Where the temporary data directory is made. */
  readonly tempParent: string;
  /** Size of the values that the null server answers with. */
  readonly valueBytes: number;
  /** The load creates znodes with a TTL. */
  readonly extendedTypes: boolean;
  /** Servers that take long to come together are not waited for any more. */
  readonly abort?: AbortSignal;
  /** Exists and stays: the server's data in it are the caller's. Absent: a directory that goes with the server. */
  readonly dataDir?: string;
}

/** Of the processes that run now. */
export function pidsOf({ servers }: Pick<Target, 'servers'>): number[] {
  return servers.flatMap(({ pid }) => (pid === null ? [] : [pid]));
}

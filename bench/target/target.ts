/** A running service under test, and the list of kinds that the engine can start. */
import type { Address } from '../load/load-connection.ts';

export interface Target {
  /** Short, for file names and tables. */
  readonly name: string;
  /** Version and settings, one line. */
  readonly description: string;
  readonly address: Address;
  /** Null when the service was not started here: there are no CPU and memory figures then. */
  readonly pid: number | null;
  readonly dataDir: string | null;
  /** Why the process ended by itself; null while it runs. */
  readonly failure: string | null;
  stop(): Promise<void>;
}

/** What a target may need to know of the run. */
export interface TargetSetting {
  readonly valueBytes: number;
  /** Extra arguments for the server's command line. */
  readonly serverArgs: readonly string[];
  /** Where the temporary data directory is made. */
  readonly tempParent: string;
}

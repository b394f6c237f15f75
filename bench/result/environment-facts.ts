/** What a result says of the machine, the build and the server; gathered by measure/environment.ts. */
export interface Environment {
  readonly cpuModel: string;
  readonly cpuCount: number;
  /** Frequency policy of the first CPU; null where it cannot be read, as in most virtual machines. */
  readonly cpuGovernor?: string | null;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly nodeVersion: string;
  /** Of the machine under an Apache server that the engine started; null otherwise. */
  readonly javaVersion?: string | null;
  /** Null outside a checkout or before the first commit. */
  readonly commit: string | null;
  /** True when the checkout differs from the commit. */
  readonly dirty: boolean;
  /** Of the server's data; null for servers that were not started here. On tmpfs a write is not durable. */
  readonly dataFilesystem: string | null;
  /** Share of the time before the run in which some task waited for the CPU or the disk; null without PSI. */
  readonly pressureAtStart?: {
    readonly cpu: PressureShares | null;
    readonly io: PressureShares | null;
  };
  /** What the server was told and, where its word `conf` answers, what it says it runs with. */
  readonly serverSettings?: Readonly<Record<string, string>>;
}

/** 0 to 1, over the last 10 and 60 s. */
export interface PressureShares {
  readonly avg10: number;
  readonly avg60: number;
}

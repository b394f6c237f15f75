/**
 * CPU, memory and context switches of the servers of a service: of each, and of all together. A server may end and be
 * started again while it is watched; what its earlier processes have used stays in its count, so that the growth over a
 * time is what the service has cost in it. Main thread.
 */
import type { TargetServer } from '../target/target.ts';
import { ContextSwitches, type ProcessUsage, readProcessUsage } from './process-usage.ts';

export interface ServiceUsage extends ProcessUsage {
  readonly switches: number | null;
}

export interface UsageReading {
  /** Null while no server runs here. */
  readonly all: ServiceUsage | null;
  /** In the order of the servers; null for one that does not run. */
  readonly each: readonly (ServiceUsage | null)[];
}

export class ServerProcesses {
  private readonly servers: readonly OneServer[];

  constructor(servers: readonly TargetServer[]) {
    this.servers = servers.map((server) => new OneServer(server));
  }

  read(): UsageReading {
    const each = this.servers.map((server) => server.read());
    const running = each.filter((usage) => usage !== null);
    if (running.length === 0) return { all: null, each };
    const sum = (value: (usage: ServiceUsage) => number): number =>
      running.reduce((total, usage) => total + value(usage), 0);
    return {
      each,
      all: {
        cpuMicros: this.servers.reduce((total, { cpuMicros }) => total + cpuMicros, 0),
        rssBytes: sum(({ rssBytes }) => rssBytes),
        rssPeakBytes: sum(({ rssPeakBytes }) => rssPeakBytes),
        switches: this.servers.reduce<number | null>(addKnown, 0),
      },
    };
  }
}

function addKnown(sum: number | null, { switches }: OneServer): number | null {
  return sum === null || switches === null ? null : sum + switches;
}

class OneServer {
  /** Of all its processes so far. */
  cpuMicros = 0;
  switches: number | null = null;
  private readonly server: TargetServer;
  private pid: number | null = null;
  private counter: ContextSwitches | null = null;
  /** Of the processes before the present one. */
  private earlierCpuMicros = 0;
  private earlierSwitches = 0;

  constructor(server: TargetServer) {
    this.server = server;
  }

  read(): ServiceUsage | null {
    const { pid } = this.server;
    if (pid !== this.pid) this.begin(pid);
    const usage = pid === null ? null : readProcessUsage(pid);
    if (usage === null) return null;
    this.cpuMicros = this.earlierCpuMicros + usage.cpuMicros;
    const switches = this.counter?.read() ?? null;
    this.switches = switches === null ? null : this.earlierSwitches + switches;
    return { ...usage, cpuMicros: this.cpuMicros, switches: this.switches };
  }

  private begin(pid: number | null): void {
    this.earlierCpuMicros = this.cpuMicros;
    this.earlierSwitches = this.switches ?? 0;
    this.pid = pid;
    this.counter = pid === null ? null : new ContextSwitches(pid);
  }
}

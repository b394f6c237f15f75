/**
 * The life of the process around a server: the `ready` line, signals, and the exit status. Runs on the main thread.
 *
 *   start --> ready line --+-- SIGTERM, SIGINT --> stop(): drained and synced --> 0
 *                          '-- the server failed --> one line                 --> the failure's status
 */
import type { Log } from '../server/logging.ts';

/** What `startServer` gives. */
export interface ServerHandle {
  readonly port: number;
  /** The threading mode it runs in. */
  readonly mode: string;
  stop(): Promise<void>;
  /** Settles only if the server cannot go on; then it has stopped serving already. */
  readonly failed: Promise<{ readonly message: string; readonly exitStatus?: number }>;
}

/** Resolves with the exit status, when everything has ended. Rejects when the start fails. */
export async function runServerProcess(
  start: () => Promise<ServerHandle>,
  log: Log,
  print: (line: string) => void,
): Promise<number> {
  // Listens before the start: a signal during a long recovery must not leave half a server behind.
  const signal = new SignalWait();
  try {
    const server = await start();
    if (!signal.arrived) {
      print(`ready port=${server.port} mode=standalone threading=${server.mode} pid=${process.pid}\n`);
    }
    const stopped = signal.wait.then((name) => {
      log.info(`${name}: stopping`);
      return server.stop();
    });
    // The last sync of the stop can fail too, so the failure stays in the race to the end.
    const failure = await Promise.race([stopped, server.failed]);
    if (failure === undefined) return 0;
    log.error(failure.message);
    return failure.exitStatus ?? 1;
  } finally {
    signal.close();
  }
}

/** The first SIGTERM or SIGINT; later ones change nothing, because stopping is already under way. */
class SignalWait {
  arrived = false;
  readonly wait: Promise<string>;
  private onSignal!: (signal: string) => void;

  constructor() {
    this.wait = new Promise((resolve) => {
      this.onSignal = (signal) => {
        this.arrived = true;
        resolve(signal);
      };
    });
    process.on('SIGTERM', this.onSignal);
    process.on('SIGINT', this.onSignal);
  }

  close(): void {
    process.off('SIGTERM', this.onSignal);
    process.off('SIGINT', this.onSignal);
  }
}

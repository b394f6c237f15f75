/**
 * The life of the process around a server: the `ready` line, signals, and the exit status. Runs on the main thread.
 *
 *   start --> ready line --+-- SIGTERM, SIGINT, SIGHUP --> stop(): drained and synced --> 0
 *                          '-- the server failed --> one line                         --> the failure's status
 *
 * A SIGHUP that was ignored when the process began (nohup) stays ignored: the launcher has found out.
 */
import type { Log } from '../../server/logging/logging.ts';

/** What `startServer` gives. */
export interface ServerHandle {
  readonly port: number;
  /** The threading mode it runs in. */
  readonly mode: string;
  /** One of several; else alone. */
  readonly isMember: boolean;
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
      const mode = server.isMember ? 'ensemble' : 'standalone';
      print(`ready port=${server.port} mode=${mode} threading=${server.mode} pid=${process.pid}\n`);
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

/** Set by the launcher. */
const IGNORES_HANGUP = process.env['RINGKEEPER_SIGHUP'] === 'ignored';
export const STOP_SIGNALS: readonly NodeJS.Signals[] = IGNORES_HANGUP
  ? ['SIGTERM', 'SIGINT']
  : ['SIGTERM', 'SIGINT', 'SIGHUP'];

/** The first signal that asks for a stop; later ones change nothing, because stopping is already under way. */
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
    for (const signal of STOP_SIGNALS) process.on(signal, this.onSignal);
  }

  close(): void {
    for (const signal of STOP_SIGNALS) process.off(signal, this.onSignal);
  }
}

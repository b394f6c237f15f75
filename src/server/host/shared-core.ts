/**
 * Mode `shared`: io and core on the main thread's event loop, joined by plain calls. A turn ends after each round
 * of socket events (setImmediate), so all requests that arrived together share one log flush; the log thread's
 * bell starts a turn of its own.
 */
import type { LoopTimer } from '../../base/event-loop.ts';
import { Bell } from '../../shm/bell.ts';
import { DirectRequestPort, DirectSink } from '../io/direct-sink.ts';
import { IoAgent, type IoAgentOptions } from '../io/io-agent.ts';
import { LoopSocketTurns } from '../io/socket-turns.ts';
import type { Log } from '../logging/logging.ts';
import type { LoopPlatform, Platform } from '../platform/platform.ts';
import type { CoreHost } from './core-host.ts';
import type { Desks } from './desks.ts';
import { TICK_MS } from './tick.ts';

/** What it needs of the machine. */
export type SharedPlatform = LoopPlatform & Pick<Platform, 'onUncaught'>;

export class SharedCore {
  readonly io: IoAgent;
  readonly sockets: LoopSocketTurns;
  /** To be called for each message that rings the core's bell. */
  readonly onBell: () => void;
  private readonly host: CoreHost;
  private readonly sink: DirectSink;
  private readonly bell: Bell;
  private readonly timer: LoopTimer;
  private readonly onError: (error: unknown) => void;
  private quiet: PromiseWithResolvers<void> | null = null;
  private closed = false;
  private readonly stopCatching: () => void;

  /** `onError`: the core has thrown; nothing may be served any more. */
  constructor(
    host: CoreHost,
    options: IoAgentOptions,
    coreBell: SharedArrayBuffer,
    platform: SharedPlatform,
    log: Log,
    onError: (error: unknown) => void,
  ) {
    this.host = host;
    this.onError = onError;
    const { loop } = platform;
    this.io = new IoAgent(options, platform, log);
    this.sockets = new LoopSocketTurns(loop, this.io.table, () => this.turn());
    this.sink = new DirectSink(this.io.table);
    this.sink.attach(host);
    host.addSink(this.sink);
    const { table } = this.io;
    this.io.attach(new DirectRequestPort(host, () => table.scheduleTurn(), this.io.meter), this.sink, () =>
      this.turn(),
    );
    this.bell = new Bell(coreBell, loop.soon, { byMessage: true });
    this.onBell = this.bell.onMessage;
    this.timer = loop.every(TICK_MS, () => this.turn());
    // The core also runs inside the events of sockets, and nobody is there to catch what it throws.
    this.stopCatching = platform.onUncaught((error) => this.fail(error));
    this.park();
  }

  /** This server is one of an ensemble. */
  openDesks(): Desks {
    return this.host.openDesks(() => this.io.table.scheduleTurn());
  }

  /** Resolves when everything proposed has been committed and answered. */
  drain(): Promise<void> {
    this.host.beginStop();
    this.quiet = Promise.withResolvers<void>();
    this.turn();
    return this.quiet.promise;
  }

  close(): void {
    this.closed = true;
    this.timer.cancel();
    this.stopCatching();
  }

  // Nothing more is taken or committed: events that are due already still come before the process ends.
  private fail(error: unknown): void {
    this.closed = true;
    this.io.quiesce();
    this.onError(error);
  }

  private turn(): void {
    if (this.closed) return;
    try {
      this.sink.tellDrained();
      const more = this.host.poll();
      this.host.close();
      this.io.table.flush();
      if (more) this.io.table.scheduleTurn();
      else this.park();
      if (this.quiet !== null && this.host.isQuiet) this.quiet.resolve();
    } catch (error) {
      this.fail(error);
    }
  }

  private park(): void {
    this.bell.parkAsync(this.host.hasWork, this.onWake);
  }

  private readonly onWake = (): void => this.turn();
}

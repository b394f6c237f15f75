/**
 * One io thread's event-loop agent: listener, connection table and the turn that ends every round of socket events.
 * It knows nothing of who answers (`attach`): the core on the same thread or a pair of rings.
 *
 *     poll phase                                     check phase (setImmediate), once per round
 *     socket data → frames → port, replies → write   onTurnEnd (core and log flush) → flush → stopped go on
 *     socket data → ...
 *
 * So all requests of one round reach the log in one batch, while replies that need no log leave with their chunk.
 */
import { assert } from '../../base/assert.ts';
import type { LoopTimer } from '../../base/event-loop.ts';
import { CONN_IO_SHIFT, CONN_SLOT_MASK } from '../../core/ports/ports.ts';
import { AcceptLimits, type AcceptLimitsHandle, type Admission } from '../../net/accept-limits.ts';
import type { ConnectionLimits } from '../../net/client-connection.ts';
import { ClientListener } from '../../net/client-listener.ts';
import type { NetCounters } from '../../net/net-counters.ts';
import { ReplyMemory, type ReplyMemoryHandle } from '../../net/reply-memory.ts';
import { SLAB_BYTES } from '../../net/reply-slab.ts';
import type { BacklogObserver, RequestPort } from '../../net/request-port.ts';
import type { ListenOptions } from '../../net/transport.ts';
import type { Log } from '../logging/logging.ts';
import { IoMeter, type IoMeterHandle, IoTotal } from '../monitor/io-meter.ts';
import { EventLoopMeter } from '../monitor/thread-meter.ts';
import type { LoopPlatform } from '../platform/platform.ts';
import { NetLines } from '../reports/net-lines.ts';
import { RepeatedLines } from '../reports/repeated-lines.ts';
import { CountingTable } from './counting-table.ts';
import { LoopSocketTurns } from './socket-turns.ts';

export interface IoAgentOptions {
  /** Index of this io thread. */
  readonly io: number;
  /** Most connections at a time. */
  readonly slotCount: number;
  readonly limits: ConnectionLimits;
  readonly accept: AcceptLimitsHandle;
  readonly memory: ReplyMemoryHandle;
  readonly meter: IoMeterHandle;
}

const SWEEP_INTERVAL_MS = 1000;
/** A sweep that comes this late follows a pause: what waits in the kernel may save a connection. */
const SWEEP_LATE_MS = 1000;
/** A stopping server does not wait longer for clients to close their side, unless they are still reading. */
const CLOSE_LINGER_MS = 500;
/** And not longer than this in all. */
const CLOSE_MS_MAX = 10_000;

export class IoAgent {
  readonly role: string;
  readonly table: CountingTable;
  readonly meter: IoMeter;
  private readonly loopMeter: EventLoopMeter;
  private readonly acceptLimits: AcceptLimits;
  private readonly platform: LoopPlatform;
  private readonly lines: RepeatedLines;
  private readonly sweepTimer: LoopTimer;
  private readonly lateSweep: LoopSocketTurns;
  private sweptMs: number;
  private listener: ClientListener | null = null;
  private onTurnEnd: () => void = nothing;
  private turnScheduled = false;
  private closing: PromiseWithResolvers<void> | null = null;

  constructor(options: IoAgentOptions, platform: LoopPlatform, log: Log) {
    assert(
      options.slotCount <= CONN_SLOT_MASK + 1,
      'more connection slots than a connection id can tell apart',
    );
    const { clock, loop } = platform;
    this.platform = platform;
    this.role = `io-${options.io}`;
    this.acceptLimits = new AcceptLimits(options.accept);
    this.meter = new IoMeter(options.meter);
    this.meter.collect = (asked) => this.collect(asked);
    this.loopMeter = new EventLoopMeter(options.meter.thread, platform, () => this.meter.publish(false));
    this.lines = new RepeatedLines(log, () => clock.monotonicMs());
    const { accept, memory, limits } = options;
    const settings = {
      frameBytesMax: limits.frameBytesMax,
      perAddressMax: accept.perAddressMax,
      unreadBytesMax: memory.bytesMax,
    };
    this.table = new CountingTable({
      reports: new NetLines(this.lines, settings),
      limits: options.limits,
      slotCount: options.slotCount,
      idBase: options.io << CONN_IO_SHIFT,
      nowMs: clock.monotonicMs(),
      memory: new ReplyMemory(options.memory, options.io),
      onGone: (admission) => this.onGone(admission),
      scheduleTurn: () => this.scheduleTurn(),
    });
    this.sweptMs = clock.monotonicMs();
    this.lateSweep = new LoopSocketTurns(loop, this.table, () => this.sweep());
    this.sweepTimer = loop.every(SWEEP_INTERVAL_MS, () => this.sweepOrRead());
  }

  /** Names the neighbours: before `listen`, once. `onTurnEnd` is called once per round in which something happened. */
  attach(requests: RequestPort, observer: BacklogObserver, onTurnEnd: () => void): void {
    this.table.attach(requests, observer);
    this.onTurnEnd = onTurnEnd;
  }

  /** Resolves with the bound port. @throws BindFailure */
  listen(options: ListenOptions): Promise<number> {
    const listener = new ClientListener(
      this.table,
      this.acceptLimits,
      options.keepAlive,
      this.platform.transport,
    );
    this.listener = listener;
    return listener.listen(options);
  }

  get counters(): Readonly<NetCounters> {
    return this.table.counters;
  }

  /** First half of stopping: no new connections, no new requests; what is in flight is still answered. */
  quiesce(): void {
    this.listener?.close();
    this.table.quiesce();
  }

  /** Second half: sends what is committed, closes everything; resolves when the last socket is gone. */
  close(): Promise<void> {
    this.quiesce();
    this.closing = Promise.withResolvers<void>();
    this.onTurnEnd();
    this.table.flush();
    this.table.shutdownAll();
    this.destroyWithoutProgress(this.platform.clock.monotonicMs() + CLOSE_MS_MAX);
    this.finishIfEmpty();
    return this.closing.promise;
  }

  private destroyWithoutProgress(endMs: number): void {
    const unsentBytes = this.table.unsentBytes();
    this.platform.loop.after(CLOSE_LINGER_MS, () => {
      const isMoving = unsentBytes > 0 && this.table.unsentBytes() < unsentBytes;
      if (isMoving && this.platform.clock.monotonicMs() < endMs) this.destroyWithoutProgress(endMs);
      else this.table.destroyAll();
    });
  }

  private scheduleTurn(): void {
    if (this.turnScheduled) return;
    this.turnScheduled = true;
    this.platform.loop.soon(this.runTurn);
  }

  private readonly runTurn = (): void => {
    this.turnScheduled = false;
    this.onTurnEnd();
    this.table.flush();
    this.table.continueStopped();
  };

  private sweepOrRead(): void {
    const lateMs = this.platform.clock.monotonicMs() - this.sweptMs - SWEEP_INTERVAL_MS;
    if (lateMs < SWEEP_LATE_MS) this.sweep();
    else this.lateSweep.ask();
  }

  private sweep(): void {
    this.sweptMs = this.platform.clock.monotonicMs();
    this.table.sweep(this.sweptMs);
    this.lines.flush();
  }

  private collect(asked: boolean): void {
    const { table, meter } = this;
    const { refused, malformed, sessionless, slow, greedy } = table.counters;
    meter.totals.set(IoTotal.pausesWindow, table.pausesWindow);
    meter.totals.set(IoTotal.pausesOutstanding, table.pausesOutstanding);
    meter.totals.set(IoTotal.pausesRing, table.pausesRing);
    meter.totals.set(IoTotal.refused, refused);
    meter.totals.set(IoTotal.malformed, malformed);
    meter.totals.set(IoTotal.sessionless, sessionless);
    meter.totals.set(IoTotal.slow, slow);
    meter.totals.set(IoTotal.greedy, greedy);
    meter.totals.set(IoTotal.unreadBytes, table.slabs.inUse * SLAB_BYTES);
    meter.totals.set(IoTotal.outstanding, table.outstanding);
    this.loopMeter.publish(asked);
  }

  private onGone(admission: Admission): void {
    this.acceptLimits.leave(admission);
    this.finishIfEmpty();
  }

  private finishIfEmpty(): void {
    if (this.closing === null || this.table.counters.open > 0) return;
    this.sweepTimer.cancel();
    this.lines.end();
    this.loopMeter.close();
    this.closing.resolve();
  }
}

function nothing(): void {}

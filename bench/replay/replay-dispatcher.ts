/**
 * Takes the records of a file in their order and hands each to its connection when it is due and there is room. A
 * plain state machine without a promise per record: `pump` runs until it has to wait, and whatever it waits for calls
 * it again.
 *
 *     pump --next is not due--> timer, then turns of the event loop --> pump
 *       |--many in one turn--> next turn ----------------------------> pump
 *       |--no room-----------> progress of some connection ----------> pump
 *       |--piece used up-----> read of the file ---------------------> pump, or all dispatched
 */
import type { Due } from './exchange.ts';
import { ObservedOrder, type OrderPoint } from './observed-order.ts';
import type { RecordingRecord } from './recording-format.ts';
import type { RecordingReader } from './recording-reader.ts';
import { ReplayConnection } from './replay-connection.ts';
import type { ReplayContext } from './replay-context.ts';
import { intendedMs, type ReplaySpeed } from './replay-schedule.ts';

/** Timers come up to this late; the rest is waited turn by turn of the event loop. */
const TIMER_SLACK_MS = 2;
/** Replies are read, and their times taken, between turns: none may last long. */
const TURN_RECORDS_MAX = 256;
/** What a timer can hold. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export interface DispatchRules {
  readonly speed: ReplaySpeed;
  /** At full speed: whatever waits, waits for a reply that some client had before the next record. */
  readonly order: 'connection' | 'all';
  readonly backlogBytesMax: number;
  /** On `performance.now()`. */
  readonly startMs: number;
}

export interface DispatchEvents {
  /** The end of the file; connections may still have something to do. */
  onAllDispatched(): void;
  onFailure(error: Error): void;
}

export class ReplayDispatcher {
  readonly connections = new Map<number, ReplayConnection>();
  allDispatched = false;
  /** How late the last request was handed over. */
  lagMs = 0;
  private readonly reader: RecordingReader;
  private readonly context: ReplayContext;
  private readonly rules: DispatchRules;
  private readonly events: DispatchEvents;
  private readonly order = new ObservedOrder();
  private readonly greeted = new Set<number>();
  /** Taken from the reader, and not due yet. */
  private waiting: RecordingRecord | null = null;
  private firstUs: number | null = null;
  private lastUs = 0;
  private pumping = false;
  private filling = false;
  private gated = false;
  /** When too much had waited, and room came. */
  private roomSinceMs = 0;
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;
  private turn: NodeJS.Immediate | undefined;

  constructor(reader: RecordingReader, context: ReplayContext, rules: DispatchRules, events: DispatchEvents) {
    this.reader = reader;
    this.context = context;
    this.rules = rules;
    this.events = events;
  }

  /** Between the first and the last record that were handed out. */
  get recordedMs(): number {
    return this.firstUs === null ? 0 : (this.lastUs - this.firstUs) / 1000;
  }

  /** Nothing is left to be sent or awaited. */
  get isIdle(): boolean {
    if (!this.allDispatched || this.context.backlog.items > 0) return false;
    for (const connection of this.connections.values()) if (!connection.isIdle) return false;
    return true;
  }

  /** Hands out what can be handed out now. */
  pump(): void {
    if (this.stopped || this.filling || this.pumping || this.allDispatched) return;
    clearTimeout(this.timer);
    clearImmediate(this.turn);
    this.pumping = true;
    let count = 0;
    while (count < TURN_RECORDS_MAX && this.step()) count++;
    this.pumping = false;
    if (count === TURN_RECORDS_MAX) this.turn = setImmediate(() => this.pump());
  }

  /** Some connection got on. */
  onProgress(): void {
    if (this.waiting !== null && this.hasRoom) this.pump();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearImmediate(this.turn);
  }

  /** False when it has to wait. */
  private step(): boolean {
    const record = this.waiting ?? this.reader.next();
    this.waiting = record;
    if (record === null) {
      this.fill();
      return false;
    }
    const nowMs = performance.now();
    if (!this.hasRoom) {
      this.gated = true;
      return false;
    }
    if (this.gated) this.roomSinceMs = nowMs;
    this.gated = false;
    const dueMs = this.dueMs(record);
    if (dueMs > nowMs) {
      this.comeBack(dueMs - nowMs);
      return false;
    }
    // While there was no room the target was late, not the replay.
    const lagMs = nowMs - Math.max(dueMs, this.roomSinceMs);
    if (this.context.timed && record.kind === 'request') {
      this.lagMs = nowMs - dueMs;
      this.context.tally.onHandedOver(lagMs);
    }
    this.waiting = null;
    const order = this.orderOf(record);
    this.dispatch(record, { dueMs, handedMs: dueMs + lagMs, order });
    return true;
  }

  /** Its place among the requests of all connections; keeps account of what clients may have known. */
  private orderOf(record: RecordingRecord): OrderPoint | null {
    switch (record.kind) {
      case 'request':
        return this.greeted.has(record.connection)
          ? this.order.onRequest(record.connection, record.frame)
          : this.greet(record.connection);
      case 'reply':
        this.order.onReply(record.connection, record.xid);
        return null;
      case 'closed':
        this.order.onClosed(record.connection);
        return null;
      default:
        return null;
    }
  }

  /** The first frame of a connection is its handshake. */
  private greet(connection: number): null {
    this.greeted.add(connection);
    return null;
  }

  private get hasRoom(): boolean {
    const { backlog, timed } = this.context;
    if (this.rules.order === 'all' && !timed) return backlog.items === 0;
    return backlog.bytes <= this.rules.backlogBytesMax;
  }

  private dueMs(record: RecordingRecord): number {
    this.firstUs ??= record.timeUs;
    const { speed, startMs } = this.rules;
    // What clients did has its time; what they got is only compared, and may pass as soon as it is read.
    const acts = record.kind === 'request' || record.kind === 'closed';
    return speed === 'max' || !acts ? 0 : intendedMs(startMs, this.firstUs, record.timeUs, speed);
  }

  private comeBack(afterMs: number): void {
    if (afterMs < TIMER_SLACK_MS) this.turn = setImmediate(() => this.pump());
    else this.timer = setTimeout(() => this.pump(), Math.min(Math.floor(afterMs) - 1, TIMER_MS_MAX));
  }

  private fill(): void {
    this.filling = true;
    this.reader.fill().then(
      (more) => {
        this.filling = false;
        if (more) this.pump();
        else this.onFileEnd();
      },
      (error: Error) => this.events.onFailure(error),
    );
  }

  private onFileEnd(): void {
    if (this.stopped) return;
    this.allDispatched = true;
    this.events.onAllDispatched();
  }

  private dispatch(record: RecordingRecord, due: Due): void {
    const { tally, paths } = this.context;
    this.lastUs = record.timeUs;
    switch (record.kind) {
      case 'opened':
        this.onOpened(record.connection, record.upstream);
        return;
      case 'word':
        tally.onWord(record.word);
        return;
      case 'note':
        tally.notes++;
        return;
      case 'reply':
        // Before the connection gets to it: from here on, any client may use these names.
        for (const name of record.names) paths.expect(name);
        break;
      case 'connected':
        // Likewise: the session may be resumed on another connection.
        this.connections.get(record.connection)?.enterSession(record);
        break;
      default:
        break;
    }
    this.connections.get(record.connection)?.accept(record, due);
  }

  private onOpened(number: number, upstream: number | null): void {
    if (upstream === null) {
      this.context.tally.recordedUnreachable++;
      return;
    }
    const spread = this.reader.header.upstreams.length > 1;
    const place = spread ? upstream : number - 1;
    this.connections.set(number, new ReplayConnection(this.context, number, place));
  }
}

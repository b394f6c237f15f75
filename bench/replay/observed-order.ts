/**
 * Order between recorded connections, where it could be observed: when the reply to a write passed before another
 * client's request for the same znodes, that client may have known of it, so the replayed request waits for the
 * replayed reply. What was under way at the same time had no order, and has none in the replay.
 *
 *     recording   A: create /lock   A: ok   B: create /lock   B: nodeExists
 *     replay      A: create /lock ......... A: ok             B's create goes out behind it, however slow A's was
 *
 * Znodes meet by their own path, and creates, deletes and lists also by the parent. The end of a session meets
 * everything, because its ephemerals are not known here. Only writes without a replayed reply are kept, so the table is
 * as large as what is in flight.
 */
import { MultiRequest } from '../../src/wire/multi.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { Fifo } from './fifo.ts';
import {
  hasOwnXid,
  isCreate,
  isSequential,
  opOf,
  pathOf,
  RECORD_AT,
  sequentialCreates,
  xidOf,
} from './request-facts.ts';

/** Met by every request. */
const EVERYTHING = '*';

/** One recorded request: what must be replied before it is sent, and who waits for its own reply. */
export class OrderPoint {
  readonly connection: number;
  /** Under which others find it; empty for reads. */
  readonly keys: readonly string[];
  private readonly before: readonly OrderPoint[];
  private waiters: (() => void)[] = [];
  private isDone = false;
  private onDone: (() => void) | null = null;

  constructor(connection: number, keys: readonly string[], before: readonly OrderPoint[]) {
    this.connection = connection;
    this.keys = keys;
    this.before = before;
  }

  get done(): boolean {
    return this.isDone;
  }

  /** The first that is still waited for; null when the request may go. */
  blocker(): OrderPoint | null {
    return this.before.find(({ done }) => !done) ?? null;
  }

  /** Called when its reply is there, or will never come. */
  whenDone(callback: () => void): void {
    this.waiters.push(callback);
  }

  /** At the end its table forgets it. */
  leavesBy(callback: () => void): void {
    this.onDone = callback;
  }

  finish(): void {
    if (this.isDone) return;
    this.isDone = true;
    this.onDone?.();
    for (const callback of this.waiters.splice(0)) callback();
  }
}

export class ObservedOrder {
  /** Writes whose recorded reply has passed and whose replayed one has not. */
  private readonly observed = new Map<string, Set<OrderPoint>>();
  /** By connection: requests whose recorded reply has not passed; null for reads. */
  private readonly expected = new Map<number, Fifo<OrderPoint | null>>();

  /** In the order of the file. Null for what neither waits nor is waited for. */
  onRequest(connection: number, frame: Uint8Array): OrderPoint | null {
    const xid = frame.length >= RECORD_AT ? xidOf(frame) : 0;
    if (frame.length < RECORD_AT || hasOwnXid(xid)) return null;
    const { writes, meets } = keysOf(frame);
    const before = new Set<OrderPoint>();
    if (this.observed.size > 0) {
      for (const key of [...meets, EVERYTHING]) {
        for (const point of this.observed.get(key) ?? []) {
          if (point.connection !== connection && !point.done) before.add(point);
        }
      }
      // The end of a session meets all.
      if (writes.includes(EVERYTHING)) this.addAllTo(before, connection);
    }
    const point =
      writes.length > 0 || before.size > 0 ? new OrderPoint(connection, writes, [...before]) : null;
    this.expectedOf(connection).push(writes.length > 0 ? point : null);
    return point;
  }

  /** A recorded reply passes: from here on, others may know of it. */
  onReply(connection: number, xid: number): void {
    if (hasOwnXid(xid) || xid < 0) return;
    const point = this.expectedOf(connection).shift();
    if (point == null || point.done) return;
    for (const key of point.keys) {
      const points = this.observed.get(key) ?? new Set();
      points.add(point);
      this.observed.set(key, points);
    }
    point.leavesBy(() => this.forget(point));
  }

  onClosed(connection: number): void {
    this.expected.delete(connection);
  }

  private expectedOf(connection: number): Fifo<OrderPoint | null> {
    let fifo = this.expected.get(connection);
    if (fifo === undefined) {
      fifo = new Fifo();
      this.expected.set(connection, fifo);
    }
    return fifo;
  }

  private addAllTo(before: Set<OrderPoint>, connection: number): void {
    for (const points of this.observed.values()) {
      for (const point of points) if (point.connection !== connection) before.add(point);
    }
  }

  private forget(point: OrderPoint): void {
    for (const key of point.keys) {
      const points = this.observed.get(key);
      points?.delete(point);
      if (points?.size === 0) this.observed.delete(key);
    }
  }
}

interface Keys {
  /** Under these it is found as a write. */
  readonly writes: readonly string[];
  /** Writes under these come first. */
  readonly meets: readonly string[];
}

const NOTHING: Keys = { writes: [], meets: [] };
const multi = new MultiRequest();

function keysOf(frame: Uint8Array): Keys {
  const op = opOf(frame);
  if (op === OpCode.closeSession) return { writes: [EVERYTHING], meets: [] };
  if (op === OpCode.multi || op === OpCode.multiRead) return keysOfMulti(op, frame);
  const path = pathOf(op, frame);
  return path === null ? NOTHING : keysOfOne(op, path, sequentialCreates(op, frame) !== null);
}

/** `=path` the znode itself, `>path` the list of its children. */
function keysOfOne(op: number, path: string, sequential: boolean): Keys {
  const parent = path.slice(0, Math.max(1, path.lastIndexOf('/')));
  if (isCreate(op)) {
    // Names with numbers depend on all creates before them.
    const meets = [`=${path}`, `=${parent}`, ...(sequential ? [`>${parent}`] : [])];
    return { writes: [`=${path}`, `>${parent}`], meets };
  }
  switch (op) {
    case OpCode.delete:
    case OpCode.deleteContainer:
      return { writes: [`=${path}`, `>${parent}`], meets: [`=${path}`, `>${path}`] };
    case OpCode.setData:
    case OpCode.setAcl:
      return { writes: [`=${path}`], meets: [`=${path}`] };
    case OpCode.getChildren:
    case OpCode.getChildren2:
    case OpCode.getAllChildrenNumber:
      return { writes: [], meets: [`=${path}`, `>${path}`] };
    default:
      return { writes: [], meets: [`=${path}`] };
  }
}

function keysOfMulti(op: number, frame: Uint8Array): Keys {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const whole =
    op === OpCode.multi
      ? multi.wrap(frame, view, RECORD_AT, frame.length)
      : multi.wrapRead(frame, view, RECORD_AT, frame.length);
  if (!whole) return NOTHING;
  const writes = new Set<string>();
  const meets = new Set<string>();
  while (multi.next()) {
    const sub = subOf(multi.op);
    const path = Buffer.from(frame.subarray(sub.pathStart, sub.pathStart + sub.pathLength)).toString('utf8');
    const sequential = isCreate(multi.op) && isSequential(multi.create.flags);
    const one = keysOfOne(multi.op, path, sequential);
    for (const key of one.writes) writes.add(key);
    for (const key of one.meets) meets.add(key);
  }
  return { writes: [...writes], meets: [...meets] };
}

/** The record of the current sub operation. */
function subOf(op: number): { readonly pathStart: number; readonly pathLength: number } {
  if (isCreate(op)) return multi.create;
  if (op === OpCode.setData) return multi.setData;
  return op === OpCode.delete || op === OpCode.check ? multi.pathVersion : multi.pathWatch;
}

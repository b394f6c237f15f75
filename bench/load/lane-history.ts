/**
 * Feeds the history check (check/history.ts) from the requests and replies of a lane: which record a request begins,
 * which tag its value carries, and what the reply said. Only with `check`.
 *
 *     numbers: key of the tree      its target number in the key space; directories likewise
 *              own znode            behind them: targets + count * connections + connection
 *              session              connection + generation * connections; a reconnect is the next generation
 *              tag                  1 + worker + workers * count, above those of earlier phases
 */

import { readInt64 } from '../../src/base/int64.ts';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { MULTI_HEADER_BYTES } from '../../src/wire/multi.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { REPLY_ERROR, REPLY_HEADER_BYTES, REPLY_ZXID } from '../../src/wire/reply-header.ts';
import type { MultiSubRequest, Request } from '../../src/wire/request-values.ts';
import { STAT_BYTES, StatOffset } from '../../src/wire/stat.ts';
import { toMonotonicMs } from '../base/phase-clock.ts';
import {
  HistoryRecorder,
  NO_MZXID,
  NO_SLOT,
  NO_TAG,
  NO_VERSION,
  OpKind,
  readTag,
  writeTag,
} from '../check/history.ts';
import type { Plan } from '../plan/plan.ts';

/** Records over all workers: 64 bytes each. A longer history is checked up to where it ends. */
const RECORDS_MAX = 4_000_000;
/** More than a phase can send; the tags of a thousand phases stay below 2^53. */
const TAGS_PER_PHASE = 2 ** 35;

export function historyMemory(workerCount: number): SharedArrayBuffer {
  return HistoryRecorder.allocate(Math.floor(RECORDS_MAX / workerCount));
}

/** What the lanes of a worker share: the recorder and the count of tags. */
export interface SharedHistory {
  readonly recorder: HistoryRecorder;
  readonly connectionCount: number;
  readonly targetCount: number;
  nextTag(): number;
}

export function sharedHistory(
  memory: SharedArrayBuffer,
  { plan, workerIndex }: { readonly plan: Plan; readonly workerIndex: number },
  targetCount: number,
  phaseIndex: number,
): SharedHistory {
  let count = phaseIndex * TAGS_PER_PHASE;
  return {
    recorder: new HistoryRecorder(memory),
    connectionCount: plan.connectionCount,
    targetCount,
    nextTag: () => 1 + workerIndex + plan.workerCount * count++,
  };
}

export class LaneHistory {
  private readonly shared: SharedHistory;
  private readonly connection: number;
  private session: number;
  /** By place in the lane's ring. */
  private readonly slots: Int32Array;
  private readonly kinds: Uint8Array;
  /** Records of the sets of a multi; null elsewhere. */
  private readonly multiSlots: (readonly number[] | null)[];
  private readonly ownKeys = new Map<string, number>();
  private ownCount = 0;
  private syncSentUs = 0;

  constructor(shared: SharedHistory, connection: number, capacity: number) {
    this.shared = shared;
    this.connection = connection;
    this.session = connection;
    this.slots = new Int32Array(capacity).fill(NO_SLOT);
    this.kinds = new Uint8Array(capacity);
    this.multiSlots = new Array<readonly number[] | null>(capacity).fill(null);
  }

  /** Before the bytes are sent. Returns the request to send: values carry their tag. `targets` are its keys. */
  onSend(at: number, request: Request, targets: readonly number[], nowMs: number): Request {
    const invokeUs = toMonotonicMs(nowMs) * 1000;
    this.multiSlots[at] = null;
    this.slots[at] = NO_SLOT;
    const target = targets[0] ?? -1;
    switch (request.op) {
      case OpCode.setData: {
        const tag = this.shared.nextTag();
        this.begin(at, OpKind.write, target, tag, invokeUs);
        return { ...request, data: tagged(request.data!, tag) };
      }
      case OpCode.getData:
        this.begin(at, request.watch ? OpKind.watchSet : OpKind.read, target, NO_TAG, invokeUs);
        return request;
      case OpCode.exists:
        this.begin(at, request.watch ? OpKind.existsWatchSet : OpKind.read, target, NO_TAG, invokeUs);
        return request;
      case OpCode.getChildren2:
        this.begin(at, request.watch ? OpKind.childWatchSet : OpKind.childRead, target, NO_TAG, invokeUs);
        return request;
      case OpCode.sync:
        this.syncSentUs = invokeUs;
        return request;
      case OpCode.multi:
        return { op: request.op, subs: this.onSendMulti(at, request.subs, targets, invokeUs) };
      default:
        return request;
    }
  }

  /** The get behind a sync. */
  onSendFreshRead(at: number, key: number): void {
    this.multiSlots[at] = null;
    this.begin(at, OpKind.freshRead, key, NO_TAG, this.syncSentUs);
  }

  /** A create or delete of an own znode. The name of a sequential one is not known yet: it has no record. */
  onSendOwn(
    at: number,
    kind: typeof OpKind.create | typeof OpKind.delete,
    path: string,
    nowMs: number,
  ): void {
    const { connectionCount, targetCount } = this.shared;
    this.multiSlots[at] = null;
    let key = this.ownKeys.get(path);
    if (kind === OpKind.create) {
      key = targetCount + this.ownCount++ * connectionCount + this.connection;
      this.ownKeys.set(path, key);
    } else this.ownKeys.delete(path);
    if (key === undefined) this.slots[at] = NO_SLOT;
    else this.begin(at, kind, key, NO_TAG, toMonotonicMs(nowMs) * 1000);
  }

  /** A request without a record. */
  skip(at: number): void {
    this.slots[at] = NO_SLOT;
    this.multiSlots[at] = null;
  }

  /** `[start, end)` is the frame behind its length. */
  onReply(at: number, bytes: Uint8Array, view: DataView, start: number, end: number, nowMs: number): void {
    const returnUs = toMonotonicMs(nowMs) * 1000;
    const zxid = readInt64(view, start + REPLY_ZXID);
    const error = view.getInt32(start + REPLY_ERROR);
    const body = start + REPLY_HEADER_BYTES;
    const multi = this.multiSlots[at]!;
    if (multi !== null) {
      this.onMultiReply(multi, view, body, zxid, error, returnUs);
      return;
    }
    const slot = this.slots[at]!;
    if (slot === NO_SLOT) return;
    const kind = this.kinds[at]!;
    if (error !== 0 || kind === OpKind.create || kind === OpKind.delete) {
      this.shared.recorder.complete(slot, returnUs, zxid, NO_TAG, NO_VERSION, NO_MZXID, error);
      return;
    }
    const stat = end - STAT_BYTES; // the last field of every reply that has one
    const isData = kind === OpKind.watchSet || kind === OpKind.freshRead || kind === OpKind.read;
    const hasData = isData && stat > body;
    const tag = hasData ? readTag(bytes, body + 4, view.getInt32(body)) : NO_TAG;
    const ofChildren = kind === OpKind.childRead || kind === OpKind.childWatchSet;
    const mzxid = readInt64(view, stat + (ofChildren ? StatOffset.pzxid : StatOffset.mzxid));
    const version = view.getInt32(stat + StatOffset.version);
    this.shared.recorder.complete(slot, returnUs, zxid, tag, version, mzxid, 0);
  }

  /** `target` -1: a path that nobody here can have asked for. */
  onEvent(target: number, type: number, zxid: number, nowMs: number): void {
    this.shared.recorder.event(this.session, target, type, zxid, toMonotonicMs(nowMs) * 1000);
  }

  /** Its records stay without an outcome; the next session has a number of its own. */
  onSessionLost(): void {
    this.session += this.shared.connectionCount;
  }

  private begin(at: number, kind: OpKind, key: number, tag: number, invokeUs: number): void {
    this.kinds[at] = kind;
    this.slots[at] = this.shared.recorder.invoke(this.session, kind, key, tag, invokeUs);
  }

  private onSendMulti(
    at: number,
    subs: readonly MultiSubRequest[],
    targets: readonly number[],
    invokeUs: number,
  ): readonly MultiSubRequest[] {
    if (subs[0]?.op !== OpCode.setData) return subs;
    const slots: number[] = [];
    const taggedSubs = subs.map((sub, i) => {
      if (sub.op !== OpCode.setData) return sub;
      const tag = this.shared.nextTag();
      slots.push(this.shared.recorder.invoke(this.session, OpKind.write, targets[i]!, tag, invokeUs));
      return { ...sub, data: tagged(sub.data!, tag) };
    });
    this.multiSlots[at] = slots;
    return taggedSubs;
  }

  /** `{ MultiHeader 9 | Stat 68 } ...` when it was done, `{ MultiHeader 9 | i32 err } ...` when it was not. */
  private onMultiReply(
    slots: readonly number[],
    view: DataView,
    body: number,
    zxid: number,
    error: number,
    returnUs: number,
  ): void {
    const failed = error !== 0 || view.getInt32(body) !== OpCode.setData;
    slots.forEach((slot, i) => {
      const { recorder } = this.shared;
      if (failed) {
        const code =
          error !== 0 ? error : view.getInt32(body + i * (MULTI_HEADER_BYTES + 4) + MULTI_HEADER_BYTES);
        // Operations before the one that failed are answered with 0, and did not happen either.
        const refused = code === ErrorCode.ok ? ErrorCode.runtimeInconsistency : code;
        recorder.complete(slot, returnUs, zxid, NO_TAG, NO_VERSION, NO_MZXID, refused);
        return;
      }
      const stat = body + i * (MULTI_HEADER_BYTES + STAT_BYTES) + MULTI_HEADER_BYTES;
      const mzxid = readInt64(view, stat + StatOffset.mzxid);
      recorder.complete(slot, returnUs, zxid, NO_TAG, view.getInt32(stat + StatOffset.version), mzxid, 0);
    });
  }
}

/** A copy: values are slices of one block that all requests share. */
function tagged(value: Uint8Array, tag: number): Uint8Array {
  const copy = value.slice();
  writeTag(copy, 0, tag);
  return copy;
}

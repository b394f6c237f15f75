/**
 * The lane for mixes whose requests depend on earlier replies (create and delete, watches) or differ each time. Frames
 * are encoded batch by batch into the worker's writer; replies are read whole, because names of sequential znodes,
 * results of multis and watch events stand in their bodies.
 *
 *     per position of the window, in rings beside those of lane.ts:
 *       label   which entry it was, for the counters          target  key or directory, -1 for several
 *       path    of a create or delete                         history its record, with --check
 *       multi   operations of a multi, when watches are measured
 */

import { readInt64 } from '../../src/base/int64.ts';
import { FrameSplitter, FrameStatus } from '../../src/wire/framing.ts';
import { JuteReader } from '../../src/wire/jute-reader.ts';
import type { JuteWriter } from '../../src/wire/jute-writer.ts';
import { MULTI_HEADER_BYTES } from '../../src/wire/multi.ts';
import { CreateFlags, OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import { REPLY_HEADER_BYTES, REPLY_ZXID } from '../../src/wire/reply-header.ts';
import { type MultiSubRequest, type Request, writeRequestFrame } from '../../src/wire/request-values.ts';
import { STAT_BYTES, StatOffset } from '../../src/wire/stat.ts';
import { readWatchEvent } from '../../src/wire/watch-event.ts';
import { OpKind } from '../check/history.ts';
import type { CreateMode, MixEntry } from '../plan/plan.ts';
import { createRequest, deleteRequest } from '../session/frames.ts';
import type { KeySpace } from './key-space.ts';
import { Lane, type LaneSetting } from './lane.ts';
import { LaneHistory, type SharedHistory } from './lane-history.ts';
import type { LoadPhase } from './load-phase.ts';
import type { MixLoad, MixRequests } from './mix-requests.ts';
import { OwnZnodes } from './own-znodes.ts';
import type { ReadBuffer, SessionSocket } from './session-socket.ts';
import type { WatchDelays } from './watch-delays.ts';

const XID_MASK = 0x3fffffff;
const REPLY_BYTES_MAX = 64 * 1024 * 1024;
const OWN_ZNODES_MIN = 2;
/** Type of the first result of a multi that failed as a whole. */
const ERROR_RESULT = -1;

const FLAGS: Readonly<Record<CreateMode, number>> = {
  persistent: CreateFlags.persistent,
  ephemeral: CreateFlags.ephemeral,
  persistentSequential: CreateFlags.persistentSequential,
  ephemeralSequential: CreateFlags.ephemeralSequential,
  ttl: CreateFlags.persistentTtl,
  container: CreateFlags.container,
};

/** What the lanes of a worker share. */
export interface EncodedLaneParts {
  readonly load: MixLoad;
  readonly space: KeySpace;
  readonly deck: Uint8Array;
  readonly writer: JuteWriter;
  readonly delays: WatchDelays | null;
  /** Number of the label that follows the entries with --check, -1 otherwise; then come the events. */
  readonly freshReadLabel: number;
  /** By entry: the label of its event; -1 for entries that are no watch. */
  readonly eventLabels: Int16Array;
}

interface ArmedWatch {
  readonly label: number;
  readonly target: number;
  /** The version, or for children the zxid, that its reply showed: the event tells of the next one. */
  readonly seen: number;
}

export class EncodedLane extends Lane {
  private readonly parts: EncodedLaneParts;
  private readonly requests: MixRequests;
  private readonly history: LaneHistory | null;
  private splitter: FrameSplitter;
  private readonly labels: Uint16Array;
  private readonly targets: Int32Array;
  private readonly paths: (string | null)[];
  private readonly multis: (readonly MultiSubRequest[] | null)[];
  private readonly own: OwnZnodes;
  private readonly armed = new Map<string, ArmedWatch>();
  private readonly createEntry: number;
  private readonly hasDeletes: boolean;
  /** Names of created znodes are unique by sender and count. */
  private readonly sender: string;
  private createdCount = 0;
  private card: number;
  /** Key of the sync just sent whose get comes next; -1 otherwise. */
  private freshKey = -1;
  /** Removing what is left at the end of the phase: nothing is measured any more. */
  private cleaning = false;
  private nowMs = 0;
  private inOrder = true;

  constructor(
    socket: SessionSocket,
    phase: LoadPhase,
    setting: LaneSetting,
    parts: EncodedLaneParts,
    options: {
      readonly requests: MixRequests;
      readonly firstCard: number;
      readonly history: SharedHistory | null;
      readonly connection: number;
    },
  ) {
    super(socket, phase, setting);
    const capacity = this.mask + 1;
    const { entries } = parts.load;
    this.parts = parts;
    this.requests = options.requests;
    this.sender = String(options.connection);
    this.card = options.firstCard;
    this.history =
      options.history === null ? null : new LaneHistory(options.history, options.connection, capacity);
    this.labels = new Uint16Array(capacity);
    this.targets = new Int32Array(capacity);
    this.paths = new Array<string | null>(capacity).fill(null);
    this.multis = new Array<readonly MultiSubRequest[] | null>(parts.delays === null ? 0 : capacity);
    this.own = new OwnZnodes(Math.max(OWN_ZNODES_MIN, 2 * setting.window));
    this.createEntry = entries.findIndex(({ op }) => op === 'create');
    this.hasDeletes = entries.some(({ op }) => op === 'delete');
    this.splitter = this.newSplitter();
  }

  /** Nothing of the phase's creates is left. */
  get clean(): boolean {
    return this.own.size === 0;
  }

  /** After the drain: deletes what the phase's creates have left, a window at a time. Idle again when done. */
  cleanUp(): void {
    this.cleaning = true;
    const { writer } = this.parts;
    writer.reset();
    for (; this.own.size > 0 && this.socket.ready && !this.backlogFull; this.tail++, this.sent++) {
      writeRequestFrame(writer, xidOf(this.tail), deleteRequest(this.own.take()));
    }
    if (writer.length > 0) this.socket.write(writer.toBytes());
  }

  protected override send(count: number, nowMs: number): void {
    const { writer } = this.parts;
    writer.reset();
    for (let i = 0; i < count; i++) this.encode(writer, this.sent + i, nowMs);
    this.socket.write(writer.toBytes());
  }

  protected override receive(buffer: ReadBuffer, length: number, nowMs: number): boolean {
    this.nowMs = nowMs;
    this.inOrder = true;
    const status = this.splitter.pushFirst(buffer.bytes, buffer.view, length);
    return this.inOrder && status === FrameStatus.ok;
  }

  /** What has not been sent is not dealt either: as the deck lies, its bounds aside. */
  protected override labelAt(position: number): number {
    if (position < this.sent) return this.labels[position & this.mask]!;
    const { deck } = this.parts;
    return deck[(this.card + position - this.sent) % deck.length]!;
  }

  protected override forget(): void {
    this.splitter = this.newSplitter();
    this.own.onSessionLost();
    this.armed.clear();
    this.freshKey = -1;
    this.history?.onSessionLost();
  }

  private newSplitter(): FrameSplitter {
    return new FrameSplitter(REPLY_BYTES_MAX, {
      onFrame: (bytes, view, start, end) => this.onFrame(bytes, view, start, end),
    });
  }

  private encode(writer: JuteWriter, position: number, nowMs: number): void {
    const at = position & this.mask;
    this.paths[at] = null;
    if (this.freshKey >= 0) {
      this.encodeFreshRead(writer, position);
      return;
    }
    const label = this.nextEntry();
    const entry = this.parts.load.entries[label]!;
    this.labels[at] = label;
    let request = this.requestOf(entry, at);
    if (this.history !== null) {
      request = this.recordSend(this.history, entry, at, request, nowMs);
      if (entry.op === 'sync') this.freshKey = this.targets[at]!;
    }
    writeRequestFrame(writer, xidOf(position), request);
  }

  private recordSend(
    history: LaneHistory,
    entry: MixEntry,
    at: number,
    request: Request,
    nowMs: number,
  ): Request {
    if (entry.op !== 'create' && entry.op !== 'delete') {
      return history.onSend(at, request, this.requests.targets, nowMs);
    }
    // The server names sequential znodes and removes the others by itself: neither is an own znode of the history.
    const unowned = entry.op === 'create' && entry.mode !== 'persistent' && entry.mode !== 'ephemeral';
    const kind = entry.op === 'create' ? OpKind.create : OpKind.delete;
    if (unowned) history.skip(at);
    else history.onSendOwn(at, kind, this.paths[at]!, nowMs);
    return request;
  }

  /** Behind a sync, with --check: the read that must see every write acknowledged before the sync was sent. */
  private encodeFreshRead(writer: JuteWriter, position: number): void {
    const at = position & this.mask;
    const key = this.freshKey;
    this.freshKey = -1;
    this.labels[at] = this.parts.freshReadLabel;
    this.targets[at] = key;
    const request: Request = { op: OpCode.getData, path: this.parts.space.keyPath(key), watch: false };
    this.history!.onSendFreshRead(at, key);
    writeRequestFrame(writer, xidOf(position), request);
  }

  /** The deck's next entry; a create and a delete stand in for each other at the bounds of the own znodes. */
  private nextEntry(): number {
    const { deck, load } = this.parts;
    const label = deck[this.card]!;
    this.card = this.card + 1 === deck.length ? 0 : this.card + 1;
    const { op } = load.entries[label]!;
    if (op === 'delete' && this.own.size === 0) return this.createEntry;
    if (op === 'create' && this.hasDeletes && this.own.full && this.own.size > 0) {
      return load.entries.findIndex((entry) => entry.op === 'delete');
    }
    return label;
  }

  private requestOf(entry: MixEntry, at: number): Request {
    if (entry.op === 'create') return this.create(entry, at);
    if (entry.op === 'delete') {
      const path = this.own.take();
      this.paths[at] = path;
      this.targets[at] = this.parts.space.directoryTarget(this.parts.space.directoryOfPath(path));
      return deleteRequest(path);
    }
    const request = this.requests.make(entry);
    const { targets } = this.requests;
    if (this.parts.delays !== null) this.multis[at] = request.op === OpCode.multi ? request.subs : null;
    this.targets[at] = targets.length === 1 ? targets[0]! : -1;
    return request;
  }

  private create(entry: Extract<MixEntry, { op: 'create' }>, at: number): Request {
    const { space } = this.parts;
    const directory = this.requests.nextDirectory();
    const path = `${space.directoryPath(directory)}/n${this.sender}-${this.createdCount++}`;
    this.paths[at] = path;
    this.targets[at] = space.directoryTarget(directory);
    this.own.onCreateSent();
    const plain = createRequest(path, this.requests.values.next());
    const flags = FLAGS[entry.mode];
    if (entry.mode === 'ttl') return { ...plain, op: OpCode.createTtl, flags, ttl: entry.ttlMs } as Request;
    if (entry.mode === 'container') return { ...plain, op: OpCode.createContainer, flags } as Request;
    return { ...plain, flags } as Request;
  }

  private onFrame(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    if (end - start < REPLY_HEADER_BYTES) return this.disorder();
    const xid = view.getInt32(start);
    if (xid === SpecialXid.notification) {
      this.onEvent(bytes.subarray(start + REPLY_HEADER_BYTES, end), readInt64(view, start + 4));
      return true;
    }
    if (xid === SpecialXid.ping) return true;
    if (xid !== xidOf(this.head) || this.head === this.sent) return this.disorder();
    const at = this.head++ & this.mask;
    if (!this.cleaning) this.onReply(at, bytes, view, start, end);
    return true;
  }

  private onReply(at: number, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const label = this.labels[at]!;
    const entry = this.parts.load.entries[label];
    const body = start + REPLY_HEADER_BYTES;
    let error = view.getInt32(start + 12);
    if (error === 0 && entry?.op === 'multi' && view.getInt32(body) === ERROR_RESULT) {
      error = view.getInt32(body + 5);
    }
    this.history?.onReply(at, bytes, view, start, end, this.nowMs);
    if (entry?.op === 'create') this.onCreateReply(entry, at, error, bytes.subarray(body, end));
    if (error === 0 && this.parts.delays !== null)
      this.onDone(this.parts.delays, entry, at, view, start, end);
    this.phase.onReply(label, this.due[at]!, this.sentAt[at]!, this.nowMs, error);
  }

  private onCreateReply(
    entry: Extract<MixEntry, { op: 'create' }>,
    at: number,
    error: number,
    body: Uint8Array,
  ): void {
    const ephemeral = entry.mode === 'ephemeral' || entry.mode === 'ephemeralSequential';
    const sequential = entry.mode === 'persistentSequential' || entry.mode === 'ephemeralSequential';
    const path = sequential && error === 0 ? new JuteReader(body).readText() : this.paths[at]!;
    this.own.onCreateReply(error === 0 ? path : null, ephemeral);
  }

  /** What the load's own watches need to know: which change this was, or what the watch that it set has seen. */
  private onDone(
    delays: WatchDelays,
    entry: MixEntry | undefined,
    at: number,
    view: DataView,
    start: number,
    end: number,
  ): void {
    if (entry === undefined) return;
    const target = this.targets[at]!;
    const stat = end - STAT_BYTES; // the last field of every reply that has one
    switch (entry.op) {
      case 'set':
        delays.onCountedAck(target, view.getInt32(stat + StatOffset.version), this.nowMs);
        break;
      case 'create':
      case 'delete':
        delays.onOrderedAck(target, readInt64(view, start + REPLY_ZXID), this.nowMs);
        break;
      case 'multi':
        this.onMultiDone(delays, at, view, start);
        break;
      case 'watch': {
        const ofChildren = entry.on === 'children';
        const seen = ofChildren
          ? readInt64(view, stat + StatOffset.pzxid)
          : view.getInt32(stat + StatOffset.version);
        this.armed.set(this.targetPath(target), {
          label: this.parts.eventLabels[this.labels[at]!]!,
          target,
          seen,
        });
        break;
      }
      default:
    }
  }

  /** `{ MultiHeader 9 | Stat 68 } ...` of sets; creates and deletes change their directories, all in one zxid. */
  private onMultiDone(delays: WatchDelays, at: number, view: DataView, start: number): void {
    const { space } = this.parts;
    const zxid = readInt64(view, start + REPLY_ZXID);
    const body = start + REPLY_HEADER_BYTES;
    this.multis[at]!.forEach((sub, i) => {
      if (sub.op === OpCode.setData) {
        const stat = body + i * (MULTI_HEADER_BYTES + STAT_BYTES) + MULTI_HEADER_BYTES;
        const version = view.getInt32(stat + StatOffset.version);
        delays.onCountedAck(space.targetOf(sub.path!), version, this.nowMs);
      } else if (sub.op === OpCode.create) {
        const directory = space.directoryTarget(space.directoryOfPath(sub.path!));
        delays.onOrderedAck(directory, zxid, this.nowMs);
      }
    });
  }

  private targetPath(target: number): string {
    const { space } = this.parts;
    return target < space.keyCount ? space.keyPath(target) : space.directoryPath(target - space.keyCount);
  }

  private onEvent(body: Uint8Array, zxid: number): void {
    const { type, path } = readWatchEvent(new JuteReader(body));
    const watch = this.armed.get(path);
    this.history?.onEvent(this.parts.space.targetOf(path), type, zxid, this.nowMs);
    if (watch === undefined || this.cleaning) return;
    this.armed.delete(path);
    const delays = this.parts.delays!;
    const ofData = watch.target < this.parts.space.keyCount;
    const delayMs = ofData
      ? delays.sinceCountedAck(watch.target, watch.seen + 1, this.nowMs)
      : delays.sinceOrderedAck(watch.target, watch.seen, this.nowMs);
    this.phase.onDelay(watch.label, delayMs, this.nowMs);
  }

  private disorder(): boolean {
    this.inOrder = false;
    return false;
  }
}

function xidOf(position: number): number {
  return (position & XID_MASK) + 1;
}

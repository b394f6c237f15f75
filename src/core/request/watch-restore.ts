/**
 * setWatches and setWatches2: what a client asks for after a reconnect. A path that has changed since the zxid that it
 * names is told at once, any other is watched from now on. A long request is worked off in slices:
 *
 *     paths   data │ exist │ child │ persistent │ recursive
 *             done ········│ next ····· not yet        changes go on between two slices: one above tells through its
 *                                                      watch, one below is found as a change when its turn comes
 *
 * So each change is told exactly once, and before the reply. One such job runs at a time; a further long one is not
 * begun, and its connection waits. A write that the client has sent behind the request is committed only behind the
 * rest of it. Core thread.
 */
import { assert } from '../../base/assert.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { StringCursor } from '../../wire/cursors.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { SetWatchesRequest } from '../../wire/requests.ts';
import { StatOffset } from '../../wire/stat.ts';
import { type Client, ClientState } from '../client/client.ts';
import type { Replier } from '../client/replier.ts';
import { RequestView } from '../client/request-view.ts';
import { type TurnWork, Work } from '../progress/turn-work.ts';
import { readZxid } from '../tree/record.ts';
import { EventType } from '../watch/watch-firing.ts';
import { WatchMode } from '../watch/watch-rows.ts';
import type { PathLookup } from './path-lookup.ts';
import type { WatchOps } from './watch-ops.ts';

/** A request of so many bytes, some hundred paths, is worked off at once. */
const AT_ONCE_BYTES_MAX = 32 * 1024;
/** About a millisecond. */
const PATHS_PER_TURN = 1024;

/** The vectors of the request, in its order. */
const Part = { data: 0, exist: 1, child: 2, persistent: 3, recursive: 4, end: 5 } as const;

/** What is under way; the request's bytes are its own. */
interface Job {
  readonly request: RequestView;
  readonly asked: SetWatchesRequest;
  readonly paths: StringCursor;
  part: number;
  /** The reply goes behind what is held for the client. */
  readonly isHeld: boolean;
}

export class WatchRestore {
  private readonly watchOps: WatchOps;
  private readonly turnWork: TurnWork;
  private readonly lookup: PathLookup;
  private readonly replier: Replier;
  private readonly onDone: (client: Client) => void;
  private readonly asked = new SetWatchesRequest();
  private readonly paths = new StringCursor();
  private job: Job | null = null;

  /** `onDone`: as of a large reply. */
  constructor(
    watchOps: WatchOps,
    work: TurnWork,
    lookup: PathLookup,
    replier: Replier,
    onDone: (client: Client) => void,
  ) {
    this.watchOps = watchOps;
    this.turnWork = work;
    this.lookup = lookup;
    this.replier = replier;
    this.onDone = onDone;
  }

  get isBusy(): boolean {
    return this.job !== null;
  }

  /** Answers, or starts to. False = another long one is being worked off, and nothing has happened. */
  answer(request: RequestView): boolean {
    const { bytes, view, start, end } = request;
    const isLong = end - start > AT_ONCE_BYTES_MAX;
    if (isLong && this.job !== null) return false;
    const { asked, paths } = this;
    if (!wrap(asked, request.op, bytes, view, start, end) || this.hasNull(asked, view)) {
      this.replier.header(request, ErrorCode.marshallingError);
    } else if (isLong) {
      this.start(request);
    } else {
      const job = { request, asked, paths, part: Part.data, isHeld: false };
      paths.wrap(view, asked.dataStart);
      if (this.work(job, Number.POSITIVE_INFINITY)) this.replier.header(request, ErrorCode.ok);
    }
    return true;
  }

  /** The request of this client is being worked off: no write that was sent behind it may be committed. */
  isFor(client: Client): boolean {
    return this.job !== null && this.job.request.client === client;
  }

  private start({ client, xid, op, receivedMs, bytes, start, end }: RequestView): void {
    const kept = new RequestView();
    // Not `slice`: that of a Buffer, which the io side may lend, copies nothing.
    const own = new Uint8Array(end - start);
    copyBytes(bytes, start, own.length, own, 0);
    const view = new DataView(own.buffer);
    kept.recall(client, xid, op, receivedMs);
    const asked = new SetWatchesRequest();
    const isWhole = wrap(asked, op, own, view, 0, own.length);
    assert(isWhole, 'the copy of a sound request');
    const paths = new StringCursor();
    paths.wrap(view, asked.dataStart);
    this.job = { request: kept, asked, paths, part: Part.data, isHeld: client.isHolding };
    client.isStreaming = true;
    client.isRestoring = true;
  }

  /** One slice of work, if there is any. */
  doWork(): void {
    const { job } = this;
    if (job === null) return;
    const { client } = job.request;
    if (client.state < ClientState.closing) {
      const isDone = this.work(job, PATHS_PER_TURN);
      this.turnWork.charge(Work.listEntries, PATHS_PER_TURN);
      const isHeld = job.isHeld || client.held.length > 0;
      if (isHeld) client.beginHolding();
      if (isDone) this.replier.header(job.request, ErrorCode.ok);
      if (isHeld) client.endHolding();
      if (!isDone && client.state < ClientState.closing) return;
    }
    this.job = null;
    client.isStreaming = false;
    client.isRestoring = false;
    this.onDone(client);
  }

  /** True = all paths are done. False: there are more, or the client had too many and has been ended. */
  private work(job: Job, pathsMax: number): boolean {
    const { client } = job.request;
    const { paths, asked } = job;
    for (let left = pathsMax; left > 0; left--) {
      while (!paths.next()) {
        if (!this.nextPart(job)) return true;
      }
      if (!this.restore(client, job.part, asked, paths)) return false;
    }
    return false;
  }

  private nextPart(job: Job): boolean {
    const { asked, paths } = job;
    job.part++;
    if (job.part === (asked.hasPersistent ? Part.end : Part.persistent)) return false;
    paths.wrap(asked.view, startOf(asked, job.part));
    return true;
  }

  /** False: too many. */
  private restore(
    client: Client,
    part: number,
    { bytes, relativeZxid }: SetWatchesRequest,
    path: StringCursor,
  ): boolean {
    const { lookup, watchOps } = this;
    const { node } = lookup;
    if (part >= Part.persistent) {
      lookup.setPath(bytes, path.start, path.length);
      return watchOps.add(
        client,
        bytes,
        part === Part.persistent ? WatchMode.persistent : WatchMode.recursive,
      );
    }
    const isThere = lookup.find(bytes, path.start, path.length);
    if (part === Part.exist) {
      if (isThere) return this.missed(client, EventType.nodeCreated, bytes);
      return watchOps.add(client, bytes, WatchMode.standardData);
    }
    if (!isThere) return this.missed(client, EventType.nodeDeleted, bytes);
    if (part === Part.data) {
      if (readZxid(node, StatOffset.mzxid) > relativeZxid)
        return this.missed(client, EventType.nodeDataChanged, bytes);
      return watchOps.add(client, bytes, WatchMode.standardData);
    }
    if (readZxid(node, StatOffset.pzxid) > relativeZxid)
      return this.missed(client, EventType.nodeChildrenChanged, bytes);
    return watchOps.add(client, bytes, WatchMode.standardChild);
  }

  // Such an event belongs to no transaction: zxid −1 in every version.
  private missed(client: Client, type: EventType, bytes: Uint8Array): true {
    this.replier.event(client, -1, type, bytes, this.lookup.pathStart, this.lookup.pathLength);
    return true;
  }

  /** A vector that is null, or a path in one. */
  private hasNull(asked: SetWatchesRequest, view: DataView): boolean {
    const end = asked.hasPersistent ? Part.end : Part.persistent;
    const { paths } = this;
    for (let part: number = Part.data; part < end; part++) {
      paths.wrap(view, startOf(asked, part));
      if (paths.remaining === -1) return true;
      while (paths.next()) if (paths.length < 0) return true;
    }
    return false;
  }
}

function wrap(
  asked: SetWatchesRequest,
  op: number,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): boolean {
  return op === OpCode.setWatches2
    ? asked.wrap2(bytes, view, start, end)
    : asked.wrap(bytes, view, start, end);
}

function startOf(asked: SetWatchesRequest, part: number): number {
  switch (part) {
    case Part.data:
      return asked.dataStart;
    case Part.exist:
      return asked.existStart;
    case Part.child:
      return asked.childStart;
    case Part.persistent:
      return asked.persistentStart;
    default:
      return asked.persistentRecursiveStart;
  }
}

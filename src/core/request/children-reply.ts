/**
 * Replies to getChildren. A parent with few children is answered at once. A large one is answered in slices of
 * the core's turns, so that a list of a million names does not hold up anybody else:
 *
 *   note      the records of all children (one offset each) at the moment of the read, and an epoch is entered, so
 *             that none of these records is reused before its name has been copied
 *   measure   some thousand names a turn: the length of the frame
 *   copy      some thousand names a turn, into a private buffer of that length; then the epoch is left
 *   send      some pieces a turn
 *
 * A held reply (request-order.ts) is made at once all the same: a write is about to commit that it must not see.
 *
 * The list is that of one moment, with the Stat and the watch of the same moment. One such job runs at a time: a
 * further large read is not made yet (`mustWait`) and its connection waits, so that the epoch is
 * left between jobs and retired records cannot pile up however many clients ask.
 */
import { assert } from '../../base/assert.ts';
import { ZxidCell } from '../../base/zxid.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { STAT_BYTES } from '../../wire/stat.ts';
import type { Client } from '../client/client.ts';
import { ClientState } from '../client/client.ts';
import { HeldSink } from '../client/held-sink.ts';
import { BodyBuffer, type Replier } from '../client/replier.ts';
import { RequestView } from '../client/request-view.ts';
import { PIECE_BYTES_MAX } from '../ports/ports.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';

/** Up to this many children the reply is made at once: about 0.2 ms. */
export const CHILDREN_AT_ONCE_MAX = 2048;
const CHILDREN_PER_TURN = 8192;
const NO_STAT = new Uint8Array(0);

/** What of a finished frame is handed to the io side per turn. */
const SEND_BYTES_PER_TURN = 4 * PIECE_BYTES_MAX;

type Phase = 'measure' | 'copy' | 'send';

interface Job {
  /** A copy; its bytes are not needed. */
  readonly request: RequestView;
  readonly zxid: ZxidCell;
  readonly records: Int32Array;
  readonly stat: Uint8Array;
  phase: Phase;
  /** The next child to look at, and then the next byte to send. */
  next: number;
  bodyLength: number;
  body: BodyBuffer;
}

export class ChildrenReply {
  private readonly tree: Tree;
  private readonly replier: Replier;
  private readonly child: ZnodeCursor;
  private readonly small = new BodyBuffer();
  private job: Job | null = null;
  private readonly onDone: (client: Client) => void;

  /** `onDone`: a large reply has been handed over, the client's next requests may run. */
  constructor(tree: Tree, replier: Replier, onDone: (client: Client) => void) {
    this.tree = tree;
    this.replier = replier;
    this.child = tree.cursor();
    this.onDone = onDone;
  }

  get isBusy(): boolean {
    return this.job !== null;
  }

  /** Whether the list of `parent` is large, and another large one is being made. */
  mustWait(client: Client, parent: ZnodeCursor): boolean {
    return this.job !== null && this.isLarge(client, parent);
  }

  private isLarge(client: Client, parent: ZnodeCursor): boolean {
    return parent.numChildren > CHILDREN_AT_ONCE_MAX && !(client.sink instanceof HeldSink);
  }

  /** Answers, or starts to, unless it must wait; `parent` stands on the committed record. */
  reply(request: RequestView, parent: ZnodeCursor, stat: boolean): void {
    const id = parent.nodeId;
    const count = this.tree.children.count(id);
    assert(count === parent.numChildren, 'numChildren differs from the child list');
    if (this.isLarge(request.client, parent)) {
      this.start(request, parent, stat);
      return;
    }
    const body = this.small;
    body.reset();
    this.append(body, id, count);
    if (stat) body.raw(parent.bytes, parent.statStart, STAT_BYTES);
    this.replier.slice(request, body.bytes, 0, body.length);
  }

  /** The vector of names as a multiRead result has it. */
  append(body: BodyBuffer, parentId: number, count: number): void {
    body.int32(count);
    for (let place = 0; place < count; place++) {
      this.child.moveTo(this.tree.committedOf(this.tree.children.at(parentId, place)));
      appendName(body, this.child);
    }
  }

  /** One slice of work, if there is any. */
  doWork(): void {
    const { job } = this;
    if (job === null) return;
    if (job.request.client.state >= ClientState.closing) {
      if (job.phase !== 'send') this.tree.keepRetired(false);
      this.end(job);
    } else if (job.phase === 'measure') {
      this.measure(job);
    } else if (job.phase === 'copy') {
      this.copy(job);
    } else {
      this.send(job);
    }
  }

  private measure(job: Job): void {
    const to = Math.min(job.next + CHILDREN_PER_TURN, job.records.length);
    for (; job.next < to; job.next++) {
      this.child.moveTo(job.records[job.next]!);
      job.bodyLength += 4 + nameLength(this.child);
    }
    if (to < job.records.length) return;
    job.phase = 'copy';
    job.next = 0;
    job.body = new BodyBuffer(job.bodyLength);
    job.body.int32(job.records.length);
  }

  private copy(job: Job): void {
    const to = Math.min(job.next + CHILDREN_PER_TURN, job.records.length);
    for (; job.next < to; job.next++) {
      this.child.moveTo(job.records[job.next]!);
      appendName(job.body, this.child);
    }
    if (to < job.records.length) return;
    this.tree.keepRetired(false);
    job.body.raw(job.stat, 0, job.stat.length);
    this.replier.beginLarge(job.request, job.zxid.value, job.bodyLength);
    job.phase = 'send';
    job.next = 0;
  }

  private send(job: Job): void {
    const to = Math.min(job.next + SEND_BYTES_PER_TURN, job.bodyLength);
    this.replier.continueLarge(job.request.client, job.body.bytes, job.next, to, to === job.bodyLength);
    job.next = to;
    if (to === job.bodyLength) this.end(job);
  }

  private start(request: RequestView, parent: ZnodeCursor, hasStat: boolean): void {
    const { client } = request;
    const id = parent.nodeId;
    const records = new Int32Array(this.tree.children.count(id));
    for (let place = 0; place < records.length; place++) {
      records[place] = this.tree.committedOf(this.tree.children.at(id, place));
    }
    const stat = hasStat ? parent.bytes.slice(parent.statStart, parent.statStart + STAT_BYTES) : NO_STAT;
    const kept = new RequestView();
    kept.recall(client, request.xid, request.op, request.receivedMs);
    this.job = {
      request: kept,
      zxid: new ZxidCell(this.replier.progress.committed),
      records,
      stat,
      phase: 'measure',
      next: 0,
      bodyLength: 4 + stat.length,
      body: this.small,
    };
    client.isStreaming = true;
    this.tree.keepRetired(true);
  }

  private end(job: Job): void {
    this.job = null;
    job.request.client.isStreaming = false;
    this.onDone(job.request.client);
  }
}

const SLASH = 47;

function nameLength(child: ZnodeCursor): number {
  const { bytes, pathStart, pathLength } = child;
  let from = pathStart + pathLength;
  while (bytes[from - 1] !== SLASH) from--;
  return pathStart + pathLength - from;
}

function appendName(body: BodyBuffer, child: ZnodeCursor): void {
  const length = nameLength(child);
  const at = body.extend(4 + length);
  body.view.setInt32(at, length);
  copyBytes(child.bytes, child.pathStart + child.pathLength - length, length, body.bytes, at + 4);
}

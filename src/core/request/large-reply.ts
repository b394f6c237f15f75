/**
 * Replies about many znodes: getChildren, getEphemerals, multiRead. A small one is made at once. A large one is made in
 * slices of the core's turns, so that a list of a million names or 64 MiB of data do not hold up anybody else:
 *
 *   note      what it is made of (reply-plan.ts), at the moment of the read; an epoch is entered, so that none of the
 *             records is reused before it has been copied
 *   measure   some thousand items a turn: the length of the frame
 *   copy      some thousand items or a megabyte a turn, into a private buffer of that length; then the epoch is left
 *   send      some pieces a turn
 *
 * A held reply (request-order.ts) is made at once all the same: a write is about to commit that it must not see.
 *
 * The reply is that of one moment, with the Stat and the watch of the same moment. One such job runs at a time: a
 * further large read is not made yet (`mustWait`) and its connection waits, so that the epoch is left between jobs and
 * retired records cannot pile up however many clients ask.
 */
import { assert } from '../../base/assert.ts';
import { ZxidCell } from '../../base/zxid.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { STAT_BYTES } from '../../wire/stat.ts';
import { type Client, ClientState } from '../client/client.ts';
import { HeldSink } from '../client/held-sink.ts';
import { BodyBuffer, type Replier } from '../client/replier.ts';
import { RequestView } from '../client/request-view.ts';
import { PIECE_BYTES_MAX } from '../ports/ports.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';
import { appendName, ReplyPlan } from './reply-plan.ts';

/** Up to so much the reply is made at once: 2,048 names or 256 KiB, about 0.2 ms. */
export const AT_ONCE_MAX = 2048;
const PER_TURN = 8192;
const NO_STAT = new Uint8Array(0);

/** What of a finished frame is handed to the io side per turn. */
const SEND_BYTES_PER_TURN = 4 * PIECE_BYTES_MAX;

type Phase = 'measure' | 'copy' | 'send';

interface Job {
  /** A copy; its bytes are not needed. */
  readonly request: RequestView;
  readonly zxid: ZxidCell;
  readonly plan: ReplyPlan;
  readonly stat: Uint8Array;
  readonly bytesMax: number;
  phase: Phase;
  /** The next item to look at, and then the next byte to send. */
  next: number;
  bodyLength: number;
  body: BodyBuffer;
}

export class LargeReply {
  private readonly tree: Tree;
  private readonly replier: Replier;
  private readonly node: ZnodeCursor;
  private readonly small = new BodyBuffer();
  /** Being noted; a large one takes it along. */
  private noted = new ReplyPlan();
  private job: Job | null = null;
  private readonly onDone: (client: Client) => void;

  /** `onDone`: a large reply has been handed over, the client's next requests may run. */
  constructor(tree: Tree, replier: Replier, onDone: (client: Client) => void) {
    this.tree = tree;
    this.replier = replier;
    this.node = tree.cursor();
    this.onDone = onDone;
  }

  get isBusy(): boolean {
    return this.job !== null;
  }

  /** Whether so much work cannot be begun, because another large reply is being made. */
  mustWait(client: Client, work: number): boolean {
    return this.job !== null && work > AT_ONCE_MAX && !(client.sink instanceof HeldSink);
  }

  /** An empty plan to note the reply in; `send` follows in the same turn. */
  begin(): ReplyPlan {
    this.noted.clear();
    return this.noted;
  }

  /** The children of a node into the plan: their number, and their names. */
  noteChildren(plan: ReplyPlan, parentId: number): void {
    const { children } = this.tree;
    const count = children.count(parentId);
    plan.count(count);
    for (let place = 0; place < count; place++)
      plan.name(this.tree.committedOf(children.at(parentId, place)));
  }

  /** The reply of getChildren; `parent` stands on the committed record. */
  sendChildren(request: RequestView, parent: ZnodeCursor, hasStat: boolean): void {
    const { children } = this.tree;
    const id = parent.nodeId;
    const count = children.count(id);
    assert(count === parent.numChildren, 'numChildren differs from the child list');
    if (count > AT_ONCE_MAX && !(request.client.sink instanceof HeldSink)) {
      this.noteChildren(this.begin(), id);
      this.start(request, hasStat ? parent : null, Number.POSITIVE_INFINITY);
      return;
    }
    const { small: body, node } = this;
    body.reset();
    body.int32(count);
    for (let place = 0; place < count; place++) {
      node.moveTo(this.tree.committedOf(children.at(id, place)));
      appendName(body, node);
    }
    if (hasStat) body.raw(parent.bytes, parent.statStart, STAT_BYTES);
    this.replier.slice(request, body.bytes, 0, body.length);
  }

  /** Answers with what has been noted, or starts to; more than `bytesMax` is refused. */
  send(request: RequestView, bytesMax = Number.POSITIVE_INFINITY): void {
    const plan = this.noted;
    if (plan.work > AT_ONCE_MAX && !(request.client.sink instanceof HeldSink)) {
      this.start(request, null, bytesMax);
      return;
    }
    const body = this.small;
    body.reset();
    for (let at = 0; at < plan.length; at++) plan.write(at, this.node, body);
    if (body.length > bytesMax) this.replier.header(request, ErrorCode.marshallingError);
    else this.replier.slice(request, body.bytes, 0, body.length);
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
      this.sendSlice(job);
    }
  }

  private measure(job: Job): void {
    const { plan } = job;
    const to = Math.min(job.next + PER_TURN, plan.length);
    for (; job.next < to; job.next++) job.bodyLength += plan.bytesOf(job.next, this.node);
    if (job.bodyLength > job.bytesMax) {
      this.tree.keepRetired(false);
      this.replier.headerAt(job.request, job.zxid.value, ErrorCode.marshallingError);
      this.end(job);
      return;
    }
    if (to < plan.length) return;
    job.phase = 'copy';
    job.next = 0;
    job.body = new BodyBuffer(job.bodyLength);
  }

  private copy(job: Job): void {
    const { plan } = job;
    for (let work = 0; work < PER_TURN && job.next < plan.length; job.next++) {
      work += plan.write(job.next, this.node, job.body);
    }
    if (job.next < plan.length) return;
    this.tree.keepRetired(false);
    job.body.raw(job.stat, 0, job.stat.length);
    this.replier.beginLarge(job.request, job.zxid.value, job.bodyLength);
    job.phase = 'send';
    job.next = 0;
  }

  private sendSlice(job: Job): void {
    const to = Math.min(job.next + SEND_BYTES_PER_TURN, job.bodyLength);
    this.replier.continueLarge(job.request.client, job.body.bytes, job.next, to, to === job.bodyLength);
    job.next = to;
    if (to === job.bodyLength) this.end(job);
  }

  private start(request: RequestView, parent: ZnodeCursor | null, bytesMax: number): void {
    const { client } = request;
    const stat =
      parent === null ? NO_STAT : parent.bytes.slice(parent.statStart, parent.statStart + STAT_BYTES);
    const kept = new RequestView();
    kept.recall(client, request.xid, request.op, request.receivedMs);
    this.job = {
      request: kept,
      zxid: new ZxidCell(this.replier.progress.committed),
      plan: this.noted,
      stat,
      bytesMax,
      phase: 'measure',
      next: 0,
      bodyLength: stat.length,
      body: this.small,
    };
    this.noted = new ReplyPlan();
    client.isStreaming = true;
    this.tree.keepRetired(true);
  }

  private end(job: Job): void {
    this.job = null;
    job.request.client.isStreaming = false;
    this.onDone(job.request.client);
  }
}

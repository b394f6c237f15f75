/**
 * Replies about many znodes: getChildren, getEphemerals, multiRead. A small one is made at once. A large one is made in
 * slices of the core's turns, so that a list of a million names or 64 MiB of data do not hold up anybody else:
 *
 *   note      what it is made of (reply-plan.ts), some ten thousand items a turn, all of it at the moment of the read:
 *             nothing is committed meanwhile (`isNoting`); an epoch is entered, so that none of the records is reused
 *             before it has been copied
 *   measure   some thousand items a turn: the length of the frame
 *   copy      some thousand items or a megabyte a turn, into a private buffer of that length; then the epoch is left
 *   send      some pieces a turn
 *
 * That of a slow client whose write is about to commit (request-order.ts) is made in the same way, and held piece by
 * piece; the commit waits for it.
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
import { BodyBuffer, type Replier } from '../client/replier.ts';
import { RequestView } from '../client/request-view.ts';
import { PIECE_BYTES_MAX } from '../ports/ports.ts';
import { type TurnWork, Work } from '../progress/turn-work.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';
import { appendName, ReplyPlan } from './reply-plan.ts';

/** Up to so much the reply is made at once: 2,048 names or 256 KiB, about 0.2 ms. */
export const AT_ONCE_MAX = 2048;
const PER_TURN = 8192;
const NO_STAT = new Uint8Array(0);

/** What of a finished frame is handed to the io side per turn. */
const SEND_BYTES_PER_TURN = 4 * PIECE_BYTES_MAX;

/** Less than a millisecond. */
const NOTED_PER_TURN = 16_384;

type Phase = 'note' | 'measure' | 'copy' | 'send';

/** Notes up to so many further items; true = these are all. */
export type Noting = (plan: ReplyPlan, itemsMax: number) => boolean;

interface Job {
  /** A copy; its bytes are not needed. */
  readonly request: RequestView;
  readonly zxid: ZxidCell;
  readonly plan: ReplyPlan;
  readonly stat: Uint8Array;
  readonly bytesMax: number;
  readonly noting: Noting;
  /** It goes behind what is held for its client. */
  readonly isHeld: boolean;
  phase: Phase;
  /** The next item to look at, and then the next byte to send. */
  next: number;
  bodyLength: number;
  body: BodyBuffer;
}

export class LargeReply {
  private readonly tree: Tree;
  private readonly work: TurnWork;
  private readonly replier: Replier;
  private readonly node: ZnodeCursor;
  private readonly small = new BodyBuffer();
  /** Being noted; a large one takes it along. */
  private noted = new ReplyPlan();
  private job: Job | null = null;
  private readonly onDone: (client: Client) => void;

  /** `onDone`: a large reply has been handed over, the client's next requests may run. */
  constructor(tree: Tree, work: TurnWork, replier: Replier, onDone: (client: Client) => void) {
    this.tree = tree;
    this.work = work;
    this.replier = replier;
    this.node = tree.cursor();
    this.onDone = onDone;
  }

  get isBusy(): boolean {
    return this.job !== null;
  }

  /** A reply is to be of this moment and is not noted yet: nothing may be committed. */
  get isNoting(): boolean {
    return this.job !== null && this.job.phase === 'note';
  }

  /** A reply is being made that a write of this client must not be committed before. */
  isHeldFor(client: Client): boolean {
    return this.job?.isHeld === true && this.job.request.client === client;
  }

  /** Whether so much work cannot be begun, because another large reply is being made. */
  mustWait(work: number): boolean {
    return this.job !== null && work > AT_ONCE_MAX;
  }

  /** An empty plan to note the reply in; `send` follows in the same turn. */
  begin(): ReplyPlan {
    this.noted.clear();
    return this.noted;
  }

  /** The reply of getChildren; `parent` stands on the committed record. */
  sendChildren(request: RequestView, parent: ZnodeCursor, hasStat: boolean): void {
    const { children } = this.tree;
    const id = parent.nodeId;
    const count = children.count(id);
    assert(count === parent.numChildren, 'numChildren differs from the child list');
    if (count > AT_ONCE_MAX) {
      this.begin().list(id, count);
      this.startNoted(request, hasStat ? parent : null, Number.POSITIVE_INFINITY);
      return;
    }
    const { small: body } = this;
    body.reset();
    this.writeList(body, id);
    if (hasStat) body.raw(parent.bytes, parent.statStart, STAT_BYTES);
    this.replier.slice(request, body.bytes, 0, body.length);
  }

  /** Answers with what has been noted, or starts to; more than `bytesMax` is refused. */
  send(request: RequestView, bytesMax = Number.POSITIVE_INFINITY): void {
    const plan = this.noted;
    if (plan.work > AT_ONCE_MAX) {
      this.startNoted(request, null, bytesMax);
      return;
    }
    const body = this.small;
    body.reset();
    for (let at = 0; at < plan.length; at++) {
      const parentId = plan.parentAt(at);
      if (parentId === 0) plan.write(at, this.node, body);
      else this.writeList(body, parentId);
    }
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
    } else if (job.phase === 'note') {
      this.work.charge(Work.listEntries, NOTED_PER_TURN);
      if (job.noting(job.plan, NOTED_PER_TURN)) job.phase = 'measure';
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
    this.work.charge(Work.listEntries, to - job.next);
    for (; job.next < to; job.next++) job.bodyLength += plan.bytesOf(job.next, this.node);
    if (job.bodyLength > job.bytesMax || plan.isRefused) {
      this.tree.keepRetired(false);
      const { client } = job.request;
      if (job.isHeld) client.beginHolding();
      this.replier.headerAt(job.request, job.zxid.value, ErrorCode.marshallingError);
      if (job.isHeld) client.endHolding();
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
    this.work.charge(Work.listEntries, PER_TURN);
    for (let work = 0; work < PER_TURN && job.next < plan.length; job.next++) {
      work += plan.write(job.next, this.node, job.body);
    }
    if (job.next < plan.length) return;
    this.tree.keepRetired(false);
    job.body.raw(job.stat, 0, job.stat.length);
    const { client } = job.request;
    if (job.isHeld) client.beginHolding();
    this.replier.beginLarge(job.request, job.zxid.value, job.bodyLength);
    if (job.isHeld) client.endHolding();
    job.phase = 'send';
    job.next = 0;
  }

  private sendSlice(job: Job): void {
    const to = Math.min(job.next + SEND_BYTES_PER_TURN, job.bodyLength);
    const { client } = job.request;
    if (job.isHeld) client.beginHolding();
    this.replier.continueLarge(client, job.body.bytes, job.next, to, to === job.bodyLength);
    if (job.isHeld) client.endHolding();
    job.next = to;
    if (to === job.bodyLength) this.end(job);
  }

  // What has been noted, with the lists in it still to be gone through.
  private startNoted(request: RequestView, parent: ZnodeCursor | null, bytesMax: number): void {
    const { noted } = this;
    this.noted = new ReplyPlan();
    this.start(request, parent, bytesMax, this.namesOf(noted));
  }

  /** Goes through `noted`, and notes the names of each list in it. */
  namesOf(noted: ReplyPlan): Noting {
    let next = 0;
    let place = 0;
    return (plan, itemsMax) => {
      for (let left = itemsMax; left > 0 && next < noted.length; left--) {
        const parentId = noted.parentAt(next);
        const count = parentId === 0 ? 0 : this.tree.children.count(parentId);
        if (parentId === 0) plan.copy(noted, next);
        else if (place === 0) plan.count(count);
        if (place < count) plan.name(this.tree.committedOf(this.tree.children.at(parentId, place++)));
        if (place < count) continue;
        place = 0;
        next++;
      }
      return next === noted.length;
    };
  }

  // `int32 count | count × name`
  private writeList(body: BodyBuffer, parentId: number): void {
    const { children } = this.tree;
    const { node } = this;
    const count = children.count(parentId);
    body.int32(count);
    for (let place = 0; place < count; place++) {
      node.moveTo(this.tree.committedOf(children.at(parentId, place)));
      appendName(body, node);
    }
  }

  /** Starts a large reply that `noting` says what it is made of. */
  start(request: RequestView, parent: ZnodeCursor | null, bytesMax: number, noting: Noting): void {
    const { client } = request;
    const stat =
      parent === null ? NO_STAT : parent.bytes.slice(parent.statStart, parent.statStart + STAT_BYTES);
    const kept = new RequestView();
    kept.recall(client, request.xid, request.op, request.receivedMs);
    const plan = new ReplyPlan();
    this.work.charge(Work.listEntries, NOTED_PER_TURN);
    this.job = {
      request: kept,
      zxid: new ZxidCell(this.replier.progress.committed),
      plan,
      stat,
      bytesMax,
      noting,
      isHeld: client.isHolding,
      phase: noting(plan, NOTED_PER_TURN) ? 'measure' : 'note',
      next: 0,
      bodyLength: stat.length,
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

/**
 * getAllChildrenNumber: the number of znodes below a path. No counter is kept, because each create would have to change
 * it in every ancestor. A small subtree is walked at once; for a large one all node ids are looked at, some thousand a
 * turn, while changes go on:
 *
 *     ids    1 ········ next ········ idEnd
 *            counted    │ not yet         a node that comes or goes below `next` is added or taken off as it is
 *                                         committed, the others are found as they are when their turn comes
 *
 * So the number is exact at the moment of the reply. One such count runs at a time; further large ones wait. A later
 * write of the same client is committed only behind it: it must not see it. Core thread.
 */
import { type Client, ClientState } from '../client/client.ts';
import { BodyBuffer, type Replier } from '../client/replier.ts';
import { RequestView } from '../client/request-view.ts';
import { equalBytes } from '../path/path.ts';
import { type TurnWork, Work } from '../progress/turn-work.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';
import type { NodeListener, TreeEffects } from '../txn/tree-effects.ts';

const AT_ONCE_MAX = 4096;
const IDS_PER_TURN = 16_384;
const SLASH = 47;

interface Job {
  readonly request: RequestView;
  readonly path: Uint8Array;
  /** The reply goes behind what is held for the client. */
  readonly isHeld: boolean;
  next: number;
  count: number;
}

export class DescendantCount implements NodeListener {
  private readonly tree: Tree;
  private readonly work: TurnWork;
  private readonly effects: TreeEffects;
  private readonly replier: Replier;
  private readonly node: ZnodeCursor;
  private readonly body = new BodyBuffer();
  private readonly stack: number[] = [];
  private job: Job | null = null;
  private readonly onDone: (client: Client) => void;

  /** `onDone`: as of a large reply. */
  constructor(
    tree: Tree,
    work: TurnWork,
    effects: TreeEffects,
    replier: Replier,
    onDone: (client: Client) => void,
  ) {
    this.tree = tree;
    this.work = work;
    this.effects = effects;
    this.replier = replier;
    this.node = tree.cursor();
    this.onDone = onDone;
  }

  get isBusy(): boolean {
    return this.job !== null;
  }

  /** Answers, or starts to; `node` stands on the committed record. False = another count is being made. */
  answer(request: RequestView, node: ZnodeCursor): boolean {
    const count = this.walk(node.nodeId, AT_ONCE_MAX);
    if (count >= 0) {
      this.reply(request, count);
      return true;
    }
    if (this.job !== null) return false;
    const kept = new RequestView();
    kept.recall(request.client, request.xid, request.op, request.receivedMs);
    const path = node.bytes.slice(node.pathStart, node.pathStart + node.pathLength);
    this.job = { request: kept, path, isHeld: request.client.isHolding, next: 1, count: 0 };
    this.effects.listener = this;
    request.client.isStreaming = true;
    return true;
  }

  /** One slice of work, if there is any. */
  doWork(): void {
    const { job } = this;
    if (job === null) return;
    if (job.request.client.state >= ClientState.closing) this.end(job);
    else if (this.count(job, IDS_PER_TURN)) this.finish(job);
  }

  /** It is counting for this client: no write that was sent behind the request may be committed. */
  isFor(client: Client): boolean {
    return this.job !== null && this.job.request.client === client;
  }

  /** A node has been committed (+1), or is about to go (−1). */
  onNode(id: number, node: ZnodeCursor, delta: number): void {
    const { job } = this;
    if (job !== null && id < job.next && isBelow(node, job.path)) job.count += delta;
  }

  /** True = all ids have been looked at. */
  private count(job: Job, idsMax: number): boolean {
    const { tree, node } = this;
    const to = Math.min(job.next + idsMax, tree.nodes.idEnd);
    this.work.charge(Work.listEntries, to - job.next);
    for (; job.next < to; job.next++) {
      const record = tree.committedOf(job.next);
      if (record === 0) continue;
      node.moveTo(record);
      if (isBelow(node, job.path)) job.count++;
    }
    return job.next >= tree.nodes.idEnd;
  }

  /** The descendants of a node, −1 when there are more than `max`. */
  private walk(root: number, max: number): number {
    const { children } = this.tree;
    const { stack } = this;
    stack.length = 0;
    stack.push(root);
    let count = 0;
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      const here = children.count(id);
      count += here;
      if (count > max) return -1;
      for (let place = 0; place < here; place++) {
        const child = children.at(id, place);
        if (children.count(child) > 0) stack.push(child);
      }
    }
    return count;
  }

  private reply(request: RequestView, count: number): void {
    this.body.reset();
    this.body.int32(count);
    this.replier.slice(request, this.body.bytes, 0, this.body.length);
  }

  private finish(job: Job): void {
    // Behind the events of changes that are counted.
    const { client } = job.request;
    const isHeld = job.isHeld || client.held.length > 0;
    if (isHeld) client.beginHolding();
    this.reply(job.request, job.count);
    if (isHeld) client.endHolding();
    this.end(job);
  }

  private end(job: Job): void {
    this.job = null;
    this.effects.listener = null;
    job.request.client.isStreaming = false;
    this.onDone(job.request.client);
  }
}

function isBelow(node: ZnodeCursor, path: Uint8Array): boolean {
  const { length } = path;
  if (node.pathLength <= length || node.bytes[node.pathStart + length] !== SLASH) return false;
  return equalBytes(node.bytes, node.pathStart, path, 0, length);
}

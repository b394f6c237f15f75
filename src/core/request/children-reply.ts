/**
 * Replies to getChildren. A parent with few children is answered at once. A large one is answered in slices of
 * the core's turns, so that a list of a million names does not hold up anybody else:
 *
 *   1  the records of all children are noted (one offset each) at the moment of the read
 *   2  an epoch is entered, so that none of these records is reused while their names are copied
 *   3  each turn copies some thousand names into a private buffer; other requests run in between
 *   4  the finished frame goes out in pieces
 *
 * The list is that of one moment, with the Stat and the watch of the same moment. One such job runs at a time: a
 * further large read has not been made yet (`reply` says false) and its connection waits, so that the epoch is
 * left between jobs and retired records cannot pile up however many clients ask.
 */
import { assert } from '../../base/assert.ts';
import type { Zxid } from '../../base/zxid.ts';
import { STAT_BYTES } from '../../wire/stat.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';
import type { Client } from './client.ts';
import { ClientState } from './client.ts';
import { BodyBuffer, type Replier } from './replier.ts';

/** Up to this many children the reply is made at once: about 0.2 ms. */
export const CHILDREN_AT_ONCE_MAX = 2048;
const CHILDREN_PER_TURN = 4096;

interface Job {
  readonly client: Client;
  readonly xid: number;
  readonly zxid: Zxid;
  readonly records: Int32Array;
  readonly stat: Uint8Array | null;
  readonly receivedMs: number;
  readonly body: BodyBuffer;
  next: number;
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

  /** Answers, or starts to; `parent` stands on the committed record. False = busy with another large one. */
  reply(
    client: Client,
    xid: number,
    zxid: Zxid,
    parent: ZnodeCursor,
    stat: boolean,
    receivedMs: number,
  ): boolean {
    const id = parent.nodeId;
    const count = this.tree.children.count(id);
    assert(count === parent.numChildren, 'numChildren differs from the child list');
    if (count > CHILDREN_AT_ONCE_MAX) {
      if (this.job !== null) return false;
      this.start(client, xid, zxid, parent, stat, receivedMs);
      return true;
    }
    const body = this.small;
    body.reset();
    this.append(body, id, count);
    if (stat) body.raw(parent.bytes, parent.statStart, STAT_BYTES);
    this.replier.slice(client, xid, zxid, body.bytes, 0, body.length, receivedMs);
    return true;
  }

  /** The vector of names as a multiRead result has it. */
  append(body: BodyBuffer, parentId: number, count: number): void {
    body.int32(count);
    for (let place = 0; place < count; place++) {
      this.child.moveTo(this.tree.committedOf(this.tree.children.at(parentId, place)));
      appendName(body, this.child);
    }
  }

  /** One slice of work; returns the number of names handled. */
  doWork(): number {
    const job = this.job;
    if (job === null) return 0;
    if (job.client.state === ClientState.gone) {
      this.end(job);
      return 1;
    }
    const to = Math.min(job.next + CHILDREN_PER_TURN, job.records.length);
    const handled = to - job.next;
    for (; job.next < to; job.next++) {
      this.child.moveTo(job.records[job.next]!);
      appendName(job.body, this.child);
    }
    if (to === job.records.length) {
      if (job.stat !== null) job.body.raw(job.stat, 0, STAT_BYTES);
      this.replier.slice(job.client, job.xid, job.zxid, job.body.bytes, 0, job.body.length, job.receivedMs);
      this.end(job);
    }
    return handled;
  }

  private start(
    client: Client,
    xid: number,
    zxid: Zxid,
    parent: ZnodeCursor,
    stat: boolean,
    receivedMs: number,
  ): void {
    const id = parent.nodeId;
    const records = new Int32Array(this.tree.children.count(id));
    for (let place = 0; place < records.length; place++) {
      records[place] = this.tree.committedOf(this.tree.children.at(id, place));
    }
    const body = new BodyBuffer();
    body.int32(records.length);
    const statBytes = stat ? parent.bytes.slice(parent.statStart, parent.statStart + STAT_BYTES) : null;
    this.job = { client, xid, zxid, records, stat: statBytes, receivedMs, body, next: 0 };
    client.isStreaming = true;
    this.tree.keepRetired(true);
  }

  private end(job: Job): void {
    this.job = null;
    this.tree.keepRetired(false);
    job.client.isStreaming = false;
    this.onDone(job.client);
  }
}

const SLASH = 47;

function appendName(body: BodyBuffer, child: ZnodeCursor): void {
  const { bytes, pathStart } = child;
  let from = pathStart + child.pathLength;
  while (bytes[from - 1] !== SLASH) from--;
  const length = pathStart + child.pathLength - from;
  const at = body.extend(4 + length);
  body.view.setInt32(at, length);
  const to = body.bytes;
  for (let i = 0; i < length; i++) to[at + 4 + i] = bytes[from + i]!;
}

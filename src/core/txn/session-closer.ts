/**
 * The end of a session as transactions: what it lists is fixed now, its ephemerals in the tree and those being
 * created. A session with very many loses most of them before, in multi transactions, so that neither a log record
 * grows beyond what readers accept nor a turn beyond what others can wait: each part is charged to the turn. Core
 * thread; called by the proposer.
 *
 *     ephemerals of the session    1 ··········· walk ··········· n        one walk, kept from part to part: what is
 *                                  going │ this part │ not yet             on its way to go is not looked at again
 */
import { ErrorCode } from '../../wire/error-codes.ts';
import { writeBytesAt } from '../../wire/jute-writer.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { TXN_DIGEST_BYTES } from '../../wire/txn-records.ts';
import { writeCloseSessionTxn } from '../../wire/txn-writers.ts';
import type { Client } from '../client/client.ts';
import { parentLength } from '../path/path.ts';
import { Work } from '../progress/turn-work.ts';
import type { Ephemerals } from '../tree/ephemerals.ts';
import { RECORD_FIXED_BYTES as ZNODE_FIXED_BYTES, type ZnodeCursor } from '../tree/record.ts';
import { RoomKept, type Tree } from '../tree/tree.ts';
import { RECORD_FIXED_BYTES } from './change-encoder.ts';
import type { ProposerParts } from './multi-proposer.ts';

/** How many bytes of paths one transaction may list, unless a single path is longer. */
const CLOSE_PATH_BYTES_MAX = 256 * 1024;
/** How many ephemerals one transaction removes, and what their removal may build: some milliseconds. */
export const REMOVALS_PER_TXN = 1024;
const BUILT_BYTES_MAX = 4 * 1024 * 1024;
/** With fewer a session is closed whatever the turn has done. */
const FEW = 16;
/** What a path takes in a multi of deletes besides its own bytes. */
const REMOVAL_FIXED_BYTES = 16;
/** What its tombstone and its parent's record may take beyond their bytes: blocks are up to an eighth longer. */
const REMOVAL_RECORD_BYTES = 2 * ZNODE_FIXED_BYTES;

export interface SessionCloserParts extends ProposerParts {
  readonly tree: Tree;
  readonly ephemerals: Ephemerals;
  /** closeSession transactions list the ephemerals they remove. */
  readonly closeSessionPaths: boolean;
}

/** Where the removal of a closing session's ephemerals has come to. */
interface Walk {
  readonly ids: Iterator<number>;
  /** Taken from `ids` and left for the next part; 0 = none. */
  next: number;
}

export class SessionCloser {
  private readonly parts: SessionCloserParts;
  private readonly closeBytesMax: number;
  private readonly cursor: ZnodeCursor;
  private readonly parent: ZnodeCursor;
  private parentId = 0;
  private readonly nodes: number[] = [];
  /** By session slot. */
  private readonly walks = new Map<number, Walk>();

  constructor(parts: SessionCloserParts) {
    this.parts = parts;
    this.cursor = parts.tree.cursor();
    this.parent = parts.tree.cursor();
    this.closeBytesMax = Math.min(CLOSE_PATH_BYTES_MAX, parts.writer.recordBytesMax);
  }

  /**
   * False = not yet: no room in the log or in the store, or one part of many has been proposed; to be called again after commits until
   * it answers true. `client` waits for the reply, or null.
   */
  propose(slot: number, client: Client | null, xid: number): boolean {
    const { sessions, proposals, work, ephemerals } = this.parts;
    sessions.setClosing(slot);
    // Before the work, and before anything is staged on what may still be taken back.
    if (proposals.isFull) return false;
    if (work.isSpent && (ephemerals.of(slot)?.size ?? 0) > FEW) return false;
    const areAll = this.collect(slot);
    work.charge(Work.operations, this.nodes.length);
    if (areAll) {
      this.walks.delete(slot);
      return this.proposeLastClose(slot, client, xid, this.nodes);
    }
    if (this.nodes.length > 0 && !this.proposeRemovals(slot, this.nodes)) this.walks.delete(slot);
    return false;
  }

  /** Proposals have been taken back: what was on its way to go may have to go once more. */
  beginAnew(): void {
    this.walks.clear();
  }

  /** The session's live ephemerals into `nodes`, as many as one transaction may list; true = these are all. */
  private collect(slot: number): boolean {
    const { nodes, cursor } = this;
    const { sessions, tree, proposals } = this.parts;
    nodes.length = 0;
    const walk = this.walkOf(slot);
    if (walk === null) return true;
    const high = sessions.idHigh[slot]!;
    const low = sessions.idLow[slot]!;
    let bytes = 0;
    let built = 0;
    this.parentId = 0;
    for (let id = take(walk); id !== 0; id = take(walk)) {
      const record = tree.staging.latestOf(id);
      if (record === 0) continue;
      cursor.moveTo(record);
      if (cursor.ownerHigh !== high || cursor.ownerLow !== low) continue;
      bytes += cursor.pathLength + REMOVAL_FIXED_BYTES;
      built += this.removalBytes();
      const isEnough =
        nodes.length === REMOVALS_PER_TXN || bytes > this.closeBytesMax || built > BUILT_BYTES_MAX;
      const isTooMuch = nodes.length > 0 && (isEnough || built > proposals.recordBytesMax);
      if (isTooMuch || !tree.hasRoomFor(built, 0, RoomKept.removal)) {
        walk.next = id;
        return false;
      }
      nodes.push(id);
    }
    return true;
  }

  private walkOf(slot: number): Walk | null {
    const known = this.walks.get(slot);
    if (known !== undefined) return known;
    const owned = this.parts.ephemerals.of(slot);
    if (owned === undefined) return null;
    const walk = { ids: owned.values(), next: 0 };
    this.walks.set(slot, walk);
    return walk;
  }

  // Of the node under the cursor: a tombstone, and its parent once more unless the node before had the same.
  private removalBytes(): number {
    const { cursor, parent } = this;
    const { tree } = this.parts;
    const { bytes, pathStart, pathLength } = cursor;
    const length = parentLength(bytes, pathStart, pathLength);
    const id = tree.find(bytes, pathStart, length, tree.hash.of(bytes, pathStart, length));
    if (id === this.parentId) return cursor.pathLength + REMOVAL_RECORD_BYTES;
    this.parentId = id;
    parent.moveTo(tree.staging.latestOf(id));
    return cursor.pathLength + parent.recordBytes + REMOVAL_RECORD_BYTES;
  }

  // What a closeSession lists: strings.
  private pathBytes(nodes: readonly number[]): number {
    if (!this.parts.closeSessionPaths) return 0;
    const { cursor } = this;
    let bytes = 0;
    for (const id of nodes) {
      cursor.moveTo(this.parts.tree.staging.latestOf(id));
      bytes += 4 + cursor.pathLength;
    }
    return bytes;
  }

  // False: no room in the log, nothing has changed.
  private proposeRemovals(slot: number, nodes: readonly number[]): boolean {
    const { change, deletes, stager, writer, proposals, multiTxn } = this.parts;
    const zxid = writer.progress.nextZxid();
    const mark = proposals.effectTail;
    writer.begin();
    multiTxn.open(nodes.length);
    for (const id of nodes) {
      deletes.planRemovalOf(OpCode.delete, id);
      multiTxn.add();
      stager.stage(change, zxid, writer.clock.wallMs);
    }
    if (!multiTxn.log(slot, 0, zxid, writer.clock.wallMs)) {
      stager.rollback(mark);
      return false;
    }
    writer.push(zxid, OpCode.multi, null, 0, ErrorCode.ok, writer.stagedBytes);
    return true;
  }

  private proposeLastClose(
    slot: number,
    client: Client | null,
    xid: number,
    nodes: readonly number[],
  ): boolean {
    const { change, deletes, stager, writer, proposals, closeSessionPaths } = this.parts;
    const at = writer.claim(RECORD_FIXED_BYTES + this.pathBytes(nodes) + TXN_DIGEST_BYTES);
    if (at < 0) return false;
    const { log } = writer;
    const zxid = writer.progress.nextZxid();
    writer.begin();
    const body = writer.header(at, slot, xid, zxid, OpCode.closeSession);
    let to = closeSessionPaths ? writeCloseSessionTxn(log.view, body, nodes.length) : body;
    for (const id of nodes) {
      deletes.planRemovalOf(OpCode.closeSession, id);
      if (closeSessionPaths) {
        to = writeBytesAt(log.bytes, log.view, to, change.path, change.pathStart, change.pathLength);
      }
      stager.stage(change, zxid, writer.clock.wallMs);
    }
    writer.finish(at, to, zxid);
    proposals.pushEffect(OpCode.closeSession, 0, 0, 0, 0, slot);
    writer.push(zxid, OpCode.closeSession, client, xid, ErrorCode.ok, writer.stagedBytes);
    return true;
  }
}

/** The next id, 0 at the end. */
function take(walk: Walk): number {
  const { next } = walk;
  walk.next = 0;
  if (next !== 0) return next;
  const step = walk.ids.next();
  return step.done === true ? 0 : step.value;
}

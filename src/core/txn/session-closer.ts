/**
 * The end of a session as transactions: what it lists is fixed now, its ephemerals in the tree and those being
 * created. A session with very many loses most of them before, in multi transactions, so that no log record grows
 * beyond what readers accept. Core thread; called by the proposer.
 */
import { ErrorCode } from '../../wire/error-codes.ts';
import { writeBytesAt } from '../../wire/jute-writer.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { TXN_DIGEST_BYTES } from '../../wire/txn-records.ts';
import { writeCloseSessionTxn } from '../../wire/txn-writers.ts';
import type { Client } from '../client/client.ts';
import type { Ephemerals } from '../tree/ephemerals.ts';
import type { Tree } from '../tree/tree.ts';
import { RECORD_FIXED_BYTES } from './change-encoder.ts';
import type { ProposerParts } from './multi-proposer.ts';

/** How many bytes of paths one closeSession transaction may list, unless a single path is longer. */
const CLOSE_PATH_BYTES_MAX = 512 * 1024;
/** What a path takes in a multi of deletes besides its own bytes. */
const REMOVAL_FIXED_BYTES = 16;

export interface SessionCloserParts extends ProposerParts {
  readonly tree: Tree;
  readonly ephemerals: Ephemerals;
  /** closeSession transactions list the ephemerals they remove. */
  readonly closeSessionPaths: boolean;
}

export class SessionCloser {
  private readonly parts: SessionCloserParts;
  private readonly closeBytesMax: number;

  constructor(parts: SessionCloserParts) {
    this.parts = parts;
    this.closeBytesMax = Math.min(CLOSE_PATH_BYTES_MAX, parts.writer.recordBytesMax);
  }

  /** False = no room in the log; to be called again until it answers true. `client` waits for the reply, or null. */
  propose(slot: number, client: Client | null, xid: number): boolean {
    this.parts.sessions.setClosing(slot);
    const nodes = this.liveEphemerals(slot);
    let from = 0;
    for (;;) {
      const to = this.pathBudget(nodes, from);
      if (to === nodes.length) return this.proposeLastClose(slot, client, xid, nodes, from);
      if (!this.proposeRemovals(slot, nodes, from, to)) return false;
      from = to;
    }
  }

  private liveEphemerals(slot: number): number[] {
    const nodes: number[] = [];
    const owned = this.parts.ephemerals.of(slot);
    if (owned === undefined) return nodes;
    const cursor = this.parts.tree.cursor();
    const high = this.parts.sessions.idHigh[slot]!;
    const low = this.parts.sessions.idLow[slot]!;
    for (const id of owned) {
      const record = this.parts.tree.staging.latestOf(id);
      if (record === 0) continue;
      cursor.moveTo(record);
      if (cursor.ownerHigh === high && cursor.ownerLow === low) nodes.push(id);
    }
    return nodes;
  }

  // How far from `from` one transaction may go.
  private pathBudget(nodes: readonly number[], from: number): number {
    const cursor = this.parts.tree.cursor();
    let bytes = 0;
    let to = from;
    for (; to < nodes.length; to++) {
      cursor.moveTo(this.parts.tree.staging.latestOf(nodes[to]!));
      bytes += cursor.pathLength + REMOVAL_FIXED_BYTES;
      if (bytes > this.closeBytesMax && to > from) break;
    }
    return to;
  }

  // What a closeSession lists from `from` on: strings.
  private pathBytes(nodes: readonly number[], from: number): number {
    if (!this.parts.closeSessionPaths) return 0;
    const cursor = this.parts.tree.cursor();
    let bytes = 0;
    for (let i = from; i < nodes.length; i++) {
      cursor.moveTo(this.parts.tree.staging.latestOf(nodes[i]!));
      bytes += 4 + cursor.pathLength;
    }
    return bytes;
  }

  private proposeRemovals(slot: number, nodes: readonly number[], from: number, to: number): boolean {
    const { change, deletes, stager, writer, proposals, multiTxn } = this.parts;
    const zxid = writer.lastZxid + 1;
    const mark = proposals.effectTail;
    writer.begin();
    multiTxn.open(to - from);
    for (let i = from; i < to; i++) {
      deletes.planRemovalOf(OpCode.delete, nodes[i]!);
      multiTxn.add();
      stager.stage(change, zxid, writer.wallMs);
    }
    if (!multiTxn.log(slot, 0, zxid)) {
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
    from: number,
  ): boolean {
    const { change, deletes, stager, writer, proposals, closeSessionPaths } = this.parts;
    const at = writer.claim(RECORD_FIXED_BYTES + this.pathBytes(nodes, from) + TXN_DIGEST_BYTES);
    if (at < 0) return false;
    const { log } = writer;
    const zxid = writer.lastZxid + 1;
    writer.begin();
    const body = writer.header(at, slot, xid, zxid, OpCode.closeSession);
    let to = closeSessionPaths ? writeCloseSessionTxn(log.view, body, nodes.length - from) : body;
    for (let i = from; i < nodes.length; i++) {
      deletes.planRemovalOf(OpCode.closeSession, nodes[i]!);
      if (closeSessionPaths) {
        to = writeBytesAt(log.bytes, log.view, to, change.path, change.pathStart, change.pathLength);
      }
      stager.stage(change, zxid, writer.wallMs);
    }
    writer.finish(at, to, zxid);
    proposals.pushEffect(OpCode.closeSession, 0, 0, 0, 0, slot);
    writer.push(zxid, OpCode.closeSession, client, xid, ErrorCode.ok, writer.stagedBytes);
    return true;
  }
}

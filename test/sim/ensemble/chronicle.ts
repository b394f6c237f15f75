/**
 * The histories of an ensemble's logs, and the one of them that is committed. A zxid names one transaction for ever, and
 * one predecessor: within an epoch the one before it, for the first of an epoch whatever its leader began with.
 *
 *     (1,1) ◀─ (1,2) ◀─ (1,3)            abandoned: no quorum had it
 *                 ▲
 *                 └─── (2,1) ◀─ (2,2)    committed up to here: what anybody serves is a prefix of it, or extends it
 */
import { epochOf, makeZxid, type Zxid, zxidHex } from '../../../src/base/zxid.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { readTxn, type Txn } from '../../support/wire/txn-values.ts';
import type { Model } from '../model.ts';
import { Violation } from '../world.ts';

const LATE: readonly number[] = [ErrorCode.sessionMoved, ErrorCode.sessionExpired];

interface Entry {
  readonly payload: Uint8Array;
  readonly txn: Txn;
}

export class Chronicle {
  /** The last one that is committed. */
  head: Zxid = 0;
  readonly model: Model;
  private readonly entries = new Map<Zxid, Entry>();
  /** By epoch: what its first transaction follows. */
  private readonly bases = new Map<number, Zxid>();
  /** By session: the last request of it that is committed. */
  private readonly lastCxids = new Map<bigint, number>();
  private readonly onCommitted: (txn: Txn) => void;

  constructor(model: Model, onCommitted: (txn: Txn) => void) {
    this.model = model;
    this.onCommitted = onCommitted;
  }

  /** A log takes a transaction behind `previous`; null = nobody knows what is before it. */
  append(who: string, previous: Zxid | null, zxid: Zxid, payload: Uint8Array): void {
    const known = this.entries.get(zxid);
    if (known === undefined) this.entries.set(zxid, { payload, txn: readTxn(payload) });
    else if (Buffer.compare(known.payload, payload) !== 0)
      throw new Violation(`${who} logs another transaction as zxid 0x${zxidHex(zxid)}`);
    if (previous === null) return;
    const epoch = epochOf(zxid);
    if (zxid > makeZxid(epoch, 1)) {
      if (previous !== zxid - 1)
        throw new Violation(`${who} logs 0x${zxidHex(zxid)} behind 0x${zxidHex(previous)}`);
      return;
    }
    this.setBase(who, epoch, previous);
  }

  /** Epoch `epoch` begins behind `zxid`. */
  setBase(who: string, epoch: number, zxid: Zxid): void {
    // What has no transactions of its own is a name of the one before.
    const base = this.floor(zxid);
    if (base === null || epochOf(zxid) >= epoch) return;
    const known = this.bases.get(epoch);
    if (known === undefined) this.bases.set(epoch, base);
    else if (known !== base)
      throw new Violation(
        `${who} begins epoch ${epoch} behind 0x${zxidHex(base)}, others behind 0x${zxidHex(known)}`,
      );
  }

  /** The last transaction of the history that ends at `zxid`; null = not known yet. */
  floor(zxid: Zxid): Zxid | null {
    let at = zxid;
    while (at !== 0 && at === makeZxid(epochOf(at), 0)) {
      const base = this.bases.get(epochOf(at));
      if (base === undefined) return null;
      at = base;
    }
    return at;
  }

  /** Whether the history that ends at `zxid` has `ancestor`; null = not known yet. Both are transactions, or 0. */
  holds(zxid: Zxid, ancestor: Zxid): boolean | null {
    let at = zxid;
    while (epochOf(at) > epochOf(ancestor)) {
      const base = this.bases.get(epochOf(at));
      if (base === undefined) return null;
      at = base;
    }
    return epochOf(at) === epochOf(ancestor) && at >= ancestor;
  }

  /** The last transaction up to `zxid` in the history that ends at `end`; null = not known yet. */
  within(end: Zxid, zxid: Zxid): Zxid | null {
    let at = this.floor(end);
    while (at !== null && at > zxid) {
      const epoch = epochOf(at);
      if (epochOf(zxid) === epoch && zxid > makeZxid(epoch, 0)) return zxid;
      at = this.bases.get(epoch) ?? null;
    }
    return at;
  }

  /** Somebody serves the history up to `zxid`, a transaction: it is committed. False: it was so before. */
  commit(who: string, zxid: Zxid): boolean {
    if (zxid === this.head || this.holds(this.head, zxid) === true) return false;
    const path: Zxid[] = [];
    for (let at = zxid; at !== this.head; at = this.before(at)) {
      if (at < this.head || at === 0)
        throw new Violation(
          `${who} serves 0x${zxidHex(zxid)} in place of the committed 0x${zxidHex(this.head)}`,
        );
      path.push(at);
    }
    while (path.length > 0) this.apply(who, path.pop()!);
    return true;
  }

  private before(zxid: Zxid): Zxid {
    const epoch = epochOf(zxid);
    if (zxid > makeZxid(epoch, 1)) return zxid - 1;
    return this.bases.get(epoch) ?? 0;
  }

  private apply(who: string, zxid: Zxid): void {
    const entry = this.entries.get(zxid);
    if (entry === undefined) throw new Violation(`${who} serves 0x${zxidHex(zxid)}, which no log has had`);
    const { txn } = entry;
    this.head = zxid;
    this.checkOrder(txn);
    this.model.apply(txn);
    this.onCommitted(txn);
  }

  /** Requests of a session, once each and in their order, whichever servers they came through. */
  private checkOrder({ clientId, cxid, zxid, body }: Txn): void {
    if (cxid === 0 || body.type === OpCode.createSession) return;
    // A client that goes and yet comes back: its goodbye counts whenever it gets through, as with Apache.
    if (body.type === OpCode.closeSession) return;
    // A request that came late, through a server that the client has left or behind the end of its session, is refused.
    if (body.type === OpCode.error && LATE.includes(body.err)) return;
    const last = this.lastCxids.get(clientId) ?? 0;
    if (cxid <= last)
      throw new Violation(
        `0x${zxidHex(zxid)} is request ${cxid} of session 0x${clientId.toString(16)}, ${cxid === last ? 'committed before' : `behind its request ${last}`}`,
      );
    this.lastCxids.set(clientId, cxid);
  }
}

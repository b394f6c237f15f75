/**
 * The log of a server that may lead: each proposal is shown, where it lies in the ring, to whoever sends it to the others. A server
 * that is alone has the plain port and pays nothing. Core thread.
 *
 *     claim ─▶ (encoded in the ring) ─▶ commit ─▶ the log thread, with the next flush
 *       └ -1: full, or shut               └─────▶ the tap, at once
 *
 * Shut: nothing more may be proposed, as if the ring were full. So an epoch ends whose last zxid has been given out: at once, for the
 * requests of the same turn would go on in an epoch that nobody has agreed to.
 */
import { type Zxid, ZxidCell } from '../../base/zxid.ts';
import { ZXID_BYTES } from './log-link.ts';
import { RingLogPort } from './log-port.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** `bytes[start, end)` is the transaction, valid during the call. */
export type ProposalTap = (zxid: Zxid, bytes: Uint8Array, start: number, end: number) => void;

export class TappedLogPort extends RingLogPort {
  /** While this server leads. */
  private tap: ProposalTap | null = null;
  private readonly lastZxid = new ZxidCell(NEVER);
  private shut = false;

  /** `lastZxid` has been proposed. */
  get isShut(): boolean {
    return this.shut;
  }

  /** What is proposed from now on goes to `tap`, up to `lastZxid`. */
  open(tap: ProposalTap, lastZxid: Zxid): void {
    this.tap = tap;
    this.lastZxid.value = lastZxid;
    this.shut = false;
  }

  /** Nobody is led any more. */
  untap(): void {
    this.tap = null;
    this.lastZxid.value = NEVER;
    this.shut = false;
  }

  override claim(length: number): number {
    return this.shut ? -1 : super.claim(length);
  }

  override commit(zxid: Zxid, length: number): void {
    super.commit(zxid, length);
    const start = this.claimOffset + ZXID_BYTES;
    if (zxid >= this.lastZxid.value) this.shut = true;
    this.tap?.(zxid, this.bytes, start, start + length);
  }
}

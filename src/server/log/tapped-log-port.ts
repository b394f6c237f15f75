/**
 * The log of a server that may lead: each proposal is shown, where it lies in the ring, to whoever sends it to the others. A server
 * that is alone has the plain port and pays nothing. Core thread.
 *
 *     claim ─▶ (encoded in the ring) ─▶ commit ─▶ the log thread, with the next flush
 *       └ -1: full, or shut               └─────▶ the tap, at once
 *
 * Shut: nothing more may be proposed, as if the ring were full. So an epoch ends whose last zxid has been given out.
 */
import type { Zxid } from '../../base/zxid.ts';
import { ZXID_BYTES } from './log-link.ts';
import { RingLogPort } from './log-port.ts';

/** `bytes[start, end)` is the transaction, valid during the call. */
export type ProposalTap = (zxid: Zxid, bytes: Uint8Array, start: number, end: number) => void;

export class TappedLogPort extends RingLogPort {
  /** While this server leads. */
  tap: ProposalTap | null = null;
  isShut = false;

  override claim(length: number): number {
    return this.isShut ? -1 : super.claim(length);
  }

  override commit(zxid: Zxid, length: number): void {
    super.commit(zxid, length);
    const start = this.claimOffset + ZXID_BYTES;
    this.tap?.(zxid, this.bytes, start, start + length);
  }
}

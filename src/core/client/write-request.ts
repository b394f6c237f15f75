/**
 * A write on its way to becoming a transaction, wherever it came from: whose it is, and where its bytes lie. Preparation
 * asks the origin only; who is answered here, if anybody, is another matter.
 *
 *     own connection   RequestView: the client is origin and asker        ─┐
 *     another server   ForwardedWrite: session and ids came with it,       ├─▶ Proposer
 *                      its own server answers                             ─┘
 */
import type { AuthId } from '../acl/acl.ts';
import type { SessionSlot } from '../session/session-table.ts';
import type { Client } from './client.ts';
import { Frame } from './frame.ts';

/** Whose write it is: what a transaction and its checks need. A client is one. */
export interface Origin {
  readonly session: SessionSlot;
  readonly authIds: readonly AuthId[];
}

export interface WriteRequest extends Frame {
  readonly origin: Origin;
  /** Who hears of the outcome on this server. */
  readonly asker: Client | null;
}

/** A write that another server has forwarded, with the session and the ids that it vouches for. */
export class ForwardedWrite extends Frame implements WriteRequest {
  readonly asker = null;
  origin: Origin = { session: -1, authIds: [] };
}

/**
 * What the core tells whoever writes the operator's log: how clients fail. Called for each of them, as often as clients
 * like: the receiver says it now and then. Session ids are two int32; both 0 before there is a session.
 */
import type { Zxid } from '../../base/zxid.ts';

export interface ReportPort {
  sessionExpired(idHigh: number, idLow: number, timeoutMs: number): void;
  authFailed(address: string, port: number, idHigh: number, idLow: number, scheme: string): void;
  /** A client has seen a zxid that this server has not: it belongs to another server, or this one has lost its data. */
  zxidAhead(address: string, port: number, seen: Zxid, own: Zxid): void;
}

/**
 * The way from a learner's core to its leader: what clients of this server want that only a leader can do. Every call is only
 * enqueued; the answer comes as a transaction, as SYNC or as REVALIDATE. Session ids are two int32 halves.
 */
export interface LeaderLink {
  /** REQUEST: `bytes[start, end)` is what the client has sent behind its header; `ids` an encoded vector of Ids, null: nobody's. */
  forward(
    idHigh: number,
    idLow: number,
    cxid: number,
    op: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    ids: Uint8Array | null,
  ): void;
  /** REVALIDATE: whether the session lives, and is this server's from now on. */
  revalidate(idHigh: number, idLow: number, timeoutMs: number): void;
}

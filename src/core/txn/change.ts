/**
 * One planned change of the tree: what a preparation has found to be allowed, and what staging and the transaction's
 * encoder then take from here. One object per replica, filled again by each plan; core thread.
 *
 *     preparation (checks, touches nothing) ──▶ Change ──▶ Stager (records hung in, effects noted)
 *                                                   └────▶ ChangeEncoder (the transaction's bytes)
 */
export class Change {
  /** The planned transaction's type. */
  op = 0;
  path: Uint8Array = new Uint8Array(0);
  pathStart = 0;
  pathLength = 0;
  /** Of `path`; only for a create. */
  hash = 0;
  data: Uint8Array = this.path;
  dataStart = 0;
  dataLength = 0;
  aclId = 0;
  ephemeral = false;
  ttlMs = 0;
  /** New data version, new aversion, or (check) expected version + 1. */
  version = 0;
  parentCversion = 0;
  /** For a create: the id that the path has already (proposed to go), or 0. */
  nodeId = 0;
  parentId = 0;
  /** Of a created node, as records have it. */
  ownerHigh = 0;
  ownerLow = 0;
  /** Slot of the session that will own an ephemeral, or −1. */
  ownerSession = -1;
  /** Set by the caller before a plan: the session is closing, its writes are refused. */
  sessionClosed = false;

  setPath(path: Uint8Array, start: number, length: number): void {
    this.path = path;
    this.pathStart = start;
    this.pathLength = length;
  }

  setData(data: Uint8Array, start: number, length: number): void {
    this.data = data;
    this.dataStart = start;
    this.dataLength = length;
  }
}

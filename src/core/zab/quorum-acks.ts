/**
 * Which proposals a quorum has on stable storage. Every server logs proposals in the order of their zxids and acknowledges them in
 * that order, so one number per voter says all: it has everything up to there. What is decided is the greatest zxid that a
 * quorum has reached; nothing is kept per proposal, however many are in flight. Pure; core thread.
 *
 *     voter 1   ─────────────────▶ 9         majority of 3:  sorted 9 7 4, the second: decided up to 7
 *     voter 2   ──────────▶ 4
 *     voter 3   ─────────────▶ 7
 *
 * While a new configuration is proposed (its proposal is `from`), whatever comes from there on needs a quorum of each:
 *
 *     decided = old < from ? old : max(from - 1, min(old, new))
 */
import type { Zxid } from '../../base/zxid.ts';
import type { Sid } from '../quorum/member.ts';
import type { QuorumVerifier, SidSet } from '../quorum/quorum-verifier.ts';

export class QuorumAcks {
  private verifier: QuorumVerifier;
  private next: QuorumVerifier | null = null;
  private readonly nextFrom = new Float64Array(1);
  private readonly rows = new Map<Sid, number>();
  /** By row: all up to there is on the stable storage of that server. */
  private acked = new Float64Array(8).fill(-1);
  private readonly reached = new Reached(this);

  constructor(verifier: QuorumVerifier) {
    this.verifier = verifier;
  }

  /** `sid` has everything up to `zxid`; also called with what is known already. */
  onAck(sid: Sid, zxid: Zxid): void {
    const row = this.rowOf(sid);
    if (zxid > this.acked[row]!) this.acked[row] = zxid;
  }

  /** A server has come back. It may be told to cut what it once acknowledged, so nothing counts before it says so again. */
  onReturn(sid: Sid): void {
    this.acked[this.rowOf(sid)] = -1;
  }

  ackedBy(sid: Sid): Zxid {
    const row = this.rows.get(sid);
    return row === undefined ? -1 : this.acked[row]!;
  }

  /** From the proposal `from` on, a quorum of `verifier` is needed as well. */
  proposeConfig(verifier: QuorumVerifier, from: Zxid): void {
    this.next = verifier;
    this.nextFrom[0] = from;
  }

  /** The proposed configuration is in force. */
  activateConfig(): void {
    if (this.next === null) return;
    this.verifier = this.next;
    this.next = null;
  }

  /** The greatest zxid that may be committed; -1: none. */
  decided(): Zxid {
    const old = this.reachedBy(this.verifier);
    const from = this.nextFrom[0]!;
    if (this.next === null || old < from) return old;
    return Math.max(from - 1, Math.min(old, this.reachedBy(this.next)));
  }

  /** Of `candidates` that vote by the proposed configuration, the one that has the most, of several the first; -1: there is none. */
  mostAdvanced(candidates: SidSet): Sid {
    let best = -1;
    for (const sid of this.next?.voters ?? []) {
      if (candidates.has(sid) && (best === -1 || this.ackedBy(sid) > this.ackedBy(best))) best = sid;
    }
    return best;
  }

  private reachedBy(verifier: QuorumVerifier): Zxid {
    let best = -1;
    for (const row of this.rows.values()) {
      const zxid = this.acked[row]!;
      if (zxid <= best) continue;
      this.reached.zxid[0] = zxid;
      if (verifier.containsQuorum(this.reached)) best = zxid;
    }
    return best;
  }

  private rowOf(sid: Sid): number {
    const known = this.rows.get(sid);
    if (known !== undefined) return known;
    const row = this.rows.size;
    this.rows.set(sid, row);
    if (row === this.acked.length) {
      const bigger = new Float64Array(2 * row).fill(-1);
      bigger.set(this.acked);
      this.acked = bigger;
    }
    return row;
  }
}

/** The servers that have everything up to `zxid`. */
class Reached implements SidSet {
  readonly zxid = new Float64Array(1);
  private readonly acks: QuorumAcks;

  constructor(acks: QuorumAcks) {
    this.acks = acks;
  }

  has(sid: Sid): boolean {
    return this.acks.ackedBy(sid) >= this.zxid[0]!;
  }
}

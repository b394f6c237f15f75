/**
 * Which sets of servers decide. Two sets that both decide have a server in common: that is all that safety rests on.
 *
 *     majority       more than half of the voters
 *     hierarchical   more than half of the weight in more than half of the groups; a group without weight does not count
 *
 * Apache's third kind asks an oracle (a file) whether one of two servers may go on alone. It is not here yet: what the
 * file says is the word of whoever writes it, two servers that both read "1" both lead, and no test of ours could tell.
 *
 * Immutable, any thread. Whether voters beyond the configuration's are in the set makes no difference.
 */
import type { Sid } from './member.ts';

/** Anything that knows who is in it: a Set, or a table of who has acknowledged. */
export interface SidSet {
  has(sid: Sid): boolean;
}

export interface QuorumVerifier {
  readonly voters: ReadonlySet<Sid>;
  containsQuorum(sids: SidSet): boolean;
  /** 0: never elected. */
  weightOf(sid: Sid): number;
}

export class MajorityVerifier implements QuorumVerifier {
  readonly voters: ReadonlySet<Sid>;
  /** The same, to be walked without an iterator. */
  private readonly list: readonly Sid[];

  constructor(voters: readonly Sid[]) {
    this.voters = new Set(voters);
    this.list = [...this.voters];
  }

  containsQuorum(sids: SidSet): boolean {
    const { list } = this;
    let count = 0;
    for (let i = 0; i < list.length; i++) if (sids.has(list[i]!)) count++;
    return count > list.length >> 1;
  }

  weightOf(): number {
    return 1;
  }
}

interface Group {
  readonly weight: number;
  /** Voters only; what an observer in a group weighs is weight that is never there. */
  readonly voters: readonly Sid[];
}

export class HierarchicalVerifier implements QuorumVerifier {
  readonly voters: ReadonlySet<Sid>;
  private readonly weights: ReadonlyMap<Sid, number>;
  private readonly groups: readonly Group[];

  /** `groups`: sids by group id; `weights` has one for each of them. */
  constructor(
    voters: readonly Sid[],
    groups: ReadonlyMap<number, readonly Sid[]>,
    weights: ReadonlyMap<Sid, number>,
  ) {
    this.voters = new Set(voters);
    this.weights = weights;
    this.groups = [...groups.values()]
      .map((sids) => ({
        weight: sids.reduce((sum, sid) => sum + weights.get(sid)!, 0),
        voters: sids.filter((sid) => this.voters.has(sid)),
      }))
      .filter((group) => group.weight !== 0);
  }

  containsQuorum(sids: SidSet): boolean {
    let won = 0;
    for (let i = 0; i < this.groups.length; i++) {
      const { weight, voters } = this.groups[i]!;
      let present = 0;
      for (let k = 0; k < voters.length; k++)
        if (sids.has(voters[k]!)) present += this.weights.get(voters[k]!)!;
      if (present > Math.floor(weight / 2)) won++;
    }
    return won > this.groups.length >> 1;
  }

  weightOf(sid: Sid): number {
    return this.weights.get(sid) ?? 0;
  }
}

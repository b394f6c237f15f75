/**
 * Whether an elected leader whose quorum has not formed may still get one. Who elected it is expected for a moment; who looks for
 * a leader again meanwhile has given it up, and finds nobody else as long as this one says that it leads: it has to look
 * too, and not only when `initLimit` is over. Pure; until the leader leads.
 *
 *     may come     joined, and not looked since       elected it, and neither looked since nor been awaited for long
 *     lost         somebody looks, and with those who may come there is no quorum
 */
import type { Sid } from '../quorum/member.ts';
import type { QuorumVerifier } from '../quorum/quorum-verifier.ts';
import type { LearnerRecord, LinkId } from './learner-record.ts';

/** Those who elected a leader knock at once, and give up within 0.6 s. */
const EXPECTED_MS = 1000;

/** What a leader was elected by. */
export interface Mandate {
  /** Whose votes decided; none = a configuration has named it. */
  readonly voters: readonly Sid[];
  /** A quorum of both is needed to lead. */
  readonly committed: { readonly verifier: QuorumVerifier };
  readonly lastSeen: { readonly verifier: QuorumVerifier };
}

export class Backing {
  private readonly own: Sid;
  private readonly verifiers: readonly QuorumVerifier[];
  private readonly expected: ReadonlySet<Sid>;
  private readonly begunMs: number;
  /** Looks in another round than that of the election; of its connections only those from this one on may be its. */
  private readonly left = new Map<Sid, LinkId>();
  private readonly looking = new Set<Sid>();

  constructor(own: Sid, { voters, committed, lastSeen }: Mandate, nowMs: number) {
    this.own = own;
    this.verifiers = [committed.verifier, lastSeen.verifier];
    this.expected = new Set(voters.length > 0 ? voters : this.verifiers.flatMap((one) => [...one.voters]));
    this.begunMs = nowMs;
  }

  /** A voter looks for a leader. `hasLeft`: in another round than this one's; `nextLink`: of whoever connects from now on. */
  onLooking(sid: Sid, hasLeft: boolean, nextLink: LinkId): void {
    this.looking.add(sid);
    if (hasLeft) this.left.set(sid, nextLink);
  }

  waitedMs(nowMs: number): number {
    return nowMs - this.begunMs;
  }

  isLost(learners: Iterable<LearnerRecord>, nowMs: number): boolean {
    const { left, looking } = this;
    const mayCome = new Set<Sid>([this.own]);
    for (const { sid, link, phase } of learners)
      if (phase !== 'greeting' && link >= (left.get(sid) ?? 0)) mayCome.add(sid);
    if (![...looking].some((sid) => !mayCome.has(sid))) return false;
    if (this.waitedMs(nowMs) < EXPECTED_MS)
      for (const sid of this.expected) if (!left.has(sid)) mayCome.add(sid);
    return !this.verifiers.every((one) => one.containsQuorum(mayCome));
  }
}

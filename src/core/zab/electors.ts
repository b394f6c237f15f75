/**
 * Whose votes a leader counts, and what becomes of that while it leads. Pure; core thread.
 *
 *                    proposed by this leader                    a quorum of both has it
 *     committed ───────────────────────────────▶ and coming ───────────────────────────▶ committed
 *         ▲                                          ▲                                       │ this leader votes there no more
 *         └── a quorum of both has acknowledged ─────┘                                       ▼
 *             NEWLEADER, which named it                                                  handed over: nothing more is decided here
 *
 * Discovery counts the committed ones alone, as nobody knows yet what was proposed last; everything else counts both.
 */
import type { Zxid } from '../../base/zxid.ts';
import type { Sid } from '../quorum/member.ts';
import { sameAddress } from '../quorum/member.ts';
import type { QuorumConfig } from '../quorum/quorum-config.ts';
import type { SidSet } from '../quorum/quorum-verifier.ts';
import { Activations } from './activations.ts';
import type { ProposalLog } from './proposal-log.ts';
import { QuorumAcks } from './quorum-acks.ts';

/** What a leader has to know of a membership. */
export type Constituency = Pick<QuorumConfig, 'version' | 'verifier' | 'member'>;

/** Of `successor`: this leader votes no more, and has named nobody. */
const NOBODY: Sid = -1;

export class Electors {
  readonly acks: QuorumAcks;
  readonly activations: Activations;
  committed: Constituency;
  /** Who leads next; null = this server goes on. */
  private successor: Sid | null = null;
  private wasKnown = false;
  private readonly sid: Sid;
  private coming: Constituency | null;
  /** Of the proposal that holds `coming`: further nothing is decided before it is in force. */
  private readonly limit = new Float64Array(1).fill(Number.POSITIVE_INFINITY);

  constructor(sid: Sid, committed: Constituency, lastSeen: Constituency, log: ProposalLog) {
    this.sid = sid;
    this.committed = committed;
    this.coming = lastSeen.version > committed.version ? lastSeen : null;
    this.acks = new QuorumAcks(committed.verifier);
    this.activations = new Activations(log);
  }

  isMember(sid: Sid): boolean {
    return this.committed.member(sid) !== undefined || this.coming?.member(sid) !== undefined;
  }

  /** This leader decides nothing more. */
  get hasSuccessor(): boolean {
    return this.successor !== null;
  }

  /** Not the first time that this is asked. */
  wasKnownBefore(): boolean {
    const { wasKnown } = this;
    this.wasKnown = true;
    return wasKnown;
  }

  /** How this leadership ends, once everybody has been told or is gone: why, and who is to lead (null: an election tells). */
  get farewell(): readonly [string, Sid | null] {
    const { successor } = this;
    if (successor === NOBODY) return ['this server is no voter of the changed ensemble', null];
    return [`server ${successor} is to lead the changed ensemble`, successor];
  }

  /** Whether its word counts in discovery. */
  count({ sid, isObserver }: { readonly sid: Sid; readonly isObserver: boolean }): boolean {
    return !isObserver && this.committed.verifier.voters.has(sid);
  }

  /** Enough to know the history by. */
  discover(sids: SidSet): boolean {
    return this.committed.verifier.containsQuorum(sids);
  }

  /** Enough to lead. */
  contain(sids: SidSet): boolean {
    return this.discover(sids) && (this.coming === null || this.coming.verifier.containsQuorum(sids));
  }

  /** Before NEWLEADER: the same members in another version. */
  rename(coming: Constituency): void {
    this.coming = coming;
  }

  /** A quorum of both follows: what was coming is in force. Behind `zxid` the epoch begins. */
  establish(zxid: Zxid): void {
    if (this.coming === null) return;
    this.acks.proposeConfig(this.coming.verifier, zxid);
    this.enforce(this.coming);
    if (!this.committed.verifier.voters.has(this.sid)) this.successor = NOBODY;
  }

  /** The proposal with the zxid of its version is the next. */
  propose(coming: Constituency): void {
    this.coming = coming;
    this.limit[0] = coming.version;
    this.acks.proposeConfig(coming.verifier, coming.version);
  }

  /** As far as a quorum has what was proposed. */
  decided(proposed: Zxid): Zxid {
    return Math.min(this.acks.decided(), proposed, this.limit[0]!);
  }

  /** The change that was proposed is decided, and waits for `activate`. */
  isReached(decided: Zxid): boolean {
    return decided === this.limit[0] && this.coming !== null;
  }

  /** It is in force. `followers`: in step; one of them leads next where this server cannot. */
  activate(followers: SidSet): void {
    const coming = this.coming!;
    const zxid = this.limit[0]!;
    const next = this.staysIn(coming) ? this.sid : this.acks.mostAdvanced(followers);
    const designated = next === NOBODY ? this.sid : next;
    this.enforce(coming);
    this.activations.add(zxid, designated);
    if (designated === this.sid) this.limit[0] = Number.POSITIVE_INFINITY;
    else this.successor = designated;
  }

  private enforce(config: Constituency): void {
    this.acks.activateConfig();
    this.committed = config;
    this.coming = null;
  }

  /** As a voter that its followers find where they have found it. */
  private staysIn(coming: Constituency): boolean {
    if (!coming.verifier.voters.has(this.sid)) return false;
    const before = this.committed.member(this.sid)?.addresses ?? [];
    const after = coming.member(this.sid)?.addresses ?? [];
    return before.length === after.length && before.every((address, i) => sameAddress(address, after[i]!));
  }
}

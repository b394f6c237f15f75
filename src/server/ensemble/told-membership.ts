/**
 * What one leader says of who belongs to the ensemble, from the first packet of a term to its last: taken over before anything of it
 * is acknowledged (known-membership.ts), and told to the election. On the thread of the core.
 *
 *     PROPOSAL of a reconfig ─▶ may come into force      COMMITANDACTIVATE, INFORMANDACTIVATE ─▶ that is in force
 *     NEWLEADER              ─▶ may come into force      UPTODATE                             ─▶ that is in force
 *
 * Whoever leads no more, or has another role now, is parted with at once; where the leader has named the next, without an election.
 *
 * Who says what cannot be read is not followed: methods return why, or null.
 */
import { MalformedQuorumConfig, type Sid } from '../../core/quorum/member.ts';
import { parseQuorumConfig, type QuorumConfig } from '../../core/quorum/quorum-config.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { TXN_HEADER_BYTES, TxnHeaderOffset, TxnReader } from '../../wire/txn-records.ts';
import { decodeUtf8 } from '../../wire/utf8.ts';
import type { KnownMembership } from './known-membership.ts';
import type { Term, TermControl, TermEnd } from './role-runner.ts';

/** Of a server whose members stand in its file and are the same for ever. */
const STATIC = /^version=0$/m;

export type Departure = Pick<TermEnd, 'reason' | 'designated'>;

export class ToldMembership {
  private readonly known: KnownMembership;
  private readonly sid: Sid;
  private readonly term: Pick<Term, 'role' | 'leader'>;
  private readonly control: Pick<TermControl, 'configured'>;
  /** With NEWLEADER. */
  private told: QuorumConfig | null = null;
  private proposed: QuorumConfig | null = null;

  /** Of server `sid` in `term`. */
  constructor(
    known: KnownMembership,
    sid: Sid,
    term: Pick<Term, 'role' | 'leader'>,
    control: Pick<TermControl, 'configured'>,
  ) {
    this.known = known;
    this.sid = sid;
    this.term = term;
    this.control = control;
  }

  /** Each transaction that the leader proposes, before it is logged. */
  onProposal(bytes: Uint8Array, view: DataView, start: number, end: number): string | null {
    if (end - start < TXN_HEADER_BYTES) return null;
    if (view.getInt32(start + TxnHeaderOffset.type) !== OpCode.reconfig) return null;
    const txn = new TxnReader();
    if (!txn.wrap(bytes, view, start, end)) return 'it proposes a reconfig that is none';
    const config = readConfig(decodeUtf8(bytes, txn.dataStart, txn.dataStart + txn.dataLength));
    if (typeof config === 'string') return `the members that it proposes cannot be read: ${config}`;
    this.proposed = config;
    this.known.onProposed(config);
    this.tell();
    return null;
  }

  onNewLeader(bytes: Uint8Array, start: number, end: number): string | null {
    const text = decodeUtf8(bytes, start, end);
    const config = readConfig(text);
    if (typeof config === 'string') {
      const isNobodyElses = !this.known.reconfigEnabled && STATIC.test(text);
      return isNobodyElses ? null : `its configuration cannot be read: ${config}`;
    }
    this.told = config;
    this.known.onLeaders(config);
    this.tell();
    return null;
  }

  /** What was proposed last is in force, and `designated` leads (-1: nobody is named). Returns why the leader is parted with, or null. */
  onActivated(designated: Sid): Departure | null {
    const { known, term } = this;
    const before = known.committed;
    if (this.proposed !== null) known.onInForce(this.proposed);
    this.tell();
    // As Apache's: what changes nothing of the members leads nobody elsewhere.
    if (known.committed.equals(before)) return null;
    if (designated >= 0 && designated !== term.leader)
      return { reason: `server ${designated} is to lead the changed ensemble`, designated };
    return this.changedRole();
  }

  /** A quorum has taken over what NEWLEADER said. Returns why the leader is parted with all the same, or null. */
  onUpToDate(): Departure | null {
    const { known, term } = this;
    const before = known.committed;
    if (this.told !== null) known.onInForce(this.told);
    this.tell();
    if (known.committed === before) return null;
    if (!known.committed.verifier.voters.has(term.leader))
      return { reason: 'the changed ensemble has another leader', designated: null };
    return this.changedRole();
  }

  private changedRole(): Departure | null {
    const { known, sid, term } = this;
    const isObserver = known.committed.member(sid)?.role === 'observer';
    if (isObserver === (term.role === 'observing')) return null;
    const role = isObserver ? 'an observer' : 'a follower';
    return { reason: `this server is ${role} from now on`, designated: term.leader };
  }

  /** Elections go by what is known. */
  private tell(): void {
    this.control.configured(this.known.committed, this.known.lastSeen);
  }
}

function readConfig(text: string): QuorumConfig | string {
  try {
    return parseQuorumConfig(text);
  } catch (error) {
    if (!(error instanceof MalformedQuorumConfig)) throw error;
    return error.message;
  }
}

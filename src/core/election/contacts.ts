/**
 * What a search knows of the other voters besides their votes: who is gone, and who has not taken in what all were told last. It is
 * what an election need not wait for. Pure.
 */
import type { Sid } from '../quorum/member.ts';

/**
 * Before one is dialled again whose connection has ended. A process that is being killed goes on taking connections for a moment;
 * one that hangs up each time is not called for ever.
 */
const REDIAL_PAUSES_MS = [0, 5, 10, 20, 40];

export class Contacts {
  /** Could not be connected to, and have said nothing since. */
  private readonly absent = new Set<Sid>();
  /** Have said since all were last told that they do not look: they have not counted it. */
  private readonly deaf = new Set<Sid>();
  /** How often each was dialled again since all were last told. */
  private readonly redials = new Map<Sid, number>();

  beginSearch(): void {
    this.absent.clear();
  }

  onToldAll(): void {
    this.redials.clear();
    this.deaf.clear();
  }

  onHeard(sid: Sid): void {
    this.absent.delete(sid);
  }

  onUnreachable(sid: Sid): void {
    this.absent.add(sid);
  }

  isAbsent(sid: Sid): boolean {
    return this.absent.has(sid);
  }

  /** Its connection has ended: when to dial it again; null: not before there is another vote. */
  redialPauseMs(sid: Sid): number | null {
    const redials = this.redials.get(sid) ?? 0;
    this.redials.set(sid, redials + 1);
    return REDIAL_PAUSES_MS[redials] ?? null;
  }

  /** It reports what it follows or leads. */
  onDecidedVoter(sid: Sid): void {
    this.deaf.add(sid);
  }

  /** It looks. True, once: it did not yet when it was told our vote. */
  hasMissedVote(sid: Sid): boolean {
    return this.deaf.delete(sid);
  }
}

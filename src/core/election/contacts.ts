/**
 * What a search knows of the other voters besides their votes: who is gone, and who has not taken in what all were told last. It is
 * what an election need not wait for. Pure.
 */
import type { Sid } from '../quorum/member.ts';

export class Contacts {
  /** Could not be connected to, and have said nothing since. */
  private readonly absent = new Set<Sid>();
  /** Have said since all were last told that they do not look: they have not counted it. */
  private readonly deaf = new Set<Sid>();
  /** Dialled again since all were last told. */
  private readonly redialled = new Set<Sid>();

  beginSearch(): void {
    this.absent.clear();
  }

  onToldAll(): void {
    this.redialled.clear();
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

  /** Whether one whose link has ended is to be dialled: once for each vote, or one that hangs up each time is called for ever. */
  mayRedial(sid: Sid): boolean {
    if (this.redialled.has(sid)) return false;
    this.redialled.add(sid);
    return true;
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

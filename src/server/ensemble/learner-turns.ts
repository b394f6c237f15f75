/**
 * Up to when a leader has heard of the clients of its learners. They are touched by the answers to PINGs, so a leader that stood still
 * (SIGSTOP, a stopped virtual machine) knows nothing of what its learners have heard meanwhile: before a session ends, each of
 * them is asked and has answered. As for sockets (host/hearing.ts), which ask in the same way. Core thread.
 *
 *     ask ─▶ a PING to each learner in step ─▶ as many answers as PINGs, from each ─▶ done
 *                                           └─ two seconds: one that does not answer keeps nobody's session for ever
 */
import type { LinkId } from '../../core/zab/learner-record.ts';
import type { SocketTurns } from '../host/hearing.ts';

const WAIT_MAX_MS = 2000;

export class LearnerTurns implements SocketTurns {
  private readonly nowMs: () => number;
  private readonly pingAll: () => void;
  /** PINGs that have not been answered, by learner in step. */
  private readonly unanswered = new Map<LinkId, number>();
  private askedMs = 0;

  /** `pingAll`: sends a PING to each learner in step, and tells of it by `onPing`. */
  constructor(nowMs: () => number, pingAll: () => void) {
    this.nowMs = nowMs;
    this.pingAll = pingAll;
  }

  ask(): void {
    this.askedMs = this.nowMs();
    this.pingAll();
  }

  get isDone(): boolean {
    return this.unanswered.size === 0 || this.nowMs() - this.askedMs >= WAIT_MAX_MS;
  }

  onPing(link: LinkId): void {
    this.unanswered.set(link, (this.unanswered.get(link) ?? 0) + 1);
  }

  onAnswer(link: LinkId): void {
    const left = (this.unanswered.get(link) ?? 0) - 1;
    if (left > 0) this.unanswered.set(link, left);
    else this.unanswered.delete(link);
  }

  onGone(link: LinkId): void {
    this.unanswered.delete(link);
  }
}

/**
 * Up to when silence is proven. A session ends because its client was silent, and not because nobody listened: a process
 * that stood still (SIGSTOP, a stopped virtual machine, a swapping host), or one of its threads alone, finds its clients'
 * pings and their next connections waiting in the kernel. So before a session can end, the sockets are read, and then
 * only silence up to the moment at which that was asked for counts.
 *
 *     a session may be due ──▶ asked, at T ──all that waited in the kernel at T has reached the core──▶ heard up to T
 *
 * Nothing has to be known about pauses, and none begins it again: what comes behind T belongs to the next time. Core
 * thread; asked once per round.
 */

/** The threads with sockets, as the core sees them. */
export interface SocketTurns {
  /** Let every socket be accepted and read that is ready now. Only when the last time is done. */
  ask(): void;
  /** What they have read has reached the core. */
  readonly isDone: boolean;
}

export class Hearing {
  /** What clients had sent by then has reached the core. */
  heardMs: number;
  /** Whoever else hears clients: the learners of a leader. */
  others: SocketTurns | null = null;
  private readonly sockets: SocketTurns;
  private askedMs = 0;
  private isAsking = false;

  constructor(sockets: SocketTurns, nowMs: number) {
    this.sockets = sockets;
    this.heardMs = nowMs;
  }

  /** `nowMs`: not later than now. */
  ask(nowMs: number): void {
    if (this.isAsking) return;
    this.isAsking = true;
    this.askedMs = nowMs;
    this.sockets.ask();
    this.others?.ask();
  }

  /** True once when `heardMs` has become later. */
  hasHeard(): boolean {
    if (!this.isAsking || !this.sockets.isDone || this.others?.isDone === false) return false;
    this.isAsking = false;
    this.heardMs = this.askedMs;
    return true;
  }
}

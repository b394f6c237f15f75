/**
 * The outcomes of one class of probes, a byte each: probes are due at a fixed period, so the number of a probe is
 * its due time. A probe's verdict may change until it is known:
 *
 *     open --answer in time--> ok          open --right answer after the deadline--> late
 *     open --error, no session, or a read that lost its connection--> failed
 *     open --write that lost its connection--> unknown --found in the tree--> late
 *                                              unknown --found missing--> failed
 *     open --the engine itself was too late to send it--> unknown, for good
 *
 * A read that lost its connection has failed: it has no effect, so nothing about it is left to be found out. A lost
 * write may have been made; whoever finds out later knows that the client had no answer in time, so it never
 * becomes `ok`. A probe without answer by the end of its deadline counts as `failed` until an answer comes.
 */
import type { ProbeOutcome } from '../result/run-json.ts';

/** `open`: neither answered nor beyond its deadline. */
export type Verdict = ProbeOutcome | 'open';

/** What the arithmetic of availability reads. Due times ascend. */
export interface ProbeHistory {
  readonly count: number;
  dueMsAt(index: number): number;
  verdictAt(index: number): Verdict;
}

const VERDICTS: readonly Verdict[] = ['open', 'ok', 'late', 'failed', 'unknown'];
const FIRST_CAPACITY = 1_024;

export class ProbeTrack implements ProbeHistory {
  count = 0;
  private readonly firstDueMs: number;
  private readonly periodMs: number;
  private readonly deadlineMs: number;
  private readonly nowMs: () => number;
  private codes = new Uint8Array(FIRST_CAPACITY);

  constructor(firstDueMs: number, periodMs: number, deadlineMs: number, nowMs: () => number) {
    this.firstDueMs = firstDueMs;
    this.periodMs = periodMs;
    this.deadlineMs = deadlineMs;
    this.nowMs = nowMs;
  }

  /** Begins the next probe; its index goes with the answer to `settle`. */
  open(): number {
    if (this.count === this.codes.length) {
      const bigger = new Uint8Array(2 * this.codes.length);
      bigger.set(this.codes);
      this.codes = bigger;
    }
    return this.count++;
  }

  settle(index: number, outcome: ProbeOutcome): void {
    this.codes[index] = VERDICTS.indexOf(outcome);
  }

  /** A right answer that is here now. */
  answer(index: number): void {
    this.settle(index, this.overdue(index) ? 'late' : 'ok');
  }

  overdue(index: number): boolean {
    return this.nowMs() - this.dueMsAt(index) > this.deadlineMs;
  }

  dueMsAt(index: number): number {
    return this.firstDueMs + index * this.periodMs;
  }

  verdictAt(index: number): Verdict {
    const verdict = VERDICTS[this.codes[index]!]!;
    return verdict === 'open' && this.overdue(index) ? 'failed' : verdict;
  }
}

/**
 * The order of this server's own writes; on a leader also of those that its learners have sent. Each gets a number when it
 * has been proposed (or forwarded to a leader, whose zxid for it is not known yet), and its commit resolves the number;
 * commits come in the order of the numbers, because neither log nor leader reorders the writes of one server. What waits
 * for a write in its connection waits for the number. Shared by reference; core thread. In a typed array, see base/zxid.ts.
 */
const ISSUED = 0;
const RESOLVED = 1;

/** The number of what no connection here can wait for: on a learner another server's write, on a server alone its own. */
export const NO_WRITE = 0;

export class WriteNumbers {
  private readonly numbers = new Float64Array(2);

  /** The newest one. */
  get issued(): number {
    return this.numbers[ISSUED]!;
  }

  /** All up to here are committed. */
  get resolved(): number {
    return this.numbers[RESOLVED]!;
  }

  issue(): number {
    return ++this.numbers[ISSUED]!;
  }

  resolve(number: number): void {
    this.numbers[RESOLVED] = number;
  }

  /** Writes that had been proposed have been taken back: the newest that stands is `number`. */
  withdrawBehind(number: number): void {
    this.numbers[ISSUED] = number;
  }
}

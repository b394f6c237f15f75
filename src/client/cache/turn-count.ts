/**
 * Who waits for freshness waits for the reads that were open at that moment, and for what these lead to, but for none that
 * later events ask for: or under steady writes nobody would ever be served. Each read carries the turn in which it was
 * asked for, which what it leads to inherits; each wait ends a turn. A machine.
 */

interface Wait {
  readonly turn: number;
  readonly done: () => void;
}

export class TurnCount {
  present = 1;
  /** Open reads by turn; turns without any are not in it. */
  private readonly open = new Map<number, number>();
  private waits: Wait[] = [];
  /** The oldest turn of a read that was lost: its waits go on until the next walk is through. */
  private lost = Number.POSITIVE_INFINITY;

  /** The oldest turn that is lost, or the present one. */
  get oldest(): number {
    return Math.min(this.lost, this.present);
  }

  enter(turn: number): void {
    this.open.set(turn, (this.open.get(turn) ?? 0) + 1);
  }

  leave(turn: number): void {
    const count = this.open.get(turn)!;
    if (count > 1) {
      this.open.set(turn, count - 1);
      return;
    }
    this.open.delete(turn);
    if (this.waits.length > 0) this.settle();
  }

  /** A read of this turn will not be answered. */
  carry(turn: number): void {
    this.lost = Math.min(this.lost, turn);
  }

  /** What was lost is asked again, by a read that has entered. */
  carried(): void {
    this.lost = Number.POSITIVE_INFINITY;
  }

  wait(done: () => void): void {
    this.waits.push({ turn: this.present, done });
    this.present++;
    this.settle();
  }

  private settle(): void {
    let oldest = this.lost;
    for (const turn of this.open.keys()) if (turn < oldest) oldest = turn;
    const due = this.waits.filter(({ turn }) => turn < oldest);
    if (due.length === 0) return;
    this.waits = this.waits.filter(({ turn }) => turn >= oldest);
    for (const { done } of due) done();
  }
}

/**
 * How much the core has done in this turn, counted by what makes turns long, and how much it may still begin. A request
 * is charged for work that grows with what it names, never for being a request: what is cheap pays nothing here.
 *
 *     begin ─▶ charge, charge … ─▶ `isSpent` ─▶ long work waits for the next turn: a slice ends, a request stays where it
 *       ▲                                       is in its connection; cheap requests of others go on
 *       └──── once per round of the thread ─────┘
 *
 * The sums of the worst turn are kept: tests assert on them, so that a turn that gets longer by its kind is seen on any
 * machine; `mntr` shows them. Outlives replicas; core thread.
 */
export const Work = {
  /** Entries of ACLs that are indexed, compared or checked, and ids that are looked up in them. */
  aclEntries: 0,
  /** Entries of a list, values and paths: noted, measured, copied, counted. */
  listEntries: 1,
  /** Changes prepared by a multi or the end of a session. */
  operations: 2,
  /** Changes published. */
  changes: 3,
  /** Watches that changes meet: an event for each whose connection may see it. */
  events: 4,
} as const;
export type Work = (typeof Work)[keyof typeof Work];

/** Names in `mntr`, by kind. */
export const WORK_NAMES: readonly string[] = [
  'acl_entries',
  'list_entries',
  'operations',
  'changes',
  'events',
];

/** About tenths of a microsecond. */
const UNITS: readonly number[] = [3, 1, 20, 10, 5];
/** What a turn may spend before long work waits: some milliseconds. */
export const UNITS_PER_TURN = 30_000;

/** In place of an error code: there is no time left for it in this turn, nothing has happened, ask again in the next. */
export const NEXT_TURN = 1;

export class TurnWork {
  /** By kind: of the turn with most of it, since `reset`. */
  readonly most = new Float64Array(UNITS.length);
  /** By kind: of this turn. */
  private readonly now = new Float64Array(UNITS.length);
  private left = UNITS_PER_TURN;

  begin(): void {
    if (this.left === UNITS_PER_TURN) return;
    this.left = UNITS_PER_TURN;
    this.keepMost();
    this.now.fill(0);
  }

  charge(kind: Work, count: number): void {
    this.now[kind]! += count;
    this.left -= count * UNITS[kind]!;
  }

  /** Nothing long is to be begun any more. */
  get isSpent(): boolean {
    return this.left <= 0;
  }

  /** The worst turns so far, this one among them, by kind. */
  worst(): readonly number[] {
    this.keepMost();
    return [...this.most];
  }

  reset(): void {
    this.most.fill(0);
  }

  private keepMost(): void {
    for (let kind = 0; kind < this.now.length; kind++) {
      if (this.now[kind]! > this.most[kind]!) this.most[kind] = this.now[kind]!;
    }
  }
}

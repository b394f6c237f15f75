/**
 * Virtual time and the order of everything in it. All chance of a run comes from one seeded generator, so a seed is a
 * run: which agent has its next turn, when bytes arrive, what fails.
 *
 *     step    among the actors that could run now and the event that is due now, one is drawn and runs; that takes some
 *             microseconds of virtual time. When there is none, time jumps to whatever comes next.
 *
 * An actor is a thread (event loop or blocking), never less: what it does in one turn is not interrupted. Orders within
 * a turn are the business of test/concurrency.
 */
import { Prng } from '../../src/base/prng.ts';

export interface Actor {
  readonly name: string;
  isRunnable(nowMs: number): boolean;
  /** When it could run although nothing happens to it; Infinity = never. */
  wakeMs(): number;
  run(): void;
}

/** Something that must not happen has happened. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

const START_MS = 1_000_000;
const START_WALL_MS = 1_700_000_000_000;
const STEP_MS_MAX = 0.05;

export class World {
  readonly seed: number;
  readonly prng: Prng;
  nowMs = START_MS;
  /** Wall time less monotonic time, since when: somebody may set the clock. */
  private readonly wallOffsets = [{ sinceMs: 0, ms: START_WALL_MS - START_MS }];
  steps = 0;
  /** Found inside a server's turn, where a throw would be taken for the server's own. */
  violation: Violation | null = null;
  /** Null = nobody reads it. */
  readonly lines: string[] | null;
  private readonly actors: Actor[] = [];
  private readonly runnable: Actor[] = [];
  /** A binary heap. */
  private readonly dues: Due[] = [];
  private orders = 0;

  constructor(seed: number, traced: boolean) {
    this.seed = seed;
    this.prng = new Prng(seed);
    this.lines = traced ? [] : null;
  }

  get virtualMs(): number {
    return this.nowMs - START_MS;
  }

  get wallMs(): number {
    return Math.floor(this.nowMs + this.wallOffsets.at(-1)!.ms);
  }

  setWallClock(byMs: number): void {
    this.wallOffsets.push({ sinceMs: this.nowMs, ms: this.wallOffsets.at(-1)!.ms + byMs });
  }

  /** When the wall clock last showed this. */
  momentOf(wallMs: number): number {
    for (let i = this.wallOffsets.length - 1; i >= 0; i--) {
      const { sinceMs, ms } = this.wallOffsets[i]!;
      const momentMs = wallMs - ms;
      if (momentMs >= sinceMs - 1 && momentMs <= this.nowMs) return momentMs;
    }
    return this.nowMs;
  }

  trace(who: string, what: string): void {
    this.lines?.push(`${this.virtualMs.toFixed(3).padStart(13)}  ${who.padEnd(10)} ${what}`);
  }

  add(actor: Actor): void {
    this.actors.push(actor);
  }

  remove(actor: Actor): void {
    const at = this.actors.indexOf(actor);
    if (at >= 0) this.actors.splice(at, 1);
  }

  after(delayMs: number, run: () => void): void {
    const due = { atMs: this.nowMs + delayMs, order: this.orders++, run };
    const { dues } = this;
    let at = dues.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(due, dues[parent]!)) break;
      dues[at] = dues[parent]!;
      at = parent;
    }
    dues[at] = due;
  }

  /** Between `min` and `max`, small ones more often. */
  span(min: number, max: number): number {
    return min + (max - min) * this.prng.fraction() ** 3;
  }

  /** Runs until `isDone` or until the time is over; true = done. Promises have their turn between the steps. */
  async run(isDone: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.nowMs + limitMs;
    while (!isDone()) {
      if (this.nowMs > endMs) return false;
      this.step();
      if (this.violation !== null) throw this.violation;
      await null;
    }
    return true;
  }

  /** The same where nothing in it is a promise: many times as fast. */
  runAtOnce(isDone: () => boolean, limitMs: number): boolean {
    const endMs = this.nowMs + limitMs;
    while (!isDone()) {
      if (this.nowMs > endMs) return false;
      this.step();
      if (this.violation !== null) throw this.violation;
    }
    return true;
  }

  private step(): void {
    const { runnable, dues, prng } = this;
    runnable.length = 0;
    for (const actor of this.actors) if (actor.isRunnable(this.nowMs)) runnable.push(actor);
    const isDue = dues.length > 0 && dues[0]!.atMs <= this.nowMs;
    const choices = runnable.length + (isDue ? 1 : 0);
    if (choices === 0) {
      this.jump();
      return;
    }
    this.steps++;
    const choice = prng.below(choices);
    if (choice < runnable.length) runnable[choice]!.run();
    else this.takeDue().run();
    this.nowMs += STEP_MS_MAX * prng.fraction();
  }

  private jump(): void {
    let nextMs = this.dues.length > 0 ? this.dues[0]!.atMs : Number.POSITIVE_INFINITY;
    for (const actor of this.actors) nextMs = Math.min(nextMs, actor.wakeMs());
    if (nextMs === Number.POSITIVE_INFINITY) throw new Violation('nothing will ever happen again');
    this.nowMs = Math.max(this.nowMs, nextMs);
  }

  private takeDue(): Due {
    const { dues } = this;
    const first = dues[0]!;
    const last = dues.pop()!;
    if (dues.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= dues.length) break;
      if (child + 1 < dues.length && isBefore(dues[child + 1]!, dues[child]!)) child++;
      if (!isBefore(dues[child]!, last)) break;
      dues[at] = dues[child]!;
      at = child;
    }
    dues[at] = last;
    return first;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

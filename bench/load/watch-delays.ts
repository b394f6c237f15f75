/**
 * Measures how long an event takes from the acknowledgement of the change that caused it to its arrival at a watcher.
 * Writer and watcher are different sessions, maybe on different workers, and either may be first:
 *
 *     watcher   arm ---> armed at version v                              event: the change to v + 1
 *     writer                      set ----> acknowledged: version v + 1    |
 *                                           |<---------- delay ----------->|
 *
 * So time says nothing about which change an event belongs to; the server's own numbers do. The reply that armed the
 * watch says what the watcher had seen, the reply to a write says which change it made:
 *
 *     counted targets   data of a znode by its version, holders of a lock by their sequence: the next change has the
 *                       next number, and no other is its cause
 *     ordered targets   children of a znode by zxid: the cause is the change with the lowest zxid above what was seen.
 *                       One with a lower zxid may still be unacknowledged: the delay is then too long by as much as
 *                       the two acknowledgements overtook each other
 *
 * An event that comes before its acknowledgement has a delay of 0, and `eventsBeforeAck` says how often that was. The
 * last changes of each target are remembered; an event so late that its change is forgotten counts from the oldest one
 * above it that is not, a little too short.
 *
 * Shared by all workers; each change is written by the one that got its acknowledgement:
 *
 *     Int32    fence | next place, per target          orders what follows between threads
 *     Float64  number of the change + 1, per target and place; 0 = none
 *     Float64  when it was acknowledged, on the machine's monotonic clock; NaN = is being written
 */
import { toMonotonicMs } from '../base/phase-clock.ts';

const PLACES_MAX = 1_024;
const PLACES_MIN = 4;
/** Over all targets: 64 MiB. Above a million targets it is more, for want of fewer places. */
const SLOTS_MAX = 4 * 1024 * 1024;

/** What one message carries from the thread that allocates to those that measure: nobody counts the targets twice. */
export interface WatchDelaysHandle {
  readonly memory: SharedArrayBuffer;
  readonly targetCount: number;
}

export class WatchDelays {
  private readonly places: number;
  private readonly fence: Int32Array;
  private readonly numbers: Float64Array;
  private readonly ackedAtMs: Float64Array;

  constructor({ memory, targetCount }: WatchDelaysHandle) {
    const { places, intBytes, slots } = shapeOf(targetCount);
    this.places = places;
    this.fence = new Int32Array(memory, 0, 1 + targetCount);
    this.numbers = new Float64Array(memory, intBytes, slots);
    this.ackedAtMs = new Float64Array(memory, intBytes + slots * Float64Array.BYTES_PER_ELEMENT, slots);
  }

  static allocate(targetCount: number): WatchDelaysHandle {
    const { intBytes, slots } = shapeOf(targetCount);
    const memory = new SharedArrayBuffer(intBytes + 2 * slots * Float64Array.BYTES_PER_ELEMENT);
    return { memory, targetCount };
  }

  /** Change `number` of a counted target was acknowledged now. Instants are local ones. */
  onCountedAck(target: number, number: number, nowMs: number): void {
    this.write(target * this.places + (number % this.places), number, nowMs);
  }

  /** A change of an ordered target was acknowledged now. */
  onOrderedAck(target: number, zxid: number, nowMs: number): void {
    const next = Atomics.add(this.fence, 1 + target, 1) >>> 0;
    this.write(target * this.places + (next % this.places), zxid, nowMs);
  }

  /** Milliseconds from the acknowledgement of that very change; -1 when it has none yet. */
  sinceCountedAck(target: number, number: number, nowMs: number): number {
    const at = target * this.places + (number % this.places);
    const found = this.numbers[at]! - 1;
    if (found < number) return -1;
    return found === number ? this.since(at, nowMs) : this.sinceLowestAbove(target, number, nowMs);
  }

  /** Milliseconds from the acknowledgement of the first change above `zxid`; -1 when none has one yet. */
  sinceOrderedAck(target: number, zxid: number, nowMs: number): number {
    return this.sinceLowestAbove(target, zxid, nowMs);
  }

  private sinceLowestAbove(target: number, number: number, nowMs: number): number {
    let lowest = Number.POSITIVE_INFINITY;
    let lowestAt = -1;
    for (let at = target * this.places; at < (target + 1) * this.places; at++) {
      const found = this.numbers[at]! - 1;
      if (found <= number || found >= lowest) continue;
      lowest = found;
      lowestAt = at;
    }
    return lowestAt < 0 ? -1 : this.since(lowestAt, nowMs);
  }

  private since(at: number, nowMs: number): number {
    Atomics.load(this.fence, 0);
    const ackedMs = this.ackedAtMs[at]!;
    return Number.isNaN(ackedMs) ? -1 : Math.max(0, toMonotonicMs(nowMs) - ackedMs);
  }

  /** A reader that sees the new number sees no older instant. */
  private write(at: number, number: number, nowMs: number): void {
    this.ackedAtMs[at] = Number.NaN;
    Atomics.add(this.fence, 0, 1);
    this.numbers[at] = number + 1;
    Atomics.add(this.fence, 0, 1);
    this.ackedAtMs[at] = toMonotonicMs(nowMs);
  }
}

function shapeOf(targetCount: number): { places: number; intBytes: number; slots: number } {
  const room = 2 ** Math.floor(Math.log2(SLOTS_MAX / Math.max(1, targetCount)));
  const places = Math.max(PLACES_MIN, Math.min(PLACES_MAX, room));
  const intBytes = Math.ceil((1 + targetCount) / 2) * 2 * Int32Array.BYTES_PER_ELEMENT;
  return { places, intBytes, slots: targetCount * places };
}

/**
 * Measures how long an event takes from the acknowledgement of the write that caused it to its arrival at a watcher.
 * Writer and watcher are different sessions, maybe on different workers: the instants of acknowledgements lie in
 * shared memory, one per key and directory, on the machine's monotonic clock.
 *
 *     watcher   arm ---> armed (reply)                            event
 *     writer                       set ----> acknowledged          |
 *                                            |<------ delay ------>|
 *
 * An event may overtake the acknowledgement, which travels on another connection: the last acknowledgement is then
 * older than the watch. Its delay counts as 0 and `eventsBeforeAck` says how often that was.
 */
import { toMonotonicMs } from '../base/phase-clock.ts';

export class WatchDelays {
  private readonly ackedAtMs: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.ackedAtMs = new Float64Array(memory);
  }

  static allocate(targetCount: number): SharedArrayBuffer {
    return new SharedArrayBuffer(targetCount * Float64Array.BYTES_PER_ELEMENT);
  }

  /** A write to `target` was acknowledged now. */
  onAck(target: number, nowMs: number): void {
    this.ackedAtMs[target] = toMonotonicMs(nowMs);
  }

  /** Milliseconds, or -1 when the event came before the acknowledgement. `armedMs` and `nowMs` are local instants. */
  delayOf(target: number, armedMs: number, nowMs: number): number {
    const ackedMs = this.ackedAtMs[target]!;
    if (ackedMs < toMonotonicMs(armedMs)) return -1;
    return Math.max(0, toMonotonicMs(nowMs) - ackedMs);
  }
}

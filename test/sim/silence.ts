/**
 * How long a server may believe that a client was silent when it ends its session. It has read the sockets at some moment
 * at which it ran, shortly before the end, and what had come by then counts:
 *
 *     ──heard────────────heard──┃ stands still  heard ┃──asked──read──▶ ended      asked at a moment of these ── lines,
 *                               ┃                     ┃                            the last 50 ms of them
 */

/** A moment can be this far behind the end, in time that the server ran. */
const ASKED_MS_MAX = 50;
const KEPT_MAX = 100;

interface Pause {
  readonly fromMs: number;
  /** Of one thread: the others may have asked meanwhile. */
  readonly isAlone: boolean;
  untilMs: number;
}

export class Silence {
  /** The latest moments at which requests of a session came. */
  private readonly heardMs = new Map<bigint, number[]>();
  private readonly pauses: Pause[] = [];

  onHeard(sessionId: bigint, nowMs: number): void {
    const heard = this.heardMs.get(sessionId) ?? [];
    this.heardMs.set(sessionId, heard);
    heard.push(nowMs);
    if (heard.length > KEPT_MAX) heard.shift();
  }

  forget(sessionId: bigint): void {
    this.heardMs.delete(sessionId);
  }

  /** The server, or a thread of it, stands still, or takes nothing any more; another takes the place of one under way. */
  onPause(fromMs: number, untilMs: number, isAlone: boolean): void {
    const last = this.pauses.at(-1);
    if (last !== undefined && last.untilMs > fromMs) last.untilMs = fromMs;
    this.pauses.push({ fromMs, untilMs, isAlone });
    if (this.pauses.length > KEPT_MAX) this.pauses.shift();
  }

  /** The longest that the server can have seen when it ended the session at `endMs`, which it has known since `sinceMs`. */
  longestMs(sessionId: bigint, sinceMs: number, endMs: number): number {
    const heard = this.heardMs.get(sessionId) ?? [];
    let longestMs = 0;
    const whole = this.pauses.filter(({ isAlone }) => !isAlone);
    for (const atMs of [...moments(this.pauses, heard, endMs), ...moments(whole, heard, endMs)]) {
      const before = heard.findLast((ms) => ms < atMs) ?? sinceMs;
      longestMs = Math.max(longestMs, atMs - Math.max(before, sinceMs));
    }
    return longestMs;
  }
}

/** Those at which a silence that the server can have seen is longest: before something came, or it stood still. */
function moments(pauses: readonly Pause[], heard: readonly number[], endMs: number): number[] {
  const moments: number[] = [];
  let untilMs = endMs;
  let leftMs = ASKED_MS_MAX;
  for (let i = pauses.length - 1; ; i--) {
    const pause = pauses[i];
    const fromMs = Math.max(untilMs - leftMs, pause?.untilMs ?? 0);
    if (fromMs <= untilMs) {
      moments.push(untilMs, ...heard.filter((ms) => ms >= fromMs && ms <= untilMs));
      if (pause === undefined || fromMs > pause.untilMs) break;
      leftMs -= untilMs - fromMs;
    }
    untilMs = Math.min(untilMs, pause!.fromMs);
  }
  return moments;
}

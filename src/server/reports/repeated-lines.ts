/**
 * Log lines that clients can cause as often as they like. Of each kind some are written at once and the others counted;
 * the count follows with the last of them when the time is over, so nothing is said a million times and nothing is
 * kept back. On whichever thread the log is; its owner calls `flush` now and then, and `end` at a clean stop.
 *
 *     ─●●●●●●●●●●○○○○○○○──────│●  "… (times: 7)"        ● written   ○ counted   │ the window ends
 */
import type { LineLevel, Log, LogFields } from '../logging/logging.ts';

export const LINES_PER_WINDOW = 10;
export const WINDOW_MS = 10_000;

interface Kind {
  readonly level: LineLevel;
  windowEndMs: number;
  written: number;
  counted: number;
  text: string;
  fields: LogFields;
}

export class RepeatedLines {
  private readonly log: Log;
  private readonly nowMs: () => number;
  private readonly linesPerWindow: number;
  private readonly kinds = new Map<string, Kind>();

  constructor(log: Log, nowMs: () => number, linesPerWindow = LINES_PER_WINDOW) {
    this.linesPerWindow = linesPerWindow;
    this.log = log;
    this.nowMs = nowMs;
  }

  /** `kind` is one of few. */
  say(kind: string, level: LineLevel, text: string, fields: LogFields): void {
    const of = this.kindOf(kind, level);
    const nowMs = this.nowMs();
    if (nowMs >= of.windowEndMs) this.beginWindow(of, nowMs);
    of.text = text;
    of.fields = fields;
    if (of.written === this.linesPerWindow) {
      of.counted++;
      return;
    }
    of.written++;
    this.log[level](text, fields);
  }

  /** Says what has been counted, of windows that are over. */
  flush(): void {
    const nowMs = this.nowMs();
    for (const of of this.kinds.values())
      if (of.counted > 0 && nowMs >= of.windowEndMs) this.beginWindow(of, nowMs);
  }

  /** Says what has been counted, of windows that are open too: nobody comes back to them. */
  end(): void {
    const nowMs = this.nowMs();
    for (const of of this.kinds.values()) if (of.counted > 0) this.beginWindow(of, nowMs);
  }

  private beginWindow(of: Kind, nowMs: number): void {
    if (of.counted > 0) this.log[of.level](of.text, { ...of.fields, times: of.counted });
    of.written = of.counted > 0 ? 1 : 0;
    of.counted = 0;
    of.windowEndMs = nowMs + WINDOW_MS;
  }

  private kindOf(kind: string, level: LineLevel): Kind {
    let of = this.kinds.get(kind);
    if (of === undefined) {
      of = { level, windowEndMs: 0, written: 0, counted: 0, text: '', fields: {} };
      this.kinds.set(kind, of);
    }
    return of;
  }
}

/**
 * What one connection has still to do, in its order. An item is done at once when it can be and nothing is before it;
 * otherwise it waits here, and `advance` tries again from the front.
 */
import type { Due } from './exchange.ts';
import { Fifo } from './fifo.ts';
import type { RecordingRecord } from './recording-format.ts';
import type { Backlog } from './replay-context.ts';

interface ScriptItem {
  readonly record: RecordingRecord;
  readonly due: Due;
  /** What it keeps in memory. */
  readonly bytes: number;
}

/** Of a waiting record without its frame. */
const ITEM_BYTES = 200;

export class ReplayScript {
  private readonly backlog: Backlog;
  private readonly execute: (record: RecordingRecord, due: Due) => boolean;
  private readonly items = new Fifo<ScriptItem>();
  private advancing = false;

  /** `execute`: false = not yet. */
  constructor(backlog: Backlog, execute: (record: RecordingRecord, due: Due) => boolean) {
    this.backlog = backlog;
    this.execute = execute;
  }

  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  /** A frame that has to wait is copied: it may be a slice of a large piece of the file. */
  add(record: RecordingRecord, due: Due): void {
    if (this.isEmpty && this.execute(record, due)) return;
    const kept = record.kind === 'request' ? { ...record, frame: Uint8Array.from(record.frame) } : record;
    const bytes = ITEM_BYTES + (kept.kind === 'request' ? kept.frame.length : 0);
    this.items.push({ record: kept, due, bytes });
    this.backlog.add(bytes);
  }

  /** Does what can be done now; false when it is being called by what it does itself. */
  advance(): boolean {
    if (this.advancing) return false;
    this.advancing = true;
    for (let item = this.items.peek(); item !== undefined; item = this.items.peek()) {
      if (!this.execute(item.record, item.due)) break;
      this.take();
    }
    this.advancing = false;
    return true;
  }

  /** Takes what is left. */
  *drain(): Generator<{ readonly record: RecordingRecord; readonly due: Due }> {
    for (let item = this.take(); item !== undefined; item = this.take()) yield item;
  }

  private take(): ScriptItem | undefined {
    const item = this.items.shift();
    if (item !== undefined) this.backlog.remove(item.bytes);
    return item;
  }
}

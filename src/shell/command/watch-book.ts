/**
 * The watches that commands have set and that go on behind them: whose events are printed, and which `removewatches` can
 * give up. One per connection.
 */
import type { NodeEvent, Watched, WatchItem, WatchStream } from '../../client/index.ts';

export const WATCH_TYPES = ['child', 'data', 'persistent', 'recursive'] as const;
export type WatchType = (typeof WATCH_TYPES)[number];

interface Entry {
  readonly type: WatchType;
  readonly path: string;
  giveUp(): Promise<void>;
}

export class WatchBook {
  private readonly entries = new Set<Entry>();
  private readonly print: (item: WatchItem) => void;
  /** Told in this turn: what the server sent once is printed once, however many one-shot watches it ends. */
  private readonly toldNow = new Set<string>();
  /** `printwatches off` keeps quiet. */
  isPrinting = true;

  constructor(print: (item: WatchItem) => void) {
    this.print = print;
  }

  /** The one event of a read. */
  addOneShot(type: 'child' | 'data', path: string, { changed }: Watched): void {
    const entry: Entry = {
      type,
      path,
      giveUp: async () => changed[Symbol.dispose](),
    };
    this.entries.add(entry);
    changed.then(
      (event) => {
        this.entries.delete(entry);
        if (!this.toldNow.has(eventText(event))) this.tell(event);
      },
      // The session ended: there is no event to tell of.
      () => this.entries.delete(entry),
    );
  }

  addStream(type: 'persistent' | 'recursive', path: string, stream: WatchStream): void {
    this.entries.add({ type, path, giveUp: () => stream[Symbol.asyncDispose]() });
  }

  tell(item: WatchItem): void {
    if (this.toldNow.size === 0) setImmediate(() => this.toldNow.clear());
    this.toldNow.add(eventText(item));
    if (this.isPrinting) this.print(item);
  }

  /** How many were given up; 0 = there was none of the kind. */
  async remove(path: string, type: WatchType | 'any'): Promise<number> {
    const found = [...this.entries].filter(
      (entry) => entry.path === path && (type === 'any' || entry.type === type),
    );
    for (const entry of found) {
      this.entries.delete(entry);
      await entry.giveUp();
    }
    return found.length;
  }

  /** The connection is another one: nothing of it is left. */
  clear(): void {
    this.entries.clear();
  }
}

/** Java's names, which people know from Apache's shell. */
const EVENT_NAMES = {
  created: 'NodeCreated',
  changed: 'NodeDataChanged',
  deleted: 'NodeDeleted',
  children: 'NodeChildrenChanged',
} as const;

export function eventName(type: NodeEvent['type']): string {
  return EVENT_NAMES[type];
}

/** As Apache's shell prints an event. */
export function eventText(item: WatchItem): string {
  return item.type === 'gap'
    ? `WatchedEvent gap: events may have been missed (${item.cause})`
    : `WatchedEvent state:SyncConnected type:${eventName(item.type)} path:${item.path}`;
}

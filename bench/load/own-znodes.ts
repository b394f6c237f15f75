/**
 * The znodes that one session's creates have made and its deletes have not yet taken away, oldest first. Bounded: a
 * mix with creates and deletes keeps the tree's size, whatever order the deck deals them in.
 */
export class OwnZnodes {
  private readonly capacity: number;
  private readonly paths: (string | null)[];
  private readonly ephemeral: Uint8Array;
  private head = 0;
  private tail = 0;
  /** Creates in flight: they will need a place. */
  private pending = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.paths = new Array<string | null>(capacity).fill(null);
    this.ephemeral = new Uint8Array(capacity);
  }

  get size(): number {
    return this.tail - this.head;
  }

  /** No place for one more, those in flight counted. */
  get full(): boolean {
    return this.size + this.pending >= this.capacity;
  }

  onCreateSent(): void {
    this.pending++;
  }

  /** The reply to a create; `path` null when it failed. */
  onCreateReply(path: string | null, ephemeral: boolean): void {
    this.pending--;
    if (path === null || this.size >= this.capacity) return;
    const at = this.tail++ % this.capacity;
    this.paths[at] = path;
    this.ephemeral[at] = ephemeral ? 1 : 0;
  }

  /** The oldest one, which the caller deletes. */
  take(): string {
    return this.paths[this.head++ % this.capacity]!;
  }

  /** The session is gone: its ephemerals and what was in flight no longer count. */
  onSessionLost(): void {
    const kept: string[] = [];
    for (; this.head < this.tail; this.head++) {
      const at = this.head % this.capacity;
      if (this.ephemeral[at] === 0) kept.push(this.paths[at]!);
    }
    this.head = this.tail = 0;
    this.pending = 0;
    for (const path of kept) {
      this.paths[this.tail] = path;
      this.ephemeral[this.tail++] = 0;
    }
  }
}

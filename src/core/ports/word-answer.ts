/**
 * An answer to a four-letter word in the making. The core asks for pieces, one bounded piece of work at a time, while it
 * serves everybody else in between; what the words say is somebody else's business (`AdminPort`).
 */
export interface WordAnswer {
  /** Takes many pieces or much memory: only some of these are made at a time. */
  readonly isLong: boolean;
  /** False: it waits for something outside the core. */
  readonly isReady: boolean;
  /** The next piece, which may be empty: a step was made all the same. Null = that was all. Never throws. */
  next(): Uint8Array | null;
  /** The asker is gone: no further piece is wanted. Also harmless behind the last one. */
  abandon(): void;
}

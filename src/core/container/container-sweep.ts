/**
 * Container and TTL znodes that have outlived their use, found a few at a time. Core thread; a pure machine, the
 * caller brings the time and proposes the deletions.
 *
 *     resting ──checkIntervalMs after the last pass began──▶ passing ──all candidates seen──▶ resting
 *                                                              │  ▲
 *                                       a due node is handed out  └─ 60,000 / maxPerMinute ms later
 *
 * A pass walks the caller's live set of candidates in its own order, so it neither copies a million ids nor stops
 * the thread: a poll looks at SLICE nodes at most. The rule is applied at the moment a node is handed out, and
 * again by preparation: a child may have appeared since.
 *
 * The pace holds whenever the polls come: the next node's time is counted from the time of the one before, so that a
 * caller who looks every 50 ms gets as many at once as have come due since. Only a second is made up for in this way.
 */

/** What the rule looks at; filled by the source. */
export interface SweepCandidate {
  /** 0 for a container. */
  ttlMs: number;
  childCount: number;
  /** Stored cversion: children ever created. */
  createCount: number;
  /** Wall clock. */
  mtimeMs: number;
}

/** The owner of the tree. */
export interface SweepSource {
  /** Ids of all container and TTL nodes; the set may change while it is walked, as a Set's iterator allows. */
  candidates(): Iterator<number>;
  /** Fills `out`; false when the node is gone or no longer a container or TTL node. */
  describe(nodeId: number, out: SweepCandidate): boolean;
}

export interface SweepOptions {
  readonly checkIntervalMs: number;
  readonly maxPerMinute: number;
  /** How long a container that never had a child may stay; 0 = for ever. */
  readonly maxNeverUsedIntervalMs: number;
}

export const NOTHING_DUE = -1;
const SLICE = 256;
const MADE_UP_MS = 1000;

export class ContainerSweep {
  private readonly options: SweepOptions;
  private readonly paceMs: number;
  private readonly candidate: SweepCandidate = { ttlMs: 0, childCount: 0, createCount: 0, mtimeMs: 0 };
  private pass: Iterator<number> | null = null;
  private nextPassMs: number;
  private nextNodeMs: number;
  /** Handed out and given back. */
  private held = NOTHING_DUE;

  constructor(options: SweepOptions, nowMs: number) {
    this.options = options;
    this.paceMs = Math.floor(60_000 / options.maxPerMinute);
    this.nextPassMs = nowMs + options.checkIntervalMs;
    this.nextNodeMs = nowMs;
  }

  /** When `poll` is worth calling next, on the monotonic clock. */
  get deadlineMs(): number {
    return this.pass === null ? this.nextPassMs : this.nextNodeMs;
  }

  /** Whether a poll now would find or look at something. */
  isDueAt(nowMs: number): boolean {
    return nowMs >= this.deadlineMs;
  }

  /** The node handed out last could not be deleted now: it is the next again. */
  putBack(nodeId: number): void {
    this.held = nodeId;
  }

  /** The next node to delete, or NOTHING_DUE: then see `deadlineMs`, which may be now if there is more to look at. */
  poll(nowMs: number, wallMs: number, source: SweepSource): number {
    const held = this.takeHeld();
    // What it waited for took time: it may have been used or renewed since.
    if (held !== NOTHING_DUE && source.describe(held, this.candidate) && this.isDue(wallMs)) return held;
    if (nowMs < this.deadlineMs) return NOTHING_DUE;
    if (this.pass === null) {
      this.pass = source.candidates();
      this.nextNodeMs = nowMs;
      // At a fixed rate, but passes that were missed because one took long are not made up for.
      this.nextPassMs += this.options.checkIntervalMs;
      if (this.nextPassMs <= nowMs) this.nextPassMs = nowMs + this.options.checkIntervalMs;
    }
    for (let looked = 0; looked < SLICE; looked++) {
      const step = this.pass.next();
      if (step.done === true) {
        this.pass = null;
        return NOTHING_DUE;
      }
      if (source.describe(step.value, this.candidate) && this.isDue(wallMs)) {
        this.nextNodeMs = Math.max(this.nextNodeMs + this.paceMs, nowMs - MADE_UP_MS);
        return step.value;
      }
    }
    return NOTHING_DUE;
  }

  private takeHeld(): number {
    const { held } = this;
    this.held = NOTHING_DUE;
    return held;
  }

  /** Only a setData renews a node: children that come and go do not prolong a TTL. */
  private isDue(wallMs: number): boolean {
    const { ttlMs, childCount, createCount, mtimeMs } = this.candidate;
    if (childCount > 0) return false;
    const idleMs = wallMs - mtimeMs;
    if (ttlMs > 0) return idleMs > ttlMs;
    const neverUsedMaxMs = this.options.maxNeverUsedIntervalMs;
    return createCount > 0 || (neverUsedMaxMs !== 0 && idleMs > neverUsedMaxMs);
  }
}

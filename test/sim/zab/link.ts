/**
 * One TCP connection between two members, as bytes in order and in any pieces: latency, stalls, an end that both learn of at
 * different times, and what was under way then is lost.
 */
import type { World } from '../world.ts';

export interface LinkEnd {
  onBytes(bytes: Uint8Array): void;
  onClosed(): void;
}

class Direction {
  stalledUntilMs = 0;
  private readonly world: World;
  private readonly latencyMsMax: number;
  private lastArrivalMs = 0;

  constructor(world: World, latencyMsMax: number) {
    this.world = world;
    this.latencyMsMax = latencyMsMax;
  }

  /** `run` when what is sent now arrives. */
  after(run: () => void): void {
    const { world } = this;
    const arrivalMs = Math.max(
      world.nowMs + world.span(0.1, this.latencyMsMax),
      this.lastArrivalMs,
      this.stalledUntilMs,
    );
    this.lastArrivalMs = arrivalMs;
    world.after(arrivalMs - world.nowMs, run);
  }
}

export class Link {
  private readonly world: World;
  private readonly directions: readonly [Direction, Direction];
  private readonly ends: [LinkEnd | null, LinkEnd | null] = [null, null];
  isOpen = true;

  constructor(world: World, latencyMsMax: number) {
    this.world = world;
    this.directions = [new Direction(world, latencyMsMax), new Direction(world, latencyMsMax)];
  }

  attach(side: 0 | 1, end: LinkEnd): void {
    this.ends[side] = end;
  }

  /** From `side` to the other. */
  send(side: 0 | 1, bytes: Uint8Array): void {
    if (!this.isOpen || bytes.length === 0) return;
    const { prng } = this.world;
    const cut = prng.chance(0.2) ? prng.below(bytes.length) : 0;
    if (cut > 0) this.carry(side, bytes.slice(0, cut));
    this.carry(side, bytes.slice(cut));
  }

  private carry(side: 0 | 1, bytes: Uint8Array): void {
    this.directions[side].after(() => {
      if (this.isOpen) this.ends[1 - side]?.onBytes(bytes);
    });
  }

  stall(ms: number): void {
    for (const direction of this.directions) direction.stalledUntilMs = this.world.nowMs + ms;
  }

  /** `by` knows at once, the other when it gets there; null: neither has done it. */
  close(by: 0 | 1 | null): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const side of [0, 1] as const) {
      const end = this.ends[side];
      if (end !== null && side !== by) this.world.after(this.world.span(0.1, 20), () => end.onClosed());
    }
  }
}

/**
 * Node ids by depth, parents before their children, as one chain: a word per id, made in one walk.
 *
 *     first ──▶ id ──▶ id ──▶ ... all of depth 0, then of depth 1, ... ──▶ 0         next[id]: 0 = the last one
 */
import { releaseMemory } from '../../base/release-memory.ts';

export class DepthOrder {
  length = 0;
  private readonly next: Int32Array;
  private readonly heads: number[] = [];
  private readonly tails: number[] = [];

  /** Ids are below `idEnd`. */
  constructor(idEnd: number) {
    this.next = new Int32Array(idEnd);
  }

  /** Each id once. */
  add(id: number, depth: number): void {
    while (this.heads.length <= depth) {
      this.heads.push(0);
      this.tails.push(0);
    }
    if (this.heads[depth] === 0) this.tails[depth] = id;
    this.next[id] = this.heads[depth]!;
    this.heads[depth] = id;
    this.length++;
  }

  /** After the last `add`: ties the depths together. Returns the first id, 0 when there is none. */
  join(): number {
    let first = 0;
    for (let depth = this.heads.length - 1; depth >= 0; depth--) {
      if (this.heads[depth] === 0) continue;
      this.next[this.tails[depth]!] = first;
      first = this.heads[depth]!;
    }
    return first;
  }

  /** The id behind this one, 0 = none. */
  after(id: number): number {
    return this.next[id]!;
  }

  /** Nothing may be asked any more. */
  release(): void {
    releaseMemory(this.next);
  }
}

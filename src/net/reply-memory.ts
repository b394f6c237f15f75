/**
 * The bound over what all connections together leave unread, on all io threads of the process. A bound per connection is
 * none: sixty clients that each stay below theirs can fill the memory. Who has to go is the greediest that does not
 * read, on whichever thread it is.
 *
 *     per thread, int32:  slabs in use │ rank of its greediest connection: its slabs, above all others if it does not read
 *
 *     a thread takes more slabs ──▶ all together too many? ──▶ send what can be sent ──▶ still?
 *         ──▶ the greediest is mine: it ends      ──▶ it is another thread's: that one looks at its next sweep;
 *                                                     far above the bound I do not wait for it
 *
 * Counted in slabs, because that is what is held: a client that leaves one byte unread costs a whole one.
 */
import { SLAB_BYTES } from './reply-slab.ts';

export interface ReplyMemoryHandle {
  readonly buffer: SharedArrayBuffer;
  readonly bytesMax: number;
}

const IN_USE = 0;
const GREEDIEST = 1;
/** Whoever does not read is greedier than all who do, on whichever thread. */
const STUCK_RANK = 2 ** 30;
const WORDS = 4;
/** Above this share of the bound a thread ends its own greediest, whoever has a greedier one. */
const HARD_SHARE = 1.25;

export function createReplyMemory(bytesMax: number, ioThreads: number): ReplyMemoryHandle {
  return { buffer: new SharedArrayBuffer(ioThreads * WORDS * 4), bytesMax };
}

export class ReplyMemory {
  private readonly words: Int32Array;
  private readonly own: number;
  private readonly slabsMax: number;

  constructor(handle: ReplyMemoryHandle, io: number) {
    this.words = new Int32Array(handle.buffer);
    this.own = io * WORDS;
    this.slabsMax = Math.ceil(handle.bytesMax / SLAB_BYTES);
  }

  publish(inUse: number): void {
    Atomics.store(this.words, this.own + IN_USE, inUse);
  }

  get isOver(): boolean {
    return this.total() > this.slabsMax;
  }

  /** Whether the connection with so many slabs is the one to end; else the thread that has a greedier one does it. */
  mustEnd(slabs: number, isStuck: boolean): boolean {
    this.publishGreediest(slabs, isStuck);
    const rank = rankOf(slabs, isStuck);
    let isGreediest = true;
    for (let at = 0; at < this.words.length; at += WORDS) {
      if (at !== this.own && Atomics.load(this.words, at + GREEDIEST) > rank) isGreediest = false;
    }
    return slabs > 0 && (isGreediest || this.total() > this.slabsMax * HARD_SHARE);
  }

  /** At each sweep: what others compare theirs with. */
  publishGreediest(slabs: number, isStuck: boolean): void {
    Atomics.store(this.words, this.own + GREEDIEST, rankOf(slabs, isStuck));
  }

  private total(): number {
    let slabs = 0;
    for (let at = 0; at < this.words.length; at += WORDS) slabs += Atomics.load(this.words, at + IN_USE);
    return slabs;
  }
}

function rankOf(slabs: number, isStuck: boolean): number {
  return isStuck ? STUCK_RANK + slabs : slabs;
}

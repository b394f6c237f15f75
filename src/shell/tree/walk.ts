/**
 * A tree in the order of its listing: a znode, then its children by name, each with everything below it. The lists of
 * children are asked for ahead of their turn, many at a time, so that a round trip is not paid per znode; what is asked for
 * and not yet used is bounded, so memory holds the names on the way down and nothing else.
 *
 *     stack of open lists      /     [a ✓, b ⋯, c ⋯, d, …]        ✓ its turn   ⋯ asked for   others: not yet
 *                              /a    [x ⋯, y ⋯]
 *
 * Who vanishes before its turn is passed over; what may not be listed is told as an error of that znode.
 */
import { childOf, isZk, type Stat, type Zk, type ZkError } from '../../client/index.ts';

/** Lists asked for ahead of one open list. */
const AHEAD_MAX = 128;
/** The same in all open lists together; beyond it each may have a few. */
const AHEAD_TOTAL_MAX = 1_024;
const AHEAD_MIN = 16;

export interface Visit {
  readonly path: string;
  /** 0 for the root of the walk. */
  readonly depth: number;
  readonly isLastSibling: boolean;
  /** null with `error`. */
  readonly stat: Stat | null;
  /** How many children were listed. */
  readonly childCount: number;
  /** Its children may not be read. */
  readonly error: ZkError | null;
}

export interface WalkOptions {
  readonly signal: AbortSignal;
  /** Children this far below the root are not entered. */
  readonly depthMax?: number;
  /** Whether the children of a path are to be entered. */
  readonly enters?: (path: string) => boolean;
}

type Listing =
  | { readonly names: string[]; readonly stat: Stat; readonly error: null }
  | { readonly names: string[]; readonly stat: null; readonly error: ZkError };

interface OpenList {
  readonly parent: string;
  readonly names: readonly string[];
  /** Whose turn is next. */
  next: number;
  /** Asked for, from `next` on; null = it has vanished. */
  readonly asked: Promise<Listing | null>[];
}

/** @throws the error of the root itself. */
export async function* walkTree(zk: Zk, root: string, options: WalkOptions): AsyncGenerator<Visit> {
  const { depthMax = Number.POSITIVE_INFINITY, enters = () => true } = options;
  const walk = new Walk(zk, options.signal);
  const first = await walk.listRoot(root);
  yield visitOf(root, 0, true, first);
  if (depthMax > 0 && enters(root)) walk.enter(root, first.names);
  for (let list = walk.top; list !== null; list = walk.top) {
    if (list.next === list.names.length) {
      walk.leave();
      continue;
    }
    const depth = walk.depth;
    const path = childOf(list.parent, list.names[list.next]!);
    const listing = await walk.take(list);
    if (listing === null) continue;
    yield visitOf(path, depth, list.next === list.names.length, listing);
    if (depth < depthMax && enters(path)) walk.enter(path, listing.names);
  }
}

function visitOf(path: string, depth: number, isLastSibling: boolean, listing: Listing): Visit {
  const { names, stat, error } = listing;
  return { path, depth, isLastSibling, stat, childCount: names.length, error };
}

class Walk {
  private readonly zk: Zk;
  private readonly signal: AbortSignal;
  private readonly stack: OpenList[] = [];
  /** Asked for and not yet used, in all lists. */
  private ahead = 0;

  constructor(zk: Zk, signal: AbortSignal) {
    this.zk = zk;
    this.signal = signal;
  }

  get top(): OpenList | null {
    return this.stack.at(-1) ?? null;
  }

  get depth(): number {
    return this.stack.length;
  }

  enter(parent: string, names: string[]): void {
    if (names.length > 0) this.stack.push({ parent, names: names.sort(), next: 0, asked: [] });
  }

  leave(): void {
    this.stack.pop();
  }

  async listRoot(path: string): Promise<Listing> {
    const { names, stat } = await this.zk.children(path, { signal: this.signal });
    return { names: [...names], stat, error: null };
  }

  /** The listing whose turn it is. */
  take(list: OpenList): Promise<Listing | null> {
    this.askAhead();
    list.next++;
    this.ahead--;
    return list.asked.shift()!;
  }

  /** From the top list down: what lies on top is needed first. */
  private askAhead(): void {
    let window = AHEAD_MAX;
    for (let i = this.stack.length - 1; i >= 0 && window > 0; i--) {
      const list = this.stack[i]!;
      const end = Math.min(list.names.length, list.next + window);
      while (list.next + list.asked.length < end) {
        const isFull = this.ahead >= AHEAD_TOTAL_MAX;
        if (isFull && !(i === this.stack.length - 1 && list.asked.length < AHEAD_MIN)) return;
        list.asked.push(this.list(childOf(list.parent, list.names[list.next + list.asked.length]!)));
        this.ahead++;
      }
      window -= end - list.next;
    }
  }

  private list(path: string): Promise<Listing | null> {
    const listing = this.zk.children(path, { signal: this.signal }).then(
      ({ names, stat }): Listing => ({ names: [...names], stat, error: null }),
      (error: unknown): Listing | null => {
        if (isZk(error, 'NONODE')) return null;
        if (isZk(error, 'NOAUTH')) return { names: [], stat: null, error };
        throw error;
      },
    );
    // One that fails before its turn fails at its turn.
    listing.catch(() => undefined);
    return listing;
  }
}

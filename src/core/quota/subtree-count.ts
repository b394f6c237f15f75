/**
 * Counts the znodes and the data bytes of a subtree, some thousand a turn: a quota that is set on a large tree must not
 * hold up everybody. Nothing may be published between two slices: whoever counts sees to that. Core thread.
 *
 *     frames    /a, place 3 │ /a/b, place 0 │ …        one for each level that is being walked; the next child of the
 *                                                      last one is entered, or the frame goes
 */
import type { ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';

export class SubtreeCount {
  count = 0;
  bytes = 0;
  private readonly tree: Tree;
  private readonly node: ZnodeCursor;
  private readonly ids: number[] = [];
  private readonly places: number[] = [];

  constructor(tree: Tree) {
    this.tree = tree;
    this.node = tree.cursor();
  }

  /** The node of this path and all below it; zeros when there is none. */
  begin(bytes: Uint8Array, start: number, length: number): void {
    const { tree } = this;
    this.count = 0;
    this.bytes = 0;
    this.ids.length = 0;
    this.places.length = 0;
    const root = tree.find(bytes, start, length, tree.hash.of(bytes, start, length));
    if (root !== 0 && tree.committedOf(root) !== 0) this.enter(root);
  }

  /** True: all have been counted. */
  goOn(stepsMax: number): boolean {
    const { children } = this.tree;
    const { ids, places } = this;
    for (let left = stepsMax; left > 0; left--) {
      const top = ids.length - 1;
      if (top < 0) return true;
      const place = places[top]!;
      if (place === children.count(ids[top]!)) {
        ids.pop();
        places.pop();
      } else {
        places[top] = place + 1;
        this.enter(children.at(ids[top]!, place));
      }
    }
    return ids.length === 0;
  }

  private enter(id: number): void {
    this.node.moveTo(this.tree.committedOf(id));
    this.count++;
    this.bytes += this.node.dataBytes;
    if (this.tree.children.count(id) === 0) return;
    this.ids.push(id);
    this.places.push(0);
  }
}

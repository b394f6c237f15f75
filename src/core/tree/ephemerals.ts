/**
 * Ephemeral nodes by the session that owns them. An entry is added when the create is *staged* and removed when
 * a delete is *committed*, so that closing a session finds proposed nodes too; whoever reads a set must check
 * that the node's record still has this owner (a node may have been deleted and created anew by somebody else). A session
 * may own a million: no single entry is long to add (id-set.ts).
 */
import { IdSet, type Ids } from '../collections/id-set.ts';

export class Ephemerals {
  private readonly bySession = new Map<number, IdSet>();
  count = 0;

  /** False: the node is there already, as one that the session has proposed to delete. */
  add(session: number, nodeId: number): boolean {
    let nodes = this.bySession.get(session);
    if (nodes === undefined) {
      nodes = new IdSet();
      this.bySession.set(session, nodes);
    }
    if (!nodes.add(nodeId)) return false;
    this.count++;
    return true;
  }

  remove(session: number, nodeId: number): void {
    const nodes = this.bySession.get(session);
    if (nodes === undefined || !nodes.delete(nodeId)) return;
    this.count--;
    if (nodes.size === 0) this.bySession.delete(session);
  }

  /** Node ids of a session, to be checked as said above; undefined = none. */
  of(session: number): Ids | undefined {
    return this.bySession.get(session);
  }

  /** Sessions with at least one ephemeral. */
  sessions(): IterableIterator<number> {
    return this.bySession.keys();
  }

  get sessionCount(): number {
    return this.bySession.size;
  }
}

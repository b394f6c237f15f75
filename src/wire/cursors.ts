/**
 * Cursors over vectors inside a record that a flyweight has validated: they read offsets, check nothing and
 * allocate nothing. Owned by one thread and reused; `wrap` takes the offset of the vector's count.
 *
 *     for (acls.wrap(request.view, request.aclStart); acls.next(); ) use(acls.perms, acls.schemeStart, ...)
 */
import { EMPTY_VIEW } from './flyweight.ts';

/** Walks a `vector<ustring>`. After `next()` returned true the element is `[start, start + length)`, -1 = null. */
export class StringCursor {
  /** Elements not yet visited. */
  remaining = 0;
  start = 0;
  length = 0;
  private view = EMPTY_VIEW;
  private offset = 0;

  wrap(view: DataView, vectorStart: number): void {
    this.view = view;
    this.remaining = view.getInt32(vectorStart);
    this.offset = vectorStart + 4;
  }

  next(): boolean {
    if (this.remaining <= 0) return false;
    this.remaining--;
    this.length = this.view.getInt32(this.offset);
    this.start = this.offset + 4;
    this.offset = this.start + Math.max(this.length, 0);
    return true;
  }
}

/** Walks a `vector<ACL>`; null scheme or id: length -1. */
export class AclCursor {
  remaining = 0;
  perms = 0;
  schemeStart = 0;
  schemeLength = 0;
  idStart = 0;
  idLength = 0;
  private view = EMPTY_VIEW;
  private offset = 0;

  wrap(view: DataView, vectorStart: number): void {
    this.view = view;
    this.remaining = view.getInt32(vectorStart);
    this.offset = vectorStart + 4;
  }

  next(): boolean {
    if (this.remaining <= 0) return false;
    this.remaining--;
    const view = this.view;
    this.perms = view.getInt32(this.offset);
    this.schemeLength = view.getInt32(this.offset + 4);
    this.schemeStart = this.offset + 8;
    const idField = this.schemeStart + Math.max(this.schemeLength, 0);
    this.idLength = view.getInt32(idField);
    this.idStart = idField + 4;
    this.offset = this.idStart + Math.max(this.idLength, 0);
    return true;
  }
}

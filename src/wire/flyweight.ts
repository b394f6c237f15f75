/**
 * What every flyweight decoder has in common. A flyweight lives as long as its owner (one per thread) and is
 * wrapped over one record after another: `wrap(bytes, view, start, end)` checks every length against `end` and
 * records offsets into `bytes`; false means the record is malformed and the fields are meaningless. No strings,
 * no objects, no throw. The fields stay valid until the bytes are reused or the next `wrap`.
 *
 * Naming: a buffer or string field `x` is `[xStart, xStart + xLength)`, with xLength -1 for null. A vector field
 * `v` is `[vStart, vStart + vLength)` including its count in front, which is what cursors take and writers copy;
 * `vCount` is -1 for null.
 */

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);
export const EMPTY_VIEW: DataView = new DataView(new ArrayBuffer(0));

export abstract class Flyweight {
  bytes: Uint8Array = EMPTY_BYTES;
  view: DataView = EMPTY_VIEW;
  /** The offset behind the record; bytes between it and `end` are not part of the record. */
  recordEnd = 0;

  /** Keeps the buffers; subclasses call it first in `wrap`. */
  protected attach(bytes: Uint8Array, view: DataView): void {
    this.bytes = bytes;
    this.view = view;
  }
}

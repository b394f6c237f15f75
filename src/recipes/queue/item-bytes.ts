/**
 * How values lie in an item. kazoo and ZooKeeper's own queue store the bytes as they are; Curator wraps them, so that
 * several values fit into one item:
 *
 *     int32 0x00010001 │ 0x01, int32 length, bytes │ … │ 0x02
 *
 * Pure.
 */

const VERSION = 0x00010001;
const VALUE = 0x01;
const END = 0x02;
const INT_BYTES = 4;

export function wrapValues(values: readonly Uint8Array[]): Uint8Array {
  const total = values.reduce((sum, one) => sum + 1 + INT_BYTES + one.length, INT_BYTES + 1);
  const out = new Uint8Array(total);
  const view = new DataView(out.buffer);
  view.setInt32(0, VERSION);
  let at = INT_BYTES;
  for (const value of values) {
    out[at] = VALUE;
    view.setInt32(at + 1, value.length);
    out.set(value, at + 1 + INT_BYTES);
    at += 1 + INT_BYTES + value.length;
  }
  out[at] = END;
  return out;
}

/** @throws TypeError when these bytes are no such item. */
export function unwrapValues(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values: Uint8Array[] = [];
  if (bytes.length < INT_BYTES || view.getInt32(0) !== VERSION)
    throw new TypeError('no item of Curator: it does not begin with version 1.1');
  for (let at = INT_BYTES; ; ) {
    const mark = bytes[at];
    if (mark === END) return values;
    const start = at + 1 + INT_BYTES;
    if (mark !== VALUE || start > bytes.length)
      throw new TypeError(`no item of Curator: cut off at byte ${at}`);
    const length = view.getInt32(at + 1);
    if (length < 0 || start + length > bytes.length)
      throw new TypeError(`no item of Curator: a value of ${length} bytes at byte ${at}`);
    values.push(bytes.subarray(start, start + length));
    at = start + length;
  }
}

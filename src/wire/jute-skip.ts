/**
 * Structural validation of variable-length jute fields, for the flyweight decoders: each function looks at the
 * field that starts at `offset`, checks every length and count in it against `end`, and returns the offset
 * behind it, or MALFORMED. Nothing is decoded or allocated, nothing throws; a count is bounded by the bytes that
 * are left before its elements are walked, so no input makes work beyond its own length.
 *
 *     buffer, ustring:  i32 n | n bytes          n = -1: null; other negatives are malformed
 *     vector<T>:        i32 count | elements     count = -1: null; other negatives read as empty
 *     ACL:              i32 perms | ustring scheme | ustring id
 */

export const MALFORMED = -1;

/** Behind a `buffer` or `ustring`. Its content starts at `offset + 4`, its length (-1 null) stands at `offset`. */
export function skipBuffer(view: DataView, offset: number, end: number): number {
  if (end - offset < 4) return MALFORMED;
  const length = view.getInt32(offset);
  if (length < 0) return length === -1 ? offset + 4 : MALFORMED;
  return length <= end - offset - 4 ? offset + 4 + length : MALFORMED;
}

/** Behind a `vector<ustring>`. */
export function skipStrings(view: DataView, offset: number, end: number): number {
  if (end - offset < 4) return MALFORMED;
  const count = view.getInt32(offset);
  offset += 4;
  if (count > (end - offset) / 4) return MALFORMED;
  for (let i = 0; i < count; i++) {
    offset = skipBuffer(view, offset, end);
    if (offset === MALFORMED) return MALFORMED;
  }
  return offset;
}

/** An ACL with null scheme and id: perms and two lengths. */
const ACL_BYTES_MIN = 12;

/** Behind a `vector<ACL>`. */
export function skipAcls(view: DataView, offset: number, end: number): number {
  if (end - offset < 4) return MALFORMED;
  const count = view.getInt32(offset);
  offset += 4;
  if (count > (end - offset) / ACL_BYTES_MIN) return MALFORMED;
  for (let i = 0; i < count; i++) {
    offset = skipBuffer(view, offset + 4, end);
    if (offset === MALFORMED) return MALFORMED;
    offset = skipBuffer(view, offset, end);
    if (offset === MALFORMED) return MALFORMED;
  }
  return offset;
}

/** The count of the vector at `offset` as decoders see it: -1 null, otherwise at least 0. */
export function vectorCount(view: DataView, offset: number): number {
  const count = view.getInt32(offset);
  return count < -1 ? 0 : count;
}

/**
 * The byte form of an ACL list, the same on the wire, in the log and in snapshots (big-endian):
 *
 *     vector<ACL>:  i32 count | count × { i32 perms | ustring scheme | ustring id }
 *     ustring:      i32 length | UTF-8 bytes
 *
 * Readers get bytes whose lengths the wire or storage layer has checked. A null vector reads as an empty list
 * and a null string as an empty one, except in a request, where it matters which (kazoo sends −1 for every empty text);
 * the writer writes neither, so equal lists have equal bytes, and the bytes serve as the key of the ACL table.
 */

import type { Acl } from '../../wire/acl.ts';
import { AclCursor } from '../../wire/cursors.ts';
import { decodeUtf8, utf8Length, writeUtf8 } from '../../wire/utf8.ts';

/** An entry as a request may bring it. */
export interface RequestAcl {
  readonly perms: number;
  readonly scheme: string | null;
  readonly id: string | null;
}

/** The list whose count stands at `start`. */
export function decodeAcls(bytes: Uint8Array, start: number): Acl[] {
  return decodeRequestAcls(bytes, start).map(({ perms, scheme, id }) => ({
    perms,
    scheme: scheme ?? '',
    id: id ?? '',
  }));
}

/** The same with what is null. */
export function decodeRequestAcls(bytes: Uint8Array, start: number): RequestAcl[] {
  const list: RequestAcl[] = [];
  const cursor = new AclCursor();
  cursor.wrap(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), start);
  // One text for all entries of a scheme: less memory, and it is looked up without being hashed anew.
  let before: string | null = null;
  while (cursor.next()) {
    const scheme = textAt(bytes, cursor.schemeStart, cursor.schemeLength);
    if (scheme !== before) before = scheme;
    list.push({
      perms: cursor.perms,
      scheme: before,
      id: textAt(bytes, cursor.idStart, cursor.idLength),
    });
  }
  return list;
}

function textAt(bytes: Uint8Array, start: number, length: number): string | null {
  return length < 0 ? null : decodeUtf8(bytes, start, start + length);
}

export function encodeAcls(list: readonly Acl[]): Uint8Array {
  let length = 4;
  for (const acl of list) length += 12 + utf8Length(acl.scheme) + utf8Length(acl.id);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, list.length);
  let offset = 4;
  for (const acl of list) {
    view.setInt32(offset, acl.perms);
    offset = writeString(view, bytes, acl.scheme, offset + 4);
    offset = writeString(view, bytes, acl.id, offset);
  }
  return bytes;
}

function writeString(view: DataView, bytes: Uint8Array, text: string, offset: number): number {
  const end = writeUtf8(text, bytes, offset + 4);
  view.setInt32(offset, end - offset - 4);
  return end;
}

/**
 * The ACL lists in use, each once: a znode record holds a small id instead of a list. Core thread only; a
 * caller must not hold an id across turns without a reference.
 *
 *   OPEN_ACL_ID (−1)   [31, world:anyone]; always there, not counted; also its id in snapshot files
 *   1, 2, 3 ...        every other list, counted by the records that hold the id
 *
 * An id without a reference stays valid until the next `dropUnreferenced`, which the owner calls between
 * requests (it costs nothing when there is nothing to drop). So preparation may intern first and fail later,
 * and setACL may release before it adds, without any further bookkeeping. Dropped ids are used again.
 *
 * The encoded bytes of a list are its key: interning known bytes neither decodes nor allocates.
 */
import { assert } from '../../base/assert.ts';
import { writeInt64 } from '../../base/int64.ts';
import type { KeyedHash } from '../../base/keyed-hash.ts';
import type { Acl } from '../../wire/acl.ts';
import { OPEN_ACL } from '../../wire/acl.ts';
import { equalBytes } from '../path/path.ts';
import { maskAcls } from './acl.ts';
import { decodeAcls, encodeAcls } from './acl-format.ts';

export type AclId = number;
export const OPEN_ACL_ID: AclId = -1;
/** Not an id: there is no such list. */
export const NO_ACL: AclId = 0;
/** Not ids either: fix-up met a null text; it is long, and for the next turn. */
export const MALFORMED_ACL: AclId = -2;
export const LATER_ACL: AclId = -3;

const OPEN_ACL_BYTES = encodeAcls(OPEN_ACL);
/** Stands in for a list that a snapshot names but does not contain: nobody but a super user may do anything. */
const CLOSED_ACL: readonly Acl[] = [{ perms: 0, scheme: 'world', id: 'anyone' }];
/** `int64 aclId` in front of each list in a snapshot. */
const FILE_ID_BYTES = 8;

/** What clients may make the server keep in different lists. */
const LISTS_BYTES_MAX = 64 * 1024 * 1024;

class AclEntry {
  readonly id: AclId;
  readonly list: readonly Acl[];
  readonly bytes: Uint8Array;
  readonly hash: number;
  /** Next entry whose bytes have the same hash. */
  next: AclEntry | null;
  masked: Uint8Array | null = null;
  references = 0;
  /** On the list that `dropUnreferenced` looks through. */
  idle = false;
  settled = false;

  constructor(id: AclId, list: readonly Acl[], bytes: Uint8Array, hash: number, next: AclEntry | null) {
    this.id = id;
    this.list = list;
    this.bytes = bytes;
    this.hash = hash;
    this.next = next;
  }
}

export class AclTable {
  private readonly hash: KeyedHash;
  /** Indexed by id; 0 is never used. */
  private entries: (AclEntry | null)[] = [null];
  private byHash = new Map<number, AclEntry>();
  private freeIds: AclId[] = [];
  private idle: AclEntry[] = [];
  private readonly openMasked = encodeAcls(maskAcls(OPEN_ACL));
  /** While a snapshot loads: id in the file -> id here. */
  private loaded = new Map<number, AclId>();
  private missing = 0;
  /** Encoded bytes of all lists; their decoded form takes some times as much. */
  private bytes = 0;

  constructor(hash: KeyedHash) {
    this.hash = hash;
  }

  /** The id of a list that fix-up or a file has produced. */
  intern(list: readonly Acl[]): AclId {
    const bytes = encodeAcls(list);
    const known = this.find(bytes, 0, bytes.length);
    return known === NO_ACL ? this.insert(list, bytes) : known;
  }

  /** The same from the bytes of the vector, whose lengths have been checked: log records and snapshots. */
  internBytes(bytes: Uint8Array, start: number, end: number): AclId {
    const known = this.find(bytes, start, end);
    return known === NO_ACL ? this.intern(decodeAcls(bytes, start)) : known;
  }

  /** The id of the list with these bytes, or NO_ACL. */
  find(bytes: Uint8Array, start: number, end: number): AclId {
    const length = end - start;
    if (length === OPEN_ACL_BYTES.length && equalBytes(bytes, start, OPEN_ACL_BYTES, 0, length)) {
      return OPEN_ACL_ID;
    }
    if (this.byHash.size === 0) return NO_ACL;
    let entry = this.byHash.get(this.hash.of(bytes, start, length)) ?? null;
    while (entry !== null) {
      if (entry.bytes.length === length && equalBytes(bytes, start, entry.bytes, 0, length)) return entry.id;
      entry = entry.next;
    }
    return NO_ACL;
  }

  isOpen(id: AclId): boolean {
    return id === OPEN_ACL_ID;
  }

  get(id: AclId): readonly Acl[] {
    return id === OPEN_ACL_ID ? OPEN_ACL : this.entry(id).list;
  }

  /** The vector's bytes, for getACL replies and log records. Not to be changed. */
  encoded(id: AclId): Uint8Array {
    return id === OPEN_ACL_ID ? OPEN_ACL_BYTES : this.entry(id).bytes;
  }

  /** The vector's bytes for a reader without ADMIN. */
  encodedMasked(id: AclId): Uint8Array {
    if (id === OPEN_ACL_ID) return this.openMasked;
    const entry = this.entry(id);
    if (entry.masked === null) entry.masked = encodeAcls(maskAcls(entry.list));
    return entry.masked;
  }

  /** How many entries masking it for a reader without ADMIN would look at: 0 when that has been done. */
  unmaskedEntries(id: AclId): number {
    if (id === OPEN_ACL_ID) return 0;
    const entry = this.entry(id);
    return entry.masked === null ? entry.list.length : 0;
  }

  /** No more lists from clients; those in files are taken all the same. */
  get isFull(): boolean {
    return this.bytes > LISTS_BYTES_MAX;
  }

  addReference(id: AclId): void {
    if (id !== OPEN_ACL_ID) this.entry(id).references++;
  }

  release(id: AclId): void {
    if (id === OPEN_ACL_ID) return;
    const entry = this.entry(id);
    assert(entry.references > 0, 'ACL released more often than referenced');
    if (--entry.references === 0) this.addIdle(entry);
  }

  /** Forgets the ids that nothing refers to. Call it between requests; a snapshot that is loading in pieces keeps its lists. */
  dropUnreferenced(): void {
    if (this.idle.length === 0 || this.loaded.size > 0) return;
    for (const entry of this.idle) {
      entry.idle = false;
      if (entry.references === 0) this.remove(entry);
    }
    this.idle.length = 0;
  }

  /** Fix-up has found that it accepts this list as it is, whoever asks; it may skip its work next time. */
  markSettled(id: AclId): void {
    if (id !== OPEN_ACL_ID) this.entry(id).settled = true;
  }

  isSettled(id: AclId): boolean {
    return id === OPEN_ACL_ID || this.entry(id).settled;
  }

  /** Lists held besides the open one. */
  get size(): number {
    return this.entries.length - 1 - this.freeIds.length;
  }

  // ---- snapshots --------------------------------------------------------------------------------------------

  /** One entry of a snapshot's ACL cache; ids of the file are translated by `loadedId` until `finishLoad`. */
  load(fileId: number, bytes: Uint8Array, start: number, end: number): void {
    this.loaded.set(fileId, this.internBytes(bytes, start, end));
  }

  /** What the record of a node with `fileId` in the file must carry. */
  loadedId(fileId: number): AclId {
    if (fileId === OPEN_ACL_ID) return OPEN_ACL_ID;
    const id = this.loaded.get(fileId);
    if (id !== undefined) return id;
    this.missing++;
    return this.intern(CLOSED_ACL);
  }

  /** Ends loading and drops unused lists; returns how many nodes named a list that the file did not contain. */
  finishLoad(): number {
    const missing = this.missing;
    this.missing = 0;
    this.loaded = new Map();
    this.dropUnreferenced();
    return missing;
  }

  /** Bytes that `encodeAll` writes. */
  encodedLength(): number {
    let length = 4;
    for (const entry of this.entries) {
      if (entry !== null && entry.references > 0) length += FILE_ID_BYTES + entry.bytes.length;
    }
    return length;
  }

  /** The ACL cache of a snapshot: `int32 count | count × { int64 id | vector<ACL> }`. Returns the end offset. */
  encodeAll(out: Uint8Array, offset: number): number {
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    let count = 0;
    let at = offset + 4;
    for (const entry of this.entries) {
      if (entry === null || entry.references === 0) continue;
      count++;
      writeInt64(view, at, entry.id);
      out.set(entry.bytes, at + FILE_ID_BYTES);
      at += FILE_ID_BYTES + entry.bytes.length;
    }
    view.setInt32(offset, count);
    return at;
  }

  // ---- inside -----------------------------------------------------------------------------------------------

  private entry(id: AclId): AclEntry {
    const entry = this.entries[id];
    assert(entry != null, 'no ACL with this id');
    return entry;
  }

  private insert(list: readonly Acl[], bytes: Uint8Array): AclId {
    const id = this.freeIds.pop() ?? this.entries.length;
    const hash = this.hash.of(bytes, 0, bytes.length);
    const entry = new AclEntry(id, list, bytes, hash, this.byHash.get(hash) ?? null);
    this.entries[id] = entry;
    this.bytes += bytes.length;
    this.byHash.set(hash, entry);
    this.addIdle(entry);
    return id;
  }

  private addIdle(entry: AclEntry): void {
    if (entry.idle) return;
    entry.idle = true;
    this.idle.push(entry);
  }

  private remove(entry: AclEntry): void {
    this.entries[entry.id] = null;
    this.bytes -= entry.bytes.length;
    this.freeIds.push(entry.id);
    const first = this.byHash.get(entry.hash)!;
    if (first === entry) {
      if (entry.next === null) this.byHash.delete(entry.hash);
      else this.byHash.set(entry.hash, entry.next);
      return;
    }
    let before = first;
    while (before.next !== entry) before = before.next!;
    before.next = entry.next;
  }
}

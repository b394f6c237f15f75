/**
 * The two questions about ACLs: may this caller do that (`checkAcl`), and what list does a request's ACL stand
 * for (`fixupAcl`). The order of the rules is Apache's and visible to clients. Core thread, pure. The caller
 * answers the commonest cases itself, without a call: `table.isOpen(id)` passes every check.
 */
import type { Acl } from '../../wire/acl.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { NEXT_TURN, Work } from '../progress/turn-work.ts';
import type { AuthId } from './acl.ts';
import { isWorldAnyone, SUPER } from './acl.ts';
import { decodeRequestAcls, type RequestAcl } from './acl-format.ts';
import type { AclId, AclTable } from './acl-table.ts';
import { LATER_ACL, MALFORMED_ACL, NO_ACL } from './acl-table.ts';
import type { AuthProviders } from './auth-providers.ts';

/** An ACL entry of this scheme stands for every id that the caller has authenticated as. */
const AUTH = 'auth';
const WORLD = 'world';

/** Bound what one small request can blow up: entries of scheme auth times ids of the connection. */
const EXPANDED_ENTRIES_MAX = 10_000;
const EXPANDED_CHARACTERS_MAX = 1024 * 1024;

/** Lists and callers with more than this to compare are compared once, not at every request: some microseconds. */
const COMPARISONS_MAX = 32;
/** Lists and callers below that are fixed up whatever the turn has done, and what an entry costs then. */
const SHORT_MAX = 64;
const WORK_PER_ENTRY = 3;

/** What a list with a null text in the wrong place is: Apache fails on it instead of refusing it, and clients see which. */
export const MALFORMED = 'malformed';

/** Entries of one list: no application comes near, and every check of a znode's list goes through it once per caller. */
const ENTRIES_MAX = 10_000;

/** Whether a caller with `ids` has permission `perm`; with several bits in `perm`, any one of them suffices. */
export function checkAcl(
  list: readonly Acl[],
  perm: number,
  ids: readonly AuthId[],
  providers: AuthProviders,
): boolean {
  if (providers.skipAcl || list.length === 0) return true;
  for (const id of ids) if (id.scheme === SUPER) return true;
  if (list.length * ids.length > COMPARISONS_MAX)
    return (providers.grants.of(list, ids, providers) & perm) !== 0;
  for (const acl of list) {
    if ((acl.perms & perm) !== 0 && (isWorldAnyone(acl) || matchesAny(acl, ids, providers))) return true;
  }
  return false;
}

/**
 * The same as an error code: ok, noAuth; or NEXT_TURN, when finding it out is long and the turn has no time left for it.
 */
export function accessOf(
  list: readonly Acl[],
  perm: number,
  ids: readonly AuthId[],
  providers: AuthProviders,
): number {
  if (list.length * ids.length > COMPARISONS_MAX && providers.grants.mustWait(list, ids)) return NEXT_TURN;
  return checkAcl(list, perm, ids, providers) ? ErrorCode.ok : ErrorCode.noAuth;
}

function matchesAny(acl: Acl, ids: readonly AuthId[], providers: AuthProviders): boolean {
  const provider = providers.get(acl.scheme);
  if (provider === undefined) return false;
  for (const id of ids) {
    if (id.scheme === acl.scheme && provider.matches(id.id, acl.id)) return true;
  }
  return false;
}

/**
 * The list to store for a create or setACL request: exact duplicates dropped, `auth` entries replaced by the
 * caller's authenticated ids. null = INVALIDACL: nothing left, an unknown scheme, an id its scheme refuses, or
 * `auth` from a caller who is not authenticated. Permissions are stored as given.
 */
export function fixupAcl(
  list: readonly RequestAcl[],
  ids: readonly AuthId[],
  providers: AuthProviders,
): readonly Acl[] | null | typeof MALFORMED {
  if (list.length === 0) return null;
  if (comparesNull(list)) return MALFORMED;
  const fixed: Acl[] = [];
  const expansion = new AuthExpansion(ids, providers, fixed);
  const seen = new Set<string>();
  for (const { perms, scheme, id } of list) {
    if (scheme === null) return null;
    const size = seen.size;
    if (id !== null && seen.add(`${perms} ${scheme.length} ${scheme}${id}`).size === size) continue;
    if (scheme === AUTH) {
      if (!expansion.add(perms)) return null;
      continue;
    }
    const provider = providers.get(scheme);
    if (id === null) return provider !== undefined || scheme === WORLD ? MALFORMED : null;
    const acl = { perms, scheme, id };
    if (!isWorldAnyone(acl) && provider?.isValidId(id) !== true) return null;
    fixed.push(acl);
  }
  return fixed;
}

/**
 * Whether looking for duplicates, each entry among those before it, comes to call a null text: permissions are
 * compared first, then schemes, then ids, each only if what is before it is equal.
 */
function comparesNull(list: readonly RequestAcl[]): boolean {
  if (!list.some(({ scheme, id }) => scheme === null || id === null)) return false;
  const before = new Set<number | string>();
  for (const { perms, scheme, id } of list) {
    if (scheme === null ? before.has(perms) : id === null && before.has(`${perms} ${scheme}`)) return true;
    before.add(perms);
    if (scheme !== null) before.add(`${perms} ${scheme}`);
  }
  return false;
}

/**
 * The same from the bytes of the request to an id of the table, or MALFORMED_ACL, or LATER_ACL = long work for which the
 * turn has no time left, or NO_ACL = INVALIDACL: as above, or more entries than a list may have, or more bytes of lists
 * than all znodes together may. Neither decodes nor allocates when the list is the open one or has been seen before and
 * contains no `auth` entry.
 */
export function fixupAclBytes(
  table: AclTable,
  bytes: Uint8Array,
  start: number,
  end: number,
  ids: readonly AuthId[],
  providers: AuthProviders,
): AclId {
  const known = table.find(bytes, start, end);
  if (known !== NO_ACL && table.isSettled(known)) return known;
  const count = entryCount(bytes, start);
  if (count > ENTRIES_MAX) return NO_ACL;
  const { work } = providers;
  if (work.isSpent && count + ids.length > SHORT_MAX) return LATER_ACL;
  const fixed = fixupAcl(decodeRequestAcls(bytes, start), ids, providers);
  work.charge(Work.aclEntries, WORK_PER_ENTRY * (count + (fixed === null ? 0 : fixed.length)));
  if (fixed === MALFORMED) return MALFORMED_ACL;
  if (fixed === null || table.isFull) return NO_ACL;
  const id = table.intern(fixed);
  // No entry of scheme auth survives fix-up, so a list that came out as it went in does so for every caller.
  if (id === table.find(bytes, start, end)) table.markSettled(id);
  return id;
}

function entryCount(bytes: Uint8Array, start: number): number {
  return (bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!;
}

/** What the `auth` entries of one list become: an entry for each authenticated id of the caller, within bounds. */
class AuthExpansion {
  private readonly ids: readonly AuthId[];
  private readonly into: Acl[];
  private characters = 0;

  constructor(ids: readonly AuthId[], providers: AuthProviders, into: Acl[]) {
    this.ids = ids.filter((id) => providers.get(id.scheme)?.authenticated === true);
    this.into = into;
  }

  /** False: there is no such id, or the list would grow too long. */
  add(perms: number): boolean {
    for (const { scheme, id } of this.ids) {
      this.characters += id.length;
      if (this.into.length >= EXPANDED_ENTRIES_MAX || this.characters > EXPANDED_CHARACTERS_MAX) return false;
      this.into.push({ perms, scheme, id });
    }
    return this.ids.length > 0;
  }
}

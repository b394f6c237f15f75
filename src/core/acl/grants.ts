/**
 * Which permissions a caller has under a long list: found once for each pair of list and caller and then remembered, and
 * charged to the turn, because a list of 10,000 entries against a thousand ids would otherwise be compared anew at every
 * request. Where equal text is what matches, it is looked up:
 *
 *     one caller, list after list     each list is gone through, its entries looked up among the caller's ids
 *     one list, caller after caller   (the watches of one znode) from the second on the other way round: the ids are looked
 *                                     up among the entries
 *
 * Keyed by the objects themselves: a list in use is one object, a caller who proves another id has another array, and
 * with either of them what was remembered goes. Core thread.
 */
import type { Acl } from '../../wire/acl.ts';
import { type TurnWork, Work } from '../progress/turn-work.ts';
import type { AuthId } from './acl.ts';
import { isWorldAnyone } from './acl.ts';

/** How the ids of each scheme match. */
interface Schemes {
  get(scheme: string): Matcher | undefined;
}

interface Matcher {
  matches(callerId: string, aclId: string): boolean;
  /** `matches` is equality. */
  readonly matchesEqualText: boolean;
}

/** To put an entry into a table, and to compare one that is not looked up (an address), is as much work as so many look-ups. */
const LOOKUPS_PER_INSERT = 4;
const LOOKUPS_PER_MATCH = 8;

export class Grants {
  private readonly work: TurnWork;
  private readonly known = new WeakMap<readonly AuthId[], WeakMap<readonly Acl[], number>>();
  /** The list and the caller that were asked for last. */
  private list: readonly Acl[] = [];
  private caller: CallerIds = new CallerIds([]);
  /** Of `list`, once a second caller has asked for it. */
  private entries: ListEntries | null = null;

  constructor(work: TurnWork) {
    this.work = work;
  }

  /** It would have to be found out, and the turn has no time left for it. */
  mustWait(list: readonly Acl[], ids: readonly AuthId[]): boolean {
    return this.work.isSpent && this.known.get(ids)?.get(list) === undefined;
  }

  /** The permission bits of all entries that match the caller. */
  of(list: readonly Acl[], ids: readonly AuthId[], schemes: Schemes): number {
    let ofCaller = this.known.get(ids);
    if (ofCaller === undefined) {
      ofCaller = new WeakMap();
      this.known.set(ids, ofCaller);
    }
    let perms = ofCaller.get(list);
    if (perms === undefined) {
      perms = list === this.list ? this.lookUpIds(ids, schemes) : this.lookUpEntries(list, ids, schemes);
      ofCaller.set(list, perms);
    }
    return perms;
  }

  private lookUpIds(ids: readonly AuthId[], schemes: Schemes): number {
    const { work, list } = this;
    if (this.entries === null) {
      this.entries = new ListEntries(list, schemes);
      work.charge(Work.aclEntries, LOOKUPS_PER_INSERT * list.length);
    }
    const { entries } = this;
    work.charge(Work.aclEntries, ids.length + LOOKUPS_PER_MATCH * entries.matched.length);
    let perms = entries.permsOf(ids);
    for (const acl of entries.matched) {
      if ((acl.perms & ~perms) !== 0 && matchesAny(acl, ids, schemes.get(acl.scheme)!)) perms |= acl.perms;
    }
    return perms;
  }

  private lookUpEntries(list: readonly Acl[], ids: readonly AuthId[], schemes: Schemes): number {
    this.list = list;
    this.entries = null;
    if (this.caller.ids !== ids) {
      this.caller = new CallerIds(ids);
      this.work.charge(Work.aclEntries, LOOKUPS_PER_INSERT * ids.length);
    }
    const { caller } = this;
    let perms = 0;
    let lookups = 0;
    for (const acl of list) {
      lookups++;
      if ((acl.perms & ~perms) === 0) continue;
      const scheme = schemes.get(acl.scheme);
      if (isWorldAnyone(acl)) perms |= acl.perms;
      else if (scheme === undefined) continue;
      else if (scheme.matchesEqualText) perms |= caller.has(acl) ? acl.perms : 0;
      else {
        lookups += LOOKUPS_PER_MATCH;
        if (matchesAny(acl, ids, scheme)) perms |= acl.perms;
      }
    }
    this.work.charge(Work.aclEntries, lookups);
    return perms;
  }
}

/** The ids of one caller, by scheme. */
class CallerIds {
  readonly ids: readonly AuthId[];
  private readonly byScheme = new Map<string, Set<string>>();

  constructor(ids: readonly AuthId[]) {
    this.ids = ids;
    for (const { scheme, id } of ids) {
      const known = this.byScheme.get(scheme);
      if (known === undefined) this.byScheme.set(scheme, new Set([id]));
      else known.add(id);
    }
  }

  has({ scheme, id }: Acl): boolean {
    return this.byScheme.get(scheme)?.has(id) === true;
  }
}

/** The entries of one list by whom they speak of. */
class ListEntries {
  /** Those that are not looked up. */
  readonly matched: Acl[] = [];
  /** What everybody has. */
  private anyone = 0;
  /** Scheme, then id. */
  private readonly byScheme = new Map<string, Map<string, number>>();

  constructor(list: readonly Acl[], schemes: Schemes) {
    for (const acl of list) {
      const scheme = schemes.get(acl.scheme);
      if (isWorldAnyone(acl)) this.anyone |= acl.perms;
      else if (scheme?.matchesEqualText === true) this.add(acl);
      else if (scheme !== undefined) this.matched.push(acl);
    }
  }

  permsOf(ids: readonly AuthId[]): number {
    let perms = this.anyone;
    for (const { scheme, id } of ids) perms |= this.byScheme.get(scheme)?.get(id) ?? 0;
    return perms;
  }

  private add({ scheme, id, perms }: Acl): void {
    const known = this.byScheme.get(scheme) ?? new Map<string, number>();
    this.byScheme.set(scheme, known);
    known.set(id, (known.get(id) ?? 0) | perms);
  }
}

function matchesAny(acl: Acl, ids: readonly AuthId[], scheme: Matcher): boolean {
  for (const id of ids) {
    if (id.scheme === acl.scheme && scheme.matches(id.id, acl.id)) return true;
  }
  return false;
}

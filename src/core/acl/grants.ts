/**
 * Which permissions a caller has under a long list: found once for each pair of list and caller and then remembered,
 * because a list of 10,000 entries against a thousand ids would otherwise be compared anew at every request. The ids
 * of one scheme are looked up instead of compared where equal text is what matches. Core thread.
 *
 * Keyed by the objects themselves: a list in use is one object, a caller who proves another id has another array, and
 * with either of them what was remembered goes.
 */
import type { Acl } from '../../wire/acl.ts';
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

export class Grants {
  private readonly known = new WeakMap<readonly AuthId[], WeakMap<readonly Acl[], number>>();

  /** The permission bits of all entries that match the caller. */
  of(list: readonly Acl[], ids: readonly AuthId[], schemes: Schemes): number {
    let ofCaller = this.known.get(ids);
    if (ofCaller === undefined) {
      ofCaller = new WeakMap();
      this.known.set(ids, ofCaller);
    }
    let perms = ofCaller.get(list);
    if (perms === undefined) {
      perms = grantedPerms(list, ids, schemes);
      ofCaller.set(list, perms);
    }
    return perms;
  }
}

function grantedPerms(list: readonly Acl[], ids: readonly AuthId[], schemes: Schemes): number {
  const texts = new Set<string>();
  for (const { scheme, id } of ids) texts.add(`${scheme} ${id}`);
  let perms = 0;
  for (const acl of list) {
    if ((acl.perms & ~perms) === 0) continue;
    if (isWorldAnyone(acl) || matches(acl, texts, ids, schemes)) perms |= acl.perms;
  }
  return perms;
}

function matches(acl: Acl, texts: ReadonlySet<string>, ids: readonly AuthId[], schemes: Schemes): boolean {
  const provider = schemes.get(acl.scheme);
  if (provider === undefined) return false;
  if (provider.matchesEqualText) return texts.has(`${acl.scheme} ${acl.id}`);
  for (const id of ids) {
    if (id.scheme === acl.scheme && provider.matches(id.id, acl.id)) return true;
  }
  return false;
}

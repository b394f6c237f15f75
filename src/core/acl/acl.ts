/**
 * What the core knows of ACLs beyond their encoding: well-known lists and ids, and how a list looks to those who may
 * not administer it.
 */
import { type Acl, type Id, Perm } from '../../wire/acl.ts';

/** What a connection has proved to be; it may carry several. */
export type AuthId = Id;

const WORLD = 'world';
const ANYONE = 'anyone';
/** Granted by the super digest; bypasses every ACL and cannot be used in one. */
export const SUPER = 'super';

/** The list of /zookeeper/config. */
export const READ_ONLY_ACL: readonly Acl[] = [{ perms: Perm.read, scheme: WORLD, id: ANYONE }];

export function isWorldAnyone(acl: Acl): boolean {
  return acl.scheme === WORLD && acl.id === ANYONE;
}

/**
 * The list as someone without ADMIN sees it: the password digest of each `digest` id, everything from the first
 * colon on, reads "x".
 */
export function maskAcls(list: readonly Acl[]): Acl[] {
  const masked: Acl[] = [];
  for (const acl of list) {
    const colon = acl.scheme === 'digest' ? acl.id.indexOf(':') : -1;
    masked.push(colon < 0 ? acl : { ...acl, id: acl.id.slice(0, colon) + ':x' });
  }
  return masked;
}

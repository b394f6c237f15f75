/**
 * What an ACL is: values without behaviour. A list of entries hangs on every znode; an entry grants permission
 * bits to an id of a scheme. There are no deny entries and nothing is inherited.
 */

export interface Acl {
  /** Stored as the client gave it: bits above `Perm.all` and 0 are legal and meaningless. */
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}

/** What a connection has proved to be; it may carry several. */
export interface AuthId {
  readonly scheme: string;
  readonly id: string;
}

export const Perm = {
  read: 1,
  write: 2,
  create: 4,
  delete: 8,
  admin: 16,
  all: 31,
} as const;

const WORLD = 'world';
const ANYONE = 'anyone';
/** Granted by the super digest; bypasses every ACL and cannot be used in one. */
export const SUPER = 'super';

/** `[31, world:anyone]`: by far the most common list. */
export const OPEN_ACL: readonly Acl[] = [{ perms: Perm.all, scheme: WORLD, id: ANYONE }];
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

/** Who may do what in a run, by rules of its own: users with a password, lists of permissions, what becomes of them in the log. */
import { createHash } from 'node:crypto';
import { Perm, type SentAcl } from '../../src/wire/acl.ts';

/** A client proves to be one of them at the begin of each connection, or nobody. */
export const USERS: readonly (string | null)[] = [null, 'ann', 'bob'];
const ALL = 31;
const digests = new Map<string, string>();

/** What a user proves with. */
export function credentialOf(user: string): string {
  return `${user}:password of ${user}`;
}

export function digestOf(user: string): string {
  let digest = digests.get(user);
  if (digest === undefined) {
    digest = `${user}:${createHash('sha1').update(credentialOf(user)).digest('base64')}`;
    digests.set(user, digest);
  }
  return digest;
}

/** Lists that clients ask for; an entry of scheme auth stands for who asks. */
export const LISTS: readonly (readonly SentAcl[])[] = [
  [{ perms: Perm.read, scheme: 'world', id: 'anyone' }],
  [{ perms: ALL, scheme: 'auth', id: '' }],
  [
    { perms: ALL, scheme: 'digest', id: digestOf('ann') },
    { perms: Perm.create | Perm.write, scheme: 'world', id: 'anyone' },
  ],
  [
    { perms: Perm.read | Perm.admin, scheme: 'digest', id: digestOf('bob') },
    { perms: Perm.delete | Perm.read, scheme: 'digest', id: digestOf('ann') },
  ],
];

export function permits(list: readonly SentAcl[], perm: number, user: string | null): boolean {
  const mine = user === null ? null : digestOf(user);
  return list.some(({ perms, scheme, id }) => {
    return (perms & perm) !== 0 && (scheme === 'world' || (scheme === 'digest' && id === mine));
  });
}

/** What the log must say of a list that was asked for; null: it must be refused. */
export function loggedAs(list: readonly SentAcl[], user: string | null): readonly SentAcl[] | null {
  if (user === null && list.some(({ scheme }) => scheme === 'auth')) return null;
  return list.map((entry) =>
    entry.scheme === 'auth' ? { ...entry, scheme: 'digest', id: digestOf(user!) } : entry,
  );
}

/** What who may not administer a znode is told of its list. */
export function masked(list: readonly SentAcl[]): readonly SentAcl[] {
  return list.map((entry) => {
    return entry.scheme === 'digest' ? { ...entry, id: entry.id!.replace(/:.*/, ':x') } : entry;
  });
}

export function listText(list: readonly SentAcl[] | null): string {
  return (list ?? []).map(({ perms, scheme, id }) => `${perms} ${scheme} ${id}`).join(', ');
}

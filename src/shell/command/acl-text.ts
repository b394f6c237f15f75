/**
 * ACLs as people write them: `scheme:id:perms`, several with commas between. An id may have colons in it. Pure.
 */
import { type Acl, Perm } from '../../client/index.ts';
import { usageError } from './failure.ts';
import type { Json } from './output.ts';

/** In the order in which they are printed. */
const LETTERS: readonly (readonly [letter: string, bit: number])[] = [
  ['c', Perm.create],
  ['d', Perm.delete],
  ['r', Perm.read],
  ['w', Perm.write],
  ['a', Perm.admin],
];

/** An entry as it comes from a server. */
export interface AclEntry {
  readonly perms: number;
  readonly scheme: string | null;
  readonly id: string | null;
}

/** @throws ShellError that names the entry. */
export function parseAcl(text: string): Acl[] {
  return text.split(',').map((entry) => {
    const first = entry.indexOf(':');
    const last = entry.lastIndexOf(':');
    if (first < 0 || first === last) {
      throw usageError(
        `ACL entry "${entry}" does not have the form scheme:id:perms (perms of ${allLetters()})`,
      );
    }
    const scheme = entry.slice(0, first);
    const id = entry.slice(first + 1, last);
    return { scheme, id, perms: parsePerms(entry.slice(last + 1), entry) };
  });
}

export function permsText(perms: number): string {
  return LETTERS.filter(([, bit]) => (perms & bit) !== 0)
    .map(([letter]) => letter)
    .join('');
}

/** As Apache's shell prints it. */
export function aclText(acl: readonly AclEntry[]): string {
  return acl.map(({ scheme, id, perms }) => `'${scheme},'${id}\n: ${permsText(perms)}`).join('\n');
}

/** `scheme:id:perms` of each, joined. */
export function aclLine(acl: readonly AclEntry[]): string {
  return acl.map(({ scheme, id, perms }) => `${scheme}:${id}:${permsText(perms)}`).join(',');
}

export function aclJson(acl: readonly AclEntry[]): Json {
  return acl.map(({ scheme, id, perms }) => ({ scheme, id, perms: permsText(perms) }));
}

export function isOpenAcl(acl: readonly AclEntry[]): boolean {
  const [only] = acl;
  return acl.length === 1 && only?.scheme === 'world' && only.id === 'anyone' && only.perms === Perm.all;
}

export function parsePerms(text: string, entry: string): number {
  let perms = 0;
  for (const letter of text) {
    const known = LETTERS.find(([one]) => one === letter);
    if (known === undefined)
      throw usageError(`ACL entry "${entry}": "${letter}" is no permission (those are ${allLetters()})`);
    perms |= known[1];
  }
  return perms;
}

function allLetters(): string {
  return LETTERS.map(([letter]) => letter).join('');
}

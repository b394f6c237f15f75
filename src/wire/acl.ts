/**
 * ACLs as values. The data plane walks the encoded vector with `AclCursor` and copies it as a whole. Pure, any
 * thread.
 *
 *     ACL:  i32 perms | Id
 *     Id:   ustring scheme | ustring id          some clients send null for an empty string
 */
import type { JuteReader } from './jute-reader.ts';
import type { JuteWriter } from './jute-writer.ts';

export const Perm = {
  read: 1,
  write: 2,
  create: 4,
  delete: 8,
  admin: 16,
  all: 31,
} as const;

export interface Id {
  readonly scheme: string | null;
  readonly id: string | null;
}

export interface Acl extends Id {
  readonly perms: number;
}

/** Everybody may do everything. */
export const OPEN_ACL: readonly Acl[] = [{ perms: Perm.all, scheme: 'world', id: 'anyone' }];

export function readAcl(reader: JuteReader): Acl {
  return { perms: reader.readInt(), scheme: reader.readString(), id: reader.readString() };
}

export function writeAcl(writer: JuteWriter, acl: Acl): void {
  writer.writeInt(acl.perms);
  writer.writeString(acl.scheme);
  writer.writeString(acl.id);
}

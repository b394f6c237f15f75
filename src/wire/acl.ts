/**
 * ACLs as values, for every layer. The data plane walks the encoded vector with `AclCursor` and copies it as a whole. Pure, any
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

/** Whom an entry speaks of. */
export interface Id {
  readonly scheme: string;
  readonly id: string;
}

/** One entry of a list: there are no deny entries, and nothing is inherited from the parent. */
export interface Acl extends Id {
  /** As the client gave it: 0 and bits above `Perm.all` are legal and meaningless. */
  readonly perms: number;
}

/** An entry as it travels: null where a client sent null for an empty text. */
export interface SentAcl {
  readonly perms: number;
  readonly scheme: string | null;
  readonly id: string | null;
}

/** Everybody may do everything. */
export const OPEN_ACL: readonly Acl[] = [{ perms: Perm.all, scheme: 'world', id: 'anyone' }];

export function readAcl(reader: JuteReader): SentAcl {
  return { perms: reader.readInt(), scheme: reader.readString(), id: reader.readString() };
}

export function writeAcl(writer: JuteWriter, acl: SentAcl): void {
  writer.writeInt(acl.perms);
  writer.writeString(acl.scheme);
  writer.writeString(acl.id);
}

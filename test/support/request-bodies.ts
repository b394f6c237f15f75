/** The record of each client request, without the request header, as bytes. Grammar: client-wire.md, section 6. */
import { JuteWriter } from './jute.ts';

export interface Acl {
  readonly perms: number;
  readonly scheme: string | null;
  readonly id: string | null;
}

export const OPEN_ACL: readonly Acl[] = [{ perms: 31, scheme: 'world', id: 'anyone' }];

export function path(value: string | null): Uint8Array {
  return new JuteWriter().string(value).finish();
}

export function pathAndBool(value: string | null, flag: boolean): Uint8Array {
  return new JuteWriter().string(value).bool(flag).finish();
}

/** delete, check (version); addWatch (mode); removeWatches, checkWatches (type). */
export function pathAndInt(value: string | null, number: number): Uint8Array {
  return new JuteWriter().string(value).int(number).finish();
}

export interface CreateFields {
  readonly path: string | null;
  readonly data: Uint8Array | null;
  readonly acls: readonly Acl[] | null;
  readonly flags: number;
  /** Present for createTTL only. */
  readonly ttl?: bigint;
}

export function create(fields: CreateFields): Uint8Array {
  const writer = new JuteWriter().string(fields.path).buffer(fields.data);
  writeAcls(writer, fields.acls).int(fields.flags);
  if (fields.ttl !== undefined) writer.long(fields.ttl);
  return writer.finish();
}

export function setData(value: string | null, data: Uint8Array | null, version: number): Uint8Array {
  return new JuteWriter().string(value).buffer(data).int(version).finish();
}

export function setAcl(value: string | null, acls: readonly Acl[] | null, version: number): Uint8Array {
  return writeAcls(new JuteWriter().string(value), acls).int(version).finish();
}

export function auth(scheme: string | null, credential: Uint8Array | null): Uint8Array {
  return new JuteWriter().int(0).string(scheme).buffer(credential).finish();
}

export interface WatchLists {
  readonly relativeZxid: bigint;
  readonly data: readonly string[];
  readonly exist: readonly string[];
  readonly child: readonly string[];
  /** Both present: setWatches2. */
  readonly persistent?: readonly string[];
  readonly recursive?: readonly string[];
}

export function setWatches(lists: WatchLists): Uint8Array {
  const writer = new JuteWriter().long(lists.relativeZxid);
  writer.strings(lists.data).strings(lists.exist).strings(lists.child);
  if (lists.persistent !== undefined && lists.recursive !== undefined) {
    writer.strings(lists.persistent).strings(lists.recursive);
  }
  return writer.finish();
}

export interface ReconfigFields {
  readonly joining: string | null;
  readonly leaving: string | null;
  readonly members: string | null;
  readonly configId: bigint;
}

export function reconfig(fields: ReconfigFields): Uint8Array {
  const writer = new JuteWriter().string(fields.joining).string(fields.leaving).string(fields.members);
  return writer.long(fields.configId).finish();
}

/** `MultiHeader{type, done, err} | record` per sub-operation, then the terminator. */
export function multi(subOps: readonly { readonly op: number; readonly body: Uint8Array }[]): Uint8Array {
  const writer = new JuteWriter();
  for (const { op, body } of subOps) writer.int(op).bool(false).int(-1).raw(body);
  return writer.int(-1).bool(true).int(-1).finish();
}

export interface ConnectFields {
  readonly lastZxidSeen?: bigint;
  readonly timeoutMs: number;
  readonly sessionId?: bigint;
  readonly password?: Uint8Array | null;
  /** Absent: the byte is left out, as clients up to 3.3 did. */
  readonly readOnly?: boolean;
}

export function connectRequest(fields: ConnectFields): Uint8Array {
  const writer = new JuteWriter()
    .int(0)
    .long(fields.lastZxidSeen ?? 0n)
    .int(fields.timeoutMs);
  writer
    .long(fields.sessionId ?? 0n)
    .buffer(fields.password === undefined ? new Uint8Array(16) : fields.password);
  if (fields.readOnly !== undefined) writer.bool(fields.readOnly);
  return writer.finish();
}

function writeAcls(writer: JuteWriter, acls: readonly Acl[] | null): JuteWriter {
  if (acls === null) return writer.int(-1);
  writer.int(acls.length);
  for (const acl of acls) writer.int(acl.perms).string(acl.scheme).string(acl.id);
  return writer;
}

/** Requests as values with the usual defaults, so that a scene reads as what its clients do. */
import type { Acl } from '../../../src/wire/acl.ts';
import { OPEN_ACL } from '../../../src/wire/acl.ts';
import { CreateFlags, OpCode } from '../../../src/wire/opcodes.ts';
import type { MultiSubRequest } from '../../../src/wire/request-values.ts';

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function create(
  path: string,
  data: Uint8Array | string | null = '',
  flags = 0,
  acl: readonly Acl[] = OPEN_ACL,
) {
  return { op: OpCode.create, path, data: typeof data === 'string' ? text(data) : data, acl, flags } as const;
}

export function ephemeral(path: string, data = '') {
  return create(path, data, CreateFlags.ephemeral);
}

export function sequential(path: string) {
  return create(path, '', CreateFlags.persistentSequential);
}

export function container(path: string) {
  const { data, acl } = create(path);
  return { op: OpCode.createContainer, path, data, acl, flags: CreateFlags.container } as const;
}

export function ttlNode(path: string, ttl: number) {
  const { data, acl } = create(path);
  return { op: OpCode.createTtl, path, data, acl, flags: CreateFlags.persistentTtl, ttl } as const;
}

export function remove(path: string, version = -1) {
  return { op: OpCode.delete, path, version } as const;
}

export function setData(path: string, data: Uint8Array | string | null, version = -1) {
  return { op: OpCode.setData, path, data: typeof data === 'string' ? text(data) : data, version } as const;
}

export function setAcl(path: string, acl: readonly Acl[], version = -1) {
  return { op: OpCode.setAcl, path, acl, version } as const;
}

export function check(path: string, version = -1) {
  return { op: OpCode.check, path, version } as const;
}

export function multi(...subs: readonly MultiSubRequest[]) {
  return { op: OpCode.multi, subs } as const;
}

export function getData(path: string, watch = false) {
  return { op: OpCode.getData, path, watch } as const;
}

export function exists(path: string, watch = false) {
  return { op: OpCode.exists, path, watch } as const;
}

export function getChildren(path: string, watch = false) {
  return { op: OpCode.getChildren, path, watch } as const;
}

export function getChildren2(path: string, watch = false) {
  return { op: OpCode.getChildren2, path, watch } as const;
}

export function addWatch(path: string, mode = 0) {
  return { op: OpCode.addWatch, path, mode } as const;
}

export function auth(scheme: string, credential: string) {
  return { op: OpCode.auth, scheme, auth: text(credential) } as const;
}

export const PING = { op: OpCode.ping } as const;
export const CLOSE = { op: OpCode.closeSession } as const;

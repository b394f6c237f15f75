/**
 * Operations as plain values, so that code can compose them before they are sent together; what each of them gives back;
 * and their form on the wire. `multi([op.create(…), op.check(…)])` knows the type of each result. Pure.
 */
import { type Acl, OPEN_ACL } from '../wire/acl.ts';
import { CreateFlags, OpCode } from '../wire/opcodes.ts';
import type { MultiSubRequest } from '../wire/request-values.ts';
import { ANY_VERSION } from '../wire/requests.ts';
import type { MultiResult } from '../wire/responses.ts';
import type { Stat } from '../wire/stat.ts';
import { toClientPath, toServerPath, validatePath } from './paths.ts';

/** Text is stored as UTF-8; null is something else than no bytes. */
export type Data = Uint8Array | string | null;

export type CreateMode =
  | 'persistent'
  | 'persistentSequential'
  | 'ephemeral'
  | 'ephemeralSequential'
  /** Removed by the server some time after its last child is gone. */
  | 'container';

export interface CreateFields {
  readonly mode?: CreateMode;
  /** Persistent modes only: removed by the server when unchanged and childless for so long. */
  readonly ttlMs?: number;
  /** Default: everybody may do everything. */
  readonly acl?: readonly Acl[];
}

export interface Created {
  /** With the sequence number that the server gave it. */
  readonly path: string;
  /** null from servers before 3.9 inside a multi. */
  readonly stat: Stat | null;
  /** Only of `resolve`, behind a lost reply: another may have made the same at the same time. */
  readonly maybeOther?: boolean;
}

export interface CreateOp extends CreateFields {
  readonly kind: 'create';
  readonly path: string;
  readonly data: Data;
}

export interface DeleteOp {
  readonly kind: 'delete';
  readonly path: string;
  readonly version: number;
}

export interface SetDataOp {
  readonly kind: 'setData';
  readonly path: string;
  readonly data: Data;
  readonly version: number;
}

export interface CheckOp {
  readonly kind: 'check';
  readonly path: string;
  readonly version: number;
}

export interface GetDataOp {
  readonly kind: 'getData';
  readonly path: string;
}

export interface GetChildrenOp {
  readonly kind: 'getChildren';
  readonly path: string;
}

export type WriteOp = CreateOp | DeleteOp | SetDataOp | CheckOp;
export type ReadOp = GetDataOp | GetChildrenOp;

export interface NodeData {
  readonly data: Uint8Array | null;
  readonly stat: Stat;
}

/** What an operation gives back. */
export type ResultOf<O> = O extends CreateOp
  ? Created
  : O extends SetDataOp
    ? Stat
    : O extends GetDataOp
      ? NodeData
      : O extends GetChildrenOp
        ? readonly string[]
        : undefined;

/** Builders; a version left out means any. */
export const op = {
  create: (path: string, data: Data = null, fields: CreateFields = {}): CreateOp => ({
    kind: 'create',
    path,
    data,
    ...fields,
  }),
  delete: (path: string, version: number = ANY_VERSION): DeleteOp => ({ kind: 'delete', path, version }),
  setData: (path: string, data: Data, version: number = ANY_VERSION): SetDataOp => ({
    kind: 'setData',
    path,
    data,
    version,
  }),
  check: (path: string, version: number = ANY_VERSION): CheckOp => ({ kind: 'check', path, version }),
  getData: (path: string): GetDataOp => ({ kind: 'getData', path }),
  getChildren: (path: string): GetChildrenOp => ({ kind: 'getChildren', path }),
} as const;

/** The form on the wire; alone, creates ask for their Stat as well. */
export function toRequest(operation: WriteOp | ReadOp, chroot: string): MultiSubRequest {
  const path = toServerPath(chroot, operation.path);
  switch (operation.kind) {
    case 'create':
      return createRequest(operation, path);
    case 'delete':
      return { op: OpCode.delete, path, version: operation.version };
    case 'setData':
      return { op: OpCode.setData, path, data: toBytes(operation.data), version: operation.version };
    case 'check':
      return { op: OpCode.check, path, version: operation.version };
    case 'getData':
      return { op: OpCode.getData, path, watch: false };
    case 'getChildren':
      return { op: OpCode.getChildren, path, watch: false };
  }
}

/** @throws TypeError when no server would take it. */
export function validateOperation(operation: WriteOp | ReadOp): void {
  const sequential = operation.kind === 'create' && (operation.mode?.endsWith('Sequential') ?? false);
  // A sequential znode may be named by its number alone.
  validatePath(
    sequential && operation.path.endsWith('/') ? `${operation.path}0` : operation.path,
    operation.kind,
  );
  if (operation.kind !== 'create' || operation.ttlMs === undefined) return;
  const mode = operation.mode ?? 'persistent';
  if (mode !== 'persistent' && mode !== 'persistentSequential') {
    throw new TypeError(`create ${operation.path}: ttlMs goes with persistent modes, not with ${mode}`);
  }
}

function createRequest(operation: CreateOp, path: string): MultiSubRequest {
  const { mode = 'persistent', ttlMs, acl = OPEN_ACL } = operation;
  const data = toBytes(operation.data);
  if (ttlMs !== undefined) {
    const flags = mode === 'persistent' ? CreateFlags.persistentTtl : CreateFlags.persistentSequentialTtl;
    return { op: OpCode.createTtl, path, data, acl, flags, ttl: ttlMs };
  }
  const opcode = mode === 'container' ? OpCode.createContainer : OpCode.create2;
  return { op: opcode, path, data, acl, flags: CreateFlags[mode] };
}

/** One result of a multi that was applied. */
export function fromResult(result: MultiResult, chroot: string): unknown {
  switch (result.op) {
    case OpCode.create:
      return { path: toClientPath(chroot, result.path), stat: null };
    case OpCode.create2:
      return { path: toClientPath(chroot, result.path), stat: result.stat };
    case OpCode.setData:
      return result.stat;
    case OpCode.getData:
      return { data: result.data, stat: result.stat };
    case OpCode.getChildren:
      return result.children;
    default:
      return undefined;
  }
}

const encoder = new TextEncoder();

export function toBytes(data: Data): Uint8Array | null {
  return typeof data === 'string' ? encoder.encode(data) : data;
}

/** About what an operation takes in a frame, from above. */
export function sizeOf(operation: WriteOp | ReadOp): number {
  const data = 'data' in operation ? operation.data : null;
  const dataBytes = data === null ? 0 : typeof data === 'string' ? data.length * 3 : data.length;
  const acl = 'acl' in operation ? (operation.acl ?? []) : [];
  const aclBytes = acl.reduce((sum, one) => sum + 12 + 3 * (one.scheme.length + one.id.length), 64);
  return dataBytes + aclBytes + operation.path.length * 3;
}

/**
 * What the protocol says a request comes to in a given state: the error, or the transaction's effect. Independent of the
 * server's own preparation; only what the workload asks for is here.
 */

import { Perm, type SentAcl } from '../../src/wire/acl.ts';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { CreateFlags, OpCode } from '../../src/wire/opcodes.ts';
import type { MultiSubRequest, Request } from '../../src/wire/request-values.ts';
import type { SubTxn, TxnBody } from '../support/wire/txn-values.ts';
import { listText, loggedAs, permits } from './access.ts';
import { type Model, parentOf } from './model.ts';
import { type QuotaVerdict, quotaVerdict } from './quota.ts';

/** A write as it must have been logged: error, or type and path (with the number of a sequential one). */
interface Wanted {
  readonly err: number;
  readonly type: number;
  readonly path: string;
  /** Of a create or setACL: the list as it is logged. */
  readonly acl?: readonly SentAcl[];
  /** What a quota says of it; where it may say either, `err` is what comes of it when allowed. */
  readonly quota?: QuotaVerdict;
}

/** Paths that an earlier part of the same multi has changed. */
class Staged {
  /** Who asks. */
  readonly user: string | null;
  /** Nothing older was committed when it was prepared. */
  readonly sinceZxid: number;
  readonly sizes = new Map<string, number>();
  readonly acls = new Map<string, readonly SentAcl[]>();
  readonly exists = new Map<string, boolean>();
  readonly versions = new Map<string, number>();
  readonly childDelta = new Map<string, number>();
  readonly createdDelta = new Map<string, number>();
  /** Of those that exist by now: whether they are ephemeral. */
  readonly ephemeral = new Map<string, boolean>();

  constructor(user: string | null, sinceZxid: number) {
    this.user = user;
    this.sinceZxid = sinceZxid;
  }
}

/** Null when the logged transaction is what it must be, else what is wrong. */
export function judgeWrite(
  model: Model,
  request: Request,
  user: string | null,
  shownZxid: number,
  zxid: number,
  body: TxnBody,
): string | null {
  const before = zxid - 1;
  if (request.op === OpCode.closeSession) {
    return body.type === OpCode.closeSession ? null : `closeSession became type ${body.type}`;
  }
  const staged = new Staged(user, Math.min(shownZxid, before));
  if (request.op === OpCode.multi) return judgeMulti(model, request.subs, before, staged, body);
  const wanted =
    request.op === OpCode.setAcl
      ? wantAcl(model, request.path!, request.acl!, request.version, before, staged)
      : want(model, request as MultiSubRequest, before, staged);
  return body.type === OpCode.multi || body.type === OpCode.createSession || body.type === OpCode.closeSession
    ? `type ${body.type} for a single write`
    : judgeSub(wanted, body);
}

function judgeMulti(
  model: Model,
  subs: readonly MultiSubRequest[],
  before: number,
  staged: Staged,
  body: TxnBody,
): string | null {
  if (body.type !== OpCode.multi) return `a multi became type ${body.type}`;
  if (body.subs.length !== subs.length) return `${body.subs.length} parts for ${subs.length}`;
  const wanted: Wanted[] = [];
  for (const sub of subs) {
    const next = want(model, sub, before, staged);
    // In a multi the log says create: older Apache servers do not understand a create2 there.
    wanted.push(next.type === OpCode.create2 ? { ...next, type: OpCode.create } : next);
    const isOverQuota = next.quota === 'either' && isQuotaError(body.subs[wanted.length - 1]!);
    if (isOverQuota) wanted[wanted.length - 1] = { ...next, err: ErrorCode.quotaExceeded };
    if (next.err !== 0 || isOverQuota) break;
  }
  const failed = wanted.findIndex(({ err }) => err !== 0);
  for (const [i, sub] of body.subs.entries()) {
    // What came before the part that failed is logged as it was prepared, and undone by whoever reads that.
    if (failed < 0 || i <= failed) {
      const wrong = judgeSub(wanted[i]!, sub);
      if (wrong !== null) return `part ${i}: ${wrong}`;
      continue;
    }
    if (sub.type !== OpCode.error) return `part ${i} of a failed multi is type ${sub.type}`;
    if (sub.err !== ErrorCode.runtimeInconsistency) return `part ${i}: error ${sub.err} behind the failure`;
  }
  return null;
}

function isQuotaError(sub: SubTxn): boolean {
  return sub.type === OpCode.error && sub.err === ErrorCode.quotaExceeded;
}

function judgeSub(wanted: Wanted, sub: SubTxn): string | null {
  if (wanted.quota === 'either' && isQuotaError(sub)) return null;
  if (sub.type === OpCode.error) {
    return sub.err === wanted.err ? null : `error ${sub.err} instead of ${wanted.err}`;
  }
  if (wanted.err !== 0) return `done instead of error ${wanted.err}`;
  if (sub.type !== wanted.type) return `type ${sub.type} instead of ${wanted.type}`;
  if (sub.path !== wanted.path) return `path ${sub.path} instead of ${wanted.path}`;
  if (wanted.acl === undefined || !('acl' in sub)) return null;
  const [is, must] = [listText(sub.acl), listText(wanted.acl)];
  return is === must ? null : `permissions ${is} instead of ${must}`;
}

function want(model: Model, request: MultiSubRequest, before: number, staged: Staged): Wanted {
  const path = request.path!;
  const refused = (err: number): Wanted => ({ err, type: OpCode.error, path });
  switch (request.op) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      return wantCreate(model, request, before, staged);
    case OpCode.delete: {
      if (!exists(model, parentOf(path), before, staged)) return refused(ErrorCode.noNode);
      if (!may(Perm.delete, model, parentOf(path), before, staged)) return refused(ErrorCode.noAuth);
      if (!exists(model, path, before, staged)) return refused(ErrorCode.noNode);
      if (isStale(model, path, request.version, before, staged)) return refused(ErrorCode.badVersion);
      const parts = model.at(path, before)?.children.length ?? 0;
      if (parts + (staged.childDelta.get(path) ?? 0) > 0) return refused(ErrorCode.notEmpty);
      staged.exists.set(path, false);
      add(staged.childDelta, parentOf(path), -1);
      return { err: 0, type: OpCode.delete, path };
    }
    case OpCode.setData:
      if (!exists(model, path, before, staged)) return refused(ErrorCode.noNode);
      if (!may(Perm.write, model, path, before, staged)) return refused(ErrorCode.noAuth);
      return wantData(model, path, request.data?.length ?? 0, request.version, before, staged);
    default:
      if (!exists(model, path, before, staged)) return refused(ErrorCode.noNode);
      if (!may(Perm.read, model, path, before, staged)) return refused(ErrorCode.noAuth);
      if (isStale(model, path, (request as { version: number }).version, before, staged)) {
        return refused(ErrorCode.badVersion);
      }
      return { err: 0, type: OpCode.check, path };
  }
}

function wantData(
  model: Model,
  path: string,
  size: number,
  version: number,
  before: number,
  staged: Staged,
): Wanted {
  const old = staged.sizes.get(path) ?? model.at(path, before)?.data?.length ?? 0;
  const quota = quotaVerdict(model, path, 0, size - old, staged.sinceZxid, before);
  if (quota === 'refused') return { err: ErrorCode.quotaExceeded, type: OpCode.error, path };
  if (isStale(model, path, version, before, staged)) {
    return { err: ErrorCode.badVersion, type: OpCode.error, path, quota };
  }
  staged.versions.set(path, versionOf(model, path, before, staged) + 1);
  staged.sizes.set(path, size);
  return { err: 0, type: OpCode.setData, path, quota };
}

function wantAcl(
  model: Model,
  path: string,
  asked: readonly SentAcl[],
  version: number,
  before: number,
  staged: Staged,
): Wanted {
  const refused = (err: number): Wanted => ({ err, type: OpCode.error, path });
  const acl = loggedAs(asked, staged.user);
  if (acl === null) return refused(ErrorCode.invalidAcl);
  if (!exists(model, path, before, staged)) return refused(ErrorCode.noNode);
  if (!may(Perm.admin, model, path, before, staged)) return refused(ErrorCode.noAuth);
  if (version !== -1 && version !== model.at(path, before)!.aversion) return refused(ErrorCode.badVersion);
  return { err: 0, type: OpCode.setAcl, path, acl };
}

function wantCreate(
  model: Model,
  request: Extract<MultiSubRequest, { readonly flags: number }>,
  before: number,
  staged: Staged,
): Wanted {
  const { op, flags } = request;
  const asked = request.path!;
  const refused = (err: number): Wanted => ({ err, type: OpCode.error, path: asked });
  const parentPath = parentOf(asked);
  const acl = loggedAs(request.acl!, staged.user);
  if (acl === null) return refused(ErrorCode.invalidAcl);
  if (!exists(model, parentPath, before, staged)) return refused(ErrorCode.noNode);
  if (!may(Perm.create, model, parentPath, before, staged)) return refused(ErrorCode.noAuth);
  const parent = model.at(parentPath, before);
  const isSequential =
    flags === CreateFlags.persistentSequential ||
    flags === CreateFlags.ephemeralSequential ||
    flags === CreateFlags.persistentSequentialTtl;
  const created = (parent?.created ?? 0) + (staged.createdDelta.get(parentPath) ?? 0);
  const path = isSequential ? asked + String(created).padStart(10, '0') : asked;
  if (exists(model, path, before, staged)) return refused(ErrorCode.nodeExists);
  if (staged.ephemeral.get(parentPath) ?? parent?.kind === 'ephemeral') {
    return refused(ErrorCode.noChildrenForEphemerals);
  }
  const size = request.data?.length ?? 0;
  const quota = quotaVerdict(model, path, 1, size, staged.sinceZxid, before);
  if (quota === 'refused') return refused(ErrorCode.quotaExceeded);
  staged.exists.set(path, true);
  staged.sizes.set(path, size);
  staged.acls.set(path, acl);
  staged.versions.set(path, 0);
  staged.childDelta.delete(path);
  staged.ephemeral.set(path, flags === CreateFlags.ephemeral || flags === CreateFlags.ephemeralSequential);
  add(staged.childDelta, parentPath, 1);
  add(staged.createdDelta, parentPath, 1);
  return { err: 0, type: op, path, acl, quota };
}

function may(perm: number, model: Model, path: string, before: number, staged: Staged): boolean {
  const acl = staged.acls.get(path) ?? model.at(path, before)!.acl;
  return permits(acl, perm, staged.user);
}

function exists(model: Model, path: string, before: number, staged: Staged): boolean {
  return staged.exists.get(path) ?? model.at(path, before) !== null;
}

function versionOf(model: Model, path: string, before: number, staged: Staged): number {
  return staged.versions.get(path) ?? model.at(path, before)?.version ?? 0;
}

function isStale(model: Model, path: string, version: number, before: number, staged: Staged): boolean {
  return version !== -1 && version !== versionOf(model, path, before, staged);
}

function add(map: Map<string, number>, path: string, delta: number): void {
  map.set(path, (map.get(path) ?? 0) + delta);
}

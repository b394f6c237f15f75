/**
 * The value of a request as the flyweights see it: the bridge that lets one test check every flyweight against
 * the value codec. null = the flyweight called it malformed.
 */
import type { SentAcl } from '../../src/wire/acl.ts';
import { AclCursor, StringCursor } from '../../src/wire/cursors.ts';
import type { Flyweight } from '../../src/wire/flyweight.ts';
import { MultiRequest } from '../../src/wire/multi.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import type { MultiSubRequest, Request } from '../../src/wire/request-values.ts';
import {
  AuthRequest,
  CreateRequest,
  PathRequest,
  PathVersionRequest,
  PathWatchRequest,
  ReconfigRequest,
  SaslRequest,
  SetAclRequest,
  SetDataRequest,
  SetWatchesRequest,
  WatchModeRequest,
} from '../../src/wire/requests.ts';
import { decodeUtf8 } from '../../src/wire/utf8.ts';

// Reused from call to call, as the core does: a field left over from the last record would show.
const path = new PathRequest();
const pathWatch = new PathWatchRequest();
const pathVersion = new PathVersionRequest();
const watchMode = new WatchModeRequest();
const create = new CreateRequest();
const setData = new SetDataRequest();
const setAcl = new SetAclRequest();
const auth = new AuthRequest();
const sasl = new SaslRequest();
const setWatches = new SetWatchesRequest();
const reconfig = new ReconfigRequest();
const multi = new MultiRequest();
const acls = new AclCursor();
const strings = new StringCursor();

export interface Seen {
  readonly request: Request;
  readonly recordEnd: number;
}

export function seenByFlyweight(
  op: number,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): Seen | null {
  const wrap = (flyweight: { wrap(b: Uint8Array, v: DataView, s: number, e: number): boolean }): boolean =>
    flyweight.wrap(bytes, view, start, end);
  switch (op) {
    case OpCode.sync:
    case OpCode.getAcl:
    case OpCode.getAllChildrenNumber:
    case OpCode.getEphemerals:
    case OpCode.deleteContainer:
      return wrap(path) ? seen(path, { op, path: pathOf(path) }) : null;
    case OpCode.exists:
    case OpCode.getChildren2:
      return wrap(pathWatch)
        ? seen(pathWatch, { op, path: pathOf(pathWatch), watch: pathWatch.watch })
        : null;
    case OpCode.addWatch:
    case OpCode.checkWatches:
    case OpCode.removeWatches:
      return wrap(watchMode) ? seen(watchMode, { op, path: pathOf(watchMode), mode: watchMode.mode }) : null;
    case OpCode.setAcl:
      return wrap(setAcl)
        ? seen(setAcl, { op, path: pathOf(setAcl), acl: aclOf(setAcl), version: setAcl.version })
        : null;
    case OpCode.auth:
      if (!wrap(auth)) return null;
      return seen(auth, {
        op,
        scheme: text(auth, auth.schemeStart, auth.schemeLength),
        auth: blob(auth, auth.authStart, auth.authLength),
      });
    case OpCode.sasl:
      return wrap(sasl) ? seen(sasl, { op, token: blob(sasl, sasl.tokenStart, sasl.tokenLength) }) : null;
    case OpCode.setWatches:
      return wrap(setWatches) ? seen(setWatches, { op, ...watchesOf() }) : null;
    case OpCode.setWatches2:
      if (!setWatches.wrap2(bytes, view, start, end)) return null;
      return seen(setWatches, {
        op,
        ...watchesOf(),
        persistent: texts(setWatches.persistentStart),
        persistentRecursive: texts(setWatches.persistentRecursiveStart),
      });
    case OpCode.reconfig:
      if (!wrap(reconfig)) return null;
      return seen(reconfig, {
        op,
        joining: text(reconfig, reconfig.joiningStart, reconfig.joiningLength),
        leaving: text(reconfig, reconfig.leavingStart, reconfig.leavingLength),
        members: text(reconfig, reconfig.membersStart, reconfig.membersLength),
        configId: reconfig.configId,
      });
    case OpCode.multi:
      return wrap(multi) ? seen(multi, { op, subs: subsOf() }) : null;
    case OpCode.multiRead:
      return multi.wrapRead(bytes, view, start, end) ? seen(multi, { op, subs: subsOf() }) : null;
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return wrap(create) ? seen(create, createOf(op, create)) : null;
    case OpCode.createTtl:
      return create.wrapTtl(bytes, view, start, end) ? seen(create, createOf(op, create)) : null;
    case OpCode.delete:
    case OpCode.check:
      return wrap(pathVersion) ? seen(pathVersion, pathVersionOf(op, pathVersion)) : null;
    case OpCode.setData:
      return wrap(setData) ? seen(setData, setDataOf(setData)) : null;
    case OpCode.getData:
    case OpCode.getChildren:
      return wrap(pathWatch) ? seen(pathWatch, pathWatchOf(op, pathWatch)) : null;
    default:
      throw new Error(`no flyweight for ${op}`);
  }
}

function seen(flyweight: Flyweight, request: Request): Seen {
  return { request, recordEnd: flyweight.recordEnd };
}

function subsOf(): MultiSubRequest[] {
  const subs: MultiSubRequest[] = [];
  while (multi.next()) {
    const op = multi.op as MultiSubRequest['op'];
    switch (op) {
      case OpCode.delete:
      case OpCode.check:
        subs.push(pathVersionOf(op, multi.pathVersion));
        break;
      case OpCode.setData:
        subs.push(setDataOf(multi.setData));
        break;
      case OpCode.getData:
      case OpCode.getChildren:
        subs.push(pathWatchOf(op, multi.pathWatch));
        break;
      default:
        subs.push(createOf(op, multi.create));
    }
  }
  return subs;
}

type CreateOp =
  | typeof OpCode.create
  | typeof OpCode.create2
  | typeof OpCode.createContainer
  | typeof OpCode.createTtl;

function createOf(op: CreateOp, from: CreateRequest): MultiSubRequest {
  const fields = {
    path: pathOf(from),
    data: blob(from, from.dataStart, from.dataLength),
    acl: aclOf(from),
    flags: from.flags,
  };
  return op === OpCode.createTtl ? { op, ...fields, ttl: from.ttl } : { op, ...fields };
}

function pathVersionOf(
  op: typeof OpCode.delete | typeof OpCode.check,
  from: PathVersionRequest,
): MultiSubRequest {
  return { op, path: pathOf(from), version: from.version };
}

function setDataOf(from: SetDataRequest): MultiSubRequest {
  const data = blob(from, from.dataStart, from.dataLength);
  return { op: OpCode.setData, path: pathOf(from), data, version: from.version };
}

function pathWatchOf(
  op: typeof OpCode.getData | typeof OpCode.getChildren,
  from: PathWatchRequest,
): MultiSubRequest {
  return { op, path: pathOf(from), watch: from.watch };
}

function watchesOf() {
  return {
    relativeZxid: setWatches.relativeZxid,
    data: texts(setWatches.dataStart),
    exist: texts(setWatches.existStart),
    child: texts(setWatches.childStart),
  };
}

function texts(vectorStart: number): string[] {
  const list: string[] = [];
  for (strings.wrap(setWatches.view, vectorStart); strings.next(); ) {
    list.push(text(setWatches, strings.start, strings.length) ?? '');
  }
  return list;
}

function aclOf(from: CreateRequest | SetAclRequest): SentAcl[] | null {
  if (from.aclCount === -1) return null;
  const list: SentAcl[] = [];
  for (acls.wrap(from.view, from.aclStart); acls.next(); ) {
    list.push({
      perms: acls.perms,
      scheme: text(from, acls.schemeStart, acls.schemeLength),
      id: text(from, acls.idStart, acls.idLength),
    });
  }
  return list;
}

function pathOf(from: Flyweight & { pathStart: number; pathLength: number }): string | null {
  return text(from, from.pathStart, from.pathLength);
}

function text(from: Flyweight, start: number, length: number): string | null {
  return length === -1 ? null : decodeUtf8(from.bytes, start, start + length);
}

function blob(from: Flyweight, start: number, length: number): Uint8Array | null {
  return length === -1 ? null : from.bytes.slice(start, start + length);
}

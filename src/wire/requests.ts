/**
 * Client requests as flyweights: what the core decodes on its thread, once per request, without allocating.
 * `start` is the offset of the record, behind the request header; bytes behind the record are ignored, as the
 * protocol demands. The rules of flyweight.ts apply; the value forms for clients and tests are in
 * request-values.ts, multi is in multi.ts, the connect request in connect.ts.
 *
 * ping, whoAmI and closeSession have an empty record and need no decoder.
 */
import { readInt64 } from '../base/int64.ts';
import { Flyweight } from './flyweight.ts';
import { MALFORMED, skipAcls, skipBuffer, skipStrings, vectorCount } from './jute-skip.ts';

/** RequestHeader: `i32 xid | i32 type`. A frame shorter than this closes the connection. */
export const REQUEST_HEADER_BYTES = 8;
export const REQUEST_XID = 0;
export const REQUEST_TYPE = 4;

/** In place of an expected version: whatever it is. */
export const ANY_VERSION = -1;

/**
 * sync, getACL, getAllChildrenNumber:  ustring path
 * getEphemerals:                       ustring prefixPath
 * deleteContainer:                     buffer path (the same bytes)
 */
export class PathRequest extends Flyweight {
  pathStart = 0;
  pathLength = 0;

  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.attach(bytes, view);
    const next = skipBuffer(view, start, end);
    if (next === MALFORMED) return false;
    this.pathStart = start + 4;
    this.pathLength = view.getInt32(start);
    this.recordEnd = next;
    return true;
  }
}

/** exists, getData, getChildren, getChildren2:  ustring path | bool watch */
export class PathWatchRequest extends Flyweight {
  pathStart = 0;
  pathLength = 0;
  watch = false;

  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.attach(bytes, view);
    const next = skipBuffer(view, start, end);
    if (next === MALFORMED || next >= end) return false;
    this.pathStart = start + 4;
    this.pathLength = view.getInt32(start);
    this.watch = view.getUint8(next) !== 0;
    this.recordEnd = next + 1;
    return true;
  }
}

/** delete, check:  ustring path | i32 version */
export class PathVersionRequest extends Flyweight {
  pathStart = 0;
  pathLength = 0;
  version = 0;

  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.attach(bytes, view);
    const next = skipBuffer(view, start, end);
    if (next === MALFORMED || end - next < 4) return false;
    this.pathStart = start + 4;
    this.pathLength = view.getInt32(start);
    this.version = view.getInt32(next);
    this.recordEnd = next + 4;
    return true;
  }
}

/** addWatch, checkWatches, removeWatches:  ustring path | i32 mode (AddWatchMode or WatcherType, unchecked) */
export class WatchModeRequest extends Flyweight {
  pathStart = 0;
  pathLength = 0;
  mode = 0;

  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.attach(bytes, view);
    const next = skipBuffer(view, start, end);
    if (next === MALFORMED || end - next < 4) return false;
    this.pathStart = start + 4;
    this.pathLength = view.getInt32(start);
    this.mode = view.getInt32(next);
    this.recordEnd = next + 4;
    return true;
  }
}

/**
 * create, create2, createContainer:  ustring path | buffer data | vector<ACL> acl | i32 flags
 * createTTL:                         the same | i64 ttl
 */
export class CreateRequest extends Flyweight {
  pathStart = 0;
  pathLength = 0;
  dataStart = 0;
  dataLength = 0;
  aclStart = 0;
  aclLength = 0;
  aclCount = 0;
  flags = 0;
  /** In ms; exact up to 2^53, beyond it rounded and so still out of every valid range. 0 without a ttl field. */
  ttl = 0;

  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.attach(bytes, view);
    const data = skipBuffer(view, start, end);
    if (data === MALFORMED) return false;
    const acl = skipBuffer(view, data, end);
    if (acl === MALFORMED) return false;
    const flags = skipAcls(view, acl, end);
    if (flags === MALFORMED || end - flags < 4) return false;
    this.pathStart = start + 4;
    this.pathLength = view.getInt32(start);
    this.dataStart = data + 4;
    this.dataLength = view.getInt32(data);
    this.aclStart = acl;
    this.aclLength = flags - acl;
    this.aclCount = vectorCount(view, acl);
    this.flags = view.getInt32(flags);
    this.ttl = 0;
    this.recordEnd = flags + 4;
    return true;
  }

  wrapTtl(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    if (!this.wrap(bytes, view, start, end) || end - this.recordEnd < 8) return false;
    this.ttl = readInt64(view, this.recordEnd);
    this.recordEnd += 8;
    return true;
  }
}

/** setData:  ustring path | buffer data | i32 version */
export class SetDataRequest extends Flyweight {
  pathStart = 0;
  pathLength = 0;
  dataStart = 0;
  dataLength = 0;
  version = 0;

  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.attach(bytes, view);
    const data = skipBuffer(view, start, end);
    if (data === MALFORMED) return false;
    const version = skipBuffer(view, data, end);
    if (version === MALFORMED || end - version < 4) return false;
    this.pathStart = start + 4;
    this.pathLength = view.getInt32(start);
    this.dataStart = data + 4;
    this.dataLength = view.getInt32(data);
    this.version = view.getInt32(version);
    this.recordEnd = version + 4;
    return true;
  }
}

/** setACL:  ustring path | vector<ACL> acl | i32 version */
export class SetAclRequest extends Flyweight {
  pathStart = 0;
  pathLength = 0;
  aclStart = 0;
  aclLength = 0;
  aclCount = 0;
  version = 0;

  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.attach(bytes, view);
    const acl = skipBuffer(view, start, end);
    if (acl === MALFORMED) return false;
    const version = skipAcls(view, acl, end);
    if (version === MALFORMED || end - version < 4) return false;
    this.pathStart = start + 4;
    this.pathLength = view.getInt32(start);
    this.aclStart = acl;
    this.aclLength = version - acl;
    this.aclCount = vectorCount(view, acl);
    this.version = view.getInt32(version);
    this.recordEnd = version + 4;
    return true;
  }
}

/** auth:  i32 type (ignored) | ustring scheme | buffer auth. Malformed: the connection is closed. */
export class AuthRequest extends Flyweight {
  schemeStart = 0;
  schemeLength = 0;
  authStart = 0;
  authLength = 0;

  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.attach(bytes, view);
    const auth = skipBuffer(view, start + 4, end);
    if (auth === MALFORMED) return false;
    const next = skipBuffer(view, auth, end);
    if (next === MALFORMED) return false;
    this.schemeStart = start + 8;
    this.schemeLength = view.getInt32(start + 4);
    this.authStart = auth + 4;
    this.authLength = view.getInt32(auth);
    this.recordEnd = next;
    return true;
  }
}

/** sasl:  buffer token. Malformed: the connection is closed. */
export class SaslRequest extends Flyweight {
  tokenStart = 0;
  tokenLength = 0;

  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.attach(bytes, view);
    const next = skipBuffer(view, start, end);
    if (next === MALFORMED) return false;
    this.tokenStart = start + 4;
    this.tokenLength = view.getInt32(start);
    this.recordEnd = next;
    return true;
  }
}

/**
 * setWatches:   i64 relativeZxid | vector<ustring> data | exist | child
 * setWatches2:  the same | vector<ustring> persistent | persistentRecursive
 *
 * The five fields are offsets for `StringCursor.wrap`; after `wrap` the last two are empty vectors of the record
 * itself only with setWatches2, so ask `hasPersistent` first.
 */
export class SetWatchesRequest extends Flyweight {
  dataStart = 0;
  existStart = 0;
  childStart = 0;
  hasPersistent = false;
  persistentStart = 0;
  persistentRecursiveStart = 0;

  /** Exact up to 2^53; what a client sends beyond that lies ahead of every zxid anyway. */
  get relativeZxid(): number {
    return readInt64(this.view, this.dataStart - 8);
  }

  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.attach(bytes, view);
    if (end - start < 8) return false;
    const exist = skipStrings(view, start + 8, end);
    if (exist === MALFORMED) return false;
    const child = skipStrings(view, exist, end);
    if (child === MALFORMED) return false;
    const next = skipStrings(view, child, end);
    if (next === MALFORMED) return false;
    this.dataStart = start + 8;
    this.existStart = exist;
    this.childStart = child;
    this.hasPersistent = false;
    this.recordEnd = next;
    return true;
  }

  wrap2(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    if (!this.wrap(bytes, view, start, end)) return false;
    const persistent = this.recordEnd;
    const recursive = skipStrings(view, persistent, end);
    if (recursive === MALFORMED) return false;
    const next = skipStrings(view, recursive, end);
    if (next === MALFORMED) return false;
    this.hasPersistent = true;
    this.persistentStart = persistent;
    this.persistentRecursiveStart = recursive;
    this.recordEnd = next;
    return true;
  }
}

/** reconfig:  ustring joiningServers | ustring leavingServers | ustring newMembers | i64 curConfigId */
export class ReconfigRequest extends Flyweight {
  joiningStart = 0;
  joiningLength = 0;
  leavingStart = 0;
  leavingLength = 0;
  membersStart = 0;
  membersLength = 0;
  configId = 0;

  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.attach(bytes, view);
    const leaving = skipBuffer(view, start, end);
    if (leaving === MALFORMED) return false;
    const members = skipBuffer(view, leaving, end);
    if (members === MALFORMED) return false;
    const configId = skipBuffer(view, members, end);
    if (configId === MALFORMED || end - configId < 8) return false;
    this.joiningStart = start + 4;
    this.joiningLength = view.getInt32(start);
    this.leavingStart = leaving + 4;
    this.leavingLength = view.getInt32(leaving);
    this.membersStart = members + 4;
    this.membersLength = view.getInt32(members);
    this.configId = readInt64(view, configId);
    this.recordEnd = configId + 8;
    return true;
  }
}

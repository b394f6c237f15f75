/**
 * Requests that change nothing in the tree: reads, watches, pings. Each is answered at once from the committed
 * records; registering a watch happens in the same turn as its read, so nothing can slip in between.
 *
 * `execute` answers false only when a large reply has to wait its turn (children-reply.ts): nothing has happened
 * then and the request is to be made again.
 */

import { Perm } from '../../wire/acl.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { MultiRequest, writeMultiHeader } from '../../wire/multi.ts';
import { OpCode, SpecialXid } from '../../wire/opcodes.ts';
import { PathRequest, PathWatchRequest } from '../../wire/requests.ts';
import { encodeUtf8 } from '../../wire/utf8.ts';
import { checkAcl } from '../acl/acl-check.ts';
import type { AclTable } from '../acl/acl-table.ts';
import type { AuthProviders } from '../acl/auth-providers.ts';
import { userName } from '../acl/auth-providers.ts';
import type { Client } from '../client/client.ts';
import { BodyBuffer, type Replier } from '../client/replier.ts';
import { equalBytes, hasNul } from '../path/path.ts';
import type { SessionTable } from '../session/session-table.ts';
import type { Ephemerals } from '../tree/ephemerals.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';
import { WatchMode } from '../watch/watch-rows.ts';
import type { ChildrenReply } from './children-reply.ts';
import type { PathLookup } from './path-lookup.ts';
import type { WatchOps } from './watch-ops.ts';

const SLASH = 47;

/**
 * A multiRead may name the same large node in every operation: 1 MB of requests for 60 GB of reply. Far more than any
 * client takes in one frame, and no more than one node or list beyond this is made.
 */
const MULTI_READ_BYTES_MAX = 64 * 1024 * 1024;

export class ReadOps {
  private readonly tree: Tree;
  private readonly acls: AclTable;
  private readonly providers: AuthProviders;
  private readonly sessions: SessionTable;
  private readonly ephemerals: Ephemerals;
  private readonly watchOps: WatchOps;
  private readonly lookup: PathLookup;
  private readonly replier: Replier;
  private readonly children: ChildrenReply;
  private readonly node: ZnodeCursor;
  private readonly body = new BodyBuffer();
  private readonly pathRequest = new PathRequest();
  private readonly pathWatch = new PathWatchRequest();
  private readonly multiRead = new MultiRequest();
  constructor(parts: {
    tree: Tree;
    acls: AclTable;
    providers: AuthProviders;
    sessions: SessionTable;
    ephemerals: Ephemerals;
    watchOps: WatchOps;
    lookup: PathLookup;
    replier: Replier;
    children: ChildrenReply;
  }) {
    this.tree = parts.tree;
    this.acls = parts.acls;
    this.providers = parts.providers;
    this.sessions = parts.sessions;
    this.ephemerals = parts.ephemerals;
    this.watchOps = parts.watchOps;
    this.lookup = parts.lookup;
    this.replier = parts.replier;
    this.children = parts.children;
    this.node = parts.lookup.node;
  }

  execute(
    client: Client,
    xid: number,
    op: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    receivedMs: number,
  ): boolean {
    switch (op) {
      case OpCode.getData:
        this.getData(client, xid, bytes, view, start, end, receivedMs);
        return true;
      case OpCode.exists:
        this.exists(client, xid, bytes, view, start, end, receivedMs);
        return true;
      case OpCode.getChildren:
      case OpCode.getChildren2:
        return this.getChildren(client, xid, op === OpCode.getChildren2, bytes, view, start, end, receivedMs);
      case OpCode.ping:
        this.replier.header(client, SpecialXid.ping, this.replier.lastZxid, ErrorCode.ok, receivedMs);
        return true;
      case OpCode.sync:
        this.sync(client, xid, bytes, view, start, end, receivedMs);
        return true;
      case OpCode.getAcl:
        this.getAcl(client, xid, bytes, view, start, end, receivedMs);
        return true;
      case OpCode.multiRead:
        this.readMulti(client, xid, bytes, view, start, end, receivedMs);
        return true;
      case OpCode.getEphemerals:
        this.getEphemerals(client, xid, bytes, view, start, end, receivedMs);
        return true;
      case OpCode.getAllChildrenNumber:
        this.getAllChildrenNumber(client, xid, bytes, view, start, end, receivedMs);
        return true;
      case OpCode.whoAmI:
        this.whoAmI(client, xid, receivedMs);
        return true;
      default:
        this.watchOps.execute(client, xid, op, bytes, view, start, end, receivedMs);
        return true;
    }
  }

  // ---- single nodes --------------------------------------------------------------------------------------

  private getData(
    client: Client,
    xid: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    receivedMs: number,
  ): void {
    const request = this.pathWatch;
    let err: number = ErrorCode.marshallingError;
    if (request.wrap(bytes, view, start, end)) {
      err = this.lookup.findReadable(client, bytes, request.pathStart, request.pathLength);
    }
    if (err !== ErrorCode.ok) {
      this.status(client, xid, err, receivedMs);
      return;
    }
    if (request.watch && !this.watchOps.add(client, bytes, WatchMode.standardData)) return;
    this.replier.body(client, xid, this.replier.lastZxid, this.node, receivedMs);
  }

  private exists(
    client: Client,
    xid: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    receivedMs: number,
  ): void {
    const request = this.pathWatch;
    let err: number = ErrorCode.marshallingError;
    if (request.wrap(bytes, view, start, end) && request.pathLength >= 0) {
      err = hasNul(bytes, request.pathStart, request.pathLength)
        ? ErrorCode.badArguments
        : this.lookup.findReadable(client, bytes, request.pathStart, request.pathLength);
      // The one read that may watch a node that is not there.
      if (request.watch && (err === ErrorCode.ok || err === ErrorCode.noNode)) {
        if (!this.watchOps.add(client, bytes, WatchMode.standardData)) return;
      }
    }
    if (err === ErrorCode.ok) this.replier.stat(client, xid, this.replier.lastZxid, this.node, receivedMs);
    else this.status(client, xid, err, receivedMs);
  }

  private getChildren(
    client: Client,
    xid: number,
    stat: boolean,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    receivedMs: number,
  ): boolean {
    const request = this.pathWatch;
    let err: number = ErrorCode.marshallingError;
    if (request.wrap(bytes, view, start, end)) {
      err = this.lookup.findReadable(client, bytes, request.pathStart, request.pathLength);
    }
    if (err !== ErrorCode.ok) {
      this.status(client, xid, err, receivedMs);
      return true;
    }
    if (this.children.mustWait(client, this.node)) return false;
    if (request.watch && !this.watchOps.add(client, bytes, WatchMode.standardChild)) return true;
    this.children.reply(client, xid, this.replier.lastZxid, this.node, stat, receivedMs);
    return true;
  }

  private sync(
    client: Client,
    xid: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    receivedMs: number,
  ): void {
    const request = this.pathRequest;
    if (!request.wrap(bytes, view, start, end)) {
      this.status(client, xid, ErrorCode.marshallingError, receivedMs);
      return;
    }
    // The path comes back as it was, null included; a single server has nothing to catch up with.
    const length = request.recordEnd - start;
    this.replier.slice(client, xid, this.replier.lastZxid, bytes, start, length, receivedMs);
  }

  private getAcl(
    client: Client,
    xid: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    receivedMs: number,
  ): void {
    const request = this.pathRequest;
    if (!request.wrap(bytes, view, start, end) || request.pathLength < 0) {
      this.status(client, xid, ErrorCode.marshallingError, receivedMs);
      return;
    }
    const { node, acls, providers, body } = this;
    if (!this.lookup.find(bytes, request.pathStart, request.pathLength)) {
      this.status(client, xid, ErrorCode.noNode, receivedMs);
      return;
    }
    const list = acls.get(node.aclId);
    if (!checkAcl(list, Perm.read | Perm.admin, client.authIds, providers)) {
      this.status(client, xid, ErrorCode.noAuth, receivedMs);
      return;
    }
    const mayAdmin = checkAcl(list, Perm.admin, client.authIds, providers);
    const encoded = mayAdmin ? acls.encoded(node.aclId) : acls.encodedMasked(node.aclId);
    body.reset();
    body.raw(encoded, 0, encoded.length);
    body.raw(node.bytes, node.statStart, node.base + node.recordBytes - node.statStart);
    this.replier.slice(client, xid, this.replier.lastZxid, body.bytes, 0, body.length, receivedMs);
  }

  // ---- several nodes -------------------------------------------------------------------------------------

  private readMulti(
    client: Client,
    xid: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    receivedMs: number,
  ): void {
    const { multiRead, body } = this;
    if (!multiRead.wrapRead(bytes, view, start, end)) {
      this.status(client, xid, ErrorCode.marshallingError, receivedMs);
      return;
    }
    body.reset();
    while (multiRead.next()) {
      if (body.length > MULTI_READ_BYTES_MAX) {
        this.status(client, xid, ErrorCode.marshallingError, receivedMs);
        return;
      }
      const request = multiRead.pathWatch;
      const err = this.lookup.findReadable(client, bytes, request.pathStart, request.pathLength);
      if (err !== ErrorCode.ok) {
        appendMultiHeader(body, OpCode.error, false, err);
        body.int32(err);
      } else if (multiRead.op === OpCode.getData) {
        appendMultiHeader(body, OpCode.getData, false, 0);
        body.raw(this.node.bytes, this.node.bodyStart, this.node.bodyLength);
      } else {
        appendMultiHeader(body, OpCode.getChildren, false, 0);
        this.children.append(body, this.node.nodeId, this.node.numChildren);
      }
    }
    appendMultiHeader(body, OpCode.error, true, -1);
    this.replier.slice(client, xid, this.replier.lastZxid, body.bytes, 0, body.length, receivedMs);
  }

  private getEphemerals(
    client: Client,
    xid: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    receivedMs: number,
  ): void {
    const request = this.pathRequest;
    if (!request.wrap(bytes, view, start, end)) {
      this.status(client, xid, ErrorCode.marshallingError, receivedMs);
      return;
    }
    const { body, node, tree } = this;
    const prefixLength = isBlankOrRoot(bytes, request.pathStart, request.pathLength) ? 0 : request.pathLength;
    const high = this.sessions.idHigh[client.session]!;
    const low = this.sessions.idLow[client.session]!;
    body.reset();
    body.int32(0);
    let count = 0;
    for (const id of this.ephemerals.of(client.session) ?? []) {
      const record = tree.committedOf(id);
      if (record === 0) continue;
      node.moveTo(record);
      if (node.ownerHigh !== high || node.ownerLow !== low || node.pathLength < prefixLength) continue;
      if (!equalBytes(node.bytes, node.pathStart, bytes, request.pathStart, prefixLength)) continue;
      body.string(node.bytes, node.pathStart, node.pathLength);
      count++;
    }
    body.view.setInt32(0, count);
    this.replier.slice(client, xid, this.replier.lastZxid, body.bytes, 0, body.length, receivedMs);
  }

  private getAllChildrenNumber(
    client: Client,
    xid: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    receivedMs: number,
  ): void {
    const request = this.pathRequest;
    let err: number = ErrorCode.marshallingError;
    if (request.wrap(bytes, view, start, end)) {
      err = this.lookup.findReadable(client, bytes, request.pathStart, request.pathLength);
    }
    if (err !== ErrorCode.ok) {
      this.status(client, xid, err, receivedMs);
      return;
    }
    const { body, tree } = this;
    body.reset();
    body.int32(this.lookup.pathLength === 0 ? tree.nodeCount - 1 : tree.countDescendants(this.node.nodeId));
    this.replier.slice(client, xid, this.replier.lastZxid, body.bytes, 0, body.length, receivedMs);
  }

  private whoAmI(client: Client, xid: number, receivedMs: number): void {
    const { body } = this;
    body.reset();
    body.int32(client.authIds.length);
    for (const id of client.authIds) {
      const scheme = encodeUtf8(id.scheme);
      const user = encodeUtf8(userName(id));
      body.string(scheme, 0, scheme.length);
      body.string(user, 0, user.length);
    }
    this.replier.slice(client, xid, this.replier.lastZxid, body.bytes, 0, body.length, receivedMs);
  }

  private status(client: Client, xid: number, err: number, receivedMs: number): void {
    this.replier.header(client, xid, this.replier.lastZxid, err, receivedMs);
  }
}

function appendMultiHeader(body: BodyBuffer, type: number, done: boolean, err: number): void {
  const at = body.extend(9);
  writeMultiHeader(body.view, at, type, done, err);
}

/** Empty or the root once trimmed as Java does it: of everything up to the space, at both ends. */
function isBlankOrRoot(bytes: Uint8Array, start: number, length: number): boolean {
  let from = start;
  let to = start + length;
  while (from < to && bytes[from]! <= 32) from++;
  while (to > from && bytes[to - 1]! <= 32) to--;
  return to <= from || (to - from === 1 && bytes[from] === SLASH);
}

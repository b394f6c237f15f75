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
import { BodyBuffer, type Replier } from '../client/replier.ts';
import type { RequestView } from '../client/request-view.ts';
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

  execute(request: RequestView): boolean {
    switch (request.op) {
      case OpCode.getData:
        this.getData(request);
        return true;
      case OpCode.exists:
        this.exists(request);
        return true;
      case OpCode.getChildren:
      case OpCode.getChildren2:
        return this.getChildren(request, request.op === OpCode.getChildren2);
      case OpCode.ping:
        request.xid = SpecialXid.ping;
        this.replier.header(request, ErrorCode.ok);
        return true;
      case OpCode.sync:
        this.sync(request);
        return true;
      case OpCode.getAcl:
        this.getAcl(request);
        return true;
      case OpCode.multiRead:
        this.readMulti(request);
        return true;
      case OpCode.getEphemerals:
        this.getEphemerals(request);
        return true;
      case OpCode.getAllChildrenNumber:
        this.getAllChildrenNumber(request);
        return true;
      case OpCode.whoAmI:
        this.whoAmI(request);
        return true;
      default:
        this.watchOps.execute(request);
        return true;
    }
  }

  // ---- single nodes --------------------------------------------------------------------------------------

  private getData(request: RequestView): void {
    const named = this.pathWatch;
    const { client, bytes, view, start, end } = request;
    let err: number = ErrorCode.marshallingError;
    if (named.wrap(bytes, view, start, end)) {
      err = this.lookup.findReadable(client, bytes, named.pathStart, named.pathLength);
    }
    if (err !== ErrorCode.ok) {
      this.status(request, err);
      return;
    }
    if (named.watch && !this.watchOps.add(client, bytes, WatchMode.standardData)) return;
    this.replier.body(request, this.node);
  }

  private exists(request: RequestView): void {
    const named = this.pathWatch;
    const { client, bytes, view, start, end } = request;
    let err: number = ErrorCode.marshallingError;
    if (named.wrap(bytes, view, start, end) && named.pathLength >= 0) {
      err = hasNul(bytes, named.pathStart, named.pathLength)
        ? ErrorCode.badArguments
        : this.lookup.findReadable(client, bytes, named.pathStart, named.pathLength);
      // The one read that may watch a node that is not there.
      if (named.watch && (err === ErrorCode.ok || err === ErrorCode.noNode)) {
        if (!this.watchOps.add(client, bytes, WatchMode.standardData)) return;
      }
    }
    if (err === ErrorCode.ok) this.replier.stat(request, this.node);
    else this.status(request, err);
  }

  private getChildren(request: RequestView, stat: boolean): boolean {
    const named = this.pathWatch;
    const { client, bytes, view, start, end } = request;
    let err: number = ErrorCode.marshallingError;
    if (named.wrap(bytes, view, start, end)) {
      err = this.lookup.findReadable(client, bytes, named.pathStart, named.pathLength);
    }
    if (err !== ErrorCode.ok) {
      this.status(request, err);
      return true;
    }
    if (this.children.mustWait(client, this.node)) return false;
    if (named.watch && !this.watchOps.add(client, bytes, WatchMode.standardChild)) return true;
    this.children.reply(request, this.node, stat);
    return true;
  }

  private sync(request: RequestView): void {
    const named = this.pathRequest;
    const { bytes, view, start, end } = request;
    if (!named.wrap(bytes, view, start, end)) {
      this.status(request, ErrorCode.marshallingError);
      return;
    }
    // The path comes back as it was, null included; a single server has nothing to catch up with.
    const length = named.recordEnd - start;
    this.replier.slice(request, bytes, start, length);
  }

  private getAcl(request: RequestView): void {
    const named = this.pathRequest;
    const { client, bytes, view, start, end } = request;
    if (!named.wrap(bytes, view, start, end) || named.pathLength < 0) {
      this.status(request, ErrorCode.marshallingError);
      return;
    }
    const { node, acls, providers, body } = this;
    if (!this.lookup.find(bytes, named.pathStart, named.pathLength)) {
      this.status(request, ErrorCode.noNode);
      return;
    }
    const list = acls.get(node.aclId);
    if (!checkAcl(list, Perm.read | Perm.admin, client.authIds, providers)) {
      this.status(request, ErrorCode.noAuth);
      return;
    }
    const mayAdmin = checkAcl(list, Perm.admin, client.authIds, providers);
    const encoded = mayAdmin ? acls.encoded(node.aclId) : acls.encodedMasked(node.aclId);
    body.reset();
    body.raw(encoded, 0, encoded.length);
    body.raw(node.bytes, node.statStart, node.base + node.recordBytes - node.statStart);
    this.replier.slice(request, body.bytes, 0, body.length);
  }

  // ---- several nodes -------------------------------------------------------------------------------------

  private readMulti(request: RequestView): void {
    const { multiRead, body } = this;
    const { client, bytes, view, start, end } = request;
    if (!multiRead.wrapRead(bytes, view, start, end)) {
      this.status(request, ErrorCode.marshallingError);
      return;
    }
    body.reset();
    while (multiRead.next()) {
      if (body.length > MULTI_READ_BYTES_MAX) {
        this.status(request, ErrorCode.marshallingError);
        return;
      }
      const named = multiRead.pathWatch;
      const err = this.lookup.findReadable(client, bytes, named.pathStart, named.pathLength);
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
    this.replier.slice(request, body.bytes, 0, body.length);
  }

  private getEphemerals(request: RequestView): void {
    const named = this.pathRequest;
    const { client, bytes, view, start, end } = request;
    if (!named.wrap(bytes, view, start, end)) {
      this.status(request, ErrorCode.marshallingError);
      return;
    }
    const { body, node, tree } = this;
    const prefixLength = isBlankOrRoot(bytes, named.pathStart, named.pathLength) ? 0 : named.pathLength;
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
      if (!equalBytes(node.bytes, node.pathStart, bytes, named.pathStart, prefixLength)) continue;
      body.string(node.bytes, node.pathStart, node.pathLength);
      count++;
    }
    body.view.setInt32(0, count);
    this.replier.slice(request, body.bytes, 0, body.length);
  }

  private getAllChildrenNumber(request: RequestView): void {
    const named = this.pathRequest;
    const { client, bytes, view, start, end } = request;
    let err: number = ErrorCode.marshallingError;
    if (named.wrap(bytes, view, start, end)) {
      err = this.lookup.findReadable(client, bytes, named.pathStart, named.pathLength);
    }
    if (err !== ErrorCode.ok) {
      this.status(request, err);
      return;
    }
    const { body, tree } = this;
    body.reset();
    body.int32(this.lookup.pathLength === 0 ? tree.nodeCount - 1 : tree.countDescendants(this.node.nodeId));
    this.replier.slice(request, body.bytes, 0, body.length);
  }

  private whoAmI(request: RequestView): void {
    const { body } = this;
    body.reset();
    body.int32(request.client.authIds.length);
    for (const id of request.client.authIds) {
      const scheme = encodeUtf8(id.scheme);
      const user = encodeUtf8(userName(id));
      body.string(scheme, 0, scheme.length);
      body.string(user, 0, user.length);
    }
    this.replier.slice(request, body.bytes, 0, body.length);
  }

  private status(request: RequestView, err: number): void {
    this.replier.header(request, err);
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

/**
 * Requests that change nothing in the tree: reads, watches, pings. Each is answered at once from the committed
 * records; registering a watch happens in the same turn as its read, so nothing can slip in between.
 *
 * `execute` answers false only when a large reply has to wait its turn (large-reply.ts), or a long ACL check the next
 * one (turn-work.ts): nothing has happened then and the request is to be made again.
 */

import { Perm } from '../../wire/acl.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { OpCode, SpecialXid } from '../../wire/opcodes.ts';
import { PathRequest, PathWatchRequest } from '../../wire/requests.ts';
import { encodeUtf8 } from '../../wire/utf8.ts';
import { accessOf, checkAcl } from '../acl/acl-check.ts';
import type { AclTable } from '../acl/acl-table.ts';
import type { AuthProviders } from '../acl/auth-providers.ts';
import { userName } from '../acl/auth-providers.ts';
import { type Client, ClientState } from '../client/client.ts';
import { BodyBuffer, type Replier } from '../client/replier.ts';
import type { RequestView } from '../client/request-view.ts';
import { equalBytes, hasNul } from '../path/path.ts';
import { NEXT_TURN, type TurnWork, Work } from '../progress/turn-work.ts';
import type { SessionTable } from '../session/session-table.ts';
import type { Ephemerals } from '../tree/ephemerals.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';
import { WatchMode } from '../watch/watch-rows.ts';
import type { DescendantCount } from './descendant-count.ts';
import { AT_ONCE_MAX, type LargeReply, type Noting } from './large-reply.ts';
import type { MultiRead } from './multi-read.ts';
import type { PathLookup } from './path-lookup.ts';
import type { ReplyPlan } from './reply-plan.ts';
import type { WatchOps } from './watch-ops.ts';
import type { WatchRestore } from './watch-restore.ts';

const SLASH = 47;

export class ReadOps {
  private readonly tree: Tree;
  private readonly acls: AclTable;
  private readonly providers: AuthProviders;
  private readonly sessions: SessionTable;
  private readonly ephemerals: Ephemerals;
  private readonly work: TurnWork;
  private readonly watchOps: WatchOps;
  private readonly restore: WatchRestore;
  private readonly lookup: PathLookup;
  private readonly replier: Replier;
  private readonly multiRead: MultiRead;
  private readonly largeReply: LargeReply;
  private readonly descendants: DescendantCount;
  private readonly node: ZnodeCursor;
  private readonly body = new BodyBuffer();
  private readonly pathRequest = new PathRequest();
  private readonly pathWatch = new PathWatchRequest();
  constructor(parts: {
    tree: Tree;
    acls: AclTable;
    providers: AuthProviders;
    sessions: SessionTable;
    ephemerals: Ephemerals;
    work: TurnWork;
    watchOps: WatchOps;
    restore: WatchRestore;
    lookup: PathLookup;
    replier: Replier;
    multiRead: MultiRead;
    largeReply: LargeReply;
    descendants: DescendantCount;
  }) {
    this.tree = parts.tree;
    this.acls = parts.acls;
    this.providers = parts.providers;
    this.sessions = parts.sessions;
    this.ephemerals = parts.ephemerals;
    this.work = parts.work;
    this.watchOps = parts.watchOps;
    this.restore = parts.restore;
    this.lookup = parts.lookup;
    this.replier = parts.replier;
    this.multiRead = parts.multiRead;
    this.largeReply = parts.largeReply;
    this.descendants = parts.descendants;
    this.node = parts.lookup.node;
  }

  execute(request: RequestView): boolean {
    switch (request.op) {
      case OpCode.getData:
        return this.getData(request);
      case OpCode.exists:
        return this.exists(request);
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
        return this.getAcl(request);
      case OpCode.multiRead:
        return this.multiRead.answer(request);
      case OpCode.getEphemerals:
        return this.getEphemerals(request);
      case OpCode.getAllChildrenNumber:
        return this.getAllChildrenNumber(request);
      case OpCode.whoAmI:
        this.whoAmI(request);
        return true;
      case OpCode.setWatches:
      case OpCode.setWatches2:
        return this.restore.answer(request);
      default:
        this.watchOps.execute(request);
        return true;
    }
  }

  /**
   * Of a client that is kept without a leader, or waits for one: past everything that waits, or it would take this server for dead.
   * False: there is no place for the reply, or it is no ping.
   */
  pingAhead(request: RequestView): boolean {
    const { client } = request;
    if (request.op !== OpCode.ping || client.state !== ClientState.open) return false;
    if (client.sink.room(client.conn) <= 0) return false;
    if (!client.isKept && client.mustHold) return false;
    request.xid = SpecialXid.ping;
    const zxid = client.isKept ? client.keptZxid : this.replier.progress.committed;
    this.replier.headerAt(request, zxid, ErrorCode.ok);
    return true;
  }

  /** A read of the client is under way that a later write of its own must not be committed before. */
  isReadingFor(client: Client): boolean {
    const { descendants, restore, largeReply } = this;
    return descendants.isFor(client) || restore.isFor(client) || largeReply.isHeldFor(client);
  }

  // ---- single nodes --------------------------------------------------------------------------------------

  private getData(request: RequestView): boolean {
    const named = this.pathWatch;
    const { client, bytes, view, start, end } = request;
    let err: number = ErrorCode.marshallingError;
    if (named.wrap(bytes, view, start, end)) {
      err = this.lookup.findReadable(client, bytes, named.pathStart, named.pathLength);
    }
    if (err !== ErrorCode.ok) return this.refuse(request, err);
    if (named.watch && !this.watchOps.add(client, bytes, WatchMode.standardData)) return true;
    this.replier.body(request, this.node);
    return true;
  }

  private exists(request: RequestView): boolean {
    const named = this.pathWatch;
    const { client, bytes, view, start, end } = request;
    let err: number = ErrorCode.marshallingError;
    if (named.wrap(bytes, view, start, end) && named.pathLength >= 0) {
      err = hasNul(bytes, named.pathStart, named.pathLength)
        ? ErrorCode.badArguments
        : this.lookup.findReadable(client, bytes, named.pathStart, named.pathLength);
      // The one read that may watch a node that is not there.
      if (named.watch && (err === ErrorCode.ok || err === ErrorCode.noNode)) {
        if (!this.watchOps.add(client, bytes, WatchMode.standardData)) return true;
      }
    }
    if (err !== ErrorCode.ok) return this.refuse(request, err);
    this.replier.stat(request, this.node);
    return true;
  }

  private getChildren(request: RequestView, stat: boolean): boolean {
    const named = this.pathWatch;
    const { client, bytes, view, start, end } = request;
    let err: number = ErrorCode.marshallingError;
    if (named.wrap(bytes, view, start, end)) {
      err = this.lookup.findReadable(client, bytes, named.pathStart, named.pathLength);
    }
    if (err !== ErrorCode.ok) return this.refuse(request, err);
    if (this.largeReply.mustWait(this.node.numChildren)) return false;
    if (named.watch && !this.watchOps.add(client, bytes, WatchMode.standardChild)) return true;
    this.largeReply.sendChildren(request, this.node, stat);
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

  private getAcl(request: RequestView): boolean {
    const named = this.pathRequest;
    const { client, bytes, view, start, end } = request;
    if (!named.wrap(bytes, view, start, end) || named.pathLength < 0) {
      return this.refuse(request, ErrorCode.marshallingError);
    }
    const { node, acls, providers, body } = this;
    if (!this.lookup.find(bytes, named.pathStart, named.pathLength)) {
      return this.refuse(request, ErrorCode.noNode);
    }
    const list = acls.get(node.aclId);
    const access = accessOf(list, Perm.read | Perm.admin, client.authIds, providers);
    if (access !== ErrorCode.ok) return this.refuse(request, access);
    const mayAdmin = checkAcl(list, Perm.admin, client.authIds, providers);
    const unmasked = mayAdmin ? 0 : acls.unmaskedEntries(node.aclId);
    if (unmasked > 0 && this.work.isSpent) return false;
    this.work.charge(Work.aclEntries, unmasked);
    const encoded = mayAdmin ? acls.encoded(node.aclId) : acls.encodedMasked(node.aclId);
    body.reset();
    body.raw(encoded, 0, encoded.length);
    body.raw(node.bytes, node.statStart, node.base + node.recordBytes - node.statStart);
    this.replier.slice(request, body.bytes, 0, body.length);
    return true;
  }

  // ---- several nodes -------------------------------------------------------------------------------------

  private getEphemerals(request: RequestView): boolean {
    const named = this.pathRequest;
    const { client, bytes, view, start, end } = request;
    if (!named.wrap(bytes, view, start, end)) {
      this.status(request, ErrorCode.marshallingError);
      return true;
    }
    const { largeReply } = this;
    const owned = this.ephemerals.of(client.session);
    const size = owned?.size ?? 0;
    if (largeReply.mustWait(size)) return false;
    const prefixLength = isBlankOrRoot(bytes, named.pathStart, named.pathLength) ? 0 : named.pathLength;
    if (owned !== undefined && size > AT_ONCE_MAX) {
      const prefix = new Uint8Array(prefixLength);
      copyBytes(bytes, named.pathStart, prefixLength, prefix, 0);
      const ids = owned.values();
      const noting: Noting = (plan, itemsMax) => {
        if (plan.length === 0) plan.count(0);
        return this.noteOwned(plan, itemsMax, ids, client.session, prefix, 0, prefixLength);
      };
      largeReply.start(request, null, Number.POSITIVE_INFINITY, noting);
      return true;
    }
    const plan = largeReply.begin();
    plan.count(0);
    if (owned !== undefined) {
      this.noteOwned(plan, size, owned.values(), client.session, bytes, named.pathStart, prefixLength);
    }
    largeReply.send(request);
    return true;
  }

  // Of the ids those of committed nodes of the session below the prefix; true = there are no more ids.
  private noteOwned(
    plan: ReplyPlan,
    idsMax: number,
    ids: Iterator<number>,
    session: number,
    prefix: Uint8Array,
    prefixStart: number,
    prefixLength: number,
  ): boolean {
    const { node, tree } = this;
    const high = this.sessions.idHigh[session]!;
    const low = this.sessions.idLow[session]!;
    for (let left = idsMax; left >= 0; left--) {
      const step = ids.next();
      if (step.done === true) {
        plan.setCount(0, plan.nodes);
        return true;
      }
      const record = tree.committedOf(step.value);
      if (record === 0) continue;
      node.moveTo(record);
      if (node.ownerHigh !== high || node.ownerLow !== low || node.pathLength < prefixLength) continue;
      if (equalBytes(node.bytes, node.pathStart, prefix, prefixStart, prefixLength)) plan.path(record);
    }
    return false;
  }

  private getAllChildrenNumber(request: RequestView): boolean {
    const named = this.pathRequest;
    const { client, bytes, view, start, end } = request;
    let err: number = ErrorCode.marshallingError;
    if (named.wrap(bytes, view, start, end)) {
      err = this.lookup.findReadable(client, bytes, named.pathStart, named.pathLength);
    }
    if (err !== ErrorCode.ok) return this.refuse(request, err);
    if (this.lookup.pathLength > 0) return this.descendants.answer(request, this.node);
    const { body, tree } = this;
    body.reset();
    body.int32(tree.nodeCount - 1);
    this.replier.slice(request, body.bytes, 0, body.length);
    return true;
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

  // False: it is no error, but for the next turn.
  private refuse(request: RequestView, err: number): boolean {
    if (err === NEXT_TURN) return false;
    this.replier.header(request, err);
    return true;
  }
}

/** Empty or the root once trimmed as Java does it: of everything up to the space, at both ends. */
function isBlankOrRoot(bytes: Uint8Array, start: number, length: number): boolean {
  let from = start;
  let to = start + length;
  while (from < to && bytes[from]! <= 32) from++;
  while (to > from && bytes[to - 1]! <= 32) to--;
  return to <= from || (to - from === 1 && bytes[from] === SLASH);
}

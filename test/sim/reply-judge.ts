/**
 * What replies must say, whoever has sent them: a write is of the transaction that its request must become, a read shows
 * the model's state at exactly the zxid of its header. How old that may be is the judge's to say, of one server or of several.
 */

import { Perm } from '../../src/wire/acl.ts';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { isWrite, OpCode, opName } from '../../src/wire/opcodes.ts';
import type { MultiSubRequest, Request } from '../../src/wire/request-values.ts';
import type { Response } from '../../src/wire/responses.ts';
import { EventType } from '../../src/wire/watch-event.ts';
import { listText, masked, permits } from './access.ts';
import { judgeWrite } from './expectation.ts';
import { Model, type ModelNode } from './model.ts';
import { compareNode, compareStat } from './node-comparison.ts';
import type { WatchModel } from './watch-model.ts';
import { Violation } from './world.ts';

/** A request under way. */
export interface Asked {
  readonly xid: number;
  readonly request: Request;
  /** What somebody had been shown when it was sent. */
  readonly shownZxid: number;
  /** And its own client. */
  readonly seenZxid: number;
  readonly onReply: (() => void) | null;
}

export interface CaughtUp {
  readonly type: number;
  readonly path: string;
}

/** A client as the judge sees it. */
export interface JudgedClient {
  readonly name: string;
  readonly sessionId: bigint;
  readonly user: string | null;
  readonly watches: WatchModel;
  /** Events that a setWatches has brought, before its reply. */
  readonly caughtUp: CaughtUp[];
}

export abstract class ReplyJudge {
  readonly model = new Model();
  /** The highest zxid that any client was shown. */
  shownZxid = 0;
  acknowledged = 0;
  reads = 0;
  events = 0;
  /** Requests that were refused for want of a permission. */
  unauthorized = 0;
  /** Of servers that keep their clients while there is no leader: a ping is answered ahead of what waits. */
  pingsOvertake = false;
  /** And by a quota. */
  overQuota = 0;

  /** By the server of this name. */
  abstract onWelcome(sessionId: bigint, isNew: boolean, by: string): void;
  abstract onCloseAsked(sessionId: bigint): void;
  abstract onRefused(sessionId: bigint): void;
  /** Nothing older may be shown in the reply. */
  protected abstract oldestZxid(asked: Asked): number;

  onShown(zxid: number): void {
    if (zxid > this.shownZxid) this.shownZxid = zxid;
  }

  onReply(client: JudgedClient, asked: Asked, zxid: number, err: number, response: Response | null): void {
    const { request } = asked;
    const oldest = this.oldestZxid(asked);
    if (zxid < oldest) {
      throw new Violation(
        `${client.name}: the reply to ${opName(request.op)} shows zxid ${zxid}; when it was sent ${oldest} was known`,
      );
    }
    if (err === ErrorCode.noAuth) this.unauthorized++;
    if (err === ErrorCode.quotaExceeded) this.overQuota++;
    if (isWrite(request.op)) this.onWriteReply(client, asked, zxid, err, response);
    else this.onReadReply(client, request, zxid, err, response);
  }

  protected onWriteReply(
    client: JudgedClient,
    { xid, request, shownZxid }: Asked,
    zxid: number,
    err: number,
    response: Response | null,
  ): void {
    this.acknowledged++;
    const entry = this.model.txn(zxid);
    if (entry === undefined) throw new Violation(`zxid ${zxid} is acknowledged and was never proposed`);
    const { clientId, cxid, body } = entry.txn;
    if (clientId !== client.sessionId || cxid !== xid) {
      throw new Violation(
        `${client.name}: zxid ${zxid} acknowledges request ${xid} and is of request ${cxid}`,
      );
    }
    const wrong = judgeWrite(this.model, request, client.user, shownZxid, zxid, body);
    if (wrong !== null) throw new Violation(`zxid ${zxid}, ${opName(request.op)}: ${wrong}`);
    if (body.type === OpCode.error && body.err !== err) {
      throw new Violation(`zxid ${zxid} is error ${body.err}, told as ${err}`);
    }
    if (response !== null && 'stat' in response && 'path' in body) {
      compareStat(response.stat, this.model.at(body.path!, zxid), `zxid ${zxid}: stat of ${body.path}`);
    }
    if (response !== null && response.op === OpCode.create && 'path' in body && response.path !== body.path) {
      throw new Violation(`zxid ${zxid}: created ${body.path}, told as ${response.path}`);
    }
  }

  private onReadReply(
    client: JudgedClient,
    request: Request,
    zxid: number,
    err: number,
    response: Response | null,
  ): void {
    if (request.op === OpCode.setWatches2) this.onWatchesRestored(client, request, zxid);
    if (request.op === OpCode.addWatch && err === ErrorCode.ok) {
      (request.mode === 0 ? client.watches.persistent : client.watches.recursive).add(request.path!);
    }
    if (request.op === OpCode.removeWatches || request.op === OpCode.checkWatches) {
      const { watches } = client;
      const { path, mode: type } = request;
      const isSet =
        request.op === OpCode.checkWatches ? watches.has(path!, type) : watches.remove(path!, type);
      if (err !== (isSet ? ErrorCode.ok : ErrorCode.noWatcher)) {
        throw new Violation(
          `${client.name}: ${opName(request.op)} of type ${type} on ${path} is told ${err}`,
        );
      }
    }
    if (request.op === OpCode.getAcl) this.onAclRead(client, request.path!, zxid, err, response);
    if (request.op === OpCode.multiRead) this.onMultiRead(client, request.subs, zxid, err, response);
    if (!isNodeRead(request)) return;
    this.reads++;
    const { path, watch } = request;
    const node = this.model.at(path!, zxid);
    const what = `${client.name}: ${opName(request.op)} of ${path} at zxid ${zxid}`;
    const access = accessTo(node, Perm.read, client.user);
    if (err !== access) throw new Violation(`${what} is told error ${err} instead of ${access}`);
    const isChildRead = request.op === OpCode.getChildren || request.op === OpCode.getChildren2;
    if (watch && (err === ErrorCode.ok || (node === null && request.op === OpCode.exists))) {
      if (isChildRead) client.watches.child.add(path!);
      else client.watches.data.set(path!, node === null);
    }
    if (node === null || response === null) return;
    compareNode(response, node, what);
  }

  private onAclRead(
    { name, user }: JudgedClient,
    path: string,
    zxid: number,
    err: number,
    response: Response | null,
  ): void {
    this.reads++;
    const node = this.model.at(path, zxid);
    const what = `${name}: the permissions of ${path} at zxid ${zxid}`;
    const access = accessTo(node, Perm.read | Perm.admin, user);
    if (err !== access) throw new Violation(`${what} are told with error ${err} instead of ${access}`);
    if (node === null || response === null || !('acl' in response)) return;
    const wanted = listText(permits(node.acl, Perm.admin, user) ? node.acl : masked(node.acl));
    if (listText(response.acl) !== wanted) {
      throw new Violation(`${what} are told as ${listText(response.acl)} instead of ${wanted}`);
    }
    compareStat(response.stat, node, what);
  }

  private onMultiRead(
    client: JudgedClient,
    subs: readonly MultiSubRequest[],
    zxid: number,
    err: number,
    response: Response | null,
  ): void {
    this.reads++;
    const what = `${client.name}: a multiRead at zxid ${zxid}`;
    if (err !== ErrorCode.ok || response === null || !('results' in response)) {
      throw new Violation(`${what} is told error ${err}`);
    }
    const { results } = response;
    if (results.length !== subs.length) throw new Violation(`${what} has ${results.length} results`);
    for (const [at, sub] of subs.entries()) {
      const result = results[at]!;
      const node = this.model.at(sub.path!, zxid);
      const access = accessTo(node, Perm.read, client.user);
      if (node === null || access !== ErrorCode.ok) {
        if (!('err' in result) || result.err !== access) throw new Violation(`${what} shows ${sub.path}`);
      } else if (result.op !== sub.op) {
        throw new Violation(`${what} does not show ${sub.path}`);
      } else {
        compareNode(result, node, `${what}, ${sub.path}`);
      }
    }
  }

  /** The events that a setWatches brings at once, by the state that its reply shows. */
  private onWatchesRestored(
    client: JudgedClient,
    request: Request & { readonly op: 105 },
    zxid: number,
  ): void {
    const wanted: CaughtUp[] = [];
    const { watches } = client;
    const since = request.relativeZxid;
    const at = (path: string): ModelNode | null => this.model.at(path, zxid);
    for (const path of request.data) {
      const node = at(path);
      if (node === null) wanted.push({ type: EventType.nodeDeleted, path });
      else if (node.mzxid > since) wanted.push({ type: EventType.nodeDataChanged, path });
      else watches.data.set(path, false);
    }
    for (const path of request.exist) {
      if (at(path) !== null) wanted.push({ type: EventType.nodeCreated, path });
      else watches.data.set(path, true);
    }
    for (const path of request.child) {
      const node = at(path);
      if (node === null) wanted.push({ type: EventType.nodeDeleted, path });
      else if (node.pzxid > since) wanted.push({ type: EventType.nodeChildrenChanged, path });
      else watches.child.add(path);
    }
    for (const path of request.persistent) watches.persistent.add(path);
    for (const path of request.persistentRecursive) watches.recursive.add(path);
    const text = (events: readonly CaughtUp[]): string =>
      events
        .map(({ type, path }) => `${type} ${path}`)
        .sort()
        .join();
    if (text(wanted) !== text(client.caughtUp)) {
      throw new Violation(
        `${client.name}: a reconnect brings "${text(client.caughtUp)}" instead of "${text(wanted)}"`,
      );
    }
    client.caughtUp.length = 0;
  }
}

function accessTo(node: ModelNode | null, perm: number, user: string | null): number {
  if (node === null) return ErrorCode.noNode;
  return permits(node.acl, perm, user) ? ErrorCode.ok : ErrorCode.noAuth;
}

function isNodeRead(
  request: Request,
): request is Request & { readonly op: 3 | 4 | 8 | 12; readonly watch: boolean; readonly path: string } {
  switch (request.op) {
    case OpCode.exists:
    case OpCode.getData:
    case OpCode.getChildren:
    case OpCode.getChildren2:
      return true;
    default:
      return false;
  }
}

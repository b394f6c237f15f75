/**
 * What must hold, whatever happens; asked at every message and every transaction. The database is the model's; the judge
 * adds what clients have been shown and when sessions were heard of.
 *
 *     durability   what anybody was shown is there after every restart            onRecovered
 *     writes       each reply is of the transaction that its request must become  onReply
 *     reads        each reply shows the state at exactly its zxid, and nothing older than anybody was shown before
 *     sessions     none ends while it is heard of; none is refused while it lives
 *     watches      in watch-model.ts
 */

import { ErrorCode } from '../../src/wire/error-codes.ts';
import { isWrite, OpCode, opName } from '../../src/wire/opcodes.ts';
import type { MultiSubRequest, Request } from '../../src/wire/request-values.ts';
import type { MultiResult, Response } from '../../src/wire/responses.ts';
import type { Stat } from '../../src/wire/stat.ts';
import { EventType } from '../../src/wire/watch-event.ts';
import { readTxn } from '../support/wire/txn-values.ts';
import { judgeWrite } from './expectation.ts';
import type { ServerObserver } from './machine.ts';
import { Model, type ModelNode } from './model.ts';
import { judgeSweep } from './mortality.ts';
import { Silence } from './silence.ts';
import type { WatchModel } from './watch-model.ts';
import { Violation, type World } from './world.ts';

/** A request under way. */
export interface Asked {
  readonly xid: number;
  readonly request: Request;
  /** What somebody had been shown when it was sent: its reply may show nothing older. */
  readonly shownZxid: number;
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
  readonly watches: WatchModel;
  /** Events that a setWatches has brought, before its reply. */
  readonly caughtUp: CaughtUp[];
}

/** Timers fire late by a turn, clocks are read at the begin of a round. */
const EXPIRY_SLACK_MS = 5;

export class Judge implements ServerObserver {
  readonly model = new Model();
  /** The highest zxid that any client was shown. */
  shownZxid = 0;
  acknowledged = 0;
  reads = 0;
  expired = 0;
  recoveries = 0;
  /** Transactions that a crash took back; nobody had been shown them. */
  takenBack = 0;
  events = 0;
  /** Answers to four-letter words that were compared, and znodes that the server has ended. */
  words = 0;
  swept = 0;
  snapshots = 0;
  private readonly world: World;
  private readonly silence = new Silence();
  private readonly shownMs: { readonly atMs: number; readonly zxid: number }[] = [];
  private readonly closing = new Set<bigint>();
  private readonly welcomed = new Set<bigint>();
  /** Sessions whose last bytes the machine had and its server never saw. */
  private readonly unread = new Set<bigint>();
  private readonly refused: { readonly sessionId: bigint; readonly recoveries: number }[] = [];
  private recoveredMs = 0;

  constructor(world: World) {
    this.world = world;
  }

  onShown(zxid: number): void {
    if (zxid <= this.shownZxid) return;
    this.shownZxid = zxid;
    this.shownMs.push({ atMs: this.world.nowMs, zxid });
  }

  /** The highest zxid that any client had been shown by then. */
  private shownBy(ms: number): number {
    return this.shownMs.findLast(({ atMs }) => atMs <= ms)?.zxid ?? 0;
  }

  // ---- the server's side -----------------------------------------------------------------------------------

  onRecovered(zxid: number): void {
    const { model, world } = this;
    world.trace('judge', `recovered up to ${zxid} of ${model.lastZxid}, shown ${this.shownZxid}`);
    this.recoveries++;
    this.recoveredMs = world.nowMs;
    this.silence.onPause(world.nowMs, world.nowMs, false);
    if (zxid < this.shownZxid) {
      throw new Violation(
        `zxid ${this.shownZxid} was shown to a client; after a restart the last is ${zxid}`,
      );
    }
    if (zxid > model.lastZxid) throw new Violation(`zxid ${zxid} was recovered and never proposed`);
    this.takenBack += model.lastZxid - zxid;
    model.cutAfter(zxid);
  }

  onProposal(zxid: number, payload: Uint8Array): void {
    const txn = readTxn(payload);
    if (txn.zxid !== zxid) throw new Violation(`a record of zxid ${txn.zxid} is handed over as ${zxid}`);
    if (txn.body.type === OpCode.closeSession && txn.cxid === 0)
      this.onExpired(txn.clientId, this.world.momentOf(txn.timeMs));
    if (txn.body.type === OpCode.createSession) {
      const momentMs = this.world.momentOf(txn.timeMs);
      this.silence.onHeard(txn.clientId, momentMs);
    }
    if (txn.body.type === OpCode.deleteContainer) {
      this.swept++;
      // Decided when it says; the log thread has it later.
      const wrong = judgeSweep(this.model, txn, this.shownBy(this.world.momentOf(txn.timeMs) - 1));
      if (wrong !== null) throw new Violation(wrong);
    }
    this.model.apply(txn);
  }

  onHeard(sessionId: bigint): void {
    this.unread.delete(sessionId);
    this.silence.onHeard(sessionId, this.world.nowMs);
  }

  onUnread(sessionId: bigint): void {
    this.silence.forget(sessionId);
    this.unread.add(sessionId);
  }

  onPause(untilMs: number, isAlone: boolean): void {
    this.silence.onPause(this.world.nowMs, untilMs, isAlone);
  }

  onLogLine(level: string, text: string): void {
    if (text.startsWith('snapshot ') && text.endsWith(' written')) this.snapshots++;
    if (level === 'warn' && text.includes('digest differs')) throw new Violation(`the server says: ${text}`);
  }

  /** `atMs`: when the server decided it; the log thread has it later. */
  private onExpired(sessionId: bigint, atMs: number): void {
    this.expired++;
    const session = this.model.sessions.get(sessionId);
    // A client that asked for the end and left before the answer has it all the same.
    if (session === undefined || this.closing.has(sessionId) || this.unread.has(sessionId)) return;
    // Whose creation waits for room in the log may be over before its client can know it.
    if (!this.welcomed.has(sessionId)) return;
    const silentMs = this.silence.longestMs(sessionId, this.recoveredMs, atMs);
    if (silentMs < session.timeoutMs - EXPIRY_SLACK_MS) {
      const id = `0x${sessionId.toString(16)}`;
      throw new Violation(
        `session ${id} with a timeout of ${session.timeoutMs} ms expires after a silence of ${silentMs.toFixed(1)} ms`,
      );
    }
  }

  // ---- the clients' side -----------------------------------------------------------------------------------

  onWelcome(sessionId: bigint, isNew: boolean): void {
    const { model } = this;
    const session = model.sessions.get(sessionId);
    if (session === undefined) throw new Violation('a session was given that was never proposed');
    this.welcomed.add(sessionId);
    if (isNew) this.onShown(session.createdZxid);
    if (session.closedZxid <= this.shownZxid) throw new Violation('a session was welcome that has ended');
  }

  onCloseAsked(sessionId: bigint): void {
    this.closing.add(sessionId);
  }

  onRefused(sessionId: bigint): void {
    this.refused.push({ sessionId, recoveries: this.recoveries });
  }

  /**
   * The close of a session that was refused may have been on its way to the log; it is there when nothing is under way any
   * more, unless a crash has taken it back.
   */
  checkRefused(): void {
    for (const { sessionId, recoveries } of this.refused) {
      if (recoveries !== this.recoveries || !this.model.isLive(sessionId, this.model.lastZxid)) continue;
      throw new Violation(`session 0x${sessionId.toString(16)} lives and was refused`);
    }
  }

  onReply(client: JudgedClient, asked: Asked, zxid: number, err: number, response: Response | null): void {
    const { request } = asked;
    if (zxid < asked.shownZxid) {
      throw new Violation(
        `${client.name}: the reply to ${opName(request.op)} shows zxid ${zxid}; when it was sent ${asked.shownZxid} was known`,
      );
    }
    if (isWrite(request.op)) this.onWriteReply(client, asked, zxid, err, response);
    else this.onReadReply(client, request, zxid, err, response);
  }

  private onWriteReply(
    client: JudgedClient,
    { xid, request }: Asked,
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
    const wrong = judgeWrite(this.model, request, zxid, body);
    if (wrong !== null) throw new Violation(`zxid ${zxid}, ${opName(request.op)}: ${wrong}`);
    if (body.type === OpCode.error && body.err !== err) {
      throw new Violation(`zxid ${zxid} is error ${body.err}, told as ${err}`);
    }
    if (response !== null && 'stat' in response && 'path' in body) {
      this.compareStat(response.stat, this.model.at(body.path!, zxid), `zxid ${zxid}: stat of ${body.path}`);
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
    if (request.op === OpCode.multiRead) this.onMultiRead(client, request.subs, zxid, err, response);
    if (!isNodeRead(request)) return;
    this.reads++;
    const { path, watch } = request;
    const node = this.model.at(path!, zxid);
    const what = `${client.name}: ${opName(request.op)} of ${path} at zxid ${zxid}`;
    if (err !== (node === null ? ErrorCode.noNode : ErrorCode.ok)) {
      throw new Violation(`${what} is told error ${err}`);
    }
    const isChildRead = request.op === OpCode.getChildren || request.op === OpCode.getChildren2;
    if (watch && (node !== null || request.op === OpCode.exists)) {
      if (isChildRead) client.watches.child.add(path!);
      else client.watches.data.set(path!, node === null);
    }
    if (node === null || response === null) return;
    this.compareNode(response, node, what);
  }

  private compareNode(told: Response | MultiResult, node: ModelNode, what: string): void {
    if ('stat' in told) this.compareStat(told.stat, node, what);
    if ('data' in told && !isSame(told.data, node.data)) throw new Violation(`${what} is told other data`);
    if ('children' in told) {
      const names = [...told.children].sort().join();
      const true_ = [...node.children].sort().join();
      if (names !== true_) throw new Violation(`${what} is told ${names} instead of ${true_}`);
    }
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
      if (node === null) {
        if (!('err' in result) || result.err !== ErrorCode.noNode)
          throw new Violation(`${what} shows ${sub.path}`);
      } else if (result.op !== sub.op) {
        throw new Violation(`${what} does not show ${sub.path}`);
      } else {
        this.compareNode(result, node, `${what}, ${sub.path}`);
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

  private compareStat(told: Stat, node: ModelNode | null, what: string): void {
    if (node === null) throw new Violation(`${what}: the znode does not exist`);
    const wanted: Partial<Record<keyof Stat, number | bigint>> = {
      czxid: node.czxid,
      mzxid: node.mzxid,
      pzxid: node.pzxid,
      version: node.version,
      cversion: node.cversion,
      numChildren: node.children.length,
      dataLength: node.data?.length ?? 0,
    };
    if (node.kind === 'plain' || node.kind === 'ephemeral') wanted.ephemeralOwner = node.owner;
    for (const [field, value] of Object.entries(wanted)) {
      const is = told[field as keyof Stat];
      if (is !== value) throw new Violation(`${what}: ${field} is told as ${is}, not ${value}`);
    }
  }
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

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

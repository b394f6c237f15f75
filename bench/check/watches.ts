/**
 * A one-shot watch fires exactly once, for a change after the read that set it, and its event comes before the session
 * can see that change. A session's stream is walked once per key, with one state for each of the server's two tables
 * (data: getData and exists; children: getChildren):
 *
 *                 watch set ok (mzxid m)                       event
 *     not armed ---------------------------> armed at m -------------------> not armed
 *                                              |      ^ set again: the same watch, the server keeps one per session
 *      event: no watch                         | reply with mzxid > m: newer data before the event
 *                                              | end of the stream: see below
 *
 * A missing event is a violation only when it must have come. A change with zxid z > m is known (somebody was told of
 * it), and after the watch this very session got a reply whose header says z or more. The header's zxid is the last one
 * that server had applied; applying z queued the event on this connection, ahead of that reply; and the reply proves
 * that the connection stood. A session that ended, or heard nothing more, may have missed it.
 *
 * An event without any change it could tell of is one too many: some write of the key, not acknowledged at or before m,
 * must have been sent before the event came. With writers outside the history that is not asked.
 */
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { EventType } from '../../src/wire/watch-event.ts';
import { ChangeIndex, NO_CHANGE } from './change-index.ts';
import { describeRow, zxidText } from './describe.ts';
import { NO_MZXID, OpKind } from './history.ts';
import { type History, Outcome } from './merged-history.ts';
import { RuleReport } from './rule-report.ts';
import { firstRows } from './stable-order.ts';

/** Instead of the row that armed a watch. */
const NOT_ARMED = -1;
const PERHAPS_ARMED = -2;

/** One watch table entry of one session and key. */
class Watch {
  /** Row that armed it, or one of the marks above. */
  armedBy = NOT_ARMED;
  /** Newer data has been seen, and reported. */
  overtaken = false;

  set(armedBy: number): void {
    this.armedBy = armedBy;
    this.overtaken = false;
  }
}

interface Changes {
  /** Acknowledged or seen, of data and of children. */
  readonly data: ChangeIndex;
  readonly children: ChangeIndex;
  /** Every write that was not refused; without a result they count as the last ones. */
  readonly writes: ChangeIndex;
}

export function checkWatches(history: History): RuleReport[] {
  const once = new RuleReport('watches fire exactly once');
  const before = new RuleReport('event before newer data');
  if (history.kind.some(isAboutWatches)) new WatchCheck(history, once, before).run();
  return [once, before];
}

class WatchCheck {
  private readonly history: History;
  private readonly once: RuleReport;
  private readonly before: RuleReport;
  private readonly changes: Changes;
  private readonly lastReply: ReadonlyMap<number, number>;
  private readonly data = new Watch();
  private readonly children = new Watch();

  constructor(history: History, once: RuleReport, before: RuleReport) {
    this.history = history;
    this.once = once;
    this.before = before;
    this.changes = changesOf(history);
    this.lastReply = lastReplies(history);
  }

  run(): void {
    const { byKeyStream, key, session } = this.history;
    const unset = this.history.context.watchesBefore ? PERHAPS_ARMED : NOT_ARMED;
    for (let i = 0; i < byKeyStream.length; i++) {
      const row = byKeyStream[i]!;
      const previous = byKeyStream[i - 1];
      if (previous === undefined || key[row] !== key[previous] || session[row] !== session[previous]) {
        if (previous !== undefined) this.endStream(previous);
        this.data.set(unset);
        this.children.set(unset);
        this.changes.data.seek(key[row]!);
        this.changes.children.seek(key[row]!);
        this.changes.writes.seek(key[row]!);
      }
      if (this.history.hasReply(row)) this.step(row);
      if (i === byKeyStream.length - 1) this.endStream(row);
    }
  }

  private step(row: number): void {
    const { kind, outcome, error } = this.history;
    const ok = outcome[row] === Outcome.ok;
    switch (kind[row]) {
      case OpKind.event:
        this.onEvent(row);
        break;
      case OpKind.write:
      case OpKind.read:
      case OpKind.freshRead:
        if (ok) this.onReply(this.data, row);
        break;
      case OpKind.watchSet:
        if (ok) this.onSet(this.data, row);
        break;
      case OpKind.existsWatchSet:
        if (ok || error[row] === ErrorCode.noNode) this.onSet(this.data, row);
        break;
      case OpKind.childRead:
        if (ok) this.onReply(this.children, row);
        break;
      case OpKind.childWatchSet:
        if (ok) this.onSet(this.children, row);
        break;
    }
  }

  private onReply(watch: Watch, row: number): void {
    const { history } = this;
    if (watch.armedBy < 0 || watch.overtaken || history.mzxid[row]! <= history.mzxid[watch.armedBy]!) return;
    watch.overtaken = true;
    const armedBy = watch.armedBy;
    this.before.add(
      () =>
        `key ${history.key[row]}: ${describeRow(history, row)} came before the event of the watch that ` +
        `${describeRow(history, armedBy)} set`,
    );
  }

  private onSet(watch: Watch, row: number): void {
    this.onReply(watch, row);
    if (watch.armedBy < 0) watch.set(row);
  }

  private onEvent(row: number): void {
    const { history, data, children } = this;
    const type = history.version[row]!;
    const fired = [];
    if (type !== EventType.nodeChildrenChanged && data.armedBy !== NOT_ARMED) fired.push(data);
    const hitsChildren = type === EventType.nodeChildrenChanged || type === EventType.nodeDeleted;
    if (hitsChildren && children.armedBy !== NOT_ARMED) fired.push(children);
    if (fired.length === 0) {
      this.once.add(() => `key ${history.key[row]}: ${describeRow(history, row)} came without a watch`);
    }
    for (const watch of fired) {
      if (watch.armedBy >= 0) this.judgeCause(watch.armedBy, row);
      watch.set(NOT_ARMED);
    }
  }

  /** Is there anything that the event can tell of? */
  private judgeCause(armedBy: number, row: number): void {
    const { history } = this;
    const { zxid, mzxid, version, invokeUs, context } = history;
    const told = zxid[row]!;
    if (told > 0 && told <= mzxid[armedBy]!) {
      this.once.add(
        () =>
          `key ${history.key[row]}: ${describeRow(history, row)} tells of zxid ${zxidText(told)}, which ` +
          `${describeRow(history, armedBy)} had seen when it set the watch`,
      );
      return;
    }
    if (version[row] !== EventType.nodeDataChanged || context.foreignWrites) return;
    const calledUs = this.changes.writes.earliestCallAfter(mzxid[armedBy]!);
    if (calledUs <= invokeUs[row]! + 2 * context.clockSlackUs) return;
    this.once.add(
      () =>
        `key ${history.key[row]}: ${describeRow(history, row)} came without a write after ` +
        describeRow(history, armedBy),
    );
  }

  /** `last` is the last row of a session's stream for a key. */
  private endStream(last: number): void {
    this.judgeMissing(this.data, this.changes.data, last);
    this.judgeMissing(this.children, this.changes.children, last);
  }

  private judgeMissing({ armedBy }: Watch, changes: ChangeIndex, last: number): void {
    if (armedBy < 0) return;
    const { history } = this;
    const { mzxid, zxid, arrival, session, key } = history;
    const change = changes.firstAfter(mzxid[armedBy]!);
    const reply = this.lastReply.get(session[last]!);
    if (change === NO_CHANGE || reply === undefined) return;
    if (arrival[reply]! <= arrival[armedBy]! || zxid[reply]! < mzxid[change]!) return;
    this.once.add(
      () =>
        `key ${key[last]}: no event for the watch that ${describeRow(history, armedBy)} set, though there was ` +
        `${describeRow(history, change)} and the session was told of it by ${describeRow(history, reply)}`,
    );
  }
}

function changesOf(history: History): Changes {
  const { kind, outcome, key, mzxid, invokeUs } = history;
  const latest = mzxid.reduce((highest, value) => Math.max(highest, value), 0);
  const placed = mzxid.map((value, row) => (outcome[row] === Outcome.ok ? value : latest + 1));
  const index = (belongs: (row: number) => boolean, zxids: Float64Array): ChangeIndex =>
    new ChangeIndex(firstRows(history.rowCount).filter(belongs), key, zxids, invokeUs);
  return {
    data: index((row) => mzxid[row] !== NO_MZXID && !isAboutChildren(kind[row]!), mzxid),
    children: index((row) => mzxid[row] !== NO_MZXID && isAboutChildren(kind[row]!), mzxid),
    writes: index((row) => kind[row] === OpKind.write && outcome[row] !== Outcome.refused, placed),
  };
}

/** By session: the row of the last reply whose header has a zxid. */
function lastReplies({ byStream, kind, session, zxid }: History): ReadonlyMap<number, number> {
  const last = new Map<number, number>();
  for (let i = 0; i < byStream.length; i++) {
    const row = byStream[i]!;
    if (kind[row] !== OpKind.event && zxid[row]! > 0) last.set(session[row]!, row);
  }
  return last;
}

function isAboutWatches(kind: number): boolean {
  return kind === OpKind.event || (kind >= OpKind.watchSet && kind <= OpKind.childWatchSet);
}

function isAboutChildren(kind: number): boolean {
  return kind === OpKind.childRead || kind === OpKind.childWatchSet;
}

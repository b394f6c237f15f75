/**
 * What ZooKeeper promises each session: replies in the order of the requests, zxids that never go back, and a state
 * that never does.
 *
 *     stream of a session    reply zxid 5 | event | reply zxid 5 | reply zxid 9 ...       never smaller
 *     ... of one key         read mzxid 3 | own write mzxid 8 | read mzxid 8 or more      never behind what it saw or wrote
 *
 * Header zxids of 0 and below mean that the server says none and are skipped.
 */
import { describeRow, zxidText } from './describe.ts';
import { NO_MZXID, OpKind } from './history.ts';
import type { History } from './merged-history.ts';
import { RuleReport } from './rule-report.ts';

const NO_ROW = -1;

export function checkSessionOrder(history: History): RuleReport[] {
  const requests = new RuleReport('replies in request order');
  const zxids = new RuleReport('zxids never go back');
  const reads = new RuleReport('reads never go back');
  checkStreams(history, requests, zxids);
  checkKeys(history, reads);
  return [requests, zxids, reads];
}

function checkStreams(history: History, requests: RuleReport, zxids: RuleReport): void {
  const { byStream, session, kind, zxid, mzxid } = history;
  let lastSent = NO_ROW;
  let newest = NO_ROW;
  for (let i = 0; i < byStream.length; i++) {
    const row = byStream[i]!;
    if (i > 0 && session[row] !== session[byStream[i - 1]!]) lastSent = newest = NO_ROW;
    if (!history.hasReply(row) || kind[row] === OpKind.event) continue;
    if (row < lastSent) requests.add(() => afterText(history, row, lastSent));
    lastSent = row;
    if (zxid[row]! <= 0) continue;
    if (newest !== NO_ROW && zxid[row]! < zxid[newest]!) zxids.add(() => backText(history, row, newest));
    else newest = row;
    if (mzxid[row]! > zxid[row]!) {
      zxids.add(
        () => `${describeRow(history, row)}: the data is newer than the state the reply claims to show`,
      );
    }
  }
}

function checkKeys(history: History, reads: RuleReport): void {
  const { byKeyStream, session, key, kind, mzxid } = history;
  let newestData = NO_ROW;
  let newestChildren = NO_ROW;
  for (let i = 0; i < byKeyStream.length; i++) {
    const row = byKeyStream[i]!;
    const previous = byKeyStream[i - 1];
    if (previous === undefined || session[row] !== session[previous] || key[row] !== key[previous]) {
      newestData = newestChildren = NO_ROW;
    }
    if (!history.hasReply(row) || mzxid[row] === NO_MZXID) continue;
    const children = kind[row] === OpKind.childRead || kind[row] === OpKind.childWatchSet;
    const newest = children ? newestChildren : newestData;
    if (newest !== NO_ROW && goesBack(history, newest, row)) {
      reads.add(
        () => `key ${key[row]}: ${describeRow(history, row)} came after ${describeRow(history, newest)}`,
      );
    } else if (children) newestChildren = row;
    else newestData = row;
  }
}

/** An own write makes a new state, so it may not even be equal. */
function goesBack({ kind, mzxid }: History, before: number, row: number): boolean {
  return kind[row] === OpKind.write ? mzxid[row]! <= mzxid[before]! : mzxid[row]! < mzxid[before]!;
}

function afterText(history: History, row: number, before: number): string {
  return `${describeRow(history, row)} was answered after ${describeRow(history, before)}, which was sent later`;
}

function backText(history: History, row: number, newest: number): string {
  const zxid = zxidText(history.zxid[newest]!);
  return `${describeRow(history, row)} came after the zxid ${zxid} of ${describeRow(history, newest)}`;
}

/**
 * Znodes that one sender makes and takes away again: what it was told must fit together. A key is followed as long as
 * its requests come one after the other: in one session in the order of its stream, over several sessions only when
 * one was over before the next was sent.
 *
 *                  create ok                            every step is what a reply told; what a state cannot
 *              ----------------->                       answer is a violation:
 *      absent                       present                 create ok     when present
 *              <-----------------                           NODEEXISTS    when absent
 *                  delete ok                                delete ok     when absent
 *                                                           NONODE        when present
 *
 * At first the state is not known; a request without a reply ends the walk. Other errors tell nothing.
 */
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { describeRow } from './describe.ts';
import { OpKind } from './history.ts';
import { type History, Outcome } from './merged-history.ts';
import { RuleReport } from './rule-report.ts';

type Presence = 'present' | 'absent';

/** What a reply says of the znode before and after the request. */
interface Testimony {
  readonly before: Presence;
  readonly after: Presence;
}

const CREATED: Testimony = { before: 'absent', after: 'present' };
const DELETED: Testimony = { before: 'present', after: 'absent' };
const EXISTED: Testimony = { before: 'present', after: 'present' };
const MISSED: Testimony = { before: 'absent', after: 'absent' };

export function checkOwnZnodes(history: History): RuleReport {
  const report = new RuleReport('creates and deletes fit together');
  const { byKeyStream, kind, key, session } = history;
  let last = -1;
  let presence: Presence | null = null;
  let lost = false;
  for (let i = 0; i < byKeyStream.length; i++) {
    const row = byKeyStream[i]!;
    if (last >= 0 && key[row] !== key[last]) {
      last = -1;
      presence = null;
      lost = false;
    }
    if (kind[row] !== OpKind.create && kind[row] !== OpKind.delete) continue;
    const overlaps = last >= 0 && session[row] !== session[last] && !history.precedes(last, row);
    lost ||= overlaps || history.outcome[row] === Outcome.unknown;
    if (lost) {
      last = row;
      continue;
    }
    const testimony = testimonyOf(history, row);
    if (testimony !== null) {
      if (presence !== null && testimony.before !== presence) {
        const before = last;
        report.add(
          () => `key ${key[row]}: ${describeRow(history, row)} after ${describeRow(history, before)}`,
        );
      }
      presence = testimony.after;
    }
    last = row;
  }
  return report;
}

function testimonyOf({ kind, error }: History, row: number): Testimony | null {
  const creates = kind[row] === OpKind.create;
  switch (error[row]) {
    case ErrorCode.ok:
      return creates ? CREATED : DELETED;
    case ErrorCode.nodeExists:
      return creates ? EXISTED : null;
    case ErrorCode.noNode:
      return creates ? null : MISSED;
    default:
      return null;
  }
}

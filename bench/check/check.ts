/**
 * The verdict on the history of a phase: every guarantee of ZooKeeper that the load can observe, checked on the same
 * requests that gave the figures. Pure and synchronous; one to two seconds per million records.
 *
 *     workers: HistoryRecorder --shared memory--> History ----> session-order.ts   own-znodes.ts   watches.ts
 *     (history.ts)                     (merged-history.ts)
 *                                          '--> ValueClusters -> written-values.ts   write-order.ts
 *                                              (value-clusters.ts)  lost-writes.ts   linearizability.ts
 *
 * Each rule is independent of the others: one fault of a server may break several. A rule that the history has no
 * records for holds.
 */
import type { CheckResult } from '../result/run-json.ts';
import { OpKind } from './history.ts';
import { checkLinearizability } from './linearizability.ts';
import { checkLostWrites } from './lost-writes.ts';
import { type CheckContext, History, type KeyStates } from './merged-history.ts';
import { checkOwnZnodes } from './own-znodes.ts';
import { checkSessionOrder } from './session-order.ts';
import { valueClusters } from './value-clusters.ts';
import { checkWatches } from './watches.ts';
import { checkWriteOrder } from './write-order.ts';
import { checkWrittenValues } from './written-values.ts';

/** Two calibrations of one monotonic clock against another, each good to some microseconds. */
const CLOCK_SLACK_US = 20;

/**
 * `memories` are those of the recorders, whose workers have stopped; `final` is what a sync and a getData of each key
 * say after the last reply, null when nobody could ask. Options not given: every key begins with tag 0, nobody else
 * writes, no watches from before, workers' clocks agree within 20 us.
 */
export function checkHistory(
  memories: readonly SharedArrayBuffer[],
  final: KeyStates | null,
  options: Partial<Omit<CheckContext, 'final'>> = {},
): CheckResult {
  const history = new History(memories, {
    initial: null,
    foreignWrites: false,
    watchesBefore: false,
    clockSlackUs: CLOCK_SLACK_US,
    ...options,
    final,
  });
  const clusters = valueClusters(history);
  const linearizability = checkLinearizability(clusters);
  const rules = [
    ...checkSessionOrder(history),
    checkWrittenValues(clusters),
    checkWriteOrder(clusters),
    checkLostWrites(clusters),
    linearizability.report,
    ...checkWatches(history),
    checkOwnZnodes(history),
  ];
  return {
    passed: rules.every(({ violations }) => violations === 0),
    operations: operationCount(history),
    keys: linearizability.keys,
    truncated: history.truncated,
    rules: rules.map((rule) => rule.toResult()),
  };
}

function operationCount({ kind, recordedCount }: History): number {
  let count = 0;
  for (let row = 0; row < recordedCount; row++) if (kind[row] !== OpKind.event) count++;
  return count;
}

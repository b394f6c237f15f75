/**
 * No acknowledged write is lost: what a sync and a getData see after the run is at least as new as every acknowledged
 * write, and where it is that write it has its value; and no key is gone. What fresh reads see during the run is
 * judged by linearizability.ts.
 *
 *     write 7 ok, mzxid 0x14     write 9 ok, mzxid 0x20     after the run: mzxid 0x14       -> 9 is lost
 */
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { describeRow, zxidText } from './describe.ts';
import { OpKind } from './history.ts';
import { type History, type KeyState, Outcome } from './merged-history.ts';
import { RuleReport } from './rule-report.ts';
import type { ValueClusters } from './value-clusters.ts';

export function checkLostWrites(clusters: ValueClusters): RuleReport {
  const { history, byMzxid, key, writeRow } = clusters;
  const report = new RuleReport('no acknowledged write lost');
  checkGone(history, report);
  let newest = -1;
  for (let i = 0; i < byMzxid.length; i++) {
    const cluster = byMzxid[i]!;
    const write = writeRow[cluster]!;
    if (write >= 0 && history.outcome[write] === Outcome.ok) newest = write;
    if (i + 1 < byMzxid.length && key[byMzxid[i + 1]!] === key[cluster]) continue;
    const final = history.context.final?.get(key[cluster]!);
    if (final !== undefined) checkFinal(history, key[cluster]!, newest, final, report);
    newest = -1;
  }
  return report;
}

/** `newest`: row of the acknowledged write with the highest mzxid, -1 without one. */
function checkFinal(
  history: History,
  key: number,
  newest: number,
  final: KeyState | null,
  report: RuleReport,
): void {
  if (final === null) {
    report.add(() => `key ${key}: the znode is gone after the run`);
    return;
  }
  if (newest < 0) return;
  const mzxid = history.mzxid[newest]!;
  const other = final.mzxid === mzxid && final.tag !== history.tag[newest];
  if (final.mzxid >= mzxid && !other) return;
  report.add(
    () =>
      `key ${key}: after the run it has value ${final.tag}, mzxid ${zxidText(final.mzxid)}, version ` +
      `${final.version}; lost is ${describeRow(history, newest)}`,
  );
}

/** A register that was there answers NONODE: by rows of one key, after its first acknowledged write. */
function checkGone(history: History, report: RuleReport): void {
  const { byKeyStream, key, kind, error, context } = history;
  let from = 0;
  for (let to = 1; to <= byKeyStream.length; to++) {
    if (to < byKeyStream.length && key[byKeyStream[to]!] === key[byKeyStream[from]!]) continue;
    const rows = byKeyStream.subarray(from, to);
    from = to;
    const gone = rows.filter((row) => error[row] === ErrorCode.noNode && isLinearizable(kind[row]!));
    if (gone.length === 0) continue;
    const earliest = firstAcknowledged(history, rows);
    const wasThere = context.initial?.get(key[rows[0]!]!) ?? null;
    for (const row of gone) {
      if (wasThere === null && (earliest < 0 || !history.precedes(earliest, row))) continue;
      report.add(() => `key ${key[row]}: the znode is gone: ${describeRow(history, row)}`);
    }
  }
}

/** Row of the write whose acknowledgement came first; -1 without one. */
function firstAcknowledged({ kind, outcome, returnUs }: History, rows: Uint32Array): number {
  let earliest = -1;
  for (const row of rows) {
    if (kind[row] !== OpKind.write || outcome[row] !== Outcome.ok) continue;
    if (earliest < 0 || returnUs[row]! < returnUs[earliest]!) earliest = row;
  }
  return earliest;
}

function isLinearizable(kind: number): boolean {
  return kind === OpKind.write || kind === OpKind.freshRead;
}

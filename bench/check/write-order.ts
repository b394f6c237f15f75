/**
 * The writes of a key form one order that everybody agrees on: each value has one mzxid and one version, both grow
 * together, and there are not more versions than writes. No intervals are used: this is what the server says of itself.
 *
 *     mzxid     0x10   0x14   0x15        0x20
 *     version   3      4      5     . .   8            two versions that no reply tells of: each must be a write
 *                                                      without a reply, else somebody wrote what nobody sent
 */
import { describeRow, zxidText } from './describe.ts';
import { NO_MZXID } from './history.ts';
import { Outcome } from './merged-history.ts';
import { RuleReport } from './rule-report.ts';
import { Origin, UNPLACED, type ValueClusters } from './value-clusters.ts';

export function checkWriteOrder(clusters: ValueClusters): RuleReport {
  const report = new RuleReport('one order of writes');
  for (let cluster = 0; cluster < clusters.count; cluster++) checkOneResult(clusters, cluster, report);
  const { byMzxid, key } = clusters;
  let from = 0;
  for (let to = 1; to <= byMzxid.length; to++) {
    if (to < byMzxid.length && key[byMzxid[to]!] === key[byMzxid[from]!]) continue;
    checkChain(clusters, from, to, report);
    from = to;
  }
  return report;
}

/** All that saw a value were told the same mzxid and version. */
function checkOneResult(clusters: ValueClusters, cluster: number, report: RuleReport): void {
  const { history, start, rows, mzxid, version, key } = clusters;
  let other = -1;
  for (let i = start[cluster]!; i < start[cluster + 1]!; i++) {
    const row = rows[i]!;
    if (history.mzxid[row] === NO_MZXID) continue;
    if (history.mzxid[row] === mzxid[cluster] && history.version[row] === version[cluster]) continue;
    other = row;
    break;
  }
  if (other < 0) return;
  report.add(
    () =>
      `key ${key[cluster]}: ${describeRow(history, other)}, but elsewhere the same value has ` +
      placeText(clusters, cluster),
  );
}

/** The clusters of one key, `byMzxid[from..to)`. */
function checkChain(clusters: ValueClusters, from: number, to: number, report: RuleReport): void {
  const { history, byMzxid, key, mzxid, version, writeRow } = clusters;
  let open = 0;
  let placed = 0;
  let last = -1;
  let firstVersion = 0;
  let inOrder = true;
  for (let i = from; i < to; i++) {
    const cluster = byMzxid[i]!;
    if (mzxid[cluster] === UNPLACED) {
      if (writeRow[cluster]! >= 0 && history.outcome[writeRow[cluster]!] === Outcome.unknown) open++;
      continue;
    }
    placed++;
    if (last < 0) firstVersion = version[cluster]!;
    else if (mzxid[cluster]! <= mzxid[last]! || version[cluster]! <= version[last]!) {
      const before = last;
      inOrder = false;
      report.add(
        () => `key ${key[cluster]}: ${valueText(clusters, before)}, ${valueText(clusters, cluster)}`,
      );
    }
    last = cluster;
  }
  if (!inOrder || last < 0 || history.context.foreignWrites) return;
  const missing = version[last]! - firstVersion + 1 - placed;
  if (missing <= open) return;
  report.add(
    () =>
      `key ${key[last]}: versions ${firstVersion} .. ${version[last]} hold ${missing} values that no reply tells of, ` +
      `but only ${open} writes have no reply`,
  );
}

function valueText(clusters: ValueClusters, cluster: number): string {
  const { history, rows, start, origin } = clusters;
  const tag = history.tag[rows[start[cluster]!]!];
  const what = origin[cluster] === Origin.initial ? `the value before the run (${tag})` : `value ${tag}`;
  return `${what} has ${placeText(clusters, cluster)}`;
}

function placeText({ mzxid, version }: ValueClusters, cluster: number): string {
  return `mzxid ${zxidText(mzxid[cluster]!)} and version ${version[cluster]}`;
}

/**
 * Every value that was read was written: by a request of the history that was sent before the read ended and was not
 * refused. One violation per value, however often it was read. Linearizability.ts relies on this rule for the part of
 * the question that needs no order.
 */
import { describeRow } from './describe.ts';
import { Outcome } from './merged-history.ts';
import { RuleReport } from './rule-report.ts';
import { Origin, type ValueClusters } from './value-clusters.ts';

export function checkWrittenValues(clusters: ValueClusters): RuleReport {
  const { history, count, start, rows, writeRow, origin } = clusters;
  const report = new RuleReport('values read were written');
  for (let cluster = 0; cluster < count; cluster++) {
    const write = writeRow[cluster]!;
    const reader = firstReader(clusters, cluster);
    if (reader < 0) continue;
    const saw = (): string => `key ${history.key[reader]}: ${describeRow(history, reader)} saw a value `;
    if (origin[cluster] === Origin.foreign) {
      if (!history.context.foreignWrites) report.add(() => `${saw()}that nobody wrote`);
    } else if (write >= 0 && history.outcome[write] === Outcome.refused) {
      report.add(() => `${saw()}whose write was refused: ${describeRow(history, write)}`);
    } else if (write >= 0) {
      const early = rows
        .subarray(start[cluster]!, start[cluster + 1]!)
        .find((row) => row !== write && history.precedes(row, write));
      if (early !== undefined) {
        report.add(
          () =>
            `key ${history.key[early]}: ${describeRow(history, early)} ended before ${describeRow(history, write)} was sent`,
        );
      }
    }
  }
  return report;
}

/** The first row of the cluster that saw the value; -1 when nobody did. */
function firstReader({ start, rows, writeRow }: ValueClusters, cluster: number): number {
  for (let i = start[cluster]!; i < start[cluster + 1]!; i++) {
    if (rows[i] !== writeRow[cluster]) return rows[i]!;
  }
  return -1;
}

/**
 * Are writes and fresh reads (sync, then getData) of each key those of one register? Each takes effect at one instant
 * between its call and its return; a write without a reply at any time after its call, or never. Plain reads are only
 * sequentially consistent in ZooKeeper and are not asked.
 *
 * Keys are independent (linearizability is local: the P-compositionality of Porcupine). Within a key Porcupine searches,
 * because it serves any model; exponential when much runs at once. Here tags are unique, so it is known which write each
 * read saw, and the question has an answer in n log n (Gibbons and Korach, Testing Shared Memories, SIAM J. Comput. 26,
 * 1997; the zones are those of Golab, Li and Shah, PODC 2011). So no key stays undecided, whatever its concurrency.
 *
 * Take the operations of one value: its write and the reads that saw it. `f` is when the first of them returned, `s`
 * when the last of them was called:
 *
 *     f < s   forward zone:   write |--|        read |---|       the value must stand from f to s, no other between
 *                                      f=============s
 *     s <= f  backward zone:  write |------------|               some instant is in all of them: there the value can
 *                               read   |--------------|          come and go
 *                                      s=========f
 *
 * The history is linearizable if and only if every read returned after its write was called and saw a value that was
 * written (written-values.ts), no two forward zones overlap, and no backward zone lies within a forward one.
 *
 *     f======a======s                      f======a==========s
 *            f===b======s    rejected         s===b===f            rejected
 *
 * Why: a comes before b when an operation of a returns before one of b is called, that is when f(a) < s(b). The two
 * pictures are the pairs with both f(a) < s(b) and f(b) < s(a). Without such a pair the relation has no longer circle
 * either, so the values can be put into one order, each write followed by its reads.
 *
 * `sync` does not confirm that the leader still leads, so a partition may break this rule without a fault in the
 * implementation; with a leader that stays it holds.
 */
import { describeRow, msText } from './describe.ts';
import { OpKind } from './history.ts';
import { type History, Outcome } from './merged-history.ts';
import { RuleReport } from './rule-report.ts';
import { orderedBy } from './stable-order.ts';
import { Origin, type ValueClusters } from './value-clusters.ts';

/** By cluster; whole microseconds, rounded outwards, so that rounding causes no alarm. */
interface Zones {
  readonly firstReturnUs: Float64Array;
  readonly lastCallUs: Float64Array;
  /** Clusters with at least one acknowledged write or fresh read, by key and `firstReturnUs`. */
  readonly order: Uint32Array;
}

export interface LinearizabilityResult {
  readonly report: RuleReport;
  /** Keys with at least one acknowledged write or fresh read. */
  readonly keys: number;
}

export function checkLinearizability(clusters: ValueClusters): LinearizabilityResult {
  const report = new RuleReport('linearizable writes and sync + reads');
  const zones = zonesOf(clusters);
  const { firstReturnUs, lastCallUs, order } = zones;
  const { key } = clusters;
  let keys = 0;
  let open = -1; // the key's last forward zone: without an overlap none before it reaches farther
  for (let i = 0; i < order.length; i++) {
    const cluster = order[i]!;
    if (i === 0 || key[cluster] !== key[order[i - 1]!]) {
      keys++;
      open = -1;
    }
    const [f, s] = [firstReturnUs[cluster]!, lastCallUs[cluster]!];
    if (open >= 0 && f < lastCallUs[open]! && firstReturnUs[open]! < s) {
      const outer = open;
      report.add(() => conflictText(clusters, outer, cluster));
    }
    if (f < s) open = cluster;
  }
  return { report, keys };
}

function zonesOf(clusters: ValueClusters): Zones {
  const { history, count, rows, start, key } = clusters;
  const firstReturnUs = new Float64Array(count);
  const lastCallUs = new Float64Array(count);
  const judged = new Uint32Array(count);
  const slackUs = history.context.clockSlackUs;
  const beforeAllUs = -Math.ceil(slackUs) - 1;
  let used = 0;
  for (let cluster = 0; cluster < count; cluster++) {
    let first = clusters.origin[cluster] === Origin.initial ? beforeAllUs : Number.POSITIVE_INFINITY;
    let last = Number.NEGATIVE_INFINITY;
    let certain = false;
    for (let i = start[cluster]!; i < start[cluster + 1]!; i++) {
      const row = rows[i]!;
      if (!isOperation(history, row)) continue;
      last = Math.max(last, Math.floor(history.invokeUs[row]! - slackUs));
      if (history.outcome[row] !== Outcome.ok) continue;
      first = Math.min(first, Math.ceil(history.returnUs[row]! + slackUs));
      certain = true;
    }
    if (!certain) continue;
    firstReturnUs[cluster] = first;
    lastCallUs[cluster] = last;
    judged[used++] = cluster;
  }
  const order = orderedBy(orderedBy(judged.subarray(0, used), firstReturnUs), key);
  return { firstReturnUs, lastCallUs, order };
}

function isOperation({ kind }: History, row: number): boolean {
  return kind[row] === OpKind.freshRead || kind[row] === OpKind.write;
}

/** `outer` stood before `inner` came and after it had gone, or they took turns. */
function conflictText(clusters: ValueClusters, outer: number, inner: number): string {
  const { key } = clusters;
  return (
    `key ${key[outer]}: ${standingText(clusters, outer)}; but in between ${standingText(clusters, inner)}: ` +
    'no order of these is possible'
  );
}

/** The two operations that make the zone. */
function standingText(clusters: ValueClusters, cluster: number): string {
  const { history, rows, start, origin } = clusters;
  let first = -1;
  let last = -1;
  for (let i = start[cluster]!; i < start[cluster + 1]!; i++) {
    const row = rows[i]!;
    if (!isOperation(history, row)) continue;
    const ended = history.outcome[row] === Outcome.ok;
    if (ended && (first < 0 || history.returnUs[row]! < history.returnUs[first]!)) first = row;
    if (last < 0 || history.invokeUs[row]! > history.invokeUs[last]!) last = row;
  }
  const tag = history.tag[rows[start[cluster]!]!]!;
  const late = `${describeRow(history, last)} was called at ${msText(history.invokeUs[last]!)} ms`;
  if (origin[cluster] === Origin.initial) return `value ${tag} stood before the run and ${late}`;
  if (first === last) return `${describeRow(history, first)}`;
  return `${describeRow(history, first)} had ended when ${late}`;
}

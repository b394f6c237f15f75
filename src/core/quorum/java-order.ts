/**
 * The order in which Java's `HashMap<Long, …>` gives its keys. Apache writes the members of a configuration in it, and
 * what we write is compared with its text: in `/zookeeper/config`, in `conf`, in what clients print. For the usual ids,
 * below 16 and few of them, it is simply ascending.
 *
 * A table has a power of two of buckets, at least 16, and doubles when it is three quarters full. A key's bucket is its
 * hash modulo that; in a bucket the first that came is the first. Pure; used while a configuration is read.
 */

const BUCKETS_MIN = 16;
const FILL_MAX = 0.75;

/** `keys` in Java's order; none of them twice. */
export function inJavaOrder(keys: readonly number[]): number[] {
  let buckets = BUCKETS_MIN;
  while (keys.length > buckets * FILL_MAX) buckets *= 2;
  const rows = keys.map((key) => ({ key, bucket: bucketOf(key, buckets) }));
  return rows.sort((a, b) => a.bucket - b.bucket).map((row) => row.key);
}

/** `Long.hashCode`, then what HashMap does to it. */
function bucketOf(key: number, buckets: number): number {
  const hash = Math.floor(key / 2 ** 32) ^ ((key % 2 ** 32) | 0);
  return (hash ^ (hash >>> 16)) & (buckets - 1);
}

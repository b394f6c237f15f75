/**
 * What a server says of itself by the word `mntr`: lines `zk_<name> TAB <value>`, under the same names from Apache
 * ZooKeeper and from ringkeeper. Counters are told from gauges by name, since the text does not say it.
 *
 *     counter   grows for ever: its growth over a time counts           packets_received, cnt_fsynctime, sum_fsynctime
 *     gauge     the state of the moment, or an extreme since the start   znode_count, max_fsynctime, p99_readlatency
 *
 * ringkeeper's own names (`zk_ringkeeper_<stage>_<figure>`) tell by their ends.
 */

/** Numbers by name without `zk_`. */
export type MonitorValues = ReadonlyMap<string, number>;

/** Summaries print these of one name; the rest of their parts are gauges. */
const COUNTER_PREFIX = /^(?:cnt|sum)_/;
const OWN_PREFIX = 'ringkeeper_';
const OWN_GAUGE = /_(?:now|capacity|max|p50|p99)$/;

/** Everything else that only grows, by the names of Apache 3.8 and of ringkeeper. */
const COUNTERS: ReadonlySet<string> = new Set(
  `
  packets_received packets_sent auth_failed_count
  proposal_count watch_bytes outstanding_changes_removed throttled_ops stale_requests_dropped
  large_requests_rejected insecure_admin_count connection_rejected cnxn_closed_without_zk_server_running
  sessionless_connections_expired looking_count dead_watchers_queued stale_requests connection_drop_count
  learner_proposal_received_count digest_mismatches_count dead_watchers_cleared
  response_packet_cache_hits bytes_received_count add_dead_watcher_stall_time request_throttle_wait_count
  requests_not_forwarded_to_commit_processor response_packet_cache_misses ensemble_auth_success
  prep_processor_request_queued learner_commit_received_count stale_replies connection_request_count
  response_bytes ensemble_auth_fail diff_count response_packet_get_children_cache_misses
  connection_revalidate_count quit_leading_due_to_disloyal_voter snap_count unrecoverable_error_count
  unsuccessful_handshake commit_count stale_sessions_expired response_packet_get_children_cache_hits
  sync_processor_request_queued outstanding_changes_queued request_commit_queued ensemble_auth_skip
  skip_learner_request_to_next_processor_count tls_handshake_exceeded revalidate_count
  `
    .trim()
    .split(/\s+/),
);

/** Gauges of which a service of several servers has the sum; of the others it has the largest. */
const SHARED_GAUGES: ReadonlySet<string> = new Set([
  'outstanding_requests',
  'num_alive_connections',
  'watch_count',
  'open_file_descriptor_count',
]);

/** The same figures in the words of `srvr`, which Apache answers even where `mntr` is not allowed. */
const SRVR_LINES: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^Received: (\d+)$/m, 'packets_received'],
  [/^Sent: (\d+)$/m, 'packets_sent'],
  [/^Connections: (\d+)$/m, 'num_alive_connections'],
  [/^Outstanding: (\d+)$/m, 'outstanding_requests'],
  [/^Node count: (\d+)$/m, 'znode_count'],
];

export function isCounter(name: string): boolean {
  if (name.startsWith(OWN_PREFIX)) return !OWN_GAUGE.test(name);
  return COUNTER_PREFIX.test(name) || COUNTERS.has(name);
}

/** The numbers of an answer to `mntr`; text values are left out. */
export function parseMonitor(answer: string): MonitorValues {
  const values = new Map<string, number>();
  for (const [, name, value] of answer.matchAll(/^zk_(\S+)[\t ]+(-?[\d.]+(?:E-?\d+)?)$/gm)) {
    values.set(name!, Number(value));
  }
  return values;
}

/** The numbers of an answer to `srvr`. */
export function parseServerStatus(answer: string): MonitorValues {
  const values = new Map<string, number>();
  for (const [pattern, name] of SRVR_LINES) {
    const match = pattern.exec(answer);
    if (match !== null) values.set(name, Number(match[1]));
  }
  return values;
}

/** The figures of all servers of a service as those of one. */
export function mergeMonitors(all: readonly MonitorValues[]): MonitorValues {
  if (all.length === 1) return all[0]!;
  const merged = new Map<string, number>();
  for (const values of all) {
    for (const [name, value] of values) {
      const old = merged.get(name);
      if (old === undefined) merged.set(name, value);
      else merged.set(name, isCounter(name) || SHARED_GAUGES.has(name) ? old + value : Math.max(old, value));
    }
  }
  return merged;
}

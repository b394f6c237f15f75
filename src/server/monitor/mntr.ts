/** The word `mntr`: one line `zk_<key> TAB <value>` per gauge and metric. Formatting only. */

import type { Summary } from './distribution.ts';
import type { EnsembleView, LeadingView } from './ensemble-view.ts';
import type { FileFigure, FileFigures } from './file-facts.ts';
import { doubleText } from './java-text.ts';
import { COUNTERS, DETAILED_SUMMARIES, SUMMARIES, UNMEASURED_AMONG_OTHERS } from './metrics.ts';
import type { ServerCounts, ServerView } from './server-view.ts';
import { versionLine } from './version.ts';

type Line = readonly [key: string, value: string | number | null];

const NO_SAMPLES: Summary = { count: 0, sum: 0, min: 0, max: 0 };
const NO_PERCENTILES = { p50: 0, p95: 0, p99: 0, p999: 0 };

export function monitorText(view: ServerView): string {
  const lines: Line[] = [
    ['version', versionLine()],
    ['server_state', view.mode],
    ...(view.ensemble === null ? [] : ensembleLines(view.ensemble)),
    ...gauges(view.counts(), view.files.figures()),
  ];
  const metrics = view.metrics();
  for (const name of COUNTERS) lines.push([name, metrics.counter(name)]);
  for (const name of SUMMARIES) lines.push(...summary(name, metrics.summary(name)));
  for (const name of DETAILED_SUMMARIES) {
    if (view.ensemble !== null && UNMEASURED_AMONG_OTHERS.has(name)) continue;
    lines.push(...summary(name, metrics.summary(name)));
    const percentiles = metrics.percentiles(name) ?? NO_PERCENTILES;
    lines.push(
      [`p50_${name}`, Math.round(percentiles.p50)],
      [`p95_${name}`, Math.round(percentiles.p95)],
      [`p99_${name}`, Math.round(percentiles.p99)],
      [`p999_${name}`, Math.round(percentiles.p999)],
    );
  }
  for (const [key, value] of metrics.own()) lines.push([`ringkeeper_${key}`, value]);
  let text = '';
  for (const [key, value] of lines) if (value !== null) text += `zk_${key}\t${value}\n`;
  return text;
}

export function averageText(summary: Summary): string {
  return doubleText(summary.count === 0 ? 0 : summary.sum / summary.count);
}

function ensembleLines({ peerState, observedSid, voterCount, leading }: EnsembleView): Line[] {
  return [
    ['peer_state', peerState],
    ['observer_master_id', observedSid],
    ['quorum_size', voterCount],
    ...(leading === null ? [] : leadingLines(leading)),
  ];
}

function leadingLines(leading: LeadingView): Line[] {
  return [
    ['learners', leading.learners],
    ['synced_followers', leading.syncedFollowers],
    ['synced_non_voting_followers', leading.syncedNonVotingFollowers],
    ['synced_observers', leading.syncedObservers],
    ['pending_syncs', leading.pendingSyncs],
    ['leader_uptime', leading.uptimeMs],
    ['last_proposal_size', leading.lastProposalBytes],
    ['min_proposal_size', leading.minProposalBytes],
    ['max_proposal_size', leading.maxProposalBytes],
  ];
}

function gauges(counts: ServerCounts, files: FileFigures): Line[] {
  return [
    ['avg_latency', averageText(counts.latency)],
    ['max_latency', Math.floor(counts.latency.max)],
    ['min_latency', Math.floor(counts.latency.min)],
    ['packets_received', counts.packetsReceived],
    ['packets_sent', counts.packetsSent],
    ['num_alive_connections', counts.connections],
    ['outstanding_requests', counts.outstanding],
    ['uptime', counts.uptimeMs],
    ['znode_count', counts.nodes],
    ['watch_count', counts.watches],
    ['ephemerals_count', counts.ephemerals],
    ['approximate_data_size', counts.dataBytes],
    ['global_sessions', counts.sessions],
    ['local_sessions', counts.localSessions],
    ['open_file_descriptor_count', known(files.openFiles)],
    ['max_file_descriptor_count', known(files.openFilesMax)],
    ['connection_drop_probability', doubleText(0)],
    ['last_client_response_size', counts.lastReplyBytes],
    ['max_client_response_size', counts.maxReplyBytes],
    ['min_client_response_size', counts.minReplyBytes],
    ['outstanding_tls_handshake', 0],
    ['auth_failed_count', counts.authFailures],
    ['non_mtls_remote_conn_count', 0],
    ['non_mtls_local_conn_count', 0],
  ];
}

/** A figure that could not be had is left out. */
function known(figure: FileFigure): number | null {
  return figure < 0 ? null : figure;
}

function summary(name: string, recorded: Summary | null): Line[] {
  const { count, sum, min, max } = recorded ?? NO_SAMPLES;
  // The average of what was measured, the others in whole numbers as Apache has them.
  return [
    [`avg_${name}`, averageText({ count, sum, min, max })],
    [`min_${name}`, Math.round(min)],
    [`max_${name}`, Math.round(max)],
    [`cnt_${name}`, count],
    [`sum_${name}`, Math.round(sum)],
  ];
}

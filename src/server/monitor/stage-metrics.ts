/**
 * Our own part of `mntr`: the stages and threads, `zk_ringkeeper_<stage>_<figure>`. The end of a name says what it is:
 *
 *     _now        goes up and down          _capacity   does not change       _p50, _p99   percentile since `srst`
 *     _max        largest since `srst`      all others  grow from `srst` on   _ms          milliseconds, to the microsecond
 *
 * The README of `../monitor` says how to find the limit with them.
 */
import { WORK_NAMES } from '../../core/progress/turn-work.ts';
import type { Replica } from '../../core/replica.ts';
import { SEGMENT_BYTES } from '../../shm/segments.ts';
import { BATCH_END_NAMES } from './batch-pace.ts';
import type { Distribution } from './distribution.ts';
import { IoTotal } from './io-meter.ts';
import { LogTotal } from './log-meter.ts';
import type { OwnMetric } from './metrics.ts';
import type { QueueGauge } from './queue-gauge.ts';
import { SnapshotTotal } from './snapshot-meter.ts';
import type { Stages } from './stages.ts';
import type { ThreadMeterReader } from './thread-meter.ts';
import type { TotalsReader } from './totals.ts';

/** `sinceResetMs`: since the last `srst`, or the start. */
export function stageMetrics(stages: Stages, replica: Replica, sinceResetMs: number): readonly OwnMetric[] {
  const { user, system } = process.cpuUsage();
  return [
    ['threading', stages.threading],
    ['since_reset_ms', ms(sinceResetMs * 1000)],
    ['process_cpu_ms', ms(user + system)],
    ...stages.threads.flatMap(threadMetrics),
    ...ioMetrics(stages),
    ...coreMetrics(stages, replica),
    ...storeMetrics(stages, replica),
    ...logMetrics(stages),
    ...snapshotMetrics(stages),
  ];
}

function threadMetrics(thread: ThreadMeterReader): OwnMetric[] {
  const name = `thread_${thread.role}`;
  const delays = thread.timerDelays();
  return [
    [`${name}_busy_ms`, ms(thread.busyMicros)],
    [`${name}_cpu_ms`, ms(thread.cpuMicros)],
    ...times(`${name}_gc`, thread.gcPauses()),
    ...(delays.count === 0 ? [] : times(`${name}_timer_delay`, delays)),
  ];
}

function ioMetrics(stages: Stages): OwnMetric[] {
  return [
    ...sizes('io', 'requests', stages.ioBatches()),
    ['io_request_bytes', stages.ioSince(IoTotal.requestBytes)],
    ['io_outstanding_now', stages.ioNow(IoTotal.outstanding)],
    ['io_pauses_window', stages.ioSince(IoTotal.pausesWindow)],
    ['io_pauses_outstanding', stages.ioSince(IoTotal.pausesOutstanding)],
    ['io_closed_malformed', stages.ioSince(IoTotal.malformed)],
    ['io_closed_slow', stages.ioSince(IoTotal.slow)],
    ['io_closed_greedy', stages.ioSince(IoTotal.greedy)],
    ['io_unread_bytes_now', stages.ioNow(IoTotal.unreadBytes)],
    ...queueMetrics('io', stages.queues.io, refusals(stages.queues.io)),
  ];
}

function coreMetrics(stages: Stages, replica: Replica): OwnMetric[] {
  const { core } = stages;
  return [
    ...sizes('core_request', 'requests', core.requestBatches, 'core'),
    ['core_request_ms', ms(core.requestTimes.sum)],
    ...sizes('core_commit', 'commits', core.commitBatches, 'core'),
    ['core_commit_ms', ms(core.commitTimes.sum)],
    ...times('core_read_latency', core.readLatency),
    ...times('core_update_latency', core.updateLatency),
    ...times('core_durable_wait', core.durableWaits),
    ['core_turn_ms_max', ms(core.turnMax)],
    ...replica.parts.work
      .worst()
      .map((count, kind): OwnMetric => [`core_turn_${WORK_NAMES[kind]}_max`, count]),
    ['core_in_flight_now', replica.parts.proposals.length],
    ['core_in_flight_max', core.inFlightMax],
    ['core_in_flight_capacity', replica.parts.proposals.zxids.length],
    ['core_closed_watches_of_connection', core.closedAt('watchesOfConnection')],
    ['core_closed_watches_of_all', core.closedAt('watchesOfAll')],
    ['core_closed_unread_events', core.closedAt('unreadEvents')],
    ['core_closed_unread_word', core.closedAt('unreadWord')],
    ['core_closed_held_replies', core.closedAt('heldReplies')],
    ['core_watch_bytes_now', replica.parts.watches.bytes],
    ...queueMetrics('core', stages.queues.core, stages.ioSince(IoTotal.pausesRing)),
  ];
}

function storeMetrics({ core }: Stages, replica: Replica): OwnMetric[] {
  const { arena } = replica.parts.tree;
  const { rounds, movedBytes } = core.compaction;
  return [
    ['store_live_bytes_now', arena.usedBytes],
    ['store_pages_bytes_now', arena.reservedBytes],
    ['store_segments_bytes_now', arena.segments.list.length * SEGMENT_BYTES],
    ['store_compactions', rounds],
    ['store_compaction_moved_bytes', movedBytes],
  ];
}

function logMetrics(stages: Stages): OwnMetric[] {
  const { log, queues } = stages;
  return [
    ...sizes('log', 'records', log.batches.read()),
    ['log_bytes', log.totals.since(LogTotal.bytes)],
    ['log_append_ms', ms(log.totals.since(LogTotal.appendMicros))],
    ['log_write_ms', ms(log.totals.since(LogTotal.writeMicros))],
    ...paceMetrics(log.totals),
    ...times('log_fsync', log.syncs.read()),
    ...queueMetrics('log', queues.log, refusals(queues.log)),
  ];
}

/** What group commit has come to, and why batches ended. */
function paceMetrics(totals: TotalsReader): OwnMetric[] {
  return [
    ['log_batch_ended_by_now', BATCH_END_NAMES[totals.now(LogTotal.paceEnd)]!],
    ['log_batch_records_now', totals.now(LogTotal.paceMilliRecords) / 1000],
    ['log_batch_flush_ms_now', ms(totals.now(LogTotal.paceFlushMicros))],
    ['log_records_per_second_now', totals.now(LogTotal.paceRate)],
    ...BATCH_END_NAMES.map(
      (name, end): OwnMetric => [`log_batches_ended_by_${name}`, totals.since(LogTotal.endedByLoad + end)],
    ),
  ];
}

function snapshotMetrics(stages: Stages): OwnMetric[] {
  const { totals, durations } = stages.snapshot;
  return [
    ...times('snapshot', durations.read()),
    ['snapshot_nodes', totals.since(SnapshotTotal.nodes)],
    ['snapshot_bytes', totals.since(SnapshotTotal.bytes)],
    ['snapshot_skipped', stages.core.skippedSnapshots],
    ['snapshot_given_up', stages.core.givenUpSnapshots],
    ['snapshot_running_now', stages.core.runningSnapshots],
    ['snapshot_running_ms_now', ms(stages.core.snapshotAgeMs * 1000)],
  ];
}

/** Batches of something: how much of it, in how many batches, the largest. */
function sizes(name: string, ofWhat: string, batches: Distribution, stage = name): OwnMetric[] {
  return [
    [`${stage}_${ofWhat}`, batches.sum],
    [`${name}_batches`, batches.count],
    [`${name}_batch_max`, batches.max],
  ];
}

function times(name: string, micros: Distribution): OwnMetric[] {
  return [
    [`${name}_count`, micros.count],
    [`${name}_ms`, ms(micros.sum)],
    [`${name}_ms_p50`, ms(micros.percentile(0.5))],
    [`${name}_ms_p99`, ms(micros.percentile(0.99))],
    [`${name}_ms_max`, ms(micros.max)],
  ];
}

/** Of the fullest ring that leads to a stage; 0 bytes of 0 where there is none. */
function queueMetrics(stage: string, queues: readonly QueueGauge[], fullCount: number): OwnMetric[] {
  return [
    [`${stage}_queue_bytes_now`, Math.max(0, ...queues.map((gauge) => gauge.bytesNow))],
    [`${stage}_queue_bytes_max`, Math.max(0, ...queues.map((gauge) => gauge.bytesMax))],
    [`${stage}_queue_bytes_capacity`, Math.max(0, ...queues.map((gauge) => gauge.capacityBytes))],
    [`${stage}_queue_full`, fullCount],
  ];
}

function refusals(queues: readonly QueueGauge[]): number {
  return queues.reduce((sum, gauge) => sum + gauge.fullCount, 0);
}

function ms(micros: number): number {
  return Math.round(micros) / 1000;
}

/**
 * Apache's metrics by its names, from our stages. The README of `../monitor` says which stands for what; a name that
 * is missing here is of something that this server does not have, and stays at 0.
 */
import type { Incarnations } from '../../core/incarnations.ts';
import type { Replica } from '../../core/replica.ts';
import type { Distribution, Summary } from './distribution.ts';
import type { EnsembleView } from './ensemble-view.ts';
import { IoTotal } from './io-meter.ts';
import { COUNTERS, type OwnMetric } from './metrics.ts';
import type { MetricsView, Percentiles } from './server-view.ts';
import { stageMetrics } from './stage-metrics.ts';
import type { Stages } from './stages.ts';

/** What the start has cost. */
export interface RecoveryCosts {
  readonly snapshotMs: number;
  readonly txnsMs: number;
  readonly txns: number;
  readonly digestMismatches: number;
}

/** What of a recovery the metrics show. */
interface Recovery {
  readonly isFirstStart: boolean;
  readonly costs: RecoveryCosts;
}

const MICROS_PER_MS = 1000;

/** Milliseconds, and a number of transactions. A new database has no log to be read. */
const STARTUP_COSTS: ReadonlyMap<string, (recovery: Recovery) => number | null> = new Map([
  ['dbinittime', ({ costs }: Recovery) => costs.snapshotMs + costs.txnsMs],
  ['startup_snap_load_time', ({ costs }) => costs.snapshotMs],
  ['startup_txns_load_time', ({ costs, isFirstStart }) => (isFirstStart ? null : costs.txnsMs)],
  ['startup_txns_loaded', ({ costs, isFirstStart }) => (isFirstStart ? null : costs.txns)],
]);

export class CoreMetrics implements MetricsView {
  /** Set when there is one. */
  ensemble: EnsembleView | null = null;
  private readonly incarnations: Incarnations;
  private readonly stages: Stages;
  /** Null after a reset, which forgets what the start has cost. */
  private recovery: Recovery | null = null;
  private digestMismatches = 0;
  /** What each counter was at the last reset. */
  private readonly base = new Map<string, number>();
  private resetMs: number;

  constructor(incarnations: Incarnations, stages: Stages, nowMs: number) {
    this.incarnations = incarnations;
    this.stages = stages;
    this.resetMs = nowMs;
  }

  onRecovered(recovery: Recovery): void {
    this.recovery = recovery;
    this.digestMismatches = recovery.costs.digestMismatches;
  }

  counter(name: string): number {
    return this.counted(name) - (this.base.get(name) ?? 0);
  }

  summary(name: string): Summary | null {
    const cost = STARTUP_COSTS.get(name);
    if (cost !== undefined) return this.recovery === null ? null : single(cost(this.recovery));
    return this.ensemble?.summary(name) ?? this.sizes(name) ?? inMs(this.micros(name));
  }

  percentiles(name: string): Percentiles | null {
    const micros = this.micros(name);
    if (micros === null) return null;
    const ms = (share: number): number => micros.percentile(share) / MICROS_PER_MS;
    return { p50: ms(0.5), p95: ms(0.95), p99: ms(0.99), p999: ms(0.999) };
  }

  own(): readonly OwnMetric[] {
    const stages = stageMetrics(this.stages, this.replica, this.replica.clock.nowMs - this.resetMs);
    return this.ensemble === null ? stages : [...stages, ...this.ensemble.own()];
  }

  private get replica(): Replica {
    return this.incarnations.replica;
  }

  /** `srst`, after the replica's statistics have been reset. */
  reset(nowMs: number): void {
    this.stages.reset();
    this.ensemble?.reset();
    this.recovery = null;
    this.resetMs = nowMs;
    for (const name of COUNTERS) this.base.set(name, this.counted(name));
  }

  // ---- by kind -------------------------------------------------------------------------------------------

  /** Those of the stages begin at the last reset by themselves, the others at the start of the server. */
  private counted(name: string): number {
    const { clients, statistics, proposals } = this.replica.parts;
    const { stages } = this;
    switch (name) {
      case 'bytes_received_count':
        return stages.core.requestBytes;
      case 'prep_processor_request_queued':
        return stages.core.requestBatches.sum;
      case 'sync_processor_request_queued':
        return proposals.tail;
      case 'commit_count':
      case 'proposal_count':
        return statistics.committed;
      case 'outstanding_changes_queued':
        return proposals.effectTail;
      case 'outstanding_changes_removed':
        return proposals.effectHead;
      case 'connection_request_count':
        return clients.opened;
      case 'connection_rejected':
        return stages.ioSince(IoTotal.refused);
      case 'connection_drop_count':
        return stages.core.droppedConnections;
      case 'sessionless_connections_expired':
        return stages.ioSince(IoTotal.sessionless);
      case 'response_bytes':
        return statistics.responseBytes;
      case 'stale_sessions_expired':
        return statistics.expiredSessions;
      case 'digest_mismatches_count':
        return this.digestMismatches + statistics.foreignDigestMismatches;
      default:
        return this.ensemble?.counter(name) ?? 0;
    }
  }

  private sizes(name: string): Distribution | null {
    switch (name) {
      case 'prep_processor_queue_size':
        return this.stages.core.requestBatches;
      case 'sync_processor_queue_size':
      case 'sync_processor_batch_size':
        return this.stages.log.batches.read();
      default:
        return null;
    }
  }

  private micros(name: string): Distribution | null {
    const { core, log, snapshot } = this.stages;
    switch (name) {
      case 'readlatency':
        return core.readLatency;
      case 'updatelatency':
        return core.updateLatency;
      case 'prep_process_time':
        return core.requestTimes;
      case 'commit_process_time':
        return core.commitTimes;
      case 'sync_processor_queue_and_flush_time_ms':
      case 'propagation_latency':
        return core.durableWaits;
      case 'sync_processor_queue_flush_time_ms':
        return log.flushes.read();
      case 'sync_process_time':
        return log.recordTimes.read();
      case 'fsynctime':
        return log.syncs.read();
      case 'snapshottime':
        return snapshot.durations.read();
      case 'jvm_pause_time_ms':
        return this.stages.timerDelays();
      default:
        return null;
    }
  }
}

function single(value: number | null): Summary | null {
  return value === null ? null : { count: 1, sum: value, min: value, max: value };
}

function inMs(micros: Distribution | null): Summary | null {
  if (micros === null) return null;
  return {
    count: micros.count,
    sum: micros.sum / MICROS_PER_MS,
    min: micros.min / MICROS_PER_MS,
    max: micros.max / MICROS_PER_MS,
  };
}

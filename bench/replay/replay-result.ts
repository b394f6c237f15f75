/**
 * The result of a replay as it is saved: a `run.json` like that of any run, with one phase `replay` whose ops are the
 * recorded operations by name, so that every report, chart and comparison works; and beside it, under `replay`, what
 * only a replay has: the recorded latencies, and where the target answered otherwise than the recorded service.
 *
 * Where the run format asks for what a replay has not, it says so: the load is an empty mix (the requests came from a
 * file), there is no warm-up and no rule of steadiness (a recorded load is as unsteady as it was), and availability is
 * that of the replayed requests themselves, class `requests`: a step of 100 ms is bad when a request that was due in it
 * got no answer, or none within a second of its turn.
 */
import { basename } from 'node:path';
import * as hdr from 'hdr-histogram-js';
import { errorName } from '../../src/wire/error-codes.ts';
import { OpCode, opName } from '../../src/wire/opcodes.ts';
import { foldCounts, newHistogram, summarizeLatency } from '../latency/latency-recorder.ts';
import { summarizeAvailability } from '../measure/availability.ts';
import type { LoadOp } from '../plan/plan.ts';
import type { Environment } from '../result/environment-facts.ts';
import {
  type AvailabilityResult,
  type GeneratorUsage,
  type LatencySummary,
  type OpResult,
  type PhaseResult,
  RUN_SCHEMA,
  RUN_SCHEMA_VERSION,
  type RunResult,
  type TargetInfo,
} from '../result/run-json.ts';
import type { ReplayOutcome } from './replay.ts';
import { SERIES_STEP_MS } from './replay-curve.ts';
import { replayFindings, replayNotes } from './replay-findings.ts';
import { ratePerSecond, replayPhase, replayPlan } from './replay-plan.ts';
import { type Difference, isStep, type OpTally } from './replay-tally.ts';

/** One operation, recorded and replayed. */
export interface ReplayedOp {
  readonly label: string;
  /** Requests of the recording, and what became of them. */
  readonly recorded: number;
  readonly sent: number;
  readonly replies: number;
  readonly differing: number;
  readonly lost: number;
  readonly unanswered: number;
  /** The recorded client left without waiting for the reply, and so did the replayed one. */
  readonly abandoned: number;
  /** Not sent, because the credential was not recorded. */
  readonly skipped: number;
  /** Not sent, because the connection was gone or the replay ended. */
  readonly unsent: number;
  /** As recorded: from the request's arrival at the recorder to the reply's. */
  readonly recordedLatency: LatencySummary | null;
  /** HdrHistogram V2, compressed, base64; unit: microsecond. */
  readonly recordedHistogram: string;
}

export interface ReplayReport {
  /** Without its folder. */
  readonly file: string;
  readonly recordedAt: string;
  readonly recordedMs: number;
  /** `cut` or `damaged`: only the good part was replayed. */
  readonly recordingState: 'whole' | 'cut' | 'damaged' | 'not read to its end';
  readonly speed: number | 'max';
  readonly sameResults: number;
  readonly differing: number;
  /** Replies that the recording has no result for. */
  readonly uncompared: number;
  /** The most frequent first. */
  readonly differences: readonly Difference[];
  /** Of all operations together, steps of sessions apart. */
  readonly recordedLatency: LatencySummary | null;
  readonly recordedPerSecond: number | null;
  readonly ops: readonly ReplayedOp[];
  readonly events: { readonly recorded: number; readonly replayed: number };
  readonly connections: {
    readonly replayed: number;
    readonly mostAtOnce: number;
    readonly reconnects: number;
  };
  /** What the reader should know beyond the figures, as sentences. */
  readonly notes: readonly string[];
}

export interface ReplayRun extends RunResult {
  readonly replay: ReplayReport;
}

export interface ReplayResultContext {
  /** The command that repeats the replay. */
  readonly command: string;
  readonly target: TargetInfo;
  readonly environment: Environment;
  /** What the servers took for it; absent: nobody looked. */
  readonly servers?: ServerFigures;
}

export type ServerFigures = Pick<PhaseResult, 'server' | 'metrics' | 'samples' | 'servers'>;

const NOT_LOOKED_AT: ServerFigures = { server: null, metrics: null, samples: [] };

export function replayRun(outcome: ReplayOutcome, context: ReplayResultContext): ReplayRun {
  const availability = availabilityOf(outcome);
  const phase = phaseResult(outcome, availability, context.servers ?? NOT_LOOKED_AT);
  const replay = reportOf(outcome);
  return {
    schema: RUN_SCHEMA,
    schemaVersion: RUN_SCHEMA_VERSION,
    startedAt: outcome.startedAt,
    command: context.command,
    complete: outcome.complete,
    target: context.target,
    plan: replayPlan(outcome, phase.plan, replay),
    environment: context.environment,
    availability,
    probeLagMsMax: 0,
    phases: [phase],
    replay,
  };
}

function phaseResult(
  outcome: ReplayOutcome,
  availability: AvailabilityResult,
  servers: ServerFigures,
): PhaseResult {
  const { tally, elapsedMs } = outcome;
  const endMs = tally.curve.startMs + elapsedMs;
  const findings = replayFindings(outcome);
  const requests = tally.sum((op, code) => (isStep(code) ? 0 : op.replies - op.errors));
  return {
    plan: replayPhase(outcome),
    valid: findings.length === 0,
    findings,
    steady: { reached: true, cutMs: 0, variation: null, drift: null },
    measuredMs: elapsedMs,
    requests,
    throughputPerSecond: ratePerSecond(requests, elapsedMs),
    latency: summarizeLatency(requestHistogram(outcome, (op) => op.corrected)),
    uncorrected: summarizeLatency(requestHistogram(outcome, (op) => op.uncorrected)),
    ops: opResults(outcome),
    goodputPerSecond: null,
    errors: Object.fromEntries([...tally.errors].map(([code, count]) => [errorName(code), count])),
    lost: tally.sum((op) => op.lost),
    unanswered: tally.sum((op) => op.unanswered),
    waited: waitedOf(outcome),
    disorder: tally.disorder,
    dropped: tally.sum((op) => op.unsent),
    eventsBeforeAck: 0,
    scheduleLag: summarizeCounts(tally.lag),
    ...servers,
    generator: generatorOf(outcome),
    cpuPressure: null,
    othersCores: null,
    warming: null,
    availability,
    treeSize: { before: null, after: null },
    seriesStepMs: SERIES_STEP_MS,
    series: tally.curve.series(tally.curve.replies, endMs),
    errorSeries: tally.curve.series(tally.curve.errors, endMs),
    latencySeries: tally.curve.takeLatencyPoints(),
    check: null,
  };
}

/** Of all operations but the steps: what is in their latencies without a reply. */
function waitedOf({ tally }: ReplayOutcome): PhaseResult['waited'] {
  const ops = [...tally.ops].filter(([code]) => !isStep(code)).map(([, op]) => op);
  const count = ops.reduce((sum, { waited }) => sum + waited, 0);
  return count === 0
    ? null
    : { count, longestMs: Math.max(...ops.map(({ longestWaitMs }) => longestWaitMs)) };
}

function opResults({ tally, elapsedMs }: ReplayOutcome): OpResult[] {
  return [...tally.ops].flatMap(([code, op]) => {
    const corrected = histogramOf(op.corrected);
    const latency = summarizeLatency(corrected);
    const uncorrected = summarizeCounts(op.uncorrected);
    if (latency === null || uncorrected === null) return [];
    return [
      {
        label: opName(code),
        kind: kindOf(code),
        perSecond: ratePerSecond(op.replies, elapsedMs),
        latency,
        uncorrected,
        histogram: hdr.encodeIntoCompressedBase64(corrected),
      },
    ];
  });
}

function reportOf(outcome: ReplayOutcome): ReplayReport {
  const { tally, header, ending, recordedMs } = outcome;
  const recordedRequests = tally.sum((op, code) => (isStep(code) ? 0 : op.recorded));
  return {
    file: basename(outcome.file),
    recordedAt: new Date(header.startedAtMs).toISOString(),
    recordedMs,
    recordingState: ending?.kind ?? 'not read to its end',
    speed: outcome.speed,
    sameResults: tally.sameResults,
    differing: tally.differing,
    uncompared: tally.uncompared,
    differences: tally.differenceList,
    recordedLatency: summarizeLatency(requestHistogram(outcome, (op) => op.original)),
    recordedPerSecond: recordedMs > 0 ? ratePerSecond(recordedRequests, recordedMs) : null,
    ops: [...tally.ops].map(([code, op]) => replayedOp(code, op)),
    events: { recorded: tally.recordedEvents, replayed: tally.events },
    connections: {
      replayed: tally.connections,
      mostAtOnce: tally.openConnectionsMax,
      reconnects: tally.reconnects,
    },
    notes: replayNotes(outcome),
  };
}

function replayedOp(code: number, op: OpTally): ReplayedOp {
  const { recorded, sent, replies, differing, lost, unanswered, abandoned, skipped, unsent } = op;
  const original = histogramOf(op.original);
  return {
    label: opName(code),
    recorded,
    sent,
    replies,
    differing,
    lost,
    unanswered,
    abandoned,
    skipped,
    unsent,
    recordedLatency: summarizeLatency(original),
    recordedHistogram: hdr.encodeIntoCompressedBase64(original),
  };
}

function availabilityOf({ tally, elapsedMs }: ReplayOutcome): AvailabilityResult {
  const requests = summarizeAvailability(tally.curve.history, 0, elapsedMs);
  return { byTime: requests.byTime, classes: { requests } };
}

function generatorOf({ tally, cpuMicros, elapsedMs, gcPauseMaxMs }: ReplayOutcome): GeneratorUsage {
  return {
    cpuMicrosPerOp: tally.replyCount > 0 ? cpuMicros / tally.replyCount : null,
    busy: elapsedMs > 0 ? cpuMicros / 1000 / elapsedMs : 0,
    nullPerSecond: null,
    ceilingPerSecond: null,
    gcPauseMaxMs,
    bytesSent: tally.bytesSent,
    bytesReceived: tally.bytesReceived,
  };
}

/** The op of the plan's language that is closest; what only keeps sessions is a step. */
function kindOf(op: number): LoadOp | 'step' {
  if (isStep(op)) return 'step';
  switch (op) {
    case OpCode.exists:
      return 'exists';
    case OpCode.getChildren:
    case OpCode.getChildren2:
    case OpCode.getEphemerals:
    case OpCode.getAllChildrenNumber:
      return 'getChildren';
    case OpCode.setData:
    case OpCode.setAcl:
    case OpCode.reconfig:
      return 'set';
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      return 'create';
    case OpCode.delete:
    case OpCode.deleteContainer:
      return 'delete';
    case OpCode.multi:
      return 'multi';
    case OpCode.multiRead:
      return 'multiRead';
    case OpCode.sync:
      return 'sync';
    case OpCode.setWatches:
    case OpCode.setWatches2:
    case OpCode.addWatch:
    case OpCode.checkWatches:
    case OpCode.removeWatches:
      return 'watch';
    default:
      return 'get';
  }
}

/** Of all operations but the steps. */
function requestHistogram({ tally }: ReplayOutcome, counts: (op: OpTally) => Uint32Array): hdr.Histogram {
  const histogram = newHistogram();
  for (const [code, op] of tally.ops) if (!isStep(code)) foldCounts(counts(op), histogram);
  return histogram;
}

function histogramOf(counts: Uint32Array): hdr.Histogram {
  const histogram = newHistogram();
  foldCounts(counts, histogram);
  return histogram;
}

function summarizeCounts(counts: Uint32Array): LatencySummary | null {
  return summarizeLatency(histogramOf(counts));
}

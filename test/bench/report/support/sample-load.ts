/**
 * Measurements that look like a real service's, from a seed: latencies with a long tail, throughput with noise, an
 * outage with the burst behind it. Nothing here is random between two runs, so results made of it can be compared
 * with golden files.
 */
import * as hdr from 'hdr-histogram-js';
import { newHistogram, recordableUs, summarizeLatency } from '../../../../bench/latency/latency-recorder.ts';
import type { LatencyPoint, LatencySummary, OpResult } from '../../../../bench/result/run-json.ts';
import { Prng } from '../../../../src/base/prng.ts';

export interface OpShape {
  readonly label: string;
  readonly kind: OpResult['kind'];
  /** Share of the requests; events and steps come on top. */
  readonly share: number;
  readonly medianMs: number;
  /** Of the logarithm: 0.4 is narrow, 1 is wide. */
  readonly spread: number;
}

export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
}

const SAMPLES = 5_000;

export function sampleOp(
  shape: OpShape,
  load: { seed: number; ratePerSecond: number; measuredMs: number; outage: Outage | null },
): OpResult {
  const random = new Prng(load.seed);
  const { outage } = load;
  const corrected = newHistogram();
  const uncorrected = newHistogram();
  const frozen = outage === null ? 0 : (outage.toMs - outage.fromMs) / load.measuredMs;
  const perSample = Math.max(
    1,
    Math.round((load.ratePerSecond * shape.share * load.measuredMs) / 1000 / SAMPLES),
  );
  for (let i = 0; i < SAMPLES; i++) {
    const serviceMs = shape.medianMs * Math.exp(shape.spread * normal(random));
    const waitMs = random.chance(frozen) ? (outage!.toMs - outage!.fromMs) * random.fraction() : 0;
    corrected.recordValueWithCount(recordableUs(serviceMs + waitMs), perSample);
    // Sent once the window has room again: the wait before that is not seen from the instant of sending.
    uncorrected.recordValueWithCount(recordableUs(serviceMs + (random.chance(0.02) ? waitMs : 0)), perSample);
  }
  return {
    label: shape.label,
    kind: shape.kind,
    perSecond: load.ratePerSecond * shape.share,
    latency: summaryOf(corrected),
    uncorrected: summaryOf(outage === null ? corrected : uncorrected),
    histogram: hdr.encodeIntoCompressedBase64(corrected),
  };
}

/** Of several ops together. */
export function mergedLatency(ops: readonly OpResult[]): LatencySummary {
  const total = newHistogram();
  for (const { histogram } of ops) total.add(hdr.decodeFromCompressedBase64(histogram, 64));
  return summaryOf(total);
}

export interface Times {
  readonly warmupMs: number;
  readonly totalMs: number;
  readonly stepMs: number;
}

/** Replies per step: a rise in the warm-up, noise, nothing in the outage, and what waited for it right behind. */
export function sampleSeries(
  seed: number,
  ratePerSecond: number,
  times: Times,
  outage: Outage | null,
): number[] {
  const random = new Prng(seed);
  let owed = 0;
  return Array.from({ length: times.totalMs / times.stepMs }, (_, step) => {
    const atMs = step * times.stepMs;
    const warm = Math.min(1, 0.35 + (0.65 * atMs) / times.warmupMs);
    const due = (ratePerSecond * times.stepMs * warm * (1 + 0.04 * normal(random))) / 1000;
    if (outage !== null && atMs >= outage.fromMs && atMs < outage.toMs) {
      owed += due;
      return 0;
    }
    const burst = Math.min(owed, due * 1.5);
    owed -= burst;
    return Math.max(0, Math.round(due + burst));
  });
}

/** Errors in the two steps before the outage ends the replies. */
export function sampleErrors(stepCount: number, stepMs: number, outage: Outage | null): number[] {
  const first = outage === null ? -1 : Math.floor(outage.fromMs / stepMs);
  return Array.from({ length: stepCount }, (_, step) => (step === first ? 41 : step === first - 1 ? 12 : 0));
}

export function sampleLatencySeries(
  seed: number,
  medianMs: number,
  times: Times,
  outage: Outage | null,
  ratePerSecond: number,
): LatencyPoint[] {
  const random = new Prng(seed);
  return Array.from({ length: Math.floor(times.totalMs / 1000) }, (_, second): LatencyPoint => {
    const atMs = second * 1000 + 500;
    const cold = 1 + 3 * Math.max(0, 1 - atMs / times.warmupMs);
    const frozen = outage !== null && atMs > outage.fromMs && atMs < outage.toMs;
    if (frozen) return { atMs, count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 };
    const behind = outage !== null && atMs >= outage.toMs && atMs < outage.toMs + 1000;
    const p50Ms = round(
      behind ? (outage.toMs - outage.fromMs) * 0.45 : medianMs * cold * Math.exp(0.06 * normal(random)),
    );
    const p99Ms = round(
      behind ? (outage.toMs - outage.fromMs) * 0.96 : p50Ms * 4.2 * Math.exp(0.15 * normal(random)),
    );
    const maxMs = round(
      behind ? outage.toMs - outage.fromMs + 12 : p99Ms * (1.8 + 3 * random.fraction() ** 3),
    );
    return { atMs, count: Math.round(ratePerSecond), p50Ms, p99Ms, maxMs };
  });
}

/** Standard normal, by the sum of twelve. */
export function normal(random: Prng): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random.fraction();
  return sum;
}

function summaryOf(histogram: hdr.Histogram): LatencySummary {
  const summary = summarizeLatency(histogram);
  if (summary === null) throw new Error('nothing was recorded');
  return summary;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

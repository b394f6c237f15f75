/**
 * What is seen while a run goes on, on stderr, so that stdout stays the result's. On a terminal a bar with the rate,
 * p99 and errors since the last update; elsewhere a plain line when something begins and every few seconds; for `--json`
 * nothing.
 */
import { Presets, SingleBar } from 'cli-progress';
import { formatCount, formatDuration, formatMs, formatRate, orMissing } from '../figures/format.ts';
import type { Progress, ProgressState } from '../run/progress.ts';

const LINE_EVERY_MS = 4_000;
/** Of a bar whose time is not known. */
const SHARE_STEPS = 1_000;

/** What of a stream is needed: a terminal, or anything that takes text. */
export type ProgressStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

export function terminalProgress(
  stream: ProgressStream = process.stderr,
  nowMs: () => number = () => performance.now(),
): Progress {
  return stream.isTTY === true ? barProgress(stream) : lineProgress(stream, nowMs);
}

function barProgress(stream: ProgressStream): Progress {
  const bar = new SingleBar(
    {
      stream,
      format: '{label} {bar} {percentage} % | {rate} | p99 {p99} | {errors}',
      clearOnComplete: true,
      stopOnComplete: false,
      barsize: 24,
    },
    Presets.shades_classic,
  );
  const idle = { ratePerSecond: null, p99Ms: null, errors: null };
  let scale = 1;
  return {
    start: (totalMs) => {
      scale = totalMs === null ? SHARE_STEPS : 1;
      bar.start(totalMs ?? SHARE_STEPS, 0, payload({ label: 'starting', ...idle }));
    },
    stage: (label) => bar.update(payload({ label, ...idle })),
    update: (done, state) => bar.update(Math.round(done * scale), payload(state)),
    stop: () => bar.stop(),
  };
}

/** Widths are kept, so that the bar does not jump. */
function payload({ label, ratePerSecond, p99Ms, errors }: ProgressState): Record<string, string> {
  return {
    label: label.padEnd(10),
    rate: orMissing(ratePerSecond, (rate) => formatRate(Math.round(rate))).padStart(12),
    p99: orMissing(p99Ms, (ms) => `${formatMs(ms)} ms`).padStart(8),
    errors: orMissing(errors, (count) => (count === 0 ? 'no errors' : `${formatCount(count)} errors`)),
  };
}

/**
 * A line at once when something begins, and then every few seconds: who waits sees that it goes on. That it starts is said
 * once, however many runs a series has.
 */
function lineProgress(stream: ProgressStream, nowMs: () => number): Progress {
  let label = '';
  let totalMs: number | null = null;
  let saidMs = 0;
  let started = false;
  const say = (text: string): void => {
    saidMs = nowMs();
    stream.write(`${text}\n`);
  };
  return {
    start: (planned, each) => {
      totalMs = planned;
      label = '';
      if (started) return;
      started = true;
      const runs = each === undefined ? '' : ` in ${each}`;
      say(planned === null ? 'starting' : `starting; ${formatDuration(planned)} of load are planned${runs}`);
    },
    stage: say,
    update: (done, state) => {
      const begun = state.label !== label;
      if (!begun && nowMs() - saidMs < LINE_EVERY_MS) return;
      label = state.label;
      const { rate, p99, errors } = payload(state);
      const part =
        totalMs === null
          ? `${Math.round(done * 100)} %`
          : `${Math.round(done / 1000)} s of ${formatDuration(totalMs)}`;
      say(
        begun
          ? `${label}: begins; ${part}`
          : `${label}: ${rate!.trim()}, p99 ${p99!.trim()}, ${errors}; ${part}`,
      );
    },
    stop: () => {},
  };
}

/**
 * What is seen while a run goes on, on stderr, so that stdout stays the result's. On a terminal a bar with the rate,
 * p99 and errors since the last update; elsewhere one plain line per phase; for `--json` nothing.
 */
import { Presets, SingleBar } from 'cli-progress';
import { formatCount, formatMs, formatRate, MISSING, orMissing } from '../figures/format.ts';
import type { Progress, ProgressState } from '../run/progress.ts';

/** What of a stream is needed: a terminal, or anything that takes text. */
export type ProgressStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

export function terminalProgress(stream: ProgressStream = process.stderr): Progress {
  return stream.isTTY === true ? barProgress(stream) : lineProgress(stream);
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
  return {
    start: (totalMs) =>
      bar.start(totalMs, 0, payload({ label: 'starting', ratePerSecond: 0, p99Ms: null, errors: 0 })),
    update: (doneMs, state) => bar.update(Math.round(doneMs), payload(state)),
    stop: () => bar.stop(),
  };
}

/** Widths are kept, so that the bar does not jump. */
function payload({ label, ratePerSecond, p99Ms, errors }: ProgressState): Record<string, string> {
  return {
    label: label.padEnd(10),
    rate: formatRate(Math.round(ratePerSecond)).padStart(12),
    p99: orMissing(p99Ms, (ms) => `${formatMs(ms)} ms`).padStart(8),
    errors: errors === 0 ? 'no errors' : `${formatCount(errors)} errors`,
  };
}

/** A line when a phase has begun, with nothing that changes. */
function lineProgress(stream: ProgressStream): Progress {
  let seen: string = MISSING;
  return {
    start: () => {
      seen = MISSING;
    },
    update: (_doneMs, { label }) => {
      if (label === seen) return;
      seen = label;
      stream.write(`phase ${label}\n`);
    },
    stop: () => {},
  };
}

/** Live progress on stderr: a bar on a terminal, a plain line now and then elsewhere. */
import { Presets, SingleBar } from 'cli-progress';
import { formatCount } from './format.ts';

const PLAIN_PERIOD_MS = 5_000;

/** What a run tells about its progress. */
export interface Progress {
  start(totalMs: number): void;
  update(doneMs: number, state: ProgressState): void;
  stop(): void;
}

export interface ProgressState {
  readonly label: string;
  readonly ratePerSecond: number;
  readonly errors: number;
}

export function terminalProgress(): Progress {
  const bar = new SingleBar(
    {
      format: '{label} {bar} {percentage} % | {rate} requests/s | {errors} errors',
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      noTTYOutput: true,
      notTTYSchedule: PLAIN_PERIOD_MS,
      barsize: 30,
    },
    Presets.shades_classic,
  );
  return {
    start: (totalMs) => bar.start(totalMs, 0, payload({ label: 'starting', ratePerSecond: 0, errors: 0 })),
    update: (doneMs, state) => bar.update(Math.round(doneMs), payload(state)),
    stop: () => bar.stop(),
  };
}

function payload(state: ProgressState): Record<string, string> {
  return {
    label: state.label.padEnd(10),
    rate: formatCount(state.ratePerSecond).padStart(11),
    errors: formatCount(state.errors),
  };
}

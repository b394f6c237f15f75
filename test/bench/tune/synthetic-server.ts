/** A server that nobody runs: its score is known exactly, and told with seeded noise, drift and now and then a disturbed run. */
import { type Score, Tuner, type TunerOptions } from '../../../bench/tune/tuner.ts';
import { Prng } from '../../../src/base/prng.ts';
import { gaussian } from '../compare/support/noisy-machine.ts';

export interface SyntheticServer {
  /** What it can do at these settings, 1 for the default's. */
  readonly speed: (settings: Readonly<Record<string, string>>) => number;
  readonly keeps?: (settings: Readonly<Record<string, string>>) => boolean;
  /** Standard deviation of a run, as a share. */
  readonly noise: number;
  readonly seed: number;
}

/** The machine loses so much with each run. */
const DRIFT = 0.002;
const DISTURBED = 0.03;

export function tune(server: SyntheticServer, options: TunerOptions): { tuner: Tuner; runs: number } {
  const prng = new Prng(server.seed);
  const tuner = new Tuner(options);
  let runs = 0;
  for (let ask = tuner.ask; ask !== null; ask = tuner.ask) {
    const disturbed = prng.chance(DISTURBED) ? 0.7 : 1;
    const value =
      10_000 *
      server.speed(ask.settings) *
      (1 - DRIFT) ** runs++ *
      disturbed *
      Math.exp(server.noise * gaussian(prng));
    const score: Score = { value, keeps: server.keeps?.(ask.settings) ?? true };
    tuner.tell(score);
  }
  return { tuner, runs };
}

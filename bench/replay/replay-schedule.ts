/** When a recorded instant happens in a replay. Pure. */
import { ConfigFailure } from '../../src/base/failure.ts';

/** 2 = twice as fast as recorded; `max` = as fast as the replies allow. */
export type ReplaySpeed = number | 'max';

const SPEED_MIN = 0.001;
const SPEED_MAX = 1_000_000;

/** Of a command line. @throws ConfigFailure */
export function parseSpeed(text: string): ReplaySpeed {
  return checkSpeed(text === 'max' ? 'max' : text.trim() === '' ? Number.NaN : Number(text), text);
}

/** @throws ConfigFailure */
export function checkSpeed(speed: ReplaySpeed, text: string = String(speed)): ReplaySpeed {
  if (speed === 'max' || (speed >= SPEED_MIN && speed <= SPEED_MAX)) return speed;
  throw new ConfigFailure(
    `--speed: ${text} - allowed: max, or a number from ${SPEED_MIN} to ${SPEED_MAX} (2 = twice as fast as recorded)`,
  );
}

/**
 * The intended instant of what was recorded at `timeUs`, on the clock of `startMs`. The first record is due at once: how
 * long the recorder waited for its first client is no part of the workload.
 *
 *     recorded:  firstUs ---------- timeUs          replayed:  startMs ----- startMs + (timeUs - firstUs) / speed
 */
export function intendedMs(startMs: number, firstUs: number, timeUs: number, speed: number): number {
  return startMs + (timeUs - firstUs) / 1000 / speed;
}

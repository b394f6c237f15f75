/** Fields with a unit, for the schema. */
import { leaf } from './field.ts';
import { LIMITS, type Sizes } from './plan.ts';
import { formatDuration, formatSize, parseDuration, parseShare, parseSize } from './quantity.ts';

/** In milliseconds. */
export function duration(minMs: number, maxMs: number) {
  return leaf(
    `a time with its unit (ms, s, m, h) from ${formatDuration(minMs)} to ${formatDuration(maxMs)}, e.g. 10s`,
    (value) => within(parseDuration(value), minMs, maxMs),
  );
}

export function size() {
  const { min, max } = LIMITS.valueBytes;
  return leaf(
    `a size in bytes or with its unit (B, KB, KiB, MB) from 0 to ${formatSize(max)}, e.g. 1KiB`,
    (value) => within(parseSize(value), min, max),
  );
}

/** A fraction of 1. */
export function share() {
  return leaf('a percentage from 0% to 100%', (value) => parseShare(value) ?? undefined);
}

/** `5` or `[3, 7]`. */
export function countRange(min: number, max: number) {
  return leaf(`a whole number from ${min} to ${max}, or two of them as [from, to]`, (value) => {
    const [from, to] = Array.isArray(value) && value.length === 2 ? value : [value, value];
    const whole = Number.isInteger(from) && Number.isInteger(to);
    return whole && from >= min && to <= max && from <= to
      ? { min: from as number, max: to as number }
      : undefined;
  });
}

/** `[0, 162]`: both ends included. */
export function sizeRange() {
  const max = formatSize(LIMITS.valueBytes.max);
  return leaf(`two sizes as [from, to], from 0 to ${max}, e.g. [0, 1KiB]`, (value): Sizes | undefined => {
    if (!Array.isArray(value) || value.length !== 2) return undefined;
    const [from, to] = value.map((item) => within(parseSize(item), 0, LIMITS.valueBytes.max));
    return from !== undefined && to !== undefined && from <= to
      ? { kind: 'uniform', min: from, max: to }
      : undefined;
  });
}

function within(value: number | null, min: number, max: number): number | undefined {
  return value !== null && value >= min && value <= max ? value : undefined;
}

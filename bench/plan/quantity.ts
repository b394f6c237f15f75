/**
 * Times, sizes and shares as people write them: `10s`, `1KiB`, `30%`. A time without a unit and a share without `%` are
 * refused instead of guessed at: ten seconds taken for ten milliseconds would be a wrong result and not an error.
 */

const MS_PER_UNIT = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** `k` is 1000 and `Ki` is 1024, as SI and IEC define them. */
const BYTES_PER_UNIT = { b: 1, kb: 1_000, kib: 1_024, mb: 1_000_000, mib: 1_048_576 } as const;

const QUANTITY = /^(\d+(?:\.\d+)?) ?([A-Za-z%]*)$/;

/** Milliseconds, or null when it is not a time. 0 needs no unit. */
export function parseDuration(value: unknown): number | null {
  if (value === 0) return 0;
  const parts = partsOf(value);
  if (parts === null) return null;
  if (parts.unit === '') return parts.amount === 0 ? 0 : null;
  return Object.hasOwn(MS_PER_UNIT, parts.unit)
    ? parts.amount * MS_PER_UNIT[parts.unit as keyof typeof MS_PER_UNIT]
    : null;
}

/** Bytes, or null when it is not a size in whole bytes. A bare number is bytes. */
export function parseSize(value: unknown): number | null {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 ? value : null;
  const parts = partsOf(value);
  if (parts === null) return null;
  const unit = parts.unit === '' ? 'b' : parts.unit.toLowerCase();
  if (!Object.hasOwn(BYTES_PER_UNIT, unit)) return null;
  const bytes = parts.amount * BYTES_PER_UNIT[unit as keyof typeof BYTES_PER_UNIT];
  return Number.isInteger(bytes) ? bytes : null;
}

/** A fraction of 1, or null when it is not written as a percentage from 0 to 100. */
export function parseShare(value: unknown): number | null {
  const parts = partsOf(value);
  return parts !== null && parts.unit === '%' && parts.amount <= 100 ? parts.amount / 100 : null;
}

/** In the largest unit that keeps it whole: `1500ms`, `2s`, `1m`. */
export function formatDuration(ms: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    if (ms > 0 && ms % MS_PER_UNIT[unit] === 0) return `${ms / MS_PER_UNIT[unit]}${unit}`;
  }
  return ms === 0 ? '0' : `${ms}ms`;
}

/** In the largest unit that keeps it whole: `1KiB`, `162B`, `1MB`. */
export function formatSize(bytes: number): string {
  for (const unit of ['MiB', 'MB', 'KiB', 'KB'] as const) {
    const unitBytes = BYTES_PER_UNIT[unit.toLowerCase() as keyof typeof BYTES_PER_UNIT];
    if (bytes > 0 && bytes % unitBytes === 0) return `${bytes / unitBytes}${unit}`;
  }
  return `${bytes}B`;
}

function partsOf(value: unknown): { readonly amount: number; readonly unit: string } | null {
  const match = typeof value === 'string' ? QUANTITY.exec(value) : null;
  return match === null ? null : { amount: Number(match[1]), unit: match[2]! };
}

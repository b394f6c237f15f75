/** Figures as people read them: the same in the table, the summary and the comparison. */

export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Three significant digits, in ms. */
export function formatMs(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
}

/** Never rounds up to 100 %: an outage stays visible. */
export function formatShare(share: number): string {
  const percent = Math.floor(share * 100_000) / 1000;
  return `${percent === 100 ? '100' : percent.toFixed(3)} %`;
}

export function formatMiB(bytes: number): string {
  return `${formatCount(bytes / 1024 / 1024)} MiB`;
}

export function formatMicros(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function formatRatio(value: number): string {
  return `${value >= 10 ? value.toFixed(1) : value.toFixed(2)}x`;
}

/** A figure that does not exist. */
export const MISSING = '-';

export function orMissing<T>(value: T | null | undefined, format: (value: T) => string): string {
  return value === null || value === undefined ? MISSING : format(value);
}

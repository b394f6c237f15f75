/** Figures as people read them: the same on the terminal, in the summaries and in the reports. */

/** A figure that does not exist. */
export const MISSING = '-';

export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Rates: whole above 100, else three significant digits, so that 0.25 /s is not 0. */
export function formatRate(perSecond: number): string {
  return `${perSecond >= 100 || perSecond === 0 ? formatCount(perSecond) : threeDigits(perSecond)} /s`;
}

/** Three significant digits; ms. */
export function formatMs(value: number): string {
  return threeDigits(value);
}

/** Three significant digits; us. */
export function formatMicros(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** `1.5 s`, `250 ms`, `2 min`, `1 h 30 min`: for planned durations and instants. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${trimZeros(ms.toFixed(ms < 1 ? 3 : 1))} ms`;
  if (ms < 120_000) return `${trimZeros((ms / 1000).toFixed(2))} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Never rounds up to 100 %: an outage stays visible. Nor is anything but nothing 0 %. */
export function formatShare(share: number): string {
  const percent = Math.floor(share * 100_000) / 1000;
  return `${percent === 100 || percent === 0 ? percent : percent.toFixed(3)} %`;
}

export function formatPercent(share: number): string {
  const percent = share * 100;
  return `${Math.abs(percent) >= 10 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

export function formatMiB(bytes: number): string {
  return `${formatCount(bytes / 1024 / 1024)} MiB`;
}

/** `80 B`, `1.5 KiB`, `2 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${trimZeros(bytes.toFixed(bytes >= 10 || unit === 0 ? 0 : 1))} ${units[unit]}`;
}

export function formatRatio(value: number): string {
  return `${value >= 10 ? value.toFixed(1) : value >= 0.1 ? value.toFixed(2) : value.toPrecision(2)}x`;
}

/** Probabilities: `0.008`, `0.06`, `< 0.001`. */
export function formatP(p: number): string {
  if (p < 0.001) return '< 0.001';
  return p >= 0.1 ? p.toFixed(2) : p.toFixed(3);
}

export function orMissing<T>(value: T | null | undefined, format: (value: T) => string): string {
  return value === null || value === undefined ? MISSING : format(value);
}

/** `1 thread`, `2 threads`. */
export function plural(count: number, noun: string, more = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : more}`;
}

/** `2026-11-20 07:32:59 UTC` of an ISO instant. */
export function formatInstant(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

/** With a full stop at its end; empty when there is nothing to say. */
export function sentenceOf(text: string): string {
  const bare = text.trim().replace(/\.$/, '');
  return bare === '' ? '' : `${bare}.`;
}

/** For the beginning of a sentence. */
export function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return formatCount(value);
  if (size >= 100) return value.toFixed(0);
  return size >= 10 ? value.toFixed(1) : size >= 1 ? value.toFixed(2) : value.toFixed(3);
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Arithmetic on the outages of a result. */
import type { OutageBand } from './run-json.ts';

/** The time covered by at least one band, as bands that neither touch nor overlap. */
export function unionOf(bands: readonly OutageBand[]): OutageBand[] {
  const union: OutageBand[] = [];
  for (const band of [...bands].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = union.at(-1);
    if (last === undefined || band.fromMs > last.toMs) union.push(band);
    else union[union.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, band.toMs) };
  }
  return union;
}

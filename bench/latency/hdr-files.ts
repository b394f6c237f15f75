/**
 * The files of HdrHistogram's public tools: `.hlog` for its log processors and analysers, `.hgrm` for its plotter.
 *
 *     .hlog   one line per second and op:   Tag=mixed.get,<start s>,<length s>,<max>,<V2 histogram, base64>
 *     .hgrm   one file per phase and op:    value, percentile, count, 1/(1-percentile)
 *
 * Histograms count microseconds. Java's tools take them for nanoseconds, and divide by 1,000,000 to show ms unless
 * told otherwise; the ratio that fits is 1,000, which is also what the maximum column of the log is divided by:
 *
 *     java -cp HdrHistogram.jar org.HdrHistogram.HistogramLogProcessor \
 *       -i RUN.hlog -tag mixed.get -outputValueUnitRatio 1000 -o mixed.get
 */
import * as hdr from 'hdr-histogram-js';

/** Of `Histogram` to what is shown: us -> ms. */
export const HDR_UNIT_RATIO = 1000;

/** Points per halving of the distance to 100 %, the public tools' default. */
const TICKS_PER_HALF = 5;

/** Latencies of one op that were answered within one interval, by the instant of the reply. */
export interface IntervalHistogram {
  readonly phase: string;
  readonly label: string;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  /** Microseconds, counted from the instant each request was due. */
  readonly histogram: hdr.Histogram;
}

/** Line by line, so that neither all histograms nor the whole text need be in memory at once. */
export function* hlogLines(intervals: Iterable<IntervalHistogram>, startEpochMs: number): Generator<string> {
  const lines: string[] = [];
  const writer = new hdr.HistogramLogWriter((line) => lines.push(line));
  writer.baseTime = startEpochMs;
  writeHead(writer, startEpochMs);
  yield lines.splice(0).join('');
  const names = new NameTable();
  for (const { phase, label, startMs, endMs, histogram } of intervals) {
    histogram.tag = names.nameOf(`${phase}\n${label}`, tagText(`${phase}.${label}`));
    const startSeconds = (startMs - startEpochMs) / 1000;
    const endSeconds = (endMs - startEpochMs) / 1000;
    writer.outputIntervalHistogram(histogram, startSeconds, endSeconds, HDR_UNIT_RATIO);
    yield lines.splice(0).join('');
  }
}

/** The percentile distribution in ms. */
export function writeHgrm(histogram: hdr.Histogram): string {
  return histogram.outputPercentileDistribution(TICKS_PER_HALF, HDR_UNIT_RATIO);
}

/** The histogram of a saved result; unit: microsecond. */
export function decodeHistogram(base64: string): hdr.Histogram {
  return hdr.decodeFromCompressedBase64(base64, 64);
}

/** Of several ops together; null for none. */
export function mergeHistograms(encoded: readonly string[]): hdr.Histogram | null {
  const [first, ...others] = encoded;
  if (first === undefined) return null;
  const total = decodeHistogram(first);
  for (const base64 of others) total.add(decodeHistogram(base64));
  return total;
}

/** Names that a format or a file system allows, different ones for different keys, whatever case counts for. */
export class NameTable {
  private readonly names = new Map<string, string>();
  private readonly taken = new Set<string>();

  /** The same name for the same key; `wanted`, or with a number where another key has that already. */
  nameOf(key: string, wanted: string): string {
    const known = this.names.get(key);
    if (known !== undefined) return known;
    let name = wanted;
    for (let number = 2; this.taken.has(name.toLowerCase()); number++) name = `${wanted}-${number}`;
    this.taken.add(name.toLowerCase());
    this.names.set(key, name);
    return name;
  }
}

/** Tags end at a comma, a space or a line break. */
function tagText(original: string): string {
  return original.replace(/[\s,]+/g, '_');
}

/** Letters, digits, `.`, `_` and `-` only, so that a label is never a path. */
export function fileNameText(original: string): string {
  const name = original.replace(/[^\w.-]+/g, '-').replace(/^\.+/, '');
  return name === '' ? 'unnamed' : name;
}

/** Its own start-time line, because the library's ends in an empty line and names the time zone of the machine. */
function writeHead(writer: hdr.HistogramLogWriter, startEpochMs: number): void {
  const seconds = (startEpochMs / 1000).toFixed(3);
  writer.outputComment('[ringkeeper bench: latency counted from the instant each request was due; unit us]');
  writer.outputLogFormatVersion();
  writer.outputComment(
    `[StartTime: ${seconds} (seconds since epoch), ${new Date(startEpochMs).toISOString()}]`,
  );
  writer.outputComment(`[BaseTime: ${seconds} (seconds since epoch)]`);
  writer.outputLegend();
}

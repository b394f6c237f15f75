/**
 * The chart library inside every page, compressed: the package's own build with lines, bars, points, marks, zoom and the
 * SVG renderer. A release brings it packed beside this file (pack-echarts.ts, at `prepack`), so that a server is
 * installed without it; a checkout takes it from its development packages.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

export const PACKED_NAME = 'echarts.common.min.js.gz';

let library: string | null | undefined;

/** gzip, as base64; null where neither is there: a checkout that was installed with `--omit=dev`. */
export function echartsLibrary(): string | null {
  if (library === undefined) {
    const file = join(import.meta.dirname, PACKED_NAME);
    library = (existsSync(file) ? readFileSync(file) : packEcharts())?.toString('base64') ?? null;
  }
  return library;
}

/** From the development packages. */
export function packEcharts(): Buffer | null {
  let file: string;
  try {
    file = fileURLToPath(import.meta.resolve('echarts/dist/echarts.common.min'));
  } catch {
    return null;
  }
  return gzipSync(readFileSync(file), { level: 9 });
}

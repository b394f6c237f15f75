/** How this process starts its threads: where their entries lie, and the limits of their heaps. Main thread. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../monitor/version.ts';

/** Workers keep their state in typed arrays; with its usual 48 MiB the collector lets small garbage pile up that far. */
export const WORKER_LIMITS = { maxYoungGenerationSizeMb: 4 };

const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const ROOT = packageRoot(import.meta.dirname);

/** Workers run from source in a checkout and compiled when installed, as this file, which may have become part of another. */
export function workerUrl(entry: string): URL {
  const compiled = EXTENSION === '.ts' ? '' : 'dist';
  return pathToFileURL(join(ROOT, compiled, 'src', 'server', `${entry}${EXTENSION}`));
}

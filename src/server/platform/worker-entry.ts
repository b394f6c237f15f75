/** How this process starts its threads: where their entries lie, and the limits of their heaps. Main thread. */

/** Workers keep their state in typed arrays; with its usual 48 MiB the collector lets small garbage pile up that far. */
export const WORKER_LIMITS = { maxYoungGenerationSizeMb: 4 };

/** Workers run from source in a checkout and compiled when installed: the same ending as this file. */
export function workerUrl(entry: string): URL {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  return new URL(`../${entry}${extension}`, import.meta.url);
}

/**
 * The order of the campaign. Every part has servers of its own; the wide tree, made first, is copied for all others.
 *
 *     wide tree -> template --copy--> starts: ringkeeper, Apache, Apache, ringkeeper, ...
 *               |           '-copy--> load: ringkeeper peak, paced; Apache peak, paced
 *               '-> flat, deep: made, listed, restarted, checked
 */

import { formatRate, orMissing, plural } from '../../figures/format.ts';
import { KeySpace } from '../../load/key-space.ts';
import { makeDataDir, removeDataDir } from './data-dir.ts';
import type { LargeTreeResult, LoadResult, ServerName, ShapeResult, StartResult } from './large-tree-json.ts';
import { measureShape } from './measure-shape.ts';
import { measureStarts } from './starts.ts';
import { megabytes } from './targets.ts';
import { type Shape, wideTree } from './trees.ts';
import { type LoadOptions, measureLoad } from './under-load.ts';

export interface CampaignOptions
  extends Pick<
    LoadOptions,
    | 'nodes'
    | 'share'
    | 'snapshots'
    | 'snapshotSeconds'
    | 'warmUpMsMax'
    | 'tempParent'
    | 'build'
    | 'apacheHeap'
    | 'abort'
  > {
  /** Beside the wide one. */
  readonly shapes: readonly Shape[];
  readonly servers: readonly ServerName[];
  /** Of each server. */
  readonly starts: number;
  readonly say: (line: string) => void;
}

/** Behind the warming. */
const PEAK = { warmupMs: 5_000, measureMs: 5_000 };
/** In the warm-up the snapshot is over that a server takes after a start. */
const PACED_WARMUP_MS = 10_000;
/** How much longer than planned snapshots may take to come about. */
const PATIENCE = 4;
const PATIENCE_MS_MIN = 30_000;

/** What was measured until it was aborted. */
export async function runLargeTree(
  options: CampaignOptions,
): Promise<Pick<LargeTreeResult, 'shapes' | 'starts' | 'loads'>> {
  const { tempParent } = options;
  const template = makeDataDir(tempParent);
  try {
    const wide = await shapeOf('wide', template, options);
    const starts = await startsOn(template, options);
    const loads = await loadsOn(template, options);
    return { shapes: [wide, ...(await otherShapes(options))], starts, loads };
  } finally {
    removeDataDir(template);
  }
}

async function startsOn(template: string, options: CampaignOptions): Promise<StartResult[]> {
  const { servers, starts: rounds, nodes, tempParent, build, apacheHeap, abort, say } = options;
  const onStart = ({ server, ms, residentBytes }: StartResult): void =>
    say(`start   ${server}: ${(ms / 1000).toFixed(2)} s, ${orMissing(residentBytes, megabytes)} resident`);
  const path = new KeySpace(wideTree(nodes)).keyPath(0);
  return measureStarts(template, { servers, rounds, path, tempParent, build, apacheHeap, abort, onStart });
}

async function loadsOn(template: string, options: CampaignOptions): Promise<LoadResult[]> {
  const { servers, snapshots, snapshotSeconds, abort, say } = options;
  const measureMs = Math.max(PATIENCE_MS_MIN, PATIENCE * snapshots * snapshotSeconds * 1000);
  const loads: LoadResult[] = [];
  for (const server of servers) {
    if (abort.aborted) break;
    const paced = { warmupMs: PACED_WARMUP_MS, measureMs };
    const load = await measureLoad(server, template, { ...options, peak: PEAK, paced });
    if (load === null) break;
    loads.push(load);
    say(
      `load    ${server}: ${formatRate(load.reachedPerSecond)} of ${formatRate(load.peakPerSecond)}, ` +
        `${plural(load.snapshots.length, 'snapshot')}, worst reply during them ${load.replies.during.all?.maxMs ?? '-'} ms`,
    );
  }
  return loads;
}

async function otherShapes(options: CampaignOptions): Promise<ShapeResult[]> {
  const { shapes, tempParent, abort } = options;
  const results: ShapeResult[] = [];
  for (const shape of shapes) {
    if (abort.aborted) break;
    const dataDir = makeDataDir(tempParent);
    try {
      results.push(await shapeOf(shape, dataDir, options));
    } finally {
      removeDataDir(dataDir);
    }
  }
  return results;
}

async function shapeOf(shape: Shape, dataDir: string, options: CampaignOptions): Promise<ShapeResult> {
  const result = await measureShape(shape, options.nodes, dataDir, options);
  const { createMs, residentBytes, restartMs } = result;
  options.say(
    `${shape.padEnd(8)}made in ${(createMs / 1000).toFixed(1)} s, ${orMissing(residentBytes, megabytes)}; ` +
      `restart ${(restartMs / 1000).toFixed(2)} s`,
  );
  return result;
}

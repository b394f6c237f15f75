/** What a start would find in a data directory, by the server's own recovery in this process: a fortieth of a start's CPU. */
import { join } from 'node:path';
import { NodeDisk } from '../../../src/storage/node-disk.ts';
import { restored } from '../../core/support/data-directory.ts';
import { dumpTree } from '../../core/support/tree-dump.ts';
import type { Workspace } from './workspace.ts';

export interface Recovered {
  /** The children of the root, sorted. */
  readonly names: string[];
  readonly warnings: readonly string[];
}

/** Changes no file. @throws what recovery throws */
export function recoveredFrom(workspace: Workspace): Recovered {
  const { harness, warnings } = restored(
    new NodeDisk(),
    {},
    {
      snapshotDirectory: workspace.files,
      logDirectory: workspace.files,
      initializeMarker: join(workspace.dataDir, 'initialize'),
    },
  );
  const paths = [...dumpTree(harness.parts).keys()];
  return { names: paths.flatMap((path) => /^\/([^/]+)$/.exec(path)?.[1] ?? []).sort(), warnings };
}

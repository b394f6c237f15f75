/** The two servers of the campaign, started by the engine on a data directory that outlives them, or on a copy of one. */
import { type Build, startEmbedded } from '../../target/embedded.ts';
import { startTarget } from '../../target/start-target.ts';
import type { Target } from '../../target/target.ts';
import { parseTargetSpec } from '../../target/target-spec.ts';
import { copyDataDir, removeDataDir } from './data-dir.ts';
import type { ServerName } from './large-tree-json.ts';

export interface ServerPlace {
  /** Where copies and other temporary files go. */
  readonly tempParent: string;
  /** Which ringkeeper; null: this checkout, from source. */
  readonly build: Build | null;
  /** Apache's largest heap, e.g. `2g`; null: the 1000m of its own start script. */
  readonly apacheHeap: string | null;
}

export type ServerSettings = Readonly<Record<string, string>>;

/** Runs `use` on a server with this data directory; the server is gone afterwards. */
export async function withServer<T>(
  server: ServerName,
  settings: ServerSettings,
  dataDir: string,
  { tempParent, apacheHeap, build }: ServerPlace,
  use: (target: Target) => Promise<T>,
): Promise<T> {
  const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  const kind = server === 'ringkeeper' ? 'embedded' : 'apache';
  const spec = parseTargetSpec(pairs.length === 0 ? kind : `${kind}:${pairs.join(',')}`);
  const serverArgs = server === 'apache' && apacheHeap !== null ? [`-Xmx${apacheHeap}`] : [];
  const options = { serverArgs, tempParent, dataDir, valueBytes: 0, extendedTypes: false };
  const target =
    spec.kind === 'embedded' && build !== null
      ? await startEmbedded(spec, options, build)
      : await startTarget(spec, options);
  try {
    return await use(target);
  } finally {
    await target.stop();
  }
}

/** The same with a copy of `template`, which is gone afterwards too. */
export async function onCopy<T>(
  server: ServerName,
  settings: ServerSettings,
  template: string,
  place: ServerPlace,
  use: (target: Target) => Promise<T>,
): Promise<T> {
  const dataDir = copyDataDir(template, place.tempParent);
  try {
    return await withServer(server, settings, dataDir, place, use);
  } finally {
    removeDataDir(dataDir);
  }
}

/**
 * The files of a data directory, which both servers share: copies to start from, and when snapshots were written.
 *
 *     version-2/  snapshot.<zxid>      begin: the file's birth     end: its last write or, where it is renamed, that
 *                 log.<zxid>           needed: from the last one that begins at or before the newest snapshot
 *
 * The file's own times say when a snapshot was written without asking the server anything; they are as fine as the
 * kernel's tick (some milliseconds).
 */
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { monotonicMs } from '../../base/phase-clock.ts';

const VERSION_DIR = 'version-2';
const NAME = /^(snapshot|log)\.([0-9a-f]{1,16})$/;
/** A snapshot under way: ringkeeper's has this name until it is whole, Apache's has its own from the beginning. */
const UNFINISHED = /^tmp\.snapshot\./;

/** A snapshot being written, on the monotonic clock. */
export interface SnapshotSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly bytes: number;
}

interface DataFile {
  readonly name: string;
  readonly kind: string;
  readonly zxid: number;
}

export function makeDataDir(tempParent: string): string {
  return mkdtempSync(join(tempParent, 'ringkeeper-large-tree-'));
}

export function removeDataDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}

/** Oldest first; the one under way last, if there is one: it ends now. */
export function snapshotSpans(dataDir: string): SnapshotSpan[] {
  const dir = join(dataDir, VERSION_DIR);
  const names = readdirSync(dir).filter((name) => name.startsWith('snapshot.') || UNFINISHED.test(name));
  const spans = names.flatMap((name) => {
    try {
      const { birthtimeMs, mtimeMs, ctimeMs, size } = statSync(join(dir, name));
      // Read each time: the wall clock may be corrected while a campaign runs.
      const toMonotonic = monotonicMs() - Date.now();
      const endMs = UNFINISHED.test(name) ? Date.now() : Math.max(mtimeMs, ctimeMs);
      return [{ fromMs: birthtimeMs + toMonotonic, toMs: endMs + toMonotonic, bytes: size }];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // renamed since the directory was read
      throw error;
    }
  });
  return spans.sort((a, b) => a.fromMs - b.fromMs);
}

/**
 * A copy of what recovery needs: the newest snapshot and the logs behind it. The copy is on the disk and in the page
 * cache when this returns, so that a start neither waits for a disk nor shares it with the copying.
 */
export function copyDataDir(from: string, tempParent: string): string {
  const to = makeDataDir(tempParent);
  mkdirSync(join(to, VERSION_DIR));
  for (const name of neededFiles(readdirSync(join(from, VERSION_DIR)))) {
    const copy = join(to, VERSION_DIR, name);
    copyFileSync(join(from, VERSION_DIR, name), copy);
    const file = openSync(copy, 'r');
    fsyncSync(file);
    closeSync(file);
  }
  return to;
}

/** Of the names in a data directory. */
export function neededFiles(names: readonly string[]): string[] {
  const files = names.flatMap((name): DataFile[] => {
    const match = NAME.exec(name);
    return match === null ? [] : [{ name, kind: match[1]!, zxid: Number.parseInt(match[2]!, 16) }];
  });
  const sorted = files.sort((a, b) => a.zxid - b.zxid);
  const snapshots = sorted.filter(({ kind }) => kind === 'snapshot');
  const logs = sorted.filter(({ kind }) => kind === 'log');
  const newest = snapshots.at(-1);
  const firstLog = newest === undefined ? 0 : logs.findLastIndex(({ zxid }) => zxid <= newest.zxid);
  const needed = newest === undefined ? logs : [newest, ...logs.slice(Math.max(0, firstLog))];
  return needed.map(({ name }) => name);
}

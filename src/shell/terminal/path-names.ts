/**
 * Children for completion: kept for two seconds, never more than a thousand names a path, and never waited for longer than
 * a person notices. An answer that comes later is there for the next press of the key.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Zk } from '../../client/index.ts';
import type { PathSource } from './complete.ts';

const KEPT_MS = 2_000;
const WAIT_MS = 300;
const NAMES_MAX = 1_000;
/** Paths remembered; the oldest goes. */
const PATHS_MAX = 100;

interface Kept {
  readonly names: Promise<readonly string[]>;
  readonly sinceMs: number;
}

const NONE: readonly string[] = [];

export class PathNames implements PathSource {
  private readonly present: () => Zk | null;
  private readonly nowMs: () => number;
  private readonly kept = new Map<string, Kept>();

  constructor(present: () => Zk | null, nowMs: () => number = () => performance.now()) {
    this.present = present;
    this.nowMs = nowMs;
  }

  async namesBelow(path: string): Promise<readonly string[]> {
    const limit = new AbortController();
    const late = sleep(WAIT_MS, NONE, { signal: limit.signal }).catch(() => NONE);
    try {
      return await Promise.race([this.ask(path), late]);
    } finally {
      limit.abort();
    }
  }

  /** The tree is another one. */
  clear(): void {
    this.kept.clear();
  }

  private ask(path: string): Promise<readonly string[]> {
    const zk = this.present();
    if (zk === null) return Promise.resolve(NONE);
    const found = this.kept.get(path);
    if (found !== undefined && this.nowMs() - found.sinceMs < KEPT_MS) return found.names;
    const names = this.list(zk, path);
    this.kept.delete(path);
    this.kept.set(path, { names, sinceMs: this.nowMs() });
    const [oldest] = this.kept.keys();
    if (this.kept.size > PATHS_MAX && oldest !== undefined) this.kept.delete(oldest);
    return names;
  }

  /** What cannot be listed has no names: completion complains of nothing. */
  private async list(zk: Zk, path: string): Promise<readonly string[]> {
    try {
      const { names } = await zk.children(path, { timeoutMs: KEPT_MS });
      return names.slice(0, NAMES_MAX);
    } catch {
      return NONE;
    }
  }
}

/**
 * What a cache holds of one znode, and what it tells when that changes. Entries never change: another state is another
 * entry, so whoever keeps one keeps what was true. Types only.
 */
import type { Stat } from '../../wire/stat.ts';

interface Held {
  readonly path: string;
  /**
   * As of the read of the data: coming and going children, and new ACLs, tell no event that says so. The names of the
   * children are kept apart from it and are exact.
   */
  readonly stat: Stat;
}

interface ValidEntry<T> extends Held {
  readonly value: T;
  readonly error: null;
}

/** Its bytes are no value of the codec; `error` says why. */
interface InvalidEntry extends Held {
  readonly value: undefined;
  readonly error: Error;
}

export type CacheEntry<T> = ValidEntry<T> | InvalidEntry;

/**
 *     loading ──all read──▶ live ──no connection──▶ stale ──all compared──▶ live …
 *        └───────────────────┴──────────┬─────────────┴──▶ failed | closed
 */
export type CacheState =
  | 'loading'
  /** Every change that the server has told is in it, or being read. */
  | 'live'
  /** What it was when the connection ended; comparing with the server begins with the next connection. */
  | 'stale'
  /** It could not hold what it is to hold; `error` says why. */
  | 'failed'
  | 'closed';

/** One step of the contents. Parents are added before their children and removed after them. */
export type ContentChange<T> =
  | { readonly kind: 'added'; readonly path: string; readonly entry: CacheEntry<T> }
  | {
      readonly kind: 'changed';
      readonly path: string;
      readonly entry: CacheEntry<T>;
      readonly before: CacheEntry<T>;
    }
  | { readonly kind: 'removed'; readonly path: string; readonly before: CacheEntry<T> };

export type CacheChange<T> =
  | ContentChange<T>
  | { readonly kind: 'live' }
  | { readonly kind: 'stale'; readonly cause: string };

/** Where a reader begins, and begins again after it was too slow: everything that is held now. */
export interface CacheReset<T> {
  readonly kind: 'reset';
  readonly state: CacheState;
  /** Parents before their children. */
  readonly entries: readonly CacheEntry<T>[];
}

/**
 * Options and results of the client's calls. Types only.
 */
import type { Stat } from '../wire/stat.ts';
import type { CallOptions } from './client-core.ts';
import type { CreateFields } from './operations.ts';
import type { NodeEvent, WatchItem } from './watch-stream.ts';

export interface CreateOptions extends CreateFields, CallOptions {
  /** Missing parents are made too, as containers (which the server removes when they are empty) or for good. */
  readonly parents?: 'container' | 'persistent';
  /**
   * The znode's name is told apart by a unique text in front, so that it is found again when the reply is lost (sequential
   * modes). `true` puts one there (`_c_<uuid>-`); a text is one that the name begins with already.
   */
  readonly protect?: boolean | string;
  /** When the reply is lost, find out what became of it instead of failing. See `Resolved`. */
  readonly resolve?: boolean;
}

/**
 * What `resolve` found out behind a lost reply. The tree is as it was asked for; with `maybeOther`, nothing tells whether by
 * this call or by another client that asked for the same: who counts by comparing versions must not take it for its own.
 */
export interface Resolved {
  readonly maybeOther: boolean;
}

export interface WriteOptions extends CallOptions {
  /** Only if the znode has this version. */
  readonly version?: number;
  readonly resolve?: boolean;
}

export interface DeleteOptions extends WriteOptions {
  readonly recursive?: boolean;
  /** A znode that is not there is as good. */
  readonly ifExists?: boolean;
}

/** The one event of a read with `watch: true`; `using` gives the watch up. */
export type Changed = Promise<NodeEvent> & Disposable;

export interface Watched {
  readonly changed: Changed;
}

export interface WatchOptions extends CallOptions {
  /** This znode, or it and everything below. */
  readonly mode?: 'node' | 'tree';
  /** Items that may wait for the reader; beyond that they become one gap. */
  readonly buffer?: number;
  /** Sees each item in the turn of its arrival, instead of the iterator. */
  readonly onEvent?: (item: WatchItem) => void;
}

export interface Children {
  /** Without order. */
  readonly names: readonly string[];
  readonly stat: Stat;
}

/** At least one of the three lists; `members` replaces all. */
export interface ReconfigChange {
  /** Lines `server.N=…`. */
  readonly joining?: string;
  /** Ids, comma-separated. */
  readonly leaving?: string;
  readonly members?: string;
  /** Only if the configuration has this version. */
  readonly ifConfig?: number;
}

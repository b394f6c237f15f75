/**
 * What a cache takes, with its defaults, checked once. Pure.
 */
import type { CacheChange } from './cache/cache-entry.ts';
import type { CallOptions } from './client-core.ts';
import type { Codec } from './codecs.ts';

export interface CacheOptions<T> extends CallOptions {
  /** The znode alone; it and its children; or it and everything below. */
  readonly scope?: 'node' | 'children' | 'tree';
  /** Values; without it, bytes. An entry whose bytes are no value has an `error`. */
  readonly codec?: Codec<T>;
  /** False: this znode, and with it all that is below, is left out. Paths are of the client. */
  readonly filter?: (path: string) => boolean;
  /** More ends the cache with CACHEFULL: half a tree would be taken for a whole one. */
  readonly maxNodes?: number;
  readonly maxDataBytes?: number;
  /** Reads on their way at a time. */
  readonly inFlight?: number;
  /** How it compares with the server behind a reconnect: a pause by chance, then so many requests a second. */
  readonly resync?: { readonly perSecond?: number; readonly jitterMs?: number };
  /** Changes that may wait for each reader; beyond that they become one `reset`. */
  readonly buffer?: number;
  /** Sees each change in the turn of its arrival, from the first one on. */
  readonly onChange?: (change: CacheChange<T>) => void;
}

export interface ResolvedCacheOptions {
  readonly depthMax: number;
  readonly accept: ((path: string) => boolean) | null;
  readonly nodesMax: number;
  readonly bytesMax: number;
  readonly inFlightMax: number;
  readonly perSecond: number;
  readonly jitterMs: number;
  readonly bufferMax: number;
}

const DEPTHS = { node: 0, children: 1, tree: Number.POSITIVE_INFINITY } as const;
const NODES_DEFAULT = 1_000_000;
const DATA_BYTES_DEFAULT = 512 * 1024 * 1024;
const IN_FLIGHT_DEFAULT = 512;
/** A hundred clients with a thousand znodes each are a second's work of one server, spread over that second. */
const PER_SECOND_DEFAULT = 20_000;
const JITTER_MS_DEFAULT = 1_000;
const BUFFER_DEFAULT = 10_000;

/** @throws TypeError that names the option. */
export function resolveCacheOptions<T>(options: CacheOptions<T>): ResolvedCacheOptions {
  const { scope = 'tree', filter = null, resync = {} } = options;
  if (DEPTHS[scope] === undefined) throw new TypeError(`scope must be node, children or tree, not ${scope}`);
  return {
    depthMax: DEPTHS[scope],
    accept: filter,
    nodesMax: atLeast('maxNodes', options.maxNodes ?? NODES_DEFAULT, 1),
    bytesMax: atLeast('maxDataBytes', options.maxDataBytes ?? DATA_BYTES_DEFAULT, 0),
    inFlightMax: atLeast('inFlight', options.inFlight ?? IN_FLIGHT_DEFAULT, 1),
    perSecond: atLeast('resync.perSecond', resync.perSecond ?? PER_SECOND_DEFAULT, 1),
    jitterMs: atLeast('resync.jitterMs', resync.jitterMs ?? JITTER_MS_DEFAULT, 0),
    bufferMax: atLeast('buffer', options.buffer ?? BUFFER_DEFAULT, 1),
  };
}

function atLeast(name: string, value: number, min: number): number {
  if (typeof value !== 'number' || !(value >= min))
    throw new TypeError(`${name} must be ${min} or more, not ${value}`);
  return value;
}

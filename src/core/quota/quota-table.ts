/**
 * Quotas: which subtrees have one, how much they hold, and whether a write would exceed it. Core thread only.
 *
 * A quota on /app is two znodes that clients make and this table follows:
 *
 *     /zookeeper/quota/app/zookeeper_limits    its existence marks /app; its text is the limits
 *     /zookeeper/quota/app/zookeeper_stats     the usage; its creation makes us count the subtree
 *
 * Every committed create, delete and setData is accounted to the deepest marked path that is the node or an
 * ancestor of it, and only to that one; its stats node's text changes in place, without zxid, version or watch
 * (the caller does that with `statsText`). The root cannot have a quota.
 *
 * `allows…` compares with committed usage, so changes in flight may together overshoot a hard limit, as in
 * Apache; whether quotas are enforced at all is the caller's option. While no path is marked everything here
 * costs a comparison.
 */

import type { KeyedHash } from '../../base/keyed-hash.ts';
import { decodeUtf8 } from '../../wire/utf8.ts';
import type { PathNumber } from '../collections/path-set.ts';
import { NO_PATH, PathSet } from '../collections/path-set.ts';
import { asciiBytes, equalBytes } from '../path/path.ts';
import type { QuotaNumbers } from './quota-text.ts';
import { formatQuotaText, NO_LIMIT, parseQuotaText } from './quota-text.ts';

/** What the table asks of the owner of the tree. */
export interface QuotaPort {
  /**
   * Znodes and data bytes of the subtree under quota including its root; zeros when it does not exist. Null: it is being
   * counted, and `counted` is called before anything else changes.
   */
  countSubtree(quota: QuotaEntry): SubtreeSize | null;
  /** A write goes over a soft limit and is let through: worth a log line, at a bounded rate. */
  overSoftLimit(quota: QuotaEntry): void;
}

export interface SubtreeSize {
  readonly count: number;
  readonly bytes: number;
}

/** One quota: there is a limits node, a stats node, or both. */
export interface QuotaEntry {
  /** The path under quota. */
  readonly path: Uint8Array;
  /** Where its usage is shown. */
  readonly statsPath: Uint8Array;
}

interface Entry extends QuotaEntry {
  readonly key: string;
  /** Its number among the marked paths; NO_PATH without a limits node. */
  mark: PathNumber;
  limits: QuotaNumbers;
  hasStats: boolean;
  usage: QuotaNumbers;
}

const SLASH = 0x2f;
const QUOTA_ROOT = asciiBytes('/zookeeper/quota');
const LIMITS_NAME = asciiBytes('/zookeeper_limits');
const STATS_NAME = asciiBytes('/zookeeper_stats');
const UNLIMITED = parseQuotaText('');

export class QuotaTable {
  private readonly port: QuotaPort;
  /** Every quota by the text of its path; for changes of quota nodes, which are rare. */
  private readonly entries = new Map<string, Entry>();
  private readonly hash: KeyedHash;
  private readonly marks: PathSet;
  private readonly marked: Entry[] = [];

  constructor(hash: KeyedHash, port: QuotaPort) {
    this.hash = hash;
    this.marks = new PathSet(hash);
    this.port = port;
  }

  // ---- changes of quota nodes; calls for other nodes are ignored ----------------------------------------------

  /** A znode was created. Returns the quota whose stats node must be rewritten now, if any. */
  onCreated(
    bytes: Uint8Array,
    start: number,
    length: number,
    data: Uint8Array,
    dataStart: number,
    dataLength: number,
  ): QuotaEntry | null {
    if (!isUnderQuotaRoot(bytes, start, length)) return null;
    this.onContent(bytes, start, length, data, dataStart, dataLength);
    if (!endsWith(bytes, start, length, STATS_NAME)) return null;
    const entry = this.entries.get(quotaKey(bytes, start, length, STATS_NAME));
    if (entry === undefined) return null;
    return this.recount(entry) ? entry : null;
  }

  /** What `countSubtree` has not told at once; the stats node must be rewritten now. */
  counted(quota: QuotaEntry, { count, bytes }: SubtreeSize): void {
    (quota as Entry).usage = { ...UNLIMITED, count, bytes };
  }

  /** A znode's data was set, or the znode was found at start-up. */
  onContent(
    bytes: Uint8Array,
    start: number,
    length: number,
    data: Uint8Array,
    dataStart: number,
    dataLength: number,
  ): void {
    if (!isUnderQuotaRoot(bytes, start, length)) return;
    const isLimits = endsWith(bytes, start, length, LIMITS_NAME);
    if (!isLimits && !endsWith(bytes, start, length, STATS_NAME)) return;
    const key = quotaKey(bytes, start, length, isLimits ? LIMITS_NAME : STATS_NAME);
    if (key === '') return;
    const entry = this.entries.get(key) ?? this.addEntry(key, bytes, start, length, isLimits);
    const numbers = parseQuotaText(decodeUtf8(data, dataStart, dataStart + dataLength));
    if (isLimits) {
      entry.limits = numbers;
      if (entry.mark === NO_PATH) this.mark(entry);
    } else {
      entry.usage = numbers;
      entry.hasStats = true;
    }
  }

  /** A znode was deleted. */
  onDeleted(bytes: Uint8Array, start: number, length: number): void {
    if (!isUnderQuotaRoot(bytes, start, length)) return;
    const isLimits = endsWith(bytes, start, length, LIMITS_NAME);
    if (!isLimits && !endsWith(bytes, start, length, STATS_NAME)) return;
    const entry = this.entries.get(quotaKey(bytes, start, length, isLimits ? LIMITS_NAME : STATS_NAME));
    if (entry === undefined) return;
    if (isLimits) {
      if (entry.mark !== NO_PATH) this.marks.remove(entry.mark);
      entry.mark = NO_PATH;
    } else {
      entry.hasStats = false;
    }
    if (entry.mark === NO_PATH && !entry.hasStats) this.entries.delete(entry.key);
  }

  /** After start-up: counts every marked subtree; returns the quotas whose stats nodes must be rewritten. */
  recountAll(): QuotaEntry[] {
    const counted: QuotaEntry[] = [];
    for (const entry of this.entries.values()) {
      if (entry.mark === NO_PATH || !entry.hasStats) continue;
      this.recount(entry);
      counted.push(entry);
    }
    return counted;
  }

  // ---- every write ------------------------------------------------------------------------------------------

  /**
   * Accounts a committed change of a node: +1 and its bytes for a create, −1 and −bytes for a delete, 0 and the
   * difference for setData. Returns the quota whose stats node must be rewritten, or null.
   */
  account(
    bytes: Uint8Array,
    start: number,
    length: number,
    countDelta: number,
    bytesDelta: number,
  ): QuotaEntry | null {
    if (this.marks.size === 0) return null;
    const mark = this.marks.findDeepest(bytes, start, length);
    if (mark === NO_PATH) return null;
    const entry = this.marked[mark]!;
    if (!entry.hasStats) return null;
    entry.usage.count += countDelta;
    entry.usage.bytes += bytesDelta;
    return entry;
  }

  /** Whether a create with so many bytes of data keeps the hard limits; false = QUOTAEXCEEDED. */
  allowsCreate(bytes: Uint8Array, start: number, length: number, dataBytes: number): boolean {
    return this.allows(bytes, start, length, 1, dataBytes);
  }

  /** Whether a setData that changes the size by `bytesDelta` keeps the hard limits; false = QUOTAEXCEEDED. */
  allowsSetData(bytes: Uint8Array, start: number, length: number, bytesDelta: number): boolean {
    return this.allows(bytes, start, length, 0, bytesDelta);
  }

  /** The text that the stats node must hold. */
  statsText(quota: QuotaEntry): string {
    return formatQuotaText((quota as Entry).usage);
  }

  // ---- inside -----------------------------------------------------------------------------------------------

  private allows(
    bytes: Uint8Array,
    start: number,
    length: number,
    countDelta: number,
    bytesDelta: number,
  ): boolean {
    if (this.marks.size === 0) return true;
    const mark = this.marks.findDeepest(bytes, start, length);
    if (mark === NO_PATH) return true;
    const entry = this.marked[mark]!;
    if (!entry.hasStats) return true;
    const limits = entry.limits;
    const usage = entry.usage;
    const overCount = isOver(usage.count, countDelta, effective(limits.count, limits.countHardLimit));
    if (overCount && limits.countHardLimit > NO_LIMIT) return false;
    const overBytes = isOver(usage.bytes, bytesDelta, effective(limits.bytes, limits.byteHardLimit));
    if (overBytes && limits.byteHardLimit > NO_LIMIT) return false;
    if (overCount || overBytes) this.port.overSoftLimit(entry);
    return true;
  }

  private recount(entry: Entry): boolean {
    const size = this.port.countSubtree(entry);
    if (size !== null) this.counted(entry, size);
    return size !== null;
  }

  private addEntry(key: string, bytes: Uint8Array, start: number, length: number, isLimits: boolean): Entry {
    const nameLength = isLimits ? LIMITS_NAME.length : STATS_NAME.length;
    const path = bytes.slice(start + QUOTA_ROOT.length, start + length - nameLength);
    const statsPath = new Uint8Array(QUOTA_ROOT.length + path.length + STATS_NAME.length);
    statsPath.set(QUOTA_ROOT);
    statsPath.set(path, QUOTA_ROOT.length);
    statsPath.set(STATS_NAME, QUOTA_ROOT.length + path.length);
    const entry: Entry = {
      path,
      statsPath,
      key,
      mark: NO_PATH,
      limits: UNLIMITED,
      hasStats: false,
      usage: UNLIMITED,
    };
    this.entries.set(key, entry);
    return entry;
  }

  private mark(entry: Entry): void {
    const path = entry.path;
    entry.mark = this.marks.add(path, 0, path.length, this.hash.of(path, 0, path.length));
    this.marked[entry.mark] = entry;
  }
}

/** With a hard limit the soft one is ignored. */
function effective(soft: number, hard: number): number {
  return hard > NO_LIMIT ? hard : soft;
}

/** A change of zero is never over; a shrink that stays above the limit is. */
function isOver(used: number, delta: number, limit: number): boolean {
  return delta !== 0 && limit > NO_LIMIT && used + delta > limit;
}

function isUnderQuotaRoot(bytes: Uint8Array, start: number, length: number): boolean {
  if (length <= QUOTA_ROOT.length || bytes[start + QUOTA_ROOT.length] !== SLASH) return false;
  return equalBytes(bytes, start, QUOTA_ROOT, 0, QUOTA_ROOT.length);
}

function endsWith(bytes: Uint8Array, start: number, length: number, name: Uint8Array): boolean {
  return equalBytes(bytes, start + length - name.length, name, 0, name.length);
}

/** The text of the path under quota; empty for the root, which cannot have one. */
function quotaKey(bytes: Uint8Array, start: number, length: number, name: Uint8Array): string {
  return decodeUtf8(bytes, start + QUOTA_ROOT.length, start + length - name.length);
}

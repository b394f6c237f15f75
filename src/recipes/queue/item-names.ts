/**
 * Names of items in a queue, of each family of clients, and the order in which they come out:
 *
 *     curator     plain `queue-#`   priority `queue-1000000AF#` (0… = below zero)   delayed `queue-|<ms, hex>|#`   id `queue-|<id>|#`
 *     kazoo       `entry-100-#`, the smaller of 000 to 999 first
 *     zookeeper   `qn-#`, also Curator's SimpleDistributedQueue
 *
 * `#` is the sequence number: ten digits, behind 2147483647 with a minus in front. Pure.
 */

export type QueueDialect = 'curator' | 'kazoo' | 'zookeeper';
export type QueueOrder = 'plain' | 'priority' | 'delayed' | 'id';

/** What a producer says beside the value. */
export interface PutFields {
  /** The smaller comes out first. */
  readonly priority?: number;
  /** Not before; by the clock of the consumer, in milliseconds since 1970. */
  readonly atMs?: number;
  readonly id?: string;
}

export interface Item {
  readonly name: string;
  /** What comes before the sequence number in the order: a priority, or a time. */
  readonly rank: number;
  readonly sequence: number;
  /** Not to be had earlier; 0 = at once. */
  readonly dueMs: number;
  readonly id: string | null;
}

const PREFIXES: Readonly<Record<QueueDialect, string>> = {
  curator: 'queue-',
  kazoo: 'entry-',
  zookeeper: 'qn-',
};

/** Lazy, so that a minus goes to the number; kazoo's priority has a minus of its own behind it. */
const NUMBERED = /^(.*?)(-?\d{10})$/s;
const KAZOO_NUMBERED = /^(\d+-)(-?\d{10})$/;
const PRIORITY = /^([01])([0-9A-F]{8})$/;
const DELAYED = /^\|([0-9A-Fa-f]+)\|$/;
const WITH_ID = /^\|(.*)\|$/s;
const KAZOO_PRIORITY_DEFAULT = 100;
const KAZOO_PRIORITY_MAX = 999;
const INT32_MAX = 0x7fffffff;

/** Whether producers of this kind can say so. */
const FIELD_OF: Readonly<Record<QueueOrder, keyof PutFields | null>> = {
  plain: null,
  priority: 'priority',
  delayed: 'atMs',
  id: 'id',
};

/** The name without its number. @throws TypeError for what this queue cannot express. */
export function newItemName(dialect: QueueDialect, order: QueueOrder, fields: PutFields): string {
  const allowed = FIELD_OF[order];
  for (const field of ['priority', 'atMs', 'id'] as const) {
    if (fields[field] !== undefined && field !== allowed)
      throw new TypeError(`a queue of order ${order} has no ${field}`);
  }
  const prefix = PREFIXES[dialect];
  if (dialect === 'kazoo') return `${prefix}${kazooPriority(fields.priority)}-`;
  switch (order) {
    case 'plain':
      return prefix;
    case 'priority':
      return prefix + curatorPriority(fields.priority ?? 0);
    case 'delayed':
      return `${prefix}|${hexTime(fields.atMs ?? 1)}|`;
    case 'id':
      return `${prefix}|${cleanId(fields.id)}|`;
  }
}

/** null: no item of anybody, to be ignored; a dialect: an item of another family. */
export function parseItem(
  dialect: QueueDialect,
  order: QueueOrder,
  name: string,
): Item | QueueDialect | null {
  const prefix = PREFIXES[dialect];
  if (!name.startsWith(prefix)) {
    const others = Object.entries(PREFIXES) as [QueueDialect, string][];
    return others.find(([, one]) => name.startsWith(one))?.[0] ?? null;
  }
  const match = (dialect === 'kazoo' ? KAZOO_NUMBERED : NUMBERED).exec(name.slice(prefix.length));
  if (match === null) return null;
  const middle = match[1]!;
  const sequence = Number(match[2]);
  const rank = rankOf(dialect, order, middle);
  const id = order === 'id' ? (WITH_ID.exec(middle)?.[1] ?? null) : null;
  return { name, rank, sequence, dueMs: order === 'delayed' ? rank : 0, id };
}

export function byOrder(a: Item, b: Item): number {
  return a.rank - b.rank || a.sequence - b.sequence;
}

function rankOf(dialect: QueueDialect, order: QueueOrder, middle: string): number {
  if (dialect === 'kazoo') return Number.parseInt(middle, 10);
  if (order === 'delayed') return Number.parseInt(DELAYED.exec(middle)?.[1] ?? '0', 16);
  const priority = order === 'priority' ? PRIORITY.exec(middle) : null;
  return priority === null ? 0 : Number.parseInt(priority[2]!, 16) | 0;
}

function curatorPriority(priority: number): string {
  if (!Number.isInteger(priority) || priority > INT32_MAX || priority < -INT32_MAX - 1)
    throw new TypeError(`priority must be a whole number of 32 bits, not ${priority}`);
  return (priority >= 0 ? '1' : '0') + (priority >>> 0).toString(16).toUpperCase().padStart(8, '0');
}

function kazooPriority(priority = KAZOO_PRIORITY_DEFAULT): string {
  if (!Number.isInteger(priority) || priority < 0 || priority > KAZOO_PRIORITY_MAX)
    throw new TypeError(`priority must be 0 to ${KAZOO_PRIORITY_MAX}, not ${priority}`);
  return String(priority).padStart(3, '0');
}

function hexTime(atMs: number): string {
  if (!Number.isSafeInteger(atMs) || atMs < 1)
    throw new TypeError(`atMs must be milliseconds since 1970, not ${atMs}`);
  return atMs.toString(16).toUpperCase().padStart(8, '0');
}

/** What would end the id, or the name, is replaced, as Curator does. */
function cleanId(id: string | undefined): string {
  if (id === undefined || id === '') throw new TypeError('a queue of order id needs an id with each item');
  return id.replaceAll(/[/|]/g, '_');
}

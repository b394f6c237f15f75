/**
 * Names of znodes that queue for something. Each family of clients has its own, and none sees all others, so a path belongs
 * to one dialect:
 *
 *     curator     `_c_<uuid>-lock-0000000007`         also Go's client
 *     kazoo       `<32 hex>__lock__0000000007`
 *     zookeeper   `x-<session id>-0000000007`         the recipe that comes with Apache ZooKeeper
 *
 * Its clients find their own znode by the session id, which two contenders of one session share. Ours put 32 hex digits
 * more behind it; those who only compare what follows the last dash do not mind.
 *
 * Sequence numbers compare as signed integers: behind 2147483647 they go on from -2147483648. Pure.
 */

export type Dialect = 'curator' | 'kazoo' | 'zookeeper';
/** What a contender wants: to be alone, to share with other readers, to lead, one of several places. */
export type ContenderKind = 'lock' | 'read' | 'write' | 'latch' | 'lease';

export interface Contender {
  readonly name: string;
  readonly sequence: number;
  readonly kind: ContenderKind;
  readonly dialect: Dialect;
}

/** What stands between the unique part and the number. */
const LABELS: Readonly<Record<Dialect, Partial<Record<ContenderKind, string>>>> = {
  curator: { lock: '-lock-', read: '-__READ__', write: '-__WRIT__', latch: '-latch-', lease: '-lease-' },
  kazoo: { lock: '__lock__', read: '__rlock__', write: '__lock__', latch: '__lock__' },
  zookeeper: { lock: '-', latch: '-' },
};

/** A number always has ten digits; a minus in front of them may also be the end of a label. */
const SEQUENCE = /^(.+)(\d{10})$/s;
/** A minus and ten digits. */
const SIGNED_LENGTH = 11;
const ZOOKEEPER_NAME = /^x-(?:0x)?[0-9a-f]+-(?:[0-9a-f]{32}-)?(-?)$/;

/** A label of this dialect, or undefined where it has none. */
export function labelOf(dialect: Dialect, kind: ContenderKind): string | undefined {
  return LABELS[dialect][kind];
}

/** The name without its number, and the part of it that is unique; `unique` is a fresh UUID. */
export function newName(
  dialect: Dialect,
  kind: ContenderKind,
  unique: string,
  sessionId: bigint,
): { readonly name: string; readonly prefix: string } {
  const label = labelOf(dialect, kind);
  if (label === undefined) throw new TypeError(`dialect ${dialect} has no names for ${kind}`);
  const prefix =
    dialect === 'curator'
      ? `_c_${unique}`
      : dialect === 'kazoo'
        ? unique.replaceAll('-', '')
        : `x-0x${BigInt.asUintN(64, sessionId).toString(16)}-${unique.replaceAll('-', '')}`;
  return { name: prefix + label, prefix };
}

/** The number of a contender as it stands in the name: ten digits, in front of them a minus where there is one. */
export function numberOf(name: string): string {
  return (parseName(name)?.sequence ?? 0) < 0 ? name.slice(-SIGNED_LENGTH) : name.slice(1 - SIGNED_LENGTH);
}

/** null: no contender of any dialect; to be ignored. */
export function parseName(name: string): Contender | null {
  const match = SEQUENCE.exec(name);
  if (match === null) return null;
  const head = match[1]!;
  const digits = Number(match[2]);
  const ofZookeeper = ZOOKEEPER_NAME.exec(head);
  if (ofZookeeper !== null) {
    return { name, sequence: ofZookeeper[1] === '-' ? -digits : digits, kind: 'lock', dialect: 'zookeeper' };
  }
  for (const dialect of ['curator', 'kazoo'] as const) {
    for (const kind of KINDS) {
      const label = labelOf(dialect, kind);
      if (label === undefined) continue;
      if (head.endsWith(label)) return { name, sequence: digits, kind, dialect };
      if (head.endsWith(`${label}-`)) return { name, sequence: -digits, kind, dialect };
    }
  }
  return null;
}

const KINDS: readonly ContenderKind[] = ['lock', 'read', 'write', 'latch', 'lease'];

/** Those who queue, first come first. */
export function contendersOf(names: readonly string[]): Contender[] {
  return names
    .map(parseName)
    .filter((one) => one !== null)
    .sort((a, b) => a.sequence - b.sequence);
}

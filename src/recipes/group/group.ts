/**
 * Who is there: each member keeps a znode of its own below the path of the group, for as long as it lives. Three shapes:
 *
 *     curator     `P/<id>`, what it says of itself as data     as GroupMember
 *     party       `P/<32 hex>__party__`, the id as data        as kazoo's Party
 *     shallow     `P/<32 hex>-<id>`                            as kazoo's ShallowParty
 *
 * A member sees itself only when its znode is really there.
 */
import { randomUUID } from 'node:crypto';
import { type Cache, type CacheEntry, type Codec, childOf, nameOf, type Zk } from '../../client/index.ts';
import { MixedDialectError } from '../contenders/errors.ts';
import { inAnySession } from '../contenders/wait.ts';
import { type PersistentNode, persistentNode } from '../persistent-node/persistent-node.ts';

export type GroupDialect = 'curator' | 'party' | 'shallow';

export interface Member {
  readonly id: string;
  /** What it says of itself (`curator` only). */
  readonly data: Uint8Array | null;
}

interface Call {
  readonly signal?: AbortSignal;
}

const raw: Codec<Uint8Array | null> = { encode: (value) => value, decode: (value) => value };
/** Curator's GroupMember fails on a member without any data. */
const NOTHING = new Uint8Array(0);
const PARTY = /^[0-9a-f]{32}__party__$/;
const SHALLOW = /^[0-9a-f]{32}-(.*)$/s;

/** Who is there, as it is now. */
export class Members implements AsyncDisposable {
  private readonly cache: Cache<Uint8Array | null>;
  private readonly dialect: GroupDialect;

  constructor(cache: Cache<Uint8Array | null>, dialect: GroupDialect) {
    this.cache = cache;
    this.dialect = dialect;
  }

  /** Asks nobody; without a connection, those seen last. @throws MixedDialectError */
  list(): Member[] {
    const members: Member[] = [];
    for (const entry of this.cache.childEntries())
      members.push(memberOf(this.cache.path, entry, this.dialect));
    return members.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Everybody who had joined before this call is in `list()` after it. */
  sync(call: Call = {}): Promise<void> {
    return this.cache.sync(call);
  }

  /** The present ones, then whenever it is others; those in between may be passed over. */
  async *changes(): AsyncGenerator<Member[], void, undefined> {
    for await (const { kind } of this.cache.changes())
      if (kind !== 'stale' && kind !== 'live') yield this.list();
  }

  close(): Promise<void> {
    return this.cache.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export class Group {
  readonly path: string;
  private readonly zk: Zk;
  private readonly dialect: GroupDialect;

  constructor(zk: Zk, path: string, options: { readonly dialect?: GroupDialect } = {}) {
    this.zk = zk;
    this.path = path;
    this.dialect = options.dialect ?? 'curator';
  }

  /** A member until it is closed; `ready()` says when it is there. @throws TypeError for an id that its dialect cannot show. */
  join(id: string, data: Uint8Array | string | null = null): PersistentNode {
    if (id === '' || (this.dialect !== 'party' && id.includes('/')))
      throw new TypeError(`${JSON.stringify(id)} is no name of a znode`);
    if (this.dialect !== 'curator' && data !== null)
      throw new TypeError(`a member of dialect ${this.dialect} says nothing but its id`);
    const unique = randomUUID().replaceAll('-', '');
    if (this.dialect === 'party') return this.keep(`${unique}__party__`, id);
    return this.dialect === 'shallow' ? this.keep(`${unique}-${id}`, id) : this.keep(id, data ?? NOTHING);
  }

  /** Who is there, followed from now on. */
  async members(call: Call = {}): Promise<Members> {
    const open = (): Promise<Cache<Uint8Array | null>> =>
      this.zk.cache(this.path, { scope: 'children', codec: raw, ...call });
    const cache = await inAnySession(open);
    return new Members(cache, this.dialect);
  }

  private keep(name: string, data: Uint8Array | string | null): PersistentNode {
    return persistentNode(this.zk, childOf(this.path, name), data);
  }
}

function memberOf(
  path: string,
  { path: memberPath, value }: CacheEntry<Uint8Array | null>,
  dialect: GroupDialect,
): Member {
  const name = nameOf(memberPath);
  const isParty = PARTY.test(name);
  const shallow = SHALLOW.exec(name);
  if (dialect === 'party' ? !isParty : dialect === 'shallow' ? shallow === null : isParty)
    throw new MixedDialectError(path, dialect, isParty ? 'party' : shallow ? 'shallow' : 'curator', name);
  if (dialect === 'shallow') return { id: shallow![1]!, data: null };
  if (dialect === 'party') return { id: Buffer.from(value ?? []).toString(), data: null };
  return { id: name, data: value ?? null };
}

/** Joining it, and seeing who is in it. */
export function group(zk: Zk, path: string, options?: { readonly dialect?: GroupDialect }): Group {
  return new Group(zk, path, options);
}

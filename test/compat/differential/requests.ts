/**
 * Draws single requests. What may be drawn depends on the known znodes (so that most requests hit something) and on
 * the rules that keep the two servers' states together: see `watchClass` and the rows marked `avoided` in
 * `deliberate.ts`.
 */
import type { Prng } from '../../../src/base/prng.ts';
import { AddWatchMode, CreateFlags, OpCode, opName, WatcherType } from '../../../src/wire/opcodes.ts';
import * as bodies from '../../support/request-bodies.ts';
import * as material from './material.ts';
import { type Effect, type Request, SLOT_COUNT } from './step.ts';

export type Draft = Omit<Request, 'xid'>;

/** What the generator knows of one slot. */
export interface SlotState {
  open: boolean;
  hasSession: boolean;
  authIds: number;
  nextXid: number;
}

export const WatchClass = { standard: 0, persistent: 1, recursive: 2, never: 3 } as const;
export type WatchClass = (typeof WatchClass)[keyof typeof WatchClass];

/** A path that no client may ever watch. */
const NEVER_WATCHED = '/never-watched';

/**
 * Which kind of watch a client may ever set on a path. One kind only, because the baseline forgets the earlier mode
 * when a second is set on the same path (`independent-watch-modes`).
 */
export function watchClass(slot: number, path: string | null): WatchClass {
  // `watch-on-empty-path`
  if (path === '') return WatchClass.never;
  const owner = watchOwner(path);
  if (owner !== undefined && owner !== slot) return WatchClass.never;
  const remainder = (hash(path) + slot) % 5;
  return remainder === 0
    ? WatchClass.persistent
    : remainder === 1
      ? WatchClass.recursive
      : WatchClass.standard;
}

/**
 * A third of the paths are watched by one client only. Only there checkWatches has a defined answer: the baseline
 * says yes when anybody watches the path (`check-watches-of-others`).
 */
function watchOwner(path: string | null): number | undefined {
  const value = hash(path) >>> 8;
  return value % 3 === 0 ? Math.floor(value / 3) % SLOT_COUNT : undefined;
}

function hash(path: string | null): number {
  let state = 7;
  for (const unit of path ?? '') {
    state = Math.imul(state ^ unit.codePointAt(0)!, 0x9e3779b1);
    state ^= state >>> 15;
  }
  return state >>> 0;
}

export class RequestSource {
  /** Every znode known to exist with its data and ACL version, the root included. */
  readonly nodes = new Map<string, { version: number; aversion: number }>();
  /** Limits and statistics of quotas that exist. Apart from `nodes`: a malformed text there ends the baseline's process. */
  readonly quotaNodes = new Set<string>();
  /** A zxid of the recent past, for setWatches. */
  recentZxid = 0;
  private readonly prng: Prng;
  /** While the sub-operations of a multi are drawn. */
  private insideMulti = false;

  constructor(prng: Prng) {
    this.prng = prng;
    this.nodes.set('/', { version: 0, aversion: 0 });
  }

  /** A path that probably exists (`hit`), or not, or cannot. */
  path(hit = 0.8): string | null {
    if (this.prng.chance(0.04)) {
      const odd = this.prng.pick(material.ODD_PATHS);
      // `null-path-in-multi`
      return odd === null && this.insideMulti ? '' : odd;
    }
    const known = [...this.nodes.keys()];
    return this.prng.chance(hit) ? this.prng.pick(known) : material.freshPath(this.prng, known);
  }

  create(authIds: number): Draft {
    const prng = this.prng;
    const op = prng.pick([
      OpCode.create,
      OpCode.create,
      OpCode.create2,
      OpCode.createContainer,
      OpCode.createTtl,
    ]);
    const path = prng.chance(0.04) ? `${this.path(1)}/` : this.path(0.15);
    const flags = this.createFlags(op);
    const fields = { path, data: material.bytes(prng), acls: this.acls(path, authIds), flags };
    const ttl = op === OpCode.createTtl ? this.ttl() : undefined;
    const body = bodies.create(ttl === undefined ? fields : { ...fields, ttl });
    const acl = fields.acls?.map((a) => `${a.perms} ${a.scheme}:${a.id}`).join(', ');
    const label = `${opName(op)} ${quote(path)} flags ${flags}${ttl === undefined ? '' : ` ttl ${ttl}`} acl [${acl}]`;
    return { op, body, label, effects: [{ op, path }] };
  }

  delete(): Draft {
    const path = this.path();
    const version = this.version(path, 'version');
    const op = this.prng.chance(0.02) ? OpCode.deleteContainer : OpCode.delete;
    const label = `${opName(op)} ${quote(path)} version ${version}`;
    const body = op === OpCode.delete ? bodies.pathAndInt(path, version) : bodies.path(path);
    return { op, body, label, effects: [{ op, path }] };
  }

  setData(): Draft {
    const path = this.path();
    const data = material.bytes(this.prng);
    const version = this.version(path, 'version');
    const label = `setData ${quote(path)} ${data?.length ?? 'null'} bytes version ${version}`;
    return {
      op: OpCode.setData,
      body: bodies.setData(path, data, version),
      label,
      effects: [{ op: OpCode.setData, path }],
    };
  }

  setAcl(authIds: number): Draft {
    // A root that forbids creating would end the run's usefulness.
    const drawn = this.path();
    const path = drawn === '/' || drawn === '' ? '/a' : drawn;
    const acls = this.acls(path, authIds);
    const version = this.version(path, 'aversion');
    const label = `setAcl ${quote(path)} [${acls?.map((a) => `${a.perms} ${a.scheme}:${a.id}`).join(', ')}] version ${version}`;
    return {
      op: OpCode.setAcl,
      body: bodies.setAcl(path, acls, version),
      label,
      effects: [{ op: OpCode.setAcl, path }],
    };
  }

  check(): Draft {
    const path = this.path(0.95);
    const version = this.version(path, 'version');
    return {
      op: OpCode.check,
      body: bodies.pathAndInt(path, version),
      label: `check ${quote(path)} version ${version}`,
    };
  }

  /** getData, getChildren, getChildren2; exists outside the private area, where its rule differs. */
  read(slot: number): Draft {
    const path = this.path();
    const op = this.prng.pick([
      OpCode.getData,
      OpCode.getData,
      OpCode.getChildren,
      OpCode.getChildren2,
      ...(material.isPrivate(path) ? [] : [OpCode.exists]),
    ]);
    const watch = this.prng.chance(0.5) && watchClass(slot, path) === WatchClass.standard;
    return {
      op,
      body: bodies.pathAndBool(path, watch),
      label: `${opName(op)} ${quote(path)}${watch ? ' watch' : ''}`,
    };
  }

  /** Reads by path alone, and requests about the session. */
  query(): Draft {
    const op = this.prng.pick([
      OpCode.getAcl,
      OpCode.getAcl,
      OpCode.sync,
      OpCode.getEphemerals,
      OpCode.getAllChildrenNumber,
      OpCode.whoAmI,
      OpCode.ping,
    ]);
    if (op === OpCode.whoAmI || op === OpCode.ping) return { op, body: new Uint8Array(0), label: opName(op) };
    // `count-of-empty-path`
    const drawn = this.path();
    const path = op === OpCode.getAllChildrenNumber && drawn === '' ? '/' : drawn;
    return { op, body: bodies.path(path), label: `${opName(op)} ${quote(path)}` };
  }

  addWatch(slot: number): Draft {
    // `null-watch-path`
    const path = this.path(0.6) ?? '/a';
    const allowed = watchClass(slot, path);
    let mode: number =
      allowed === WatchClass.recursive ? AddWatchMode.persistentRecursive : AddWatchMode.persistent;
    if (allowed === WatchClass.standard || allowed === WatchClass.never || this.prng.chance(0.05))
      mode = this.prng.pick([2, -1, 7]);
    return {
      op: OpCode.addWatch,
      body: bodies.pathAndInt(path, mode),
      label: `addWatch ${quote(path)} mode ${mode}`,
    };
  }

  removeWatches(slot: number): Draft {
    return this.watchQuery(OpCode.removeWatches, slot, this.path());
  }

  checkWatches(slot: number): Draft {
    let path = this.path();
    for (let tries = 8; path !== NEVER_WATCHED && watchOwner(path) !== slot; tries--)
      path = tries > 0 ? this.path() : NEVER_WATCHED;
    return this.watchQuery(OpCode.checkWatches, slot, path);
  }

  private watchQuery(op: number, slot: number, drawn: string | null): Draft {
    let path = drawn;
    let type: number = this.prng.chance(0.06) ? this.prng.pick([0, 6, -1]) : WatcherType.any;
    if (this.prng.chance(0.5) && watchClass(slot, path) === WatchClass.standard) {
      type = this.prng.pick([WatcherType.children, WatcherType.data]);
    } else if (this.prng.chance(0.08)) {
      // `watcher-types`: only where ours finds nothing to remove.
      path = NEVER_WATCHED;
      type = this.prng.pick([WatcherType.persistent, WatcherType.persistentRecursive]);
    }
    return { op, body: bodies.pathAndInt(path, type), label: `${opName(op)} ${quote(path)} type ${type}` };
  }

  setWatches(slot: number): Draft {
    const draw = (wanted: WatchClass): string[] => {
      const paths: string[] = [];
      for (let i = this.prng.below(4); i > 0; i--) {
        const path = this.path(0.7);
        if (path !== null && watchClass(slot, path) === wanted) paths.push(path);
      }
      return paths;
    };
    const relativeZxid = BigInt(Math.max(0, this.recentZxid - this.prng.below(30)));
    const standard = {
      relativeZxid,
      data: draw(WatchClass.standard),
      exist: draw(WatchClass.standard),
      child: draw(WatchClass.standard),
    };
    const newForm = this.prng.chance(0.6);
    const persistent = newForm
      ? { persistent: draw(WatchClass.persistent), recursive: draw(WatchClass.recursive) }
      : {};
    const lists = { ...standard, ...persistent };
    const op = newForm ? OpCode.setWatches2 : OpCode.setWatches;
    const label = `${opName(op)} ${JSON.stringify(lists, (_, value) => (typeof value === 'bigint' ? Number(value) : value))}`;
    return { op, body: bodies.setWatches(lists), label };
  }

  multi(authIds: number): Draft {
    const drafts: Draft[] = [];
    this.insideMulti = true;
    for (let i = this.prng.below(6); i > 0; i--) {
      const kind = this.prng.below(10);
      if (kind < 4) drafts.push(this.create(authIds));
      else if (kind < 6) drafts.push(this.setData());
      else if (kind < 7) drafts.push(this.multiDelete());
      else if (kind < 9) drafts.push(this.check());
      else drafts.push(this.read(0));
    }
    this.insideMulti = false;
    // A read inside a write multi makes the whole undecodable: keep that rare.
    const kept = this.prng.chance(0.1) ? drafts : drafts.filter((draft) => !isReadOp(draft.op));
    const effects: Effect[] = kept.map((draft) => draft.effects?.[0] ?? { op: draft.op, path: null });
    const label = `multi (${kept.map((draft) => draft.label).join(' | ')})`;
    return { op: OpCode.multi, body: bodies.multi(kept), label, effects };
  }

  multiRead(): Draft {
    const drafts: Draft[] = [];
    this.insideMulti = true;
    for (let i = this.prng.below(5); i > 0; i--) {
      const op = this.prng.chance(0.03)
        ? OpCode.exists
        : this.prng.pick([OpCode.getData, OpCode.getChildren]);
      const path = this.path();
      drafts.push({
        op,
        body: bodies.pathAndBool(path, this.prng.chance(0.3)),
        label: `${opName(op)} ${quote(path)}`,
      });
    }
    this.insideMulti = false;
    return {
      op: OpCode.multiRead,
      body: bodies.multi(drafts),
      label: `multiRead (${drafts.map((d) => d.label).join(' | ')})`,
    };
  }

  quota(): Draft {
    const path = this.prng.pick(['/q', ...material.QUOTA_PATHS]);
    if (!this.quotaNodes.has(path)) {
      const data = path.endsWith('limits')
        ? material.quotaLimits(this.prng)
        : new TextEncoder().encode('count=0,bytes=0');
      const body = bodies.create({ path, data, acls: bodies.OPEN_ACL, flags: CreateFlags.persistent });
      const label = `create ${path} "${new TextDecoder().decode(data)}"`;
      return { op: OpCode.create, body, label, effects: [{ op: OpCode.create, path }] };
    }
    if (this.prng.chance(0.7)) {
      return { op: OpCode.getData, body: bodies.pathAndBool(path, false), label: `getData ${path}` };
    }
    const effects = [{ op: OpCode.delete, path }];
    return { op: OpCode.delete, body: bodies.pathAndInt(path, -1), label: `delete ${path}`, effects };
  }

  reconfig(): Draft {
    const fields = {
      joining: this.prng.pick([null, '', 'server.2=127.0.0.1:1:2;3']),
      leaving: null,
      members: null,
      configId: -1n,
    };
    return {
      op: OpCode.reconfig,
      body: bodies.reconfig(fields),
      label: `reconfig joining ${fields.joining}`,
    };
  }

  /** Not deleteContainer: the baseline's decoder refuses it inside multi just as outside. */
  private multiDelete(): Draft {
    const path = this.path();
    const version = this.version(path, 'version');
    const label = `delete ${quote(path)} version ${version}`;
    return {
      op: OpCode.delete,
      body: bodies.pathAndInt(path, version),
      label,
      effects: [{ op: OpCode.delete, path }],
    };
  }

  private acls(path: string | null, authIds: number): readonly bodies.Acl[] | null {
    if (this.prng.chance(0.03)) return this.prng.pick(material.ACLS_WITH_NULLS);
    return material.acls(this.prng, path, authIds);
  }

  private createFlags(op: number): number {
    const prng = this.prng;
    if (op === OpCode.createContainer) return prng.chance(0.8) ? CreateFlags.container : prng.pick([0, 1, 2]);
    if (op === OpCode.createTtl)
      return prng.pick([CreateFlags.persistentTtl, CreateFlags.persistentSequentialTtl]);
    if (prng.chance(0.03)) return prng.pick([5, 6, 7, -1, 2_000_000_000]);
    return prng.chance(0.03) ? CreateFlags.container : prng.pick([0, 0, 0, 1, 2, 3]);
  }

  private ttl(): bigint {
    return this.prng.chance(0.15)
      ? this.prng.pick([0n, -5n, 2n ** 40n - 1n, 2n ** 40n, 2n ** 62n])
      : 3_600_000n;
  }

  private version(path: string | null, field: 'version' | 'aversion'): number {
    if (this.prng.chance(0.5)) return -1;
    const current = this.nodes.get(path ?? '')?.[field] ?? 0;
    return this.prng.chance(0.7) ? current : this.prng.pick([current + 1, current - 1, -2, 2 ** 31 - 1]);
  }
}

function isReadOp(op: number): boolean {
  return (
    op === OpCode.getData || op === OpCode.getChildren || op === OpCode.getChildren2 || op === OpCode.exists
  );
}

export function quote(path: string | null): string {
  return path === null ? 'null' : JSON.stringify(path.length > 60 ? `${path.slice(0, 57)}...` : path);
}

/**
 * What clients of a run do with recipes, and what must have held at its end. Each proof carries the zxid at which a quorum had
 * it so: their order is the history, whenever a client heard of it.
 */
import assert from 'node:assert/strict';
import { isZk, op, utf8, type Zk } from '../../../src/client/index.ts';
import {
  AcquireTimeoutError,
  counter,
  doubleBarrier,
  election,
  type Lease,
  LeaseLostError,
  lock,
  multiLock,
  queue,
  readWriteLock,
  semaphore,
} from '../../../src/recipes/index.ts';

interface Proof {
  readonly zxid: number;
  readonly token: number;
  /** It is that of an acknowledged write, not of a look. */
  readonly isWrite: boolean;
}

/** Zxids between which something was held. */
interface Span {
  readonly from: number;
  to: number;
}

/** What the proofs of an exclusive lease are made of. */
type Exclusive = AsyncDisposable & Pick<Lease, 'token' | 'verify' | 'guard'>;

export interface Work {
  readonly name: string;
  /** Before anything goes wrong. */
  readonly prepare?: (zk: Zk) => Promise<unknown>;
  /** One round of one client. */
  readonly round: (zk: Zk, round: number) => Promise<void>;
  /** When all is over, by a client that reads. */
  readonly judge: (zk: Zk) => Promise<void>;
}

/** What faults may do to a recipe; anything else is a defect. */
export function mayFail(error: unknown): void {
  if (error instanceof LeaseLostError || error instanceof AcquireTimeoutError) return;
  if (isZk(error) && error.outcome !== 'refused') return;
  // The session of a holder has ended, and so has the watch of who waits.
  if (isZk(error, 'SESSIONEXPIRED')) return;
  throw error;
}

function inOrder(proofs: readonly Proof[], what: string): void {
  const tokens = proofs.toSorted((a, b) => a.zxid - b.zxid).map(({ token }) => token);
  assert.deepEqual(
    tokens,
    tokens.toSorted((a, b) => a - b),
    `${what}: two had it at once`,
  );
}

/** Proofs, and writes bound to it. */
async function hold(lease: Exclusive, path: string, proofs: Proof[]): Promise<void> {
  const { token } = lease;
  proofs.push({ zxid: await lease.verify(), token, isWrite: false });
  const [stat] = await lease.guard([op.setData(path, String(token))]);
  proofs.push({ zxid: stat.mzxid, token, isWrite: true });
  proofs.push({ zxid: await lease.verify(), token, isWrite: false });
}

/** What one has alone. */
export function exclusive(path: string, acquire: (zk: Zk) => Promise<Exclusive>): Work {
  const proofs: Proof[] = [];
  return {
    name: path,
    prepare: (zk) => zk.create(`${path}-resource`),
    round: async (zk) => {
      await using lease = await acquire(zk);
      await hold(lease, `${path}-resource`, proofs);
    },
    judge: async (zk) => {
      inOrder(proofs, path);
      const { data } = await zk.getData(`${path}-resource`);
      const last = Number(utf8.decode(data));
      const written = proofs.filter(({ isWrite }) => isWrite).map(({ token }) => token);
      assert.ok(last >= Math.max(0, ...written), 'a later holder was overwritten');
    },
  };
}

/** Several locks are had from the first one's turn on. */
async function allOf(zk: Zk, paths: readonly string[]): Promise<Exclusive> {
  const all = await multiLock(zk, paths).acquire();
  const [first] = all.leases;
  return {
    token: first!.token,
    verify: () => first!.verify(),
    guard: (ops) => all.guard(ops),
    [Symbol.asyncDispose]: () => all.release(),
  };
}

/** Round trips for which something is held: long enough for others to come. */
const PROOFS = 8;

/** Holds `lease` for a while; what is known of that is in `spans` whatever becomes of it. */
async function spend(lease: Lease, spans: Span[]): Promise<void> {
  const from = await lease.verify();
  const span: Span = { from, to: from };
  spans.push(span);
  for (let n = 1; n < PROOFS; n++) span.to = await lease.verify();
}

const overlap = (a: Span, b: Span): boolean => a.from <= b.to && b.from <= a.to;

/** What so many may have at once. */
export function places(path: string, max: number, acquire: (zk: Zk) => Promise<Lease>): Work {
  const spans: Span[] = [];
  return {
    name: path,
    round: async (zk) => {
      await using lease = await acquire(zk);
      await spend(lease, spans);
    },
    judge: async () => {
      for (const { from } of spans) {
        const held = spans.filter((other) => overlap({ from, to: from }, other)).length;
        assert.ok(held <= max, `${path}: ${held} had one of ${max} places at once`);
      }
    },
  };
}

/** What many read, or one writes. */
export function shared(path: string, acquire: (zk: Zk, isWriter: boolean) => Promise<Lease>): Work {
  const readers: Span[] = [];
  const writers: Span[] = [];
  return {
    name: path,
    round: async (zk, round) => {
      const isWriter = round % 2 === 0;
      await using lease = await acquire(zk, isWriter);
      await spend(lease, isWriter ? writers : readers);
    },
    judge: async () => {
      for (const [i, writer] of writers.entries()) {
        const others = [...writers.slice(i + 1), ...readers];
        assert.ok(!others.some((other) => overlap(writer, other)), `${path}: not alone while it wrote`);
      }
    },
  };
}

const ITEMS = 12;

function queued(path: string): Work {
  const told = new Set<string>();
  const work = async (zk: Zk): Promise<void> => {
    const claim = await queue(zk, path, utf8).tryClaim();
    if (claim === null) return;
    // What is done twice is refused here, and fails the run.
    await claim.done([op.create(`${path}-results/${claim.value}`)]);
    told.add(claim.value);
  };
  return {
    name: path,
    prepare: async (zk) => {
      await zk.create(`${path}-results`);
      await queue(zk, path, utf8).putAll(Array.from({ length: ITEMS }, (_, i) => `item-${i}`));
    },
    round: work,
    judge: async (zk) => {
      const items = queue(zk, path, utf8);
      while ((await items.items()).length > 0) await work(zk);
      assert.equal((await zk.children(`${path}-results`)).names.length, ITEMS);
    },
  };
}

function counted(path: string): Work {
  let added = 0;
  let unknown = 0;
  return {
    name: path,
    round: async (zk) => {
      try {
        await counter(zk, path, { exactlyOnce: true }).add(1);
        added++;
      } catch (error) {
        if (isZk(error) && error.outcome === 'unknown') unknown++;
        throw error;
      }
    },
    judge: async (zk) => {
      const sum = await counter(zk, path).get();
      assert.ok(sum >= added && sum <= added + unknown, `${sum} after ${added}, and ${unknown} unknown`);
    },
  };
}

function together(path: string, members: number): Work {
  const arrived: number[] = [];
  return {
    name: path,
    round: async (zk, round) => {
      const both = doubleBarrier(zk, `${path}-${round}`, { members });
      arrived[round] = (arrived[round] ?? 0) + 1;
      await both.enter({ timeoutMs: 60_000 });
      assert.equal(arrived[round], members, 'it began too early');
      await both.leave({ timeoutMs: 60_000 });
    },
    judge: async () => undefined,
  };
}

/** Works of a run of so many clients; in every other seed with those of many round trips. */
export function worksOf(clients: number, seed: number): readonly Work[] {
  const long = [
    places('/places', 2, (zk) => semaphore(zk, '/places', { max: 2 }).acquire()),
    shared('/book', (zk, isWriter) => {
      const { write, read } = readWriteLock(zk, '/book');
      return (isWriter ? write : read).acquire();
    }),
    exclusive('/several', (zk) => allOf(zk, ['/several-b', '/several-a'])),
  ];
  return [
    ...(seed % 2 === 0 ? long : []),
    exclusive('/lock', (zk) => lock(zk, '/lock').acquire()),
    exclusive('/leader', (zk) => election(zk, '/leader', { policy: 'session' }).lead()),
    queued('/queue'),
    counted('/sum'),
    together('/round', clients),
  ];
}

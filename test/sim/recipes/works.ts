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
  queue,
} from '../../../src/recipes/index.ts';

interface Proof {
  readonly zxid: number;
  readonly token: number;
}

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
async function hold(lease: Lease, path: string, proofs: Proof[]): Promise<void> {
  const { token } = lease;
  proofs.push({ zxid: await lease.verify(), token });
  const [stat] = await lease.guard([op.setData(path, String(token))]);
  proofs.push({ zxid: stat.mzxid, token });
  proofs.push({ zxid: await lease.verify(), token });
}

/** What one has alone. */
export function exclusive(path: string, acquire: (zk: Zk) => Promise<Lease>): Work {
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
      assert.ok(last >= Math.max(0, ...proofs.map(({ token }) => token)), 'a later holder was overwritten');
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

/** Works of a run of so many clients. */
export function worksOf(clients: number): readonly Work[] {
  return [
    exclusive('/lock', (zk) => lock(zk, '/lock').acquire()),
    exclusive('/leader', (zk) => election(zk, '/leader', { policy: 'session' }).lead()),
    queued('/queue'),
    counted('/sum'),
    together('/round', clients),
  ];
}

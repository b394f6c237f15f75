/** How fast a cache asks: all at once when it loads, and at a bounded rate after a pause by chance when it compares. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CacheEntry } from '../../../src/client/cache/cache-entry.ts';
import { CacheMachine, type CachePorts } from '../../../src/client/cache/cache-machine.ts';
import type { CacheRead } from '../../../src/client/cache/read-queue.ts';
import type { Stat } from '../../../src/wire/stat.ts';

const CHILDREN = 1_000;
const PER_SECOND = 200;
const JITTER_MS = 1_000;
const IN_FLIGHT_MAX = 16;

function statOf(numChildren: number): Stat {
  const zeros = { ctime: 0, mtime: 0, version: 0, cversion: 0, aversion: 0, dataLength: 0 };
  return { ...zeros, czxid: 1, mzxid: 1, pzxid: 1, ephemeralOwner: 0n, numChildren };
}

/** A service with one znode and its children, and a clock that stands until it is told. */
class World implements CachePorts<null> {
  nowMs = 0;
  wakeMs = Number.POSITIVE_INFINITY;
  readonly sentMs: number[] = [];
  readonly open: CacheRead[] = [];
  openMax = 0;
  chance = 0.5;
  readonly machine: CacheMachine<null>;

  constructor() {
    const bounds = { root: '/r', depthMax: Infinity, accept: null, nodesMax: 1e6, bytesMax: 1e9 };
    const pace = { inFlightMax: IN_FLIGHT_MAX, perSecond: PER_SECOND, jitterMs: JITTER_MS };
    this.machine = new CacheMachine({ ...bounds, ...pace }, this);
  }

  send(read: CacheRead): boolean {
    this.sentMs.push(this.nowMs);
    this.open.push(read);
    this.openMax = Math.max(this.openMax, this.open.length);
    return true;
  }

  wakeAt(atMs: number): void {
    this.wakeMs = Math.min(this.wakeMs, atMs);
  }

  random(): number {
    return this.chance;
  }

  entry(path: string, _data: Uint8Array | null, stat: Stat): CacheEntry<null> {
    return { path, value: null, stat, error: null };
  }

  onChange(): void {}

  onFailed(): void {
    assert.fail('it failed');
  }

  /** Answers everything, then lets time pass until the next moment in which something is wanted. */
  run(untilMs: number): void {
    while (this.nowMs <= untilMs) {
      for (let read = this.open.shift(); read !== undefined; read = this.open.shift()) this.answer(read);
      if (this.wakeMs > untilMs) return;
      this.nowMs = Math.max(this.nowMs, this.wakeMs);
      this.wakeMs = Number.POSITIVE_INFINITY;
      this.machine.onTick(this.nowMs);
    }
  }

  private answer(read: CacheRead): void {
    const stat = statOf(read.path === '/r' ? CHILDREN : 0);
    const names = read.path === '/r' ? Array.from({ length: CHILDREN }, (_, i) => `n${i}`) : [];
    if (read.kind === 'data') this.machine.onData(read, null, stat, this.nowMs);
    else if (read.kind === 'children') this.machine.onNames(read, names, stat, this.nowMs);
    else this.machine.onStat(read, stat, this.nowMs);
  }
}

function loaded(): World {
  const world = new World();
  world.machine.load(0);
  world.run(0);
  assert.deepEqual([world.machine.state, world.machine.tree.size], ['live', CHILDREN + 1]);
  assert.equal(world.openMax, IN_FLIGHT_MAX);
  return world;
}

describe('the pace of a cache', () => {
  it('compares after a pause by chance, so many reads a second, never more than its window at a time', () => {
    for (const chance of [0, 0.25, 0.999]) {
      const world = loaded();
      world.sentMs.length = 0;
      world.nowMs = 10_000;
      world.chance = chance;
      world.machine.onGap(world.nowMs);
      world.run(60_000);
      assert.equal(world.machine.state, 'live');
      // Nothing has changed: one small request for each znode, and no data.
      assert.equal(world.sentMs.length, CHILDREN + 1);
      assert.equal(world.sentMs[0], 10_000 + chance * JITTER_MS);
      for (const fromMs of world.sentMs) {
        const inSecond = world.sentMs.filter((ms) => ms >= fromMs && ms < fromMs + 1_000).length;
        assert.ok(inSecond <= PER_SECOND * 1.05, `${inSecond} reads in one second`);
      }
      const tookMs = world.sentMs.at(-1)! - world.sentMs[0]!;
      assert.ok(tookMs < (CHILDREN / PER_SECOND) * 1_000 * 1.1, `${tookMs} ms`);
    }
  });

  it('does not let what events ask for wait behind that', () => {
    const world = loaded();
    world.sentMs.length = 0;
    world.machine.onGap(0);
    world.machine.onEvent('changed', '/r/n7', 0);
    assert.deepEqual([world.sentMs, world.open[0]?.path], [[0], '/r/n7']);
  });
});

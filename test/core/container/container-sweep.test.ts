import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  SweepCandidate,
  SweepOptions,
  SweepSource,
} from '../../../src/core/container/container-sweep.ts';
import { ContainerSweep, NOTHING_DUE } from '../../../src/core/container/container-sweep.ts';

const DEFAULTS: SweepOptions = {
  checkIntervalMs: 60_000,
  maxPerMinute: 10_000,
  maxNeverUsedIntervalMs: 300_000,
};
/** Wall time is far from the monotonic one. */
const WALL = 1_700_000_000_000;

class Nodes implements SweepSource {
  readonly nodes = new Map<number, SweepCandidate>();

  add(id: number, node: Partial<SweepCandidate>): void {
    this.nodes.set(id, { ttlMs: 0, childCount: 0, createCount: 0, mtimeMs: WALL, ...node });
  }

  candidates(): Iterator<number> {
    return this.nodes.keys();
  }

  describe(nodeId: number, out: SweepCandidate): boolean {
    const node = this.nodes.get(nodeId);
    if (node !== undefined) Object.assign(out, node);
    return node !== undefined;
  }
}

/** What one pass hands out, if all polls happen at their deadlines; the caller deletes what it gets. */
function pass(sweep: ContainerSweep, source: Nodes, wallMs: number): number[] {
  const ids: number[] = [];
  const end = sweep.deadlineMs + 59_999;
  for (let nowMs = sweep.deadlineMs; nowMs < end; nowMs = Math.max(nowMs, sweep.deadlineMs)) {
    const id = sweep.poll(nowMs, wallMs, source);
    if (id === NOTHING_DUE) continue;
    ids.push(id);
    source.nodes.delete(id);
  }
  return ids;
}

test('who is due', () => {
  const cases: [string, Partial<SweepCandidate>, number, boolean][] = [
    ['used container', { createCount: 1 }, 0, true],
    ['container with a child', { createCount: 1, childCount: 1 }, 0, false],
    ['new container', {}, 0, false],
    ['container never used, at the limit', {}, 300_000, false],
    ['container never used, over it', {}, 300_001, true],
    ['TTL not over', { ttlMs: 5000 }, 5000, false],
    ['TTL over', { ttlMs: 5000 }, 5001, true],
    ['TTL over, with a child', { ttlMs: 5000, childCount: 1, createCount: 1 }, 9999, false],
    ['children that came and went do not prolong a TTL', { ttlMs: 5000, createCount: 7 }, 5001, true],
    ['nor shorten it', { ttlMs: 5000, createCount: 7 }, 100, false],
    ['clock set back', { ttlMs: 5000 }, -1_000_000, false],
  ];
  for (const [name, node, idleMs, due] of cases) {
    const source = new Nodes();
    source.add(1, node);
    assert.deepEqual(pass(new ContainerSweep(DEFAULTS, 0), source, WALL + idleMs), due ? [1] : [], name);
  }
});

test('a container that was never used may be kept for ever', () => {
  const source = new Nodes();
  source.add(1, {});
  const sweep = new ContainerSweep({ ...DEFAULTS, maxNeverUsedIntervalMs: 0 }, 0);
  assert.deepEqual(pass(sweep, source, WALL + 1e12), []);
});

test('the first pass comes after one interval, the next at a fixed rate', () => {
  const source = new Nodes();
  source.add(1, { createCount: 1 });
  const sweep = new ContainerSweep(DEFAULTS, 1000);
  assert.equal(sweep.deadlineMs, 61_000);
  assert.equal(sweep.poll(60_999, WALL, source), NOTHING_DUE);
  assert.equal(sweep.poll(61_050, WALL, source), 1);
  assert.equal(sweep.poll(61_056, WALL, source), NOTHING_DUE, 'the pass ends');
  assert.equal(sweep.deadlineMs, 121_000);
  assert.equal(sweep.poll(121_000, WALL, source), 1, 'a deletion that failed is tried again');
});

test('deletions keep their distance', () => {
  const source = new Nodes();
  for (let id = 1; id <= 3; id++) source.add(id, { createCount: 1 });
  const sweep = new ContainerSweep({ ...DEFAULTS, maxPerMinute: 60 }, 0);
  assert.equal(sweep.poll(60_000, WALL, source), 1);
  assert.equal(sweep.deadlineMs, 61_000);
  assert.equal(sweep.poll(60_999, WALL, source), NOTHING_DUE);
  assert.equal(sweep.poll(61_500, WALL, source), 2);
  assert.equal(sweep.poll(62_500, WALL, source), 3);
});

test('a pass longer than the interval is followed by the next at once, but only one', () => {
  const source = new Nodes();
  for (let id = 1; id <= 4; id++) source.add(id, { createCount: 1 });
  const sweep = new ContainerSweep({ ...DEFAULTS, maxPerMinute: 1 }, 0);
  const handedOut: number[] = [];
  for (let nowMs = 60_000; handedOut.length < 5; nowMs = Math.max(nowMs, sweep.deadlineMs)) {
    const id = sweep.poll(nowMs, WALL, source);
    if (id !== NOTHING_DUE) handedOut.push(id);
  }
  assert.deepEqual(handedOut, [1, 2, 3, 4, 1]);
  assert.equal(sweep.deadlineMs, 360_000, 'the second pass began at 300,000');
});

test('a poll looks at a bounded number of nodes', () => {
  const source = new Nodes();
  for (let id = 0; id < 10_000; id++) source.add(id, { childCount: 1 });
  source.add(10_000, { createCount: 1 });
  let described = 0;
  const counting: SweepSource = {
    candidates: () => source.candidates(),
    describe: (id, out) => {
      described++;
      return source.describe(id, out);
    },
  };
  const sweep = new ContainerSweep(DEFAULTS, 0);
  let polls = 0;
  let id = NOTHING_DUE;
  for (; id === NOTHING_DUE; polls++) {
    described = 0;
    id = sweep.poll(60_000, WALL, counting);
    assert.ok(described <= 256);
    assert.ok(id !== NOTHING_DUE || sweep.deadlineMs <= 60_000, 'asks to be polled again');
  }
  assert.equal(id, 10_000);
  assert.equal(polls, Math.ceil(10_001 / 256));
});

test('nodes may come and go while they are walked', () => {
  const source = new Nodes();
  for (let id = 1; id <= 4; id++) source.add(id, { createCount: 1 });
  const sweep = new ContainerSweep(DEFAULTS, 0);
  assert.equal(sweep.poll(60_000, WALL, source), 1);
  source.nodes.delete(2);
  source.nodes.get(3)!.childCount = 1;
  source.add(5, { createCount: 1 });
  assert.equal(sweep.poll(60_006, WALL, source), 4);
  assert.equal(sweep.poll(60_012, WALL, source), 5);
  assert.equal(sweep.poll(60_018, WALL, source), NOTHING_DUE);
});

test('who is put back is looked at again before it goes', () => {
  const source = new Nodes();
  source.add(1, { ttlMs: 5000 });
  source.add(2, { createCount: 1 });
  const sweep = new ContainerSweep(DEFAULTS, 0);
  const atMs = sweep.deadlineMs;
  const first = sweep.poll(atMs, WALL + 6000, source);
  assert.equal(first, 1);
  sweep.putBack(first);
  assert.equal(sweep.poll(atMs + 1, WALL + 6000, source), 1, 'it is still due');
  sweep.putBack(first);
  source.add(1, { ttlMs: 5000, mtimeMs: WALL + 6000 });
  assert.equal(sweep.poll(atMs + 1000, WALL + 6001, source), 2, 'renewed meanwhile');
});

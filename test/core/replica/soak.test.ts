/**
 * A thousand seeds of random clients and obstacles. In the end the tree agrees with its digest, its index and its
 * arena, every request of a connection that is still there has been answered once and in order (the harness watches),
 * every connection that has gone is released once, and the log replays to the same tree.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';
import { Loader } from '../../../src/core/loading/loader.ts';
import type { Replica } from '../../../src/core/replica.ts';
import type { LoggedTxn } from '../support/fake-ports.ts';
import { ReplicaHarness } from '../support/replica-harness.ts';
import { checkQuiet, digestOf, dumpSessions, dumpTree } from '../support/tree-dump.ts';
import { Workload } from '../support/workload.ts';

const SEEDS = 1000;
const STEPS = 60;

for (let first = 1; first <= SEEDS; first += 250) {
  test(`seeds ${first} to ${first + 249}`, () => {
    for (let seed = first; seed < first + 250; seed++) {
      try {
        run(seed);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
}

function run(seed: number): void {
  const harness = new ReplicaHarness();
  const workload = new Workload(harness, new Prng(seed), 3);
  for (let step = 0; step < STEPS; step++) {
    workload.step();
    for (const connection of workload.connections) connection.take();
  }
  workload.finish();
  const { parts } = harness;
  checkQuiet(parts);
  for (const connection of workload.connections) {
    connection.take();
    if (!connection.wire.closed) assert.equal(connection.unanswered, 0, 'a request without a reply');
  }
  for (const { wire } of workload.replaced) assert.ok(wire.released, 'a connection that was never released');
  const restored = new ReplicaHarness({}, ({ replica }) => replay(replica, harness.log.txns)).parts;
  assert.deepEqual(dumpTree(restored), dumpTree(parts));
  assert.deepEqual(dumpSessions(restored), dumpSessions(parts));
  assert.equal(digestOf(restored.tree.committed), digestOf(parts.tree.committed));
  checkQuiet(restored);
}

function replay(replica: Replica, txns: readonly LoggedTxn[]): number {
  const loader = new Loader(replica.parts);
  loader.snapshot.createEmpty();
  for (const { payload } of txns) {
    loader.replay.apply(payload, new DataView(payload.buffer), 0, payload.length);
  }
  assert.equal(loader.digestMismatches, 0, 'digest in the log');
  assert.equal(loader.replay.finish(), 0, 'ephemerals without a session');
  return txns.at(-1)?.zxid ?? 0;
}

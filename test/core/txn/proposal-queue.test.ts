/** The rings of proposals grow in the middle of everything: rows and effects keep their order and their values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';
import { ProposalQueue } from '../../../src/core/txn/proposal-queue.ts';
import { ReplicaHarness } from '../support/replica-harness.ts';
import { create } from '../support/requests.ts';
import { checkQuiet } from '../support/tree-dump.ts';

interface Expected {
  readonly zxid: number;
  readonly effects: readonly number[];
}

/** All of it from the oldest on: as whoever commits sees it. */
function contents(queue: ProposalQueue): Expected[] {
  const all: Expected[] = [];
  for (let at = queue.effectHead, n = 0; n < queue.length; n++) {
    const row = (queue.headRow + n) & (queue.zxids.length - 1);
    const effects: number[] = [];
    for (; at < queue.effectEnds[row]!; at++) effects.push(queue.nodeId(at));
    all.push({ zxid: queue.zxids[row]!, effects });
    assert.deepEqual([queue.xids[row], queue.ops[row]], [-queue.zxids[row]!, queue.zxids[row]! % 7]);
  }
  return all;
}

test('pushes, shifts and pops at random, up to 5,000 at once, agree with a list', () => {
  const seed = Date.now() % 2 ** 31;
  const prng = new Prng(seed);
  const queue = new ProposalQueue();
  const model: Expected[] = [];
  let zxid = 0;
  for (let round = 0; round < 60; round++) {
    for (let n = round < 40 ? 150 + prng.below(150) : prng.below(50); n > 0; n--) {
      const effects = Array.from({ length: prng.below(4) }, () => prng.below(1000));
      for (const node of effects) queue.pushEffect(1, node, 0, 0, 0);
      zxid++;
      queue.push(zxid, zxid % 7, null, -zxid, 0, 0, 1);
      model.push({ zxid, effects });
    }
    for (let n = prng.below(120); n > 0 && model.length > 0; n--) {
      if (prng.chance(0.9)) {
        queue.shift();
        model.shift();
      } else {
        queue.pop();
        model.pop();
      }
    }
    assert.deepEqual(contents(queue), model, `seed ${seed}, round ${round}`);
  }
  assert.ok(zxid > 5000, `seed ${seed}`);
});

test('they grow while a session is committed whose requests have waited for it', () => {
  const h = new ReplicaHarness();
  const writer = h.connect();
  // Around the ring once and a half, so that the oldest row has another place in a longer one.
  for (let n = 0; n < 3; n++) {
    writer.send(...Array.from({ length: 500 }, (_, i) => create(`/m-${n}-${i}`)));
    h.settle();
  }
  const next = h.accept();
  next.handshake();
  next.send(...Array.from({ length: 40 }, (_, i) => create(`/next-${i}`)));
  // The session's own proposal, these, and no room for what it lets go.
  writer.send(...Array.from({ length: 1023 }, (_, i) => create(`/n-${i}`)));
  assert.equal(h.parts.proposals.length, 1024);
  h.settle();
  assert.deepEqual(new Set(writer.replies().map(({ err }) => err)), new Set([0]));
  assert.deepEqual(
    next.replies().map(({ err }) => err),
    new Array(40).fill(0),
  );
  checkQuiet(h.parts);
});

/**
 * Hundreds of seeds of random clients of a learner, whose line to the leader takes and delivers as it likes, while others write
 * elsewhere. In the end learner and leader have the same tree and the same sessions, and every request has been answered once,
 * in order, a write with its own transaction.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinHalves } from '../../../src/base/int64.ts';
import { Prng } from '../../../src/base/prng.ts';
import { isWrite, OpCode } from '../../../src/wire/opcodes.ts';
import { TxnReader } from '../../../src/wire/txn-records.ts';
import { LearnerHarness } from '../support/learner-harness.ts';
import type { Connection } from '../support/replica-harness.ts';
import { create, remove, setData } from '../support/requests.ts';
import { checkQuiet, dumpSessions, dumpTree } from '../support/tree-dump.ts';
import { Workload } from '../support/workload.ts';

const SEEDS = 400;
const STEPS = 50;

for (let first = 1; first <= SEEDS; first += 100) {
  test(`seeds ${first} to ${first + 99}`, () => {
    for (let seed = first; seed < first + 100; seed++) {
      try {
        run(seed);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
}

function run(seed: number): void {
  const prng = new Prng(seed);
  const h = new LearnerHarness();
  const workload = new Workload(h, prng, 3);
  const far = h.leader.connect();
  for (let step = 0; step < STEPS; step++) {
    switch (prng.below(8)) {
      case 0:
        h.take(prng.below(4));
        break;
      case 1:
        h.decide(h.leader.log.txns[prng.below(h.leader.log.txns.length)]!.zxid);
        break;
      case 2:
        h.deliver(prng.below(6));
        break;
      case 3:
        far.send(setData('/a', `${step}`), remove('/b/c'), create('/b/c'));
        break;
      default:
        workload.step();
    }
    for (const connection of workload.connections) check(h, connection);
  }
  workload.finish();
  for (const connection of workload.connections) {
    check(h, connection);
    if (!connection.wire.closed) assert.equal(connection.unanswered, 0, 'a request without a reply');
  }
  for (const { wire } of workload.replaced) assert.ok(wire.released, 'a connection that was never released');
  assert.equal(h.parts.forwarder.count, 0);
  assert.deepEqual(dumpTree(h.parts), dumpTree(h.leader.parts));
  assert.deepEqual(dumpSessions(h.parts), dumpSessions(h.leader.parts));
  checkQuiet(h.parts);
}

/** Zxids never run backwards, and a write is answered with its own transaction. */
function check(h: LearnerHarness, connection: Connection): void {
  let before = 0;
  for (const message of connection.take()) {
    if (message.kind === 'connected') {
      if (message.response.sessionId === 0n) continue;
      connection.sessionId = message.response.sessionId;
      connection.password = message.response.password;
      continue;
    }
    if (message.kind === 'event' || message.op === OpCode.auth) continue;
    if (message.zxid < 0) continue;
    assert.ok(message.zxid >= before, 'a zxid that runs backwards');
    before = message.zxid;
    if (!isWrite(message.op)) continue;
    const { payload } = h.leader.log.txns.find(({ zxid }) => zxid === message.zxid)!;
    const txn = new TxnReader();
    assert.ok(txn.wrap(payload, new DataView(payload.buffer), 0, payload.length));
    assert.deepEqual(
      [joinHalves(txn.clientIdHigh, txn.clientIdLow), txn.cxid],
      [connection.sessionId, message.xid],
      'the answer to another write',
    );
  }
}

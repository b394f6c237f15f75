/** One place for how far the replica has come, and the end of an epoch's counter. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { COUNTER_MAX, EPOCH_MAX, makeZxid } from '../../../src/base/zxid.ts';
import { CommitPoint, ServerRole } from '../../../src/core/progress/commit-point.ts';
import { Progress } from '../../../src/core/progress/progress.ts';
import { restored, withLog } from '../support/data-directory.ts';
import { createEmpty, ReplicaHarness } from '../support/replica-harness.ts';
import { create, multi, setData } from '../support/requests.ts';
import { checkQuiet, dumpTree } from '../support/tree-dump.ts';

describe('progress', () => {
  test('a zxid is taken when it is proposed, not when it is asked for', () => {
    const progress = new Progress();
    progress.restart(41);
    assert.equal(progress.nextZxid(), 42);
    assert.equal(progress.nextZxid(), 42);
    progress.onProposed(42);
    assert.equal(progress.nextZxid(), 43);
    assert.deepEqual([progress.proposed, progress.durable, progress.committed], [42, 41, 41]);
    assert.throws(() => progress.onProposed(42), /out of order/);
  });

  test('what may be committed follows durability, and never goes back', () => {
    const progress = new Progress();
    const quorum = new CommitPoint(progress, new ServerRole());
    for (const zxid of [1, 2, 3]) progress.onProposed(zxid);
    quorum.onOwnDurable(2);
    quorum.onOwnDurable(1);
    assert.deepEqual([progress.durable, progress.decided, progress.committed], [2, 2, 0]);
  });

  test('proposals are withdrawn, but none that is decided', () => {
    const progress = new Progress();
    progress.restart(makeZxid(4, COUNTER_MAX));
    progress.onProposed(makeZxid(5, 1));
    progress.onProposed(makeZxid(5, 2));
    progress.onWithdrawn(makeZxid(4, COUNTER_MAX));
    assert.equal(progress.nextZxid(), makeZxid(5, 1));
    progress.onProposed(makeZxid(5, 1));
    progress.onDecided(makeZxid(5, 1));
    assert.throws(() => progress.onWithdrawn(makeZxid(4, COUNTER_MAX)), /decided/);
  });

  test('counter 0xffffffff is never given out: the next epoch begins', () => {
    const progress = new Progress();
    progress.restart(makeZxid(7, COUNTER_MAX - 1));
    assert.equal(progress.nextZxid(), 0x7_ffff_fffe);
    progress.onProposed(0x7_ffff_fffe);
    assert.equal(progress.nextZxid(), 0x8_0000_0001);
    progress.onProposed(0x8_0000_0001);
    assert.equal(progress.nextZxid(), 0x8_0000_0002);
  });

  test('a log of Apache that did give it out is continued in the next epoch', () => {
    const progress = new Progress();
    progress.restart(0x7_ffff_ffff);
    assert.equal(progress.nextZxid(), 0x8_0000_0001);
    progress.restart(0x8_0000_0000);
    assert.equal(progress.nextZxid(), 0x8_0000_0001);
  });

  test('behind the last epoch no zxid is given out', () => {
    const progress = new Progress();
    progress.restart(makeZxid(EPOCH_MAX, COUNTER_MAX));
    assert.throws(() => progress.nextZxid(), /epoch 2097152 out of range/);
  });
});

test('a server without peers writes on over the end of its epoch, and its log is read again', () => {
  const start = makeZxid(2, COUNTER_MAX - 3);
  const server = new ReplicaHarness({}, ({ replica }) => {
    createEmpty(replica);
    return start;
  });
  const c = server.connect();
  for (let i = 0; i < 4; i++) c.ok(create(`/n${i}`));
  c.ok(multi(create('/m'), setData('/n1', 'x')));
  checkQuiet(server.parts);
  const zxids = server.log.txns.map((txn) => txn.zxid);
  assert.deepEqual(zxids.slice(0, 4), [
    makeZxid(2, COUNTER_MAX - 2),
    makeZxid(2, COUNTER_MAX - 1),
    makeZxid(2, COUNTER_MAX),
    makeZxid(3, 1),
  ]);
  const again = restored(withLog(server.log.txns), { snapshotTrustEmpty: true });
  assert.deepEqual(again.warnings, []);
  assert.equal(again.recovery.lastZxid, server.replica.progress.committed);
  assert.deepEqual(dumpTree(again.harness.parts), dumpTree(server.parts));
});

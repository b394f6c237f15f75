import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { MajorityVerifier } from '../../../src/core/quorum/quorum-verifier.ts';
import { QuorumAcks } from '../../../src/core/zab/quorum-acks.ts';

suite('QuorumAcks', () => {
  test('decided is what a majority has reached, whoever it is', () => {
    const acks = new QuorumAcks(new MajorityVerifier([1, 2, 3]));
    assert.equal(acks.decided(), -1);
    acks.onAck(1, 9);
    assert.equal(acks.decided(), -1);
    acks.onAck(2, 4);
    assert.equal(acks.decided(), 4);
    acks.onAck(3, 7);
    assert.equal(acks.decided(), 7);
  });

  test('an acknowledgement never takes one back', () => {
    const acks = new QuorumAcks(new MajorityVerifier([1]));
    acks.onAck(1, 9);
    acks.onAck(1, 4);
    assert.equal(acks.ackedBy(1), 9);
  });

  test('observers and strangers decide nothing, however many', () => {
    const acks = new QuorumAcks(new MajorityVerifier([1, 2, 3]));
    for (let sid = 4; sid < 24; sid++) acks.onAck(sid, 9);
    acks.onAck(1, 9);
    assert.equal(acks.decided(), -1);
  });

  test('a server that comes back counts when it has acknowledged again', () => {
    const acks = new QuorumAcks(new MajorityVerifier([1, 2, 3]));
    acks.onAck(1, 9);
    acks.onAck(2, 9);
    acks.onReturn(2);
    assert.equal(acks.decided(), -1);
    acks.onAck(2, 8);
    assert.equal(acks.decided(), 8);
  });

  test('from its own proposal on a new configuration must agree as well', () => {
    const acks = new QuorumAcks(new MajorityVerifier([1, 2, 3]));
    acks.proposeConfig(new MajorityVerifier([3, 4, 5]), 10);
    for (const sid of [1, 2]) acks.onAck(sid, 12);
    assert.equal(acks.decided(), 9);
    acks.onAck(4, 11);
    assert.equal(acks.decided(), 9);
    acks.onAck(5, 10);
    assert.equal(acks.decided(), 10);
    acks.activateConfig();
    acks.onAck(3, 12);
    assert.equal(acks.decided(), 11);
  });

  test('the most advanced voter of the new configuration can be handed over to', () => {
    const acks = new QuorumAcks(new MajorityVerifier([1, 2, 3]));
    assert.equal(acks.mostAdvanced(new Set([2, 3, 4])), -1);
    acks.proposeConfig(new MajorityVerifier([2, 3, 4]), 10);
    acks.onAck(3, 7);
    acks.onAck(4, 9);
    assert.equal(acks.mostAdvanced(new Set([1, 2, 3])), 3);
    assert.equal(acks.mostAdvanced(new Set([2, 3, 4])), 4);
  });
});

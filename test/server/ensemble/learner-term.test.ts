/** LearnerTerm: orders of what a leader sends and this server's disk that no leader brings about on demand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeZxid } from '../../../src/base/zxid.ts';
import { parseQuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import type { DialHandler, ReadBuffer, SocketPort } from '../../../src/net/transport.ts';
import { KnownMembership } from '../../../src/server/ensemble/known-membership.ts';
import { LearnerTerm } from '../../../src/server/ensemble/learner-term.ts';
import { MembershipGuard } from '../../../src/server/ensemble/membership-guard.ts';
import type { Term, TermControl } from '../../../src/server/ensemble/role-runner.ts';
import type { LearnerDesk } from '../../../src/server/host/learner-desk.ts';
import type { Log } from '../../../src/server/logging/logging.ts';
import { EnsembleMeter } from '../../../src/server/monitor/ensemble-meter.ts';
import { PacketType } from '../../../src/wire/quorum/packet-types.ts';
import { MemoryDisk } from '../../storage/support/memory-disk.ts';
import { packetBytes } from '../../wire/quorum/packets.ts';

const EPOCH = makeZxid(1, 0);
const TREE_BYTES = 10;
const DIRS = { snapshotDirectory: '/d', logDirectory: '/d', initializeMarker: '/d/initialize' };
const log = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} } as unknown as Log;

/** A follower of a leader that is this test. */
function follower() {
  const calls: string[] = [];
  const answers: (() => void)[] = [];
  let handler: DialHandler | null = null;
  let buffer: ReadBuffer | null = null;
  const desk = {
    lastZxid: 0,
    isTreeWhole: false,
    beginLearning: () => {},
    saveEpoch: (_kind: string, _epoch: number, done: () => void) => answers.push(done),
    beginTree: () => void calls.push('begin tree'),
    take: () => {
      desk.isTreeWhole = true;
      return TREE_BYTES;
    },
    persist: (done: () => void) => {
      calls.push('persist');
      answers.push(done);
    },
    stage: () => {
      calls.push('stage');
      return true;
    },
    decide: () => {},
  };
  const socket = {
    write: () => {},
    writeNow: (_bytes: Buffer, length: number) => length,
    pause: () => {},
    resume: () => {},
    destroy: () => {},
  };
  const config = parseQuorumConfig('server.1=a:1:2:participant\nserver.2=b:1:2:participant');
  const term = { role: 'following', leader: 2, addresses: [{ host: 'b', port: 1 }], lastSeen: config };
  new LearnerTerm(
    {
      sid: 1,
      tickMs: 100,
      initLimit: 10,
      connectLimit: 10,
      observerDelayMs: 0,
      syncLimit: 5,
      packetBytesMax: 1000,
      meter: new EnsembleMeter(),
      membership: new KnownMembership({
        committed: config,
        lastSeen: config,
        reconfigEnabled: false,
        files: null,
        guard: new MembershipGuard(1, config, new MemoryDisk(), DIRS, log),
        log,
      }),
    },
    term as unknown as Term,
    { configured: () => {} } as unknown as TermControl,
    desk as unknown as LearnerDesk,
    { accepted: 0, current: 0 },
    {
      loop: {
        soon: (callback) => void answers.push(callback),
        after: () => ({ cancel: () => {} }),
        every: () => ({ cancel: () => {} }),
      },
      clock: { monotonicMs: () => 0, wallMs: () => 0 },
      entropy: () => 0,
      transport: {
        createListener: () => assert.fail('a learner listens to nobody'),
        dial: (_options, into, dialler) => {
          [handler, buffer] = [dialler, into];
          return socket as unknown as SocketPort;
        },
      },
    },
    log,
  );
  handler!.onOpen();
  return {
    calls,
    send: (...packets: Uint8Array[]) => {
      const bytes = Buffer.concat(packets);
      buffer!.bytes.set(bytes);
      handler!.onBytes(buffer!, bytes.length);
    },
    /** What was asked for, so far, has been done. */
    answer: () => {
      for (const done of answers.splice(0)) done();
    },
  };
}

describe('LearnerTerm', () => {
  it('logs nothing behind a tree before that is on the disk and the old log cut: it would be cut too', () => {
    const { calls, send, answer } = follower();
    send(packetBytes(PacketType.leaderInfo, EPOCH, new Uint8Array([0, 1, 0, 0])));
    answer();
    // As Apache's leaders do: what is proposed meanwhile comes before NEWLEADER.
    send(
      packetBytes(PacketType.snap, 5),
      new Uint8Array(TREE_BYTES),
      packetBytes(PacketType.proposal, 6, new Uint8Array(40)),
    );
    assert.deepEqual(calls, ['begin tree', 'persist']);
    answer();
    assert.deepEqual(calls, ['begin tree', 'persist', 'stage']);
    send(packetBytes(PacketType.newLeader, EPOCH));
    assert.deepEqual(calls, ['begin tree', 'persist', 'stage', 'persist']);
  });
});

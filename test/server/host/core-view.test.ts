/** The four-letter words' numbers are those of the replica at the moment. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ServerConfig } from '../../../src/server/config/server-config.ts';
import { CoreView } from '../../../src/server/host/core-view.ts';
import { CoreMeter } from '../../../src/server/monitor/core-meter.ts';
import { CoreMetrics } from '../../../src/server/monitor/core-metrics.ts';
import type { FileFacts } from '../../../src/server/monitor/file-facts.ts';
import { createIoMeter } from '../../../src/server/monitor/io-meter.ts';
import { createLogMeter } from '../../../src/server/monitor/log-meter.ts';
import { createSnapshotMeter } from '../../../src/server/monitor/snapshot-meter.ts';
import { Stages } from '../../../src/server/monitor/stages.ts';
import { ReplicaHarness } from '../../core/support/replica-harness.ts';
import {
  addWatch,
  auth,
  create,
  ephemeral,
  exists,
  getChildren,
  getData,
  PING,
} from '../../core/support/requests.ts';
import { digestOf } from '../../core/support/tree-dump.ts';

const FILES: FileFacts = {
  ask: () => {},
  answered: () => () => true,
  figures: () => ({ dataDirBytes: 0, dataLogDirBytes: 0, openFiles: 0, openFilesMax: 0 }),
};

/** What a walk returns at its end. */
function resultOf<T>(steps: Generator<null, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function viewOf(harness: ReplicaHarness, config: Partial<ServerConfig> = {}): CoreView {
  const { incarnations } = harness;
  const meters = {
    threading: 'shared',
    io: [createIoMeter('io_core')],
    log: createLogMeter(),
    snapshot: createSnapshotMeter(),
    coreThread: null,
  };
  const stages = new Stages(meters, new CoreMeter(incarnations), { core: [], log: [], io: [] });
  const metrics = new CoreMetrics(incarnations, stages, 0);
  return new CoreView(
    incarnations,
    { sessionlessTimeoutMs: 10_000, ...config } as ServerConfig,
    metrics,
    FILES,
    0,
  );
}

describe('the view of a replica', () => {
  test('counts', () => {
    const h = new ReplicaHarness();
    const view = viewOf(h);
    const fresh = view.counts();
    assert.equal(fresh.nodes, 5, 'Apache counts the root twice');
    assert.equal(fresh.dataBytes, 44, 'path and data bytes of the system nodes, as Apache counts them');
    assert.deepEqual(
      [fresh.connections, fresh.sessions, fresh.lastZxid, fresh.packetsReceived],
      [0, 0, 0, 0],
    );
    assert.deepEqual([fresh.lastReplyBytes, fresh.minReplyBytes, fresh.maxReplyBytes], [-1, -1, -1]);
    const [c, idle] = [h.connect(), h.accept()];
    c.ok(create('/n', '12345'));
    c.ok(ephemeral('/e'));
    c.ok(getData('/n', true));
    c.ok(addWatch('/n'));
    c.send(create('/later'));
    const counts = view.counts();
    assert.equal(counts.connections, 2);
    assert.equal(counts.outstanding, 1);
    assert.equal(counts.nodes, 7);
    assert.equal(counts.dataBytes, 44 + 7 + 2);
    // One connection on one path counts once per table, however many modes.
    assert.deepEqual([counts.ephemerals, counts.sessions, counts.watches], [1, 1, 2]);
    assert.equal(counts.lastZxid, h.replica.progress.committed);
    assert.equal(counts.packetsReceived, 6);
    assert.equal(counts.packetsSent, 5);
    assert.equal(idle.wire.closed, false);
    h.settle();
    assert.equal(view.counts().outstanding, 0);
  });

  test('latency runs from receipt to reply, waiting included; resets forget it', () => {
    const h = new ReplicaHarness();
    const view = viewOf(h);
    const c = h.connect();
    view.resetServerStats();
    c.send(create('/n'), getData('/n'), PING);
    h.pass(250);
    h.settle();
    const { latency, maxReplyBytes, minReplyBytes } = view.counts();
    assert.deepEqual(latency, { count: 3, sum: 750, min: 250, max: 250 });
    assert.deepEqual([minReplyBytes, maxReplyBytes], [20, 20 + 4 + 68]);
    view.resetServerStats();
    assert.deepEqual(view.counts().latency, { count: 0, sum: 0, min: 0, max: 0 });
  });

  test('connections, before and after the handshake', () => {
    const h = new ReplicaHarness();
    const view = viewOf(h);
    const c = h.connect({ timeoutMs: 8000 });
    h.accept();
    c.ok(create('/n'));
    h.pass(100);
    c.send(create('/m'), exists('/m'));
    const [first, second] = [...view.connections()];
    assert.ok(first?.session);
    assert.deepEqual([first.address, first.port, first.queued], ['127.0.0.1', 40_000, 2]);
    assert.equal(first.session.id, c.sessionId);
    assert.equal(first.session.timeoutMs, 8000);
    assert.equal(first.session.lastXid, 1);
    assert.equal(first.session.lastZxid, 2);
    assert.equal(second?.session, null);
    h.settle();
    assert.deepEqual(
      [...view.connections()].map(({ received, sent, queued }) => [received, sent, queued]),
      [
        [4, 4, 0],
        [0, 0, 0],
      ],
    );
    assert.equal([...view.resetConnectionStats()].length, 2);
    assert.equal([...view.connections()][0]?.received, 0);
  });

  test('who watches what, who owns what, who expires when', () => {
    const h = new ReplicaHarness();
    const view = viewOf(h);
    const [a, b] = [h.connect({ timeoutMs: 8000 }), h.connect({ timeoutMs: 20_000 })];
    a.ok(ephemeral('/e'));
    a.ok(getChildren('/', true)); // child watches are not shown
    a.ok(exists('/', true));
    b.call(exists('/none', true));
    b.ok(getData('/e', true));
    assert.deepEqual(
      Array.from(view.ephemerals(), ({ sessionId, paths }) => [sessionId, [...paths]]),
      [[a.sessionId, ['/e']]],
    );
    assert.deepEqual(
      Array.from(view.watchesBySession(), ({ sessionId, paths }) => [
        sessionId,
        [...paths].filter((path) => path !== null).sort(),
      ]),
      [
        [a.sessionId, ['/']],
        [b.sessionId, ['/e', '/none']],
      ],
    );
    assert.deepEqual(
      [...view.watchesByPath()]
        .filter((of) => of !== null)
        .map(({ path, sessionIds }): [string, unknown[]] => [path, [...sessionIds]])
        .filter(([, sessionIds]) => sessionIds.some((id) => id !== null))
        .sort(),
      [
        ['/', [a.sessionId]],
        ['/e', [b.sessionId]],
        ['/none', [b.sessionId]],
      ],
    );
    assert.deepEqual({ ...view.watches() }, { connections: 2, paths: 3, watches: 3 });
    assert.deepEqual(
      resultOf(view.sessionBuckets())
        .filter(({ count }) => count > 0)
        .map(({ expiresWallMs, members }) => [expiresWallMs - h.wallMs, [...members]]),
      [
        [10_000, [a.sessionId]],
        [22_000, [b.sessionId]],
      ],
    );
    assert.deepEqual(
      resultOf(view.connectionBuckets()).map(({ members }) => [...members].map(({ sessionId }) => sessionId)),
      [[a.sessionId], [b.sessionId]],
    );
  });

  test('tree digests every 128 transactions; failed authentications; what there is no measure for', () => {
    const h = new ReplicaHarness();
    const view = viewOf(h);
    const c = h.connect();
    let expected = 0n;
    for (let zxid = 2; zxid <= 300; zxid++) {
      c.ok(create(`/n${zxid}`));
      if (zxid === 256) expected = digestOf(h.parts.tree.committed);
    }
    assert.deepEqual(
      view.digests().map(({ zxid }) => zxid),
      [128, 256],
    );
    assert.equal(view.digests()[1]?.digest, expected);
    c.send(auth('nosuch', 'x'));
    assert.equal(view.counts().authFailures, 1);
    const metrics = view.metrics();
    assert.equal(metrics.counter('commit_count'), 300);
    assert.equal(metrics.counter('connection_request_count'), 1);
    assert.equal(metrics.counter('no_such_metric'), 0);
    assert.equal(metrics.summary('no_such_metric'), null);
    assert.equal(metrics.percentiles('no_such_metric'), null);
    assert.deepEqual(metrics.summary('fsynctime'), { count: 0, sum: 0, min: 0, max: 0 });
    view.resetServerStats();
    assert.equal(metrics.counter('commit_count'), 0);
    assert.equal(metrics.counter('connection_request_count'), 0);
    h.connect();
    assert.equal(metrics.counter('commit_count'), 1, 'counted from the reset on');
    assert.equal(view.counts().authFailures, 1, 'a gauge of Apache, which srst leaves alone');
  });
});

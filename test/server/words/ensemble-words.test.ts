/** The words of a server among others beside those of Apache 3.8.0 (test/fixtures/four-letter-words/ensemble). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseQuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import { createMeshCounters } from '../../../src/net/election-counters.ts';
import type { EnsembleConfig } from '../../../src/server/config/ensemble-config.ts';
import { readServerConfig } from '../../../src/server/config/server-config.ts';
import { EnsembleFigures } from '../../../src/server/ensemble/ensemble-figures.ts';
import type { QuorumPeer } from '../../../src/server/ensemble/quorum-peer.ts';
import { EnsembleMeter } from '../../../src/server/monitor/ensemble-meter.ts';
import type { EnsembleView, LeadingView } from '../../../src/server/monitor/ensemble-view.ts';
import { UNMEASURED_AMONG_OTHERS } from '../../../src/server/monitor/metrics.ts';
import { versionLine } from '../../../src/server/monitor/version.ts';
import { apacheView, ask, bucket, COUNTS, golden, madeOf } from './support/apache-view.ts';

const SERVERS: Readonly<Record<string, string>> = {
  'server.1': '127.0.0.1:2888:3888:participant;127.0.0.1:2181',
  'server.2': '127.0.0.1:2889:3889:participant;127.0.0.1:2182',
  'server.3': '127.0.0.1:2890:3890:participant;127.0.0.1:2183',
  'server.4': '127.0.0.1:2891:3891:observer;127.0.0.1:2184',
};

/** As server `sid` reads the configuration that the fixtures' servers had. */
function ensembleConfig(sid: number): EnsembleConfig {
  const lines = { dataDir: '/data', tickTime: '2000', initLimit: '10', syncLimit: '5', ...SERVERS };
  const overrides = Object.entries(lines).map(([key, value]) => ({ flag: '--set', key, value }));
  return readServerConfig({ file: null, overrides }, { read: () => String(sid) }).config.ensemble!;
}

/** Server `sid`, in a term with server 3, as far as its figures look. */
function figures(sid: number, meter: EnsembleMeter): EnsembleFigures {
  const ensemble = ensembleConfig(sid);
  const role = sid === 4 ? 'observing' : 'following';
  const mesh = { ...createMeshCounters(), accepted: 3 };
  mesh.refused['frame length'] = 2;
  const peer = {
    currentTerm: { role, leader: 3 },
    configuration: parseQuorumConfig(ensemble.quorumText),
    election: { electionCounters: { rounds: 5, ofStrangers: 1 }, meshCounters: mesh },
  } as unknown as QuorumPeer;
  meter.onLooking(1000);
  meter.onTerm(role, true, 1393);
  meter.onSynchronizing(1400);
  meter.onServing(1579);
  return new EnsembleFigures(ensemble, peer, { accepted: 2, current: 1 }, meter, () => 2000);
}

function view(sid: number, ensemble: EnsembleView = figures(sid, new EnsembleMeter())) {
  return apacheView({
    mode: sid === 4 ? 'observer' : 'follower',
    ensemble,
    metrics: () => ({
      counter: (name) => ensemble.counter(name) ?? 0,
      summary: (name) => ensemble.summary(name),
      percentiles: () => null,
      own: () => ensemble.own(),
    }),
  });
}

const LEADING: LeadingView = {
  learners: 3,
  syncedFollowers: 2,
  syncedNonVotingFollowers: 0,
  syncedObservers: 1,
  pendingSyncs: 0,
  uptimeMs: 1875,
  lastProposalBytes: 89,
  minProposalBytes: 48,
  maxProposalBytes: 89,
};

/** Without the queues of single learners. */
function linesOf(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.includes('_learner_handler_'))
    .sort();
}

describe('the words of a server among others', () => {
  it('conf says who it is and who the others are, as Apache does', () => {
    // What the words' own configuration has, which is not of the ensemble.
    const own = (text: string): string =>
      text.replace('clientPort=2184', 'clientPort=2181').replace('maxClientCnxns=0', 'maxClientCnxns=60');
    assert.equal(ask('conf', view(1)), own(golden('ensemble/follower-conf')));
    assert.equal(ask('conf', view(4)), own(golden('ensemble/observer-conf')));
  });

  for (const [sid, role] of [
    [1, 'follower'],
    [4, 'observer'],
  ] as const) {
    it(`mntr of a ${role} has Apache's further lines, and no other but our own`, () => {
      const standalone = new Set(ask('mntr').split('\n'));
      const further = ask('mntr', view(sid))
        .split('\n')
        .filter((line) => !standalone.has(line) && !line.startsWith('zk_ringkeeper_'));
      for (const name of UNMEASURED_AMONG_OTHERS) assert.ok(!ask('mntr', view(sid)).includes(name), name);
      const expected = golden(`ensemble/${role}-mntr`).replace(/^/, `zk_server_state\t${role}\n`);
      const times =
        /_(?:election_time|unavailable_time|follower_sync_time|observer_sync_time|looking_count)\t/;
      assert.deepEqual(linesOf(further.filter((line) => !times.test(line)).join('\n')), linesOf(expected));
    });
  }

  it('mntr and srvr of a leader have what a leader knows', () => {
    const base = figures(1, new EnsembleMeter());
    const leader: EnsembleView = {
      peerState: 'leading - broadcast',
      observedSid: null,
      voterCount: 3,
      leading: LEADING,
      membership: base.membership,
      conf: () => base.conf(),
      counter: () => 0,
      summary: () => null,
      own: () => [],
      reset: () => {},
    };
    const standalone = new Set(ask('mntr').split('\n'));
    const shown = apacheView({ mode: 'leader', ensemble: leader });
    const further = ask('mntr', shown)
      .split('\n')
      .filter((line) => !standalone.has(line));
    const expected = `zk_server_state\tleader\n${golden('ensemble/leader-mntr')}`;
    assert.deepEqual(linesOf(further.join('\n')), linesOf(expected));
    const traffic = { packetsReceived: 11, packetsSent: 12, connections: 1, lastZxid: 0x100000004, nodes: 7 };
    const latency = { count: 0, sum: 0, min: 0, max: 0 };
    const srvr = ask('srvr', { ...shown, counts: () => ({ ...COUNTS, latency, ...traffic }) });
    const ours = golden('ensemble/leader-srvr').replace(/version: .*/, `version: ${versionLine()}`);
    assert.equal(srvr, ours);
  });

  it('dump of a follower lists sessions with their timeouts; only who leads knows when they end', () => {
    const [first, second] = [0x100025cd7300000n, 0x100025cd7300001n];
    const at = (time: string): number => Date.parse(`2026-11-30T09:25:${time}Z`);
    const empty = { expiresWallMs: at('02'), count: 0, members: [] };
    const two = [
      { address: '127.0.0.1', port: 50716, sessionId: first },
      { address: '127.0.0.1', port: 50782, sessionId: 0n },
    ];
    const follower = {
      ...view(1),
      counts: () => ({ ...COUNTS, ephemeralSessions: 2 }),
      sessionBuckets: () => assert.fail('it knows no times'),
      sessions: () =>
        madeOf([
          { id: first, timeoutMs: 10_000 },
          { id: second, timeoutMs: 20_000 },
        ]),
      ephemerals: () => [
        { sessionId: first, paths: ['/eph'] },
        { sessionId: second, paths: ['/ephb'] },
      ],
      connectionBuckets: () =>
        madeOf([
          empty,
          { ...bucket('12', two), expiresWallMs: at('12') },
          {
            ...bucket('22', [{ address: '127.0.0.1', port: 50726, sessionId: second }]),
            expiresWallMs: at('22'),
          },
        ]),
    };
    assert.equal(ask('dump', follower), golden('ensemble/follower-dump'));
    const leader = {
      ...follower,
      ensemble: { ...view(1).ensemble!, leading: LEADING },
      sessionBuckets: () => madeOf([]),
    };
    assert.match(ask('dump', leader), /^SessionTracker dump:\nSession Sets \(0\)\/\(0\):\n/);
  });

  it('the figures of the election port have names that say what they count', () => {
    const text = ask('mntr', view(1));
    for (const line of [
      'epoch_accepted_now\t2',
      'epoch_current_now\t1',
      'leader_sid_now\t3',
      'election_rounds\t5',
      'election_of_strangers\t1',
      'election_link_accepted\t3',
      'election_link_failed_dials\t0',
      'election_refused_frame_length\t2',
      'election_refused_tls\t0',
    ])
      assert.ok(text.includes(`zk_ringkeeper_${line}\n`), line);
  });
});

describe('the times of a server among others', () => {
  it('are those that Apache measures', () => {
    const meter = new EnsembleMeter();
    meter.onLooking(1000);
    meter.onTerm('following', true, 1400);
    meter.onSynchronizing(1500);
    meter.onOver(1600);
    meter.onLooking(1600);
    meter.onTerm('leading', true, 1900);
    meter.onSynchronizing(1950);
    assert.deepEqual([meter.role, meter.phase, meter.servingSinceMs], ['leading', 'synchronization', null]);
    meter.onServing(2000);
    assert.deepEqual([meter.phase, meter.servingSinceMs], ['broadcast', 2000]);
    const of = (name: string) => {
      const { count, sum } = meter.summary(name) ?? { count: 0, sum: 0 };
      return [count, sum];
    };
    assert.deepEqual(of('election_time'), [2, 700]);
    assert.deepEqual(of('unavailable_time'), [1, 1000], 'over both elections');
    assert.deepEqual(of('leader_unavailable_time'), [1, 1000]);
    assert.deepEqual(
      of('follower_sync_time'),
      [0, 0],
      'it never came into step, and a leader syncs nobody but others',
    );
    assert.equal(meter.searches, 2);
    meter.onOver(5000);
    meter.onLooking(5200);
    meter.onTerm('observing', true, 5300);
    meter.onSynchronizing(5400);
    meter.onServing(5500);
    assert.deepEqual(of('observer_sync_time'), [1, 100]);
    assert.deepEqual(of('unavailable_time'), [2, 1500], 'from the end of the term on');
    assert.deepEqual(of('election_time'), [2, 700], 'an observer takes no part');
    meter.reset();
    assert.equal(meter.summary('unavailable_time'), null);
    assert.equal(meter.searches, 3, 'counters have their base elsewhere');
  });
});

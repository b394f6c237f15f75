/** The verdict of a soak, from samples that are made up: what passes, what fails, and when nothing can be told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeSoak, type SoakFacts } from '../../../bench/campaigns/soak/rules.ts';
import type { PeriodLatency, ServerSample, SoakLoad } from '../../../bench/campaigns/soak/soak-json.ts';
import { Prng } from '../../../src/base/prng.ts';

const MIB = 1024 * 1024;
const PERIODS = 30;

function sample(minute: number, parts: Partial<ServerSample> = {}): ServerSample {
  return {
    atMs: minute * 60_000,
    rssBytes: 300 * MIB,
    rssMaxBytes: 310 * MIB,
    openFiles: 90,
    diskBytes: 500 * MIB,
    sessions: 45,
    connections: 45,
    znodes: 20_500,
    ephemerals: 800,
    watches: 3_000,
    outstanding: 10,
    snapshots: 4 * minute,
    snapshotMsMax: 80,
    fsyncMsMax: 12,
    gcPause: { thread: 'io_core', maxMs: 8 },
    timerDelayMsMax: 15,
    memory: { store_live_bytes_now: 20 * MIB, store_pages_bytes_now: 30 * MIB },
    ...parts,
  };
}

const LOAD: SoakLoad = {
  name: 'mixed',
  load: 'a mix',
  throughputPerSecond: 1000,
  latency: null,
  errors: {},
  lost: 0,
  unanswered: 0,
  disorder: 0,
  findings: [],
  ops: [],
};

function facts(
  server: (minute: number) => Partial<ServerSample> = () => ({}),
  p99Ms: (minute: number) => number = () => 5,
  parts: Partial<SoakFacts> = {},
): SoakFacts {
  const minutes = Array.from({ length: PERIODS }, (_, index) => index + 1);
  return {
    periodMs: 60_000,
    failure: null,
    samples: minutes.map((minute) => sample(minute, server(minute))),
    latencies: minutes.map(
      (minute): PeriodLatency => ({
        atMs: minute * 60_000,
        count: 60_000,
        p50Ms: 1,
        p99Ms: p99Ms(minute),
        maxMs: 40,
      }),
    ),
    loads: [LOAD],
    ...parts,
  };
}

function outcomes(of: SoakFacts): Record<string, string> {
  return Object.fromEntries(judgeSoak(of).map(({ rule, outcome }) => [rule, outcome]));
}

const ALL_PASSED = {
  memory: 'passed',
  latency: 'passed',
  pauses: 'passed',
  leaks: 'passed',
  arena: 'passed',
  snapshots: 'passed',
  replies: 'passed',
};

test('a server that stands still passes every rule, noise or not', () => {
  const random = new Prng(1);
  const noise = (): Partial<ServerSample> => ({ rssBytes: (300 + 4 * random.fraction()) * MIB });
  assert.deepEqual(outcomes(facts(noise, () => 5 + random.fraction())), ALL_PASSED);
});

test('memory: growth in the first half is warming up, growth in the second half is not', () => {
  const warming = facts((minute) => ({ rssBytes: (200 + 10 * Math.min(minute, 14)) * MIB }));
  assert.equal(outcomes(warming)['memory'], 'passed');
  const growing = facts((minute) => ({ rssBytes: (300 + minute) * MIB }));
  assert.equal(outcomes(growing)['memory'], 'failed', '60 MiB an hour');
  const slowly = facts((minute) => ({ rssBytes: (300 + minute / 3) * MIB }));
  assert.equal(outcomes(slowly)['memory'], 'passed', '20 MiB an hour');
});

test('memory: noise larger than the limit leaves it open, one wild minute does not', () => {
  const random = new Prng(5);
  const wild = facts((minute) => ({ rssBytes: (300 + minute + 200 * random.fraction()) * MIB }));
  assert.notEqual(outcomes(wild)['memory'], 'failed', 'a trend that noise explains is none');
  const outlier = facts((minute) => ({ rssBytes: (minute === 29 ? 900 : 300) * MIB }));
  assert.equal(outcomes(outlier)['memory'], 'passed');
});

test('latency: p99 of the last third against the first', () => {
  assert.equal(outcomes(facts(undefined, (minute) => 5 + minute / 10))['latency'], 'failed');
  assert.equal(outcomes(facts(undefined, (minute) => 5 + minute / 50))['latency'], 'passed');
  assert.equal(outcomes(facts(undefined, (minute) => (minute === 30 ? 500 : 5)))['latency'], 'passed');
});

test('pauses: 20 ms is too long, and a server that does not tell them leaves it open', () => {
  const long = facts(() => ({ gcPause: { thread: 'log', maxMs: 20 } }));
  assert.equal(outcomes(long)['pauses'], 'failed');
  assert.match(judgeSoak(long)[2]!.text, /20\.0 ms, of thread log/);
  assert.equal(outcomes(facts(() => ({ gcPause: null })))['pauses'], 'cannot tell');
});

test('leaks: counts that still grow in the last third', () => {
  assert.equal(outcomes(facts((minute) => ({ sessions: 45 + 20 * minute })))['leaks'], 'failed');
  const level = facts((minute) => ({ watches: Math.min(3_000, 500 * minute) }));
  assert.equal(outcomes(level)['leaks'], 'passed', 'reaching a level is not leaking');
  assert.equal(outcomes(facts((minute) => ({ openFiles: 90 + (minute % 3) })))['leaks'], 'passed');
});

test('arena: pages above the level for longer than a round takes', () => {
  const pages = (of: (minute: number) => number): SoakFacts =>
    facts((minute) => ({
      memory: { store_live_bytes_now: 20 * MIB, store_pages_bytes_now: of(minute) * MIB },
    }));
  assert.equal(outcomes(pages(() => 38))['arena'], 'passed', '1.5 times and 8 MiB');
  assert.equal(
    outcomes(pages((minute) => (minute % 2 === 0 ? 60 : 30)))['arena'],
    'passed',
    'rounds under way',
  );
  assert.equal(outcomes(pages((minute) => (minute === 7 || minute === 8 ? 39 : 30)))['arena'], 'failed');
  assert.equal(outcomes(facts(() => ({ memory: {} })))['arena'], 'cannot tell');
});

test('replies: errors, lost requests, and a server that ended', () => {
  const broken = (parts: Partial<SoakLoad>): string =>
    outcomes(facts(undefined, undefined, { loads: [{ ...LOAD, ...parts }] }))['replies']!;
  assert.equal(broken({ errors: { noNode: 1 } }), 'failed');
  assert.equal(broken({ lost: 1 }), 'failed');
  assert.equal(broken({ unanswered: 1 }), 'failed');
  assert.equal(broken({ disorder: 1 }), 'failed');
  assert.equal(outcomes(facts(undefined, undefined, { failure: 'killed' }))['replies'], 'failed');
});

test('a soak that is too short tells no growth, and one without snapshots has not soaked', () => {
  const whole = facts((minute) => ({ rssBytes: 300 * minute * MIB, sessions: 100 * minute }));
  const short = outcomes({
    ...whole,
    samples: whole.samples.slice(0, 8),
    latencies: whole.latencies.slice(0, 8),
  });
  assert.deepEqual(short, {
    ...ALL_PASSED,
    memory: 'cannot tell',
    latency: 'cannot tell',
    leaks: 'cannot tell',
  });
  assert.equal(outcomes(facts(() => ({ snapshots: 1 })))['snapshots'], 'cannot tell');
  assert.equal(outcomes(facts(() => ({ snapshots: null })))['snapshots'], 'cannot tell');
  assert.equal(outcomes({ ...whole, samples: [], latencies: [] })['memory'], 'cannot tell');
});

/** The rules of the verdict: sound facts pass, and each rule can fail, alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  findFindings,
  generatorShare,
  offeredBetween,
  type PhaseFacts,
} from '../../../bench/measure/validity.ts';
import type { Arrival, Load, PhasePlan, Plan } from '../../../bench/plan/plan.ts';
import type { LatencySummary } from '../../../bench/result/run-json.ts';

const closed: Arrival = { kind: 'closed', thinkTimeMs: 0 };

function open(ratePerSecond: number, change: Partial<Extract<Arrival, { kind: 'open' }>> = {}): Arrival {
  return {
    kind: 'open',
    gaps: 'constant',
    steps: [{ ratePerSecond, forMs: 1_000 }],
    late: 'backlog',
    ...change,
  };
}

function phaseOf(load: Arrival | Load): PhasePlan {
  const mix: Load | null =
    load.kind === 'closed' || load.kind === 'open'
      ? {
          kind: 'mix',
          entries: [{ op: 'get', weight: 1, label: 'get' }],
          keys: { kind: 'uniform' },
          values: { kind: 'fixed', bytes: 100 },
          arrival: load,
        }
      : load;
  return { name: 'read', load: mix, warmupMs: 1_000, measureMs: 10_000, rampMs: 0 };
}

const plan: Plan = {
  name: 'test',
  description: '',
  seed: 1,
  tree: { root: '/bench', keyCount: 1_000, directories: 1, values: { kind: 'fixed', bytes: 100 } },
  connectionCount: 50,
  outstanding: 100,
  workerCount: 1,
  sessionTimeoutMs: 30_000,
  connectTo: 'spread',
  phases: [],
  probes: { periodMs: 20, deadlineMs: 200 },
  sloMs: null,
  check: false,
  references: [],
  sweep: [],
  search: null,
};

function latencyOf(ms: number): LatencySummary {
  return { count: 1_000, meanMs: ms, p50Ms: ms, p90Ms: ms, p99Ms: ms, p999Ms: ms, p9999Ms: ms, maxMs: ms };
}

/** 5,000 in flight and 5 ms each: 1 M/s. */
const sound: PhaseFacts = {
  complete: true,
  targetFailure: null,
  measuredMs: 10_000,
  throughputPerSecond: 1_000_000,
  latency: latencyOf(5),
  errors: {},
  lost: 0,
  unanswered: 0,
  waited: null,
  disorder: 0,
  dropped: 0,
  scheduleLag: null,
  steady: { reached: true, cutMs: 1_000, variation: 0.01, drift: 0.001 },
  warming: null,
  cpuPressure: null,
  othersCores: null,
  treeSize: { before: 1_000, after: 1_000 },
  check: null,
  generatorBusy: 0.2,
  ceilingPerSecond: 4_000_000,
};

function findingsOf(change: Partial<PhaseFacts>, load: Arrival | Load = closed): string[] {
  return findFindings({ ...sound, ...change }, phaseOf(load), plan).map(
    ({ rule, text }) => `${rule}: ${text}`,
  );
}

test('sound facts are valid, in a closed loop and in an open one', () => {
  assert.deepEqual(findingsOf({}), []);
  assert.deepEqual(findingsOf({ scheduleLag: latencyOf(1) }, open(1_000_000)), []);
});

const broken: readonly (readonly [change: Partial<PhaseFacts>, finding: RegExp, load?: Arrival | Load])[] = [
  [{ complete: false }, /^complete: the phase was cut short$/],
  [
    { targetFailure: 'embedded ended (SIGKILL)' },
    /^targetAlive: the server is gone: embedded ended \(SIGKILL\)$/,
  ],
  [{ latency: null }, /^allReplies: no request was answered$/],
  [{ errors: { NONODE: 3, BADVERSION: 1 } }, /^allReplies: .* 3 NONODE, 1 BADVERSION$/],
  [{ lost: 2 }, /^allReplies: 2 requests lost/],
  [{ leaderKill: null }, /^leaderKilled: the leader was not killed: no server led at that time$/],
  [{ unanswered: 1 }, /^allReplies: 1 requests were never answered$/],
  [
    { unanswered: 502, waited: { count: 502, longestMs: 9_130 } },
    /^allReplies: 502 requests were never answered; they count as long as they waited, up to 9\.1 s$/,
  ],
  [
    {
      steady: {
        reached: false,
        cutMs: 0,
        variation: 0.3,
        drift: -1.27,
        reason: 'it fell over the measured time',
      },
      cpuPressure: 0.28,
      othersCores: 1.1,
    },
    /^steadyState: throughput was not steady \(± 30 %\): it fell over the measured time; the machine was busy: 28 % of the time something waited for a CPU, other programs used 1\.1 cores$/,
  ],
  [
    { warming: { durationMs: 30_000, cpuMicrosPerOp: [9, 8, 7], level: false } },
    /^warm: the server was still getting faster after 30 s of warming up$/,
  ],
  [{ disorder: 1 }, /^allReplies: .* out of order$/],
  [{ generatorBusy: 0.95 }, /^generatorBusy: the generator was 95 % busy/],
  [{ ceilingPerSecond: 2_900_000 }, /^ceiling: the generator alone reaches 2900000\/s, 2\.9 times this load/],
  [{ throughputPerSecond: 940_000 }, /^littlesLaw: throughput x mean latency is 4700\.0, but 5000 requests/],
  [
    { throughputPerSecond: 1_060_000 },
    /^littlesLaw: throughput x mean latency is 5300\.0, but 5000 requests/,
  ],
  [
    { steady: { reached: false, cutMs: 1_000, variation: 0.2, drift: -0.05 } },
    /^steadyState: throughput was not steady \(± 20 %\)$/,
  ],
  [
    { treeSize: { before: 1_000, after: 6_001 } },
    /^treeSize: the tree had 1000 znodes before and 6001 after/,
  ],
  [{ treeSize: { before: 1_000_000, after: 989_999 } }, /^treeSize: /],
  [
    { check: { passed: true, operations: 0, keys: 0, truncated: false, rules: [] } },
    /^check: the history to be checked is empty$/,
  ],
  [
    { throughputPerSecond: 970_000 },
    /^rateMet: 970000\/s were answered of 1000000\/s offered$/,
    open(1_000_000),
  ],
  [{ dropped: 9 }, /^rateMet: 9 requests were dropped/, open(1_000_000)],
  [
    { scheduleLag: latencyOf(5.1) },
    /^lag: the generator handed requests over 5\.1 ms late at p99/,
    open(1_000_000),
  ],
];

test('what leaves the figure its meaning is unsteady, all else is void', () => {
  const kinds = new Map(
    broken.flatMap(([change, , load]) =>
      findFindings({ ...sound, ...change }, phaseOf(load ?? closed), plan).map(({ rule, kind }) => [
        rule,
        kind,
      ]),
    ),
  );
  const unsteady = [...kinds].filter(([, kind]) => kind === 'unsteady').map(([rule]) => rule);
  assert.deepEqual(unsteady.sort(), ['steadyState', 'treeSize', 'warm']);
  assert.ok(kinds.size > 8);
});

for (const [change, finding, load] of broken) {
  test(`a broken rule is the only finding: ${finding.source}`, () => {
    const findings = findingsOf(change, load);
    assert.equal(findings.length, 1, findings.join('; '));
    assert.match(findings[0]!, finding);
  });
}

test('what the death of a leader costs is no finding, and errors still are', () => {
  const leaderKill = { server: 'server 1 (ringkeeper)', atMs: 3_000 };
  const cost = { leaderKill, lost: 13, dropped: 9, throughputPerSecond: 900_000 };
  const rules = (change: object) =>
    findFindings({ ...sound, ...change }, phaseOf(open(1_000_000)), plan).map(({ rule }) => rule);
  assert.deepEqual(rules(cost), []);
  assert.deepEqual(rules({ ...cost, errors: { NONODE: 1 } }), ['allReplies']);
});

test('what lies within the tolerances is valid', () => {
  assert.deepEqual(findingsOf({ throughputPerSecond: 960_000 }), []);
  assert.deepEqual(findingsOf({ throughputPerSecond: 985_000 }, open(1_000_000)), []);
  assert.deepEqual(findingsOf({ treeSize: { before: 1_000, after: 6_000 } }), [], 'a window of creates');
  assert.deepEqual(findingsOf({ treeSize: { before: 1_000_000, after: 1_010_000 } }), [], 'one percent');
  assert.deepEqual(findingsOf({ treeSize: { before: null, after: 5 } }), [], 'the server does not say');
});

test("Little's law counts the think time of clients in", () => {
  const thinking: Arrival = { kind: 'closed', thinkTimeMs: 20 };
  const ceilingPerSecond = 600_000;
  assert.deepEqual(findingsOf({ throughputPerSecond: 200_000, ceilingPerSecond }, thinking), []);
  assert.match(
    findingsOf({ throughputPerSecond: 180_000, ceilingPerSecond }, thinking)[0]!,
    /think time\) is 4500\.0/,
  );
});

test('a Poisson process may miss its rate by chance, as far as chance goes', () => {
  const few: Partial<PhaseFacts> = { measuredMs: 1_000, ceilingPerSecond: 4_000_000 };
  const poisson = open(100, { gaps: 'poisson' });
  assert.deepEqual(findingsOf({ ...few, throughputPerSecond: 75 }, poisson), []);
  assert.equal(findingsOf({ ...few, throughputPerSecond: 65 }, poisson).length, 1);
});

test('the rate offered is that of the steps that lie in the measured time', () => {
  const steps = [
    { ratePerSecond: 100, forMs: 2_000 },
    { ratePerSecond: 400, forMs: 1_000 },
  ];
  assert.equal(offeredBetween(steps, 0, 2_000), 200);
  assert.equal(offeredBetween(steps, 1_000, 3_000), 500);
  assert.equal(offeredBetween(steps, 5_000, 6_000), 400, 'the last step lasts');
  const facts = { measuredMs: 2_000, throughputPerSecond: 240 };
  assert.deepEqual(findingsOf(facts, open(0, { steps })), ['rateMet: 240/s were answered of 250/s offered']);
});

test("a recipe's ceiling is where the generator's threads would be full", () => {
  const storm: Load = { kind: 'sessionStorm', abrupt: false };
  const facts = { ceilingPerSecond: null, throughputPerSecond: 3_000 };
  assert.deepEqual(findingsOf({ ...facts, generatorBusy: 0.3 }, storm), []);
  assert.match(
    findingsOf({ ...facts, generatorBusy: 0.4 }, storm)[0]!,
    /^ceiling: the generator alone reaches 7500\/s/,
  );
});

test('one request per connection: the null server is no ceiling, the share of the round trip decides', () => {
  const eight: Plan = { ...plan, connectionCount: 8, outstanding: 1 };
  const found = (change: Partial<PhaseFacts>, setting: Plan = eight): string[] =>
    findFindings(
      {
        ...sound,
        throughputPerSecond: 100_000,
        latency: latencyOf((1_000 * setting.connectionCount) / 100_000),
        ceilingPerSecond: 130_000,
        ...change,
      },
      phaseOf(closed),
      setting,
    ).map(({ rule, text }) => `${rule}: ${text}`);
  assert.deepEqual(
    found({ generatorBusy: 0.5 }),
    [],
    'half idle, although the ceiling is 1.3 times the load',
  );
  assert.deepEqual(found({ generatorBusy: 0.5, ceilingPerSecond: null }), []);
  assert.deepEqual(found({ generatorBusy: 0.8 }, { ...eight, connectionCount: 640 }), []);
  assert.match(
    found({ generatorBusy: 0.84 })[0]!,
    /^ceiling: 40 % of each round trip was .* 84 % busy\): clients that cost nothing would see about 1\.7 times/,
  );
  assert.match(found({ generatorBusy: 0.5 }, { ...eight, workerCount: 8 })[0]!, /^ceiling: 50 % of each/);
  assert.match(
    found({ generatorBusy: 0.5 }, { ...eight, outstanding: 2, connectionCount: 4 })[0]!,
    /^ceiling: the generator alone reaches 130000\/s, 1\.3 times this load/,
    'with a pipeline the null server is what the generator could do',
  );
});

/**
 * A closed network of two stations, generator and server, whose service times are random: `r` is the generator's mean
 * time to the server's. The number at the generator has weights r^k, so that busy and share are known exactly.
 */
test('the share of the round trip is that of a closed network, within a seventh', () => {
  for (const n of [1, 2, 4, 8, 32, 640]) {
    for (const r of [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1]) {
      const weights = Array.from({ length: n + 1 }, (_, k) => r ** k);
      const all = weights.reduce((a, b) => a + b);
      const inHands = weights.reduce((sum, weight, k) => sum + k * weight, 0) / all;
      const share = generatorShare(1 - 1 / all, n);
      assert.ok(Math.abs(share / (inHands / n) - 1) < 1 / 7, `n ${n}, r ${r}: ${share} for ${inHands / n}`);
      assert.ok(share < 1 / 3 || inHands / n > 0.3, `n ${n}, r ${r}`);
    }
  }
  assert.equal(generatorShare(1.02, 8), 1);
});

/** The gate must be able to refuse: every reason is shown to do so, and nothing passes without being shown or chosen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareTargets } from '../../../bench/compare/compare-targets.ts';
import { type GateOptions, gateStatus } from '../../../bench/compare/gate.ts';
import type { Comparison, ComparisonVerdict, PhaseComparison } from '../../../bench/result/compare-json.ts';
import { noisyMachine } from './support/noisy-machine.ts';
import { PLAN } from './support/sample-run.ts';

const STRICT: GateOptions = { failOn: 'slower', cannotTell: 'fail', unstable: 'fail', voidRuns: 'fail' };
const LENIENT: GateOptions = { failOn: 'slower', cannotTell: 'pass', unstable: 'pass', voidRuns: 'pass' };

async function comparisonAt(speed: number, pairs = 8, floorPairs = 4): Promise<Comparison> {
  const machine = noisyMachine({ seed: 3, noise: 0.008, speeds: { new: speed } });
  const options = { a: 'old', b: 'new', pairs, floorPairs, command: 'bench compare' };
  const { comparison } = await compareTargets(PLAN, options, machine, () => {});
  return comparison!;
}

function withVerdict(comparison: Comparison, verdict: ComparisonVerdict): Comparison {
  return {
    ...comparison,
    phases: comparison.phases.map((phase): PhaseComparison => ({ ...phase, verdict })),
  };
}

const faster = await comparisonAt(1.15);
const slower = await comparisonAt(0.85);
const equal = await comparisonAt(1);

test('a slower B is refused, however lenient the rest', () => {
  const { ok, lines } = gateStatus(slower, LENIENT);
  assert.equal(ok, false);
  assert.match(
    lines[0]!,
    /^FAIL {2}read: slower, throughput B \/ A 0\.8\d\d \[.*\], p 0\.0078, 8 pairs; shown to be slower$/,
  );
});

test('a faster B passes, however strict', () => {
  for (const failOn of ['slower', 'not-faster'] as const) {
    const { ok, lines } = gateStatus(faster, { ...STRICT, failOn });
    assert.equal(ok, true);
    assert.match(lines[0]!, /^pass {2}read: faster/);
  }
});

test('a single slower phase refuses the whole', () => {
  const both = { ...faster, phases: [...faster.phases, ...slower.phases] };
  const { ok, lines } = gateStatus(both, LENIENT);
  assert.equal(ok, false);
  assert.deepEqual(
    lines.map((line) => line.slice(0, 4)),
    ['pass', 'FAIL'],
  );
});

test('what cannot be told passes only by choice, and never where faster is asked for', () => {
  assert.equal(equal.phases[0]!.verdict, 'cannot tell');
  assert.equal(gateStatus(equal, STRICT).ok, false);
  assert.match(gateStatus(equal, STRICT).lines[0]!, /neither a gain nor a loss is shown/);
  assert.equal(gateStatus(equal, { ...STRICT, cannotTell: 'pass' }).ok, true);
  assert.equal(gateStatus(equal, { ...LENIENT, failOn: 'not-faster' }).ok, false);
});

test('an unstable machine passes only by its own choice', () => {
  const unstable = withVerdict(equal, 'unstable');
  assert.equal(gateStatus(unstable, { ...LENIENT, unstable: 'fail' }).ok, false);
  assert.equal(gateStatus(unstable, { ...STRICT, unstable: 'pass' }).ok, true);
  assert.equal(gateStatus(unstable, { ...LENIENT, failOn: 'not-faster' }).ok, false);
});

test('a bound on the loss passes what the interval rules out, and says what it would take', () => {
  const bounded = (lossAtMost: number) => gateStatus(equal, { ...STRICT, cannotTell: { lossAtMost } });
  assert.equal(bounded(0.05).ok, true);
  const refused = bounded(0.001);
  assert.equal(refused.ok, false);
  assert.match(
    refused.lines[0]!,
    /a loss of \d\.\d % is possible, 0\.1 % is allowed, about \d+ pairs would tell$/,
  );
});

test('a bound on the loss looks at the bad end also where lower is better', () => {
  const phase = equal.phases[0]!;
  const estimate = { ...phase.figures.p50!, low: 0.8, high: 1.01 };
  const byLatency = {
    ...equal,
    phases: [{ ...phase, decidedBy: 'p50' as const, figures: { p50: estimate } }],
  };
  const lossAtMost = (share: number) =>
    gateStatus(byLatency, { ...STRICT, cannotTell: { lossAtMost: share } }).ok;
  assert.equal(lossAtMost(0.02), true);
  assert.equal(lossAtMost(0.005), false);
});

test('too few pairs to show a loss are refused: such a gate could never fail', async () => {
  const blind = await comparisonAt(0.5, 5, 0);
  assert.equal(blind.phases[0]!.verdict, 'cannot tell');
  const { ok, lines } = gateStatus(blind, LENIENT);
  assert.equal(ok, false);
  assert.match(lines[0]!, /so few pairs cannot show any loss, make 6 or more/);
});

test('an interrupted comparison, one without phases, and one without its figure are refused', () => {
  assert.match(
    gateStatus({ ...faster, complete: false }, LENIENT).lines[0]!,
    /^FAIL {2}the comparison was interrupted/,
  );
  assert.equal(gateStatus({ ...faster, complete: false }, LENIENT).ok, false);
  assert.deepEqual(gateStatus({ ...faster, phases: [] }, LENIENT), {
    ok: false,
    lines: ['FAIL  no phase was compared'],
  });
  const bare = { ...faster, phases: [{ ...faster.phases[0]!, figures: {} }] };
  assert.equal(gateStatus(bare, LENIENT).ok, false);
});

test('runs that are void pass only by choice, and are named', () => {
  const marked = {
    ...faster,
    runs: faster.runs.map((run, at) => ({
      ...run,
      verdict: at === 9 ? ('void' as const) : ('unsteady' as const),
    })),
  };
  assert.deepEqual(gateStatus(marked, STRICT).ok, false);
  assert.equal(
    gateStatus(marked, STRICT).lines[0],
    'FAIL  1 of 24 runs are void, their figures do not mean what they say: runs/10-b',
  );
  assert.equal(gateStatus(marked, { ...STRICT, voidRuns: 'pass' }).ok, true);
});

test('a verdict or a rule that nobody knows is refused', () => {
  const odd = withVerdict(equal, 'splendid' as ComparisonVerdict);
  assert.equal(gateStatus(odd, LENIENT).ok, false);
  assert.equal(gateStatus(equal, { ...LENIENT, failOn: 'typo' as GateOptions['failOn'] }).ok, false);
});

/** A plan that kills the leader, against three real servers: who was killed, what it cost, what is said of it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../../bench/base/package-root.ts';
import { closingLines } from '../../../bench/figures/verdict.ts';
import { plannedMs } from '../../../bench/plan/plan.ts';
import { loadPlan } from '../../../bench/plan/presets.ts';
import { planOf, runTiny, tempDir } from './support.ts';

const KILLED = {
  killed: { mix: { get: 1, set: 1 }, arrival: { rate: 100 }, warmup: 0, measure: '4s', killLeader: '500ms' },
};

test('the leader of three is killed: writes have an outage that ends, the run goes on to its end, nothing is void', async () => {
  const { run } = (await runTiny(planOf(KILLED), 'embedded:3'))!;
  const phase = run.phases[0]!;
  const { server, atMs } = phase.leaderKill!;
  const { roles } = phase.servers!.find(({ name }) => name === server)!;
  assert.equal(roles.at(-1)!.role, null, 'who was killed stays down');
  assert.ok(
    phase.servers!.some(({ name, roles: of }) => name !== server && of.at(-1)!.role === 'leader'),
    'another leads',
  );
  assert.ok(atMs >= 500);
  assert.equal(phase.othersCores, null, "what the dead one has used is nobody else's");
  assert.deepEqual([run.complete, run.target.failure], [true, null]);
  assert.ok(!phase.findings.some(({ rule }) => ['allReplies', 'rateMet', 'targetAlive'].includes(rule)));
  const [sentence, next] = closingLines(run, 'report.html');
  assert.match(
    sentence!,
    /^When the leader, server \d \(ringkeeper\), was killed, (writes stood still for \d+\.\d\d s; then|every write was still answered)/,
  );
  assert.match(next!, /^Next: /);
  assert.deepEqual(readdirSync(tempDir), []);
});

test('without a leader to spare the run is refused before anything starts', async () => {
  for (const target of ['embedded', 'embedded:2', 'embedded:2+1', '127.0.0.1:1,127.0.0.1:2,127.0.0.1:3']) {
    await assert.rejects(runTiny(planOf(KILLED), target), {
      name: 'ConfigFailure',
      message: /^--target: ".*" - phase killed kills the leader .* e\.g\. --target embedded:3$/,
    });
  }
});

test('a kill has its place: within the measured time of the last phase, under a mix', () => {
  const { killed } = KILLED;
  const cases: [object, RegExp][] = [
    [{ killed, later: { mix: { get: 1 } } }, /killed\.killLeader: 500ms - allowed: only in the last phase/],
    [{ killed: { ...killed, killLeader: '4s' } }, /allowed: less than the measured time \(4s\)/],
    [{ killed: { recipe: 'lock', killLeader: '1s' } }, /allowed: only with mix or readPercent/],
  ];
  for (const [phases, message] of cases) assert.throws(() => planOf(phases), { message });
});

test('npm start is the quick tour on three servers, and its phases leave time for set-up within 90 s', () => {
  const { scripts } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'));
  assert.equal(scripts.start, 'node src/bin/ringkeeper.js bench run quick-tour --target embedded:3');
  const { plan } = loadPlan('quick-tour');
  assert.deepEqual(
    plan.phases.map(({ killLeaderMs }) => killLeaderMs),
    [undefined, undefined, undefined, 3_000],
  );
  assert.ok(plannedMs(plan) <= 30_000);
});

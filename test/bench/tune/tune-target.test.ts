/** The search on runs: which are made, what is kept of them, and what is left when one fails. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Measure } from '../../../bench/compare/measure.ts';
import { renderTuneSummary, zooCfgFragment } from '../../../bench/report/save-tune.ts';
import { renderTuning } from '../../../bench/terminal/terminal-tune.ts';
import { parseObjective } from '../../../bench/tune/objective.ts';
import { tuneTarget } from '../../../bench/tune/tune-target.ts';
import { noisyMachine } from '../compare/support/noisy-machine.ts';
import { PLAN } from '../compare/support/sample-run.ts';

const PARAMETERS = [
  { key: 'flushDelay', values: ['1', '5'] },
  { key: 'maxBatchSize', values: ['100'] },
];

function nameOf(settings: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? 'embedded' : `embedded:${pairs.join(',')}`;
}

async function search(measure: Measure) {
  const dirs: string[] = [];
  const rounds: number[] = [];
  const outcome = await tuneTarget(
    PLAN,
    {
      parameters: PARAMETERS,
      objective: parseObjective('throughput'),
      ...{ startCount: 4, confirmPairs: 6, minEffect: 0.05, seed: 1 },
      sideOf: nameOf,
      command: 'bench tune embedded',
      onRun: ({ dir }) => dirs.push(dir),
      onRound: (round) => rounds.push(round),
    },
    measure,
  );
  return { ...outcome, dirs, rounds };
}

const SPEEDS = { 'embedded:flushDelay=1': 1.3, 'embedded:flushDelay=1,maxBatchSize=100': 1.29 };

test('the planted setting is confirmed, and comes out as lines for zoo.cfg', async () => {
  const { tuning, dirs, rounds, failure } = await search(
    noisyMachine({ seed: 1, noise: 0.01, speeds: SPEEDS }),
  );
  assert.equal(failure, null);
  assert.deepEqual(rounds, [1, 2, 3, 0]);
  assert.deepEqual(
    [tuning!.conclusion, tuning!.best, tuning!.complete],
    ['better', { flushDelay: '1' }, true],
  );
  assert.deepEqual(
    tuning!.runs.map(({ dir }) => dir),
    dirs,
  );
  assert.equal(dirs[0], 'runs/01-default');
  assert.equal(tuning!.target.name, 'embedded');
  const fragment = zooCfgFragment(tuning!)!;
  const lines = fragment.trimEnd().split('\n');
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('#')),
    ['flushDelay=1'],
  );
  assert.match(lines[0]!, /^# Better than the default for throughput: flushDelay=1: 1\.3\d?\dx/);
  for (const text of [renderTuneSummary(tuning!), renderTuning(tuning!)]) {
    assert.match(text, /Better than the default/);
    assert.match(text, /flushDelay +[|│] +1 [|│] 1\.3\dx \[/);
  }
});

test('where nothing is better there is no fragment, and the words say so', async () => {
  const { tuning } = await search(noisyMachine({ seed: 2, noise: 0.02 }));
  assert.equal(tuning!.conclusion, 'none');
  assert.equal(zooCfgFragment(tuning!), null);
  assert.match(renderTuneSummary(tuning!), /\*\*No setting beats the default for throughput\./);
});

test('an interrupted search keeps what was measured, and concludes nothing', async () => {
  const machine = noisyMachine({ seed: 1, noise: 0.01, speeds: SPEEDS });
  let runs = 0;
  const { tuning, failure } = await search(async (side, plan) => (++runs > 5 ? null : machine(side, plan)));
  assert.equal(failure, null);
  assert.deepEqual([tuning!.complete, tuning!.conclusion, tuning!.runs.length], [false, 'unfinished', 5]);
  assert.match(renderTuneSummary(tuning!), /Interrupted/);
});

test('a server that does not start ends the search with its words; before the first run nothing is left', async () => {
  const machine = noisyMachine({ seed: 1, noise: 0.01 });
  const broken: Measure = async (side, plan) => {
    if (side.includes('maxBatchSize')) throw new Error('maxBatchSize=100: refused');
    return machine(side, plan);
  };
  const { tuning, failure } = await search(broken);
  assert.match(failure!.message, /refused/);
  assert.equal(tuning!.complete, false);
  const nothing = await search(async () => {
    throw new Error('no server');
  });
  assert.equal(nothing.tuning, null);
  assert.match(nothing.failure!.message, /no server/);
});

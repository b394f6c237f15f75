/** Services of several sizes and kinds as axes of a sweep, and the order in which they are measured. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Measure } from '../../../bench/compare/measure.ts';
import { planSweep, runSweep } from '../../../bench/compare/sweep.ts';
import { type TargetPlace, targetAxes } from '../../../bench/compare/target-axes.ts';
import { buildPlan } from '../../../bench/plan/schema.ts';
import type { RunResult } from '../../../bench/result/run-json.ts';
import { sampleRun } from './support/sample-run.ts';

function place(service: string, voters: number, observers = 0): TargetPlace {
  const side = `${service}:${voters}${observers > 0 ? `+${observers}` : ''}`;
  return { side, label: side.replace(':', '-'), voters, observers, service };
}

const BOTH = [1, 3, 5].flatMap((size) => [place('embedded', size), place('apache', size)]);
const DOCUMENT = { name: 'sized', connections: 2, phases: { read: { mix: { get: 1 } } } };
const build = (document: unknown) => buildPlan(document, () => 'sized.yaml');
const measure: Measure = async (side, plan) => sampleRun(side, plan, { throughput: 1000 });

describe('services as axes', () => {
  it('alternate at each size, so that what drifts meets both alike', () => {
    const { axes, targets } = targetAxes(BOTH);
    assert.deepEqual(axes, [
      { path: 'servers', values: [1, 3, 5] },
      { path: 'service', values: ['embedded', 'apache'] },
    ]);
    assert.deepEqual(
      targets.map(({ side }) => side),
      ['embedded:1', 'apache:1', 'apache:3', 'embedded:3', 'embedded:5', 'apache:5'],
    );
    assert.deepEqual(targets[2]!.at, [3, 'apache']);
  });

  it('are as many as vary; the size is always one, and the first one where it varies', () => {
    const paths = (...places: TargetPlace[]) => targetAxes(places).axes.map(({ path }) => path);
    assert.deepEqual(paths(place('embedded', 3)), ['servers']);
    assert.deepEqual(paths(place('embedded', 3), place('apache', 3)), ['servers', 'service']);
    assert.deepEqual(paths(place('embedded', 3), place('embedded', 3, 2)), ['observers', 'servers']);
    assert.deepEqual(paths(place('embedded', 3), place('embedded', 5, 2)), ['servers', 'observers']);
  });
});

describe('a sweep of services', () => {
  const targets = targetAxes(BOTH);

  it('runs each at every point, and stands in the order of the values', async () => {
    const axes = [{ path: 'connections', values: [1, 2] }];
    const planned = planSweep(DOCUMENT, axes, { targets, replicates: 2 }, build);
    assert.equal(planned.runs.length, 24);
    assert.deepEqual(
      planned.runs.slice(0, 3).map(({ dir, side, at }) => [dir, side, at]),
      [
        ['runs/01-embedded-1', 'embedded:1', [1, 1, 'embedded']],
        ['runs/02-apache-1', 'apache:1', [1, 1, 'apache']],
        ['runs/03-apache-3', 'apache:3', [1, 3, 'apache']],
      ],
    );
    assert.equal(planned.runs[12]!.side, planned.runs[11]!.side, 'back where it came from');
    const { sweep } = await runSweep(planned, 'bench sweep', measure, () => {});
    assert.deepEqual(sweep!.points.map(({ at, runs }) => [...at, runs.length]).slice(0, 4), [
      [1, 1, 'embedded', 2],
      [1, 1, 'apache', 2],
      [1, 3, 'embedded', 2],
      [1, 3, 'apache', 2],
    ]);
    assert.deepEqual(sweep!.services!.map(({ text, target }) => [text, target.name]).slice(0, 2), [
      ['embedded:1', 'embedded:1'],
      ['apache:1', 'apache:1'],
    ]);
    assert.equal(sweep!.target.name, 'embedded-1-3-5-apache-1-3-5');
  });

  it('goes on behind the runs that are kept, with the same places', async () => {
    const planned = planSweep(DOCUMENT, [], { targets }, build);
    const made: RunResult[] = [];
    const whole = await runSweep(planned, 'bench sweep', measure, ({ result }) => {
      made.push(result);
    });
    const again: string[] = [];
    const asked: string[] = [];
    const counting: Measure = async (side, plan) => {
      asked.push(side);
      return measure(side, plan);
    };
    const onPoint = ({ dir }: { readonly dir: string }): void => void again.push(dir);
    const { sweep } = await runSweep(planned, 'bench sweep', counting, onPoint, made.slice(0, 4));
    assert.deepEqual(asked, ['embedded:5', 'apache:5']);
    assert.deepEqual(again, ['runs/05-embedded-5', 'runs/06-apache-5']);
    assert.deepEqual(
      sweep!.points.map(({ at, runs }) => [at, runs.map(({ dir }) => dir)]),
      whole.sweep!.points.map(({ at, runs }) => [at, runs.map(({ dir }) => dir)]),
    );
    assert.equal(sweep!.complete, true);
  });

  it('says of which service it was that failed', async () => {
    const planned = planSweep(DOCUMENT, [], { targets }, build);
    const failing: Measure = async (side, plan) =>
      sampleRun(side, plan, side === 'apache:3' ? { complete: false, failure: 'it ended' } : {});
    const { sweep } = await runSweep(planned, 'bench sweep', failing, () => {});
    assert.deepEqual([sweep!.complete, sweep!.points.length], [false, 2]);
    assert.equal(sweep!.target.failure, 'apache:3: it ended');
  });
});

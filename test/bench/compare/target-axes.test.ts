/** Services of several sizes and kinds as axes of a sweep, and the order in which they are measured. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Measure } from '../../../bench/compare/measure.ts';
import { planSweep, runSweep } from '../../../bench/compare/sweep.ts';
import { type TargetPlace, targetAxes } from '../../../bench/compare/target-axes.ts';
import { buildPlan } from '../../../bench/plan/schema.ts';
import type { RunResult } from '../../../bench/result/run-json.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
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
    const { sweep } = await runSweep(planned, { command: 'bench sweep', measure, onPoint: () => {} });
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

  it('measures what is missing, in the same places', async () => {
    const planned = planSweep(DOCUMENT, [], { targets }, build);
    const made: (RunResult | null)[] = [];
    const command = 'bench sweep';
    const whole = await runSweep(planned, {
      command,
      measure,
      onPoint: ({ result }) => void made.push(result),
    });
    const again: string[] = [];
    const asked: string[] = [];
    const counting: Measure = async (side, plan) => {
      asked.push(side);
      return measure(side, plan);
    };
    const kept = made.map((run, at) => (at === 1 || at > 3 ? null : run));
    const onPoint = ({ dir }: { readonly dir: string }): void => void again.push(dir);
    const { sweep } = await runSweep(planned, { command, measure: counting, onPoint, kept });
    assert.deepEqual(asked, ['apache:1', 'embedded:5', 'apache:5']);
    assert.deepEqual(again, ['runs/02-apache-1', 'runs/05-embedded-5', 'runs/06-apache-5']);
    assert.deepEqual(
      sweep!.points.map(({ at, runs }) => [at, runs.map(({ dir }) => dir)]),
      whole.sweep!.points.map(({ at, runs }) => [at, runs.map(({ dir }) => dir)]),
    );
    assert.equal(sweep!.complete, true);
  });

  describe('of which one fails', () => {
    const axes = [{ path: 'connections', values: [1, 2] }];
    const planned = planSweep(DOCUMENT, axes, { targets }, build);

    async function withFailing(measureOne: Measure, abort?: AbortSignal) {
      const asked: string[] = [];
      const told: string[] = [];
      const counting: Measure = async (side, plan) => {
        asked.push(side);
        return measureOne(side, plan);
      };
      const outcome = await runSweep(planned, {
        command: 'bench sweep',
        measure: counting,
        onPoint: () => {},
        onFailure: ({ number }, { message }) => told.push(`${number} ${message}`),
        ...(abort === undefined ? {} : { abort }),
      });
      return { ...outcome, asked, told };
    }

    it('loses its own points, and those of the others are measured', async () => {
      const failing: Measure = async (side, plan) => {
        if (side === 'apache:3') throw new ConfigFailure('it does not start');
        return measure(side, plan);
      };
      const { sweep, failure, asked, told } = await withFailing(failing);
      assert.equal(asked.length, 11);
      assert.deepEqual(told, ['3 it does not start']);
      assert.deepEqual([sweep!.complete, sweep!.points.length], [false, 10]);
      assert.equal(failure, failure instanceof ConfigFailure ? failure : null);
      assert.equal(failure?.message, 'it does not start');
    });

    it('in the middle of a run: the same, and it is said which one', async () => {
      const failing: Measure = async (side, plan) =>
        sampleRun(side, plan, side === 'apache:3' ? { complete: false, failure: 'it ended' } : {});
      const { sweep, failure } = await withFailing(failing);
      assert.deepEqual([sweep!.complete, sweep!.points.length, failure], [false, 10, null]);
      assert.equal(sweep!.target.failure, 'apache:3: it ended');
    });

    it('because of an abort, or by an error of the engine: the sweep ends', async () => {
      const abort = new AbortController();
      const interrupted: Measure = async (side, plan) => {
        if (side !== 'apache:3') return measure(side, plan);
        abort.abort();
        throw new ConfigFailure('interrupted meanwhile');
      };
      const { sweep, asked, told } = await withFailing(interrupted, abort.signal);
      assert.deepEqual([asked.length, told, sweep!.points.length], [3, [], 2]);
      const broken: Measure = async (side, plan) => {
        if (side === 'apache:3') throw new TypeError('bug');
        return measure(side, plan);
      };
      const ended = await withFailing(broken);
      assert.deepEqual([ended.asked.length, ended.failure?.name], [3, 'TypeError']);
    });
  });
});

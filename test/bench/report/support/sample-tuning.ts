/** A search on a synthetic server: one value helps, one harms. */
import type { Tuning } from '../../../../bench/result/tune-json.ts';
import { parseObjective } from '../../../../bench/tune/objective.ts';
import { tuneTarget } from '../../../../bench/tune/tune-target.ts';
import { noisyMachine } from '../../compare/support/noisy-machine.ts';
import { PLAN } from '../../compare/support/sample-run.ts';

const SPEEDS = {
  'embedded flushDelay=1': 1.3,
  'embedded flushDelay=5': 0.7,
  'embedded flushDelay=1 maxBatchSize=100': 1.29,
};

export async function sampleTuning(): Promise<Tuning> {
  const { tuning } = await tuneTarget(
    PLAN,
    {
      parameters: [
        { key: 'flushDelay', values: ['1', '5'] },
        { key: 'maxBatchSize', values: ['100'] },
      ],
      objective: parseObjective('throughput'),
      ...{ startCount: 4, confirmPairs: 6, minEffect: 0.05, seed: 1 },
      sideOf: (settings) =>
        ['embedded', ...Object.entries(settings).map(([key, value]) => `${key}=${value}`)].join(' '),
      command: 'npx ringkeeper bench tune embedded --objective throughput',
      onRun: () => {},
      onRound: () => {},
    },
    noisyMachine({ seed: 1, noise: 0.01, speeds: SPEEDS }),
  );
  return tuning!;
}

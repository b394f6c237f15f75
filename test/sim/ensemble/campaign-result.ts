/** `results/<date>-sim-ensemble-<commit>/`: what a campaign of the simulator came to, as the benchmark engine's campaigns leave it. */
import { campaignFoot, saveCampaign } from '../../../bench/campaigns/campaign.ts';
import { captureMachine } from '../../../bench/measure/environment.ts';
import { PUBLISHED_DIR } from '../../../bench/terminal/flags.ts';
import type { EnsembleSummary } from './ensemble-summary.ts';

/** Of the code that runs; `+` behind it: with changes that are not committed. */
export function readCommit(): string {
  const { commit, dirty } = captureMachine(null);
  return `${commit ?? 'unknown'}${dirty ? '+' : ''}`;
}

/** Returns the directory. @throws SaveFailure */
export function publish(summary: EnsembleSummary, from: number): string {
  const { tally } = summary;
  const head = {
    schema: 'ringkeeper-sim-ensemble',
    schemaVersion: 1,
    startedAt: new Date().toISOString(),
    command: `npm run sim:ensemble -- --seeds ${tally.seeds} --from ${from} --workers 2`,
    environment: captureMachine(null),
    complete: true,
  };
  const text = [
    '# Ensembles in the simulator',
    '',
    `Seeds ${from} to ${from + tally.seeds - 1} of whole ensembles under faults (test/sim/ensemble/README.md says what must hold).`,
    '',
    ...summary.lines().map((line) => `- ${line}`),
    '',
    ...tally.failures.map((failure) => `    ${failure.replaceAll('\n', '\n    ')}\n`),
    ...campaignFoot(head),
  ];
  const document = { ...head, from, tally };
  return saveCampaign(PUBLISHED_DIR, 'sim-ensemble', document, [
    { name: 'summary.md', content: `${text.join('\n')}\n` },
  ]);
}

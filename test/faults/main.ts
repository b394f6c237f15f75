/**
 * The long forms, by hand:
 *
 *     node test/faults/main.ts --what kill [--rounds 50] [--seed N] [--writes 2000]
 *     node test/faults/main.ts --what damage            beside Apache, which must be installed
 *     node test/faults/main.ts --what idle [--connections 10000]
 *
 * Each prints as it goes and writes `results/<date>-faults-<what>/`. `--date` names another day.
 */
import { parseArgs } from 'node:util';
import { setV8Flags } from '../../bench/base/v8-flags.ts';
import { damageCampaign } from './support/damage-campaign.ts';
import { idleCampaign } from './support/idle-campaign.ts';
import { killReport } from './support/kill-report.ts';
import { writeResult } from './support/result.ts';

setV8Flags();
const { values } = parseArgs({
  options: {
    what: { type: 'string' },
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    writes: { type: 'string', default: '2000' },
    connections: { type: 'string', default: '10000' },
    date: { type: 'string', default: new Date().toISOString().slice(0, 10) },
  },
});

const CAMPAIGNS = {
  kill: () => killReport({ rounds: count('rounds'), seed: count('seed'), writesMax: count('writes') }),
  damage: () => damageCampaign(),
  idle: () => idleCampaign(count('connections')),
} as const;

function count(name: 'rounds' | 'seed' | 'writes' | 'connections'): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1)
    refuse(`--${name} ${values[name]}: allowed: a whole number from 1`);
  return value;
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

if (!Object.hasOwn(CAMPAIGNS, values.what ?? '')) {
  refuse(`--what ${values.what ?? ''}: allowed: ${Object.keys(CAMPAIGNS).join(', ')}`);
}
const what = values.what as keyof typeof CAMPAIGNS;
const { run, summary } = await CAMPAIGNS[what]();
process.stdout.write(`\n${summary}\n${writeResult(values.date, what, run, summary)}\n`);

/** An outage campaign as a command: a line per round, and the result for `results/`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultFindings, FaultOptions } from '../../../bench/campaigns/faults/command.ts';
import { OutageCampaign, type OutageReport, STEPS, type Step } from './outage-campaign.ts';

const WHAT: Readonly<Record<Step, string>> = {
  noticed: "the end of their connections is seen by the new leader and by the client's server",
  elected: 'both know whom to follow',
  promised: 'a quorum has the new epoch on its disks',
  leading: 'a quorum has the history of the new leader, and that epoch is in force there',
  'in step': "the client's server is in step",
  'client back': 'the client is let in again',
  written: 'its first write is acknowledged',
};

export async function outageReport(options: FaultOptions): Promise<FaultFindings> {
  const { seed, rounds, servers, tickMs } = options;
  const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-faults-'));
  try {
    process.stdout.write(`seed ${seed}\n`);
    const campaign = new OutageCampaign({ directory, seed, rounds, servers, tickMs, onRound: printRound });
    const reports = await campaign.run();
    return { facts: { seed, servers, tickMs, rounds: reports }, text: summaryOf(options, reports) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function printRound({ round, killed, clientAt, newLeader, outageMs, stepsMs }: OutageReport): void {
  const steps = STEPS.filter((step) => stepsMs[step] !== null);
  process.stdout.write(
    `round ${round}: leader ${killed} killed, client at ${clientAt}, new leader ${newLeader}: no write for ${outageMs.toFixed(0)} ms; ` +
      `${steps.map((step) => `${step} ${stepsMs[step]!.toFixed(0)}`).join(', ')}\n`,
  );
}

function summaryOf({ servers, tickMs }: FaultOptions, rounds: readonly OutageReport[]): string[] {
  const outages = rounds.map(({ outageMs }) => outageMs);
  return [
    `# ${servers} servers, whose leader is killed ${rounds.length} times while a client of another one writes`,
    '',
    '| | |',
    '|---|---|',
    `| no write is acknowledged for | ${timesText(outages)} |`,
    `| rounds of at most 100 ms, 200 ms | ${atMost(outages, 100)}, ${atMost(outages, 200)} of ${rounds.length} |`,
    '',
    '| until | it takes | |',
    '|---|---|---|',
    ...STEPS.map((step) => `| ${step} | ${timesText(sharesOf(rounds, step))} | ${WHAT[step]} |`),
    '',
    `SIGKILL, and started again behind the round. Ticks of ${tickMs} ms; everything else as it is by default. The client writes one value at a`,
    'time without a pause; without an acknowledgement it is from the last one before to the first one after. The steps are told by the log lines of',
    'the servers, to the millisecond; each is counted from the one before it, the first from the kill.',
  ];
}

/** Of each round, from the step before. */
function sharesOf(rounds: readonly OutageReport[], step: Step): number[] {
  return rounds.flatMap(({ stepsMs }) => {
    const atMs = stepsMs[step];
    if (atMs === null) return [];
    const before = STEPS.slice(0, STEPS.indexOf(step)).findLast((earlier) => stepsMs[earlier] !== null);
    return [Math.max(0, atMs - (before === undefined ? 0 : stepsMs[before]!))];
  });
}

function atMost(times: readonly number[], limitMs: number): number {
  return times.filter((ms) => ms <= limitMs).length;
}

function timesText(values: readonly number[]): string {
  if (values.length === 0) return 'not seen';
  const times = [...values].sort((a, b) => a - b).map((ms) => ms.toFixed(0));
  return `${times[Math.floor(times.length / 2)]} ms (median; ${times[0]} to ${times.at(-1)})`;
}

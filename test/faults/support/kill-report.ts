/** A kill campaign as a command: a line per round, and the result for `results/`. */
import type { FaultFindings, FaultOptions } from '../../../bench/campaigns/faults/command.ts';
import { KillCampaign, type Killing, type RoundReport } from './kill-campaign.ts';
import { Workspace } from './workspace.ts';

/** Two of three rounds end by a signal at a random moment, one of these after a kill during its start. */
const KILLINGS: readonly Killing[] = ['signal', 'point', 'start'];

export async function killReport(options: FaultOptions): Promise<FaultFindings> {
  const workspace = new Workspace();
  try {
    process.stdout.write(`seed ${options.seed}\n`);
    const { dataDir } = workspace;
    const campaign = new KillCampaign({ dataDir, killings: KILLINGS, onRound: printRound, ...options });
    const rounds = await campaign.run();
    return { facts: { seed: options.seed, rounds }, text: summaryOf(options, rounds) };
  } finally {
    await workspace.dispose();
  }
}

function printRound(report: RoundReport): void {
  const { round, threading, killing, point, acknowledged, inFlight, happened, restartMs } = report;
  process.stdout.write(
    `round ${round}: up in ${restartMs} ms, ${happened} of ${inFlight} in flight had happened; ` +
      `then ${acknowledged} acknowledged, ${threading}, killed by ${point ?? killing}\n`,
  );
}

function summaryOf(options: FaultOptions, rounds: readonly RoundReport[]): string[] {
  const sum = (field: 'acknowledged' | 'inFlight' | 'happened'): string =>
    rounds.reduce((total, round) => total + round[field], 0).toLocaleString('en');
  const of = (killing: Killing): number => rounds.filter((round) => round.killing === killing).length;
  const row = (what: string, count: string | number): string => `| ${what} | ${count} |`;
  return [
    `# Killed under write load, ${options.rounds} times on the same files`,
    '',
    '| | |',
    '|---|---|',
    row('kills by SIGKILL at a random moment under load', of('signal') + of('start')),
    row('further kills at a random moment of a start', of('start')),
    row('kills at a chosen call of the disk, half-written records among them', of('point')),
    row('operations acknowledged', sum('acknowledged')),
    row('in flight at a kill', sum('inFlight')),
    row('of those, happened all the same', sum('happened')),
    row('acknowledged and lost', 0),
    row('restarts that no prefix of what was sent explains', 0),
    '',
    'Four sessions write, each with up to 48 operations in flight: single writes, multis of up to four changes, multis that must',
    "fail, sequential nodes, ephemerals, ends of sessions. After each restart every writer's part of the tree must be what",
    'the first k of its operations make, with all acknowledged ones among them; sessions must be there with exactly their',
    `ephemerals, and no sequence number may come twice. The campaign ends at the first finding, so the zeros stand for ${options.rounds}`,
    'rounds without one.',
  ];
}

/** A failover campaign as a command: a line per round, and the result for `results/`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultFindings, FaultOptions } from '../../../bench/campaigns/faults/command.ts';
import {
  DISTURBANCES,
  type Disturbance,
  FailoverCampaign,
  type FailoverReport,
} from './failover-campaign.ts';

/** Mostly what is hardest. */
const TURNS: readonly Disturbance[] = [
  'kill leader',
  'kill leader',
  'stop leader',
  'kill leader',
  'kill follower',
  'kill leader',
  'stop follower',
];

export async function failoverReport(options: FaultOptions): Promise<FaultFindings> {
  const { seed, rounds, servers, writesMax, ephemerals, onlyKills } = options;
  const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-faults-'));
  try {
    process.stdout.write(`seed ${seed}\n`);
    const disturbances: readonly Disturbance[] = onlyKills ? ['kill leader'] : TURNS;
    const own = { directory, disturbances, onRound: printRound };
    const reports = await new FailoverCampaign({
      seed,
      rounds,
      servers,
      writesMax,
      ephemerals,
      ...own,
    }).run();
    return { facts: { seed, servers, ephemerals, rounds: reports }, text: summaryOf(options, reports) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function printRound(report: FailoverReport): void {
  const { round, disturbance, sid, acknowledged, inFlight, happened, servingMs } = report;
  process.stdout.write(
    `round ${round}: ${disturbance} ${sid} behind ${acknowledged} acknowledged; the others serve after ${servingMs} ms, ` +
      `${happened} of ${inFlight} in flight had happened\n`,
  );
}

function summaryOf({ servers, ephemerals }: FaultOptions, rounds: readonly FailoverReport[]): string[] {
  const sum = (field: 'acknowledged' | 'inFlight' | 'happened'): string =>
    rounds.reduce((total, round) => total + round[field], 0).toLocaleString('en');
  const row = (what: string, count: string | number): string => `| ${what} | ${count} |`;
  const rows = DISTURBANCES.flatMap((disturbance) => {
    const of = rounds.filter((round) => round.disturbance === disturbance);
    return of.length === 0
      ? []
      : [row(`rounds: ${disturbance}`, `${of.length}; the others serve after ${timesText(of)}`)];
  });
  return [
    `# ${servers} servers under write load, ${rounds.length} disturbances on the same files`,
    '',
    '| | |',
    '|---|---|',
    ...rows,
    row('operations acknowledged', sum('acknowledged')),
    row('in flight at a disturbance', sum('inFlight')),
    row('of those, happened all the same', sum('happened')),
    row('acknowledged and lost', 0),
    row('rounds that no prefix of what was sent explains', 0),
    row('ephemerals of one session, all there in every round', ephemerals.toLocaleString('en')),
    '',
    'kill: SIGKILL, and started again when the others serve; stop: SIGSTOP, and SIGCONT then. Four sessions write through all',
    'servers, each with up to 48 operations in flight: single writes, multis of up to four changes, multis that must fail, sequential',
    "nodes, ephemerals, ends of sessions. Behind each disturbance every writer's part of the tree must be what the first k of its",
    'operations make, with all acknowledged ones among them, as a server drawn by chance shows it behind a sync; sessions go on',
    'at other servers with exactly their ephemerals. At the end all have the same zxid, and no server ever found another tree than its leader (digests). The',
    `campaign ends at the first finding, so the zeros stand for ${rounds.length} rounds without one. A leader that stands still is left after the`,
    'six ticks of 500 ms that are set here. Times are until the others say so themselves, asked every 20 ms.',
  ];
}

function timesText(rounds: readonly FailoverReport[]): string {
  const times = rounds.map(({ servingMs }) => servingMs).sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)]!;
  return `${median} ms (median; ${times[0]} to ${times.at(-1)})`;
}

/**
 * `ringkeeper bench campaign faults <what>`: the long forms of the fault tests. They drive the server with the tests' own
 * client and the tests' own faulty disk, on purpose: what judges durability shares no code with what measures speed. So
 * they are there in a checkout only, and are loaded by their place in it; nothing of `bench` imports `test`.
 *
 *     kill      SIGKILL under write load, again and again on the same files: nothing acknowledged may be missing
 *     damage    what Apache and ringkeeper make of the same damaged files
 *     idle      memory of idle sessions, in each threading mode
 *     starts    fresh servers by the hundred under short loads: none ends before it is asked to
 *     failover  servers of an ensemble killed and stopped under write load: the others show everything acknowledged
 *     outage    a leader killed while a client of another server writes: how long no write gets done, and what that time goes to
 *     writes    sustained writes at full speed with a snapshot each few thousand: memory is level
 *
 *     results/<date>-faults-<what>-<commit>/   faults-<what>.json   summary.md
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Argv, CommandModule } from 'yargs';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { PACKAGE_ROOT } from '../../base/package-root.ts';
import { captureMachine } from '../../measure/environment.ts';
import { prepareOut } from '../../report/result-dir.ts';
import { oneText } from '../../terminal/flags.ts';
import { interruptible } from '../../terminal/interruption.ts';
import {
  campaignFoot,
  countFlag,
  type PlaceFlags,
  saveCampaign,
  thisCommand,
  withPlaces,
} from '../campaign.ts';

const KINDS = ['kill', 'damage', 'idle', 'starts', 'writes', 'failover', 'outage'] as const;
/** Those that choose by chance. */
const SEEDED: ReadonlySet<FaultKind> = new Set(['kill', 'starts', 'writes', 'failover', 'outage'] as const);
type FaultKind = (typeof KINDS)[number];

export interface FaultOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Of one round, at most. */
  readonly writesMax: number;
  readonly connections: number;
  readonly seconds: number;
  readonly servers: number;
  /** Of the session that keeps them all the while. */
  readonly ephemerals: number;
  readonly onlyKills: boolean;
  readonly tickMs: number;
}

/** What a campaign found: for the document, and as lines of Markdown. It throws at the first thing that must not be. */
export interface FaultFindings {
  readonly facts: object;
  readonly text: readonly string[];
}

/** What `test/faults/campaigns.ts` exports as `faultCampaigns`. */
export type FaultCampaigns = Readonly<Record<FaultKind, (options: FaultOptions) => Promise<FaultFindings>>>;

interface FaultFlags extends PlaceFlags {
  readonly what?: string;
  readonly rounds: string;
  readonly seed: string;
  readonly writes: string;
  readonly connections: string;
  readonly seconds: string;
  readonly servers: string;
  readonly ephemerals: string;
  readonly onlyKills: boolean;
  readonly tick: string;
}

export const faultsCommand: CommandModule<object, FaultFlags> = {
  builder: (args: Argv): Argv<FaultFlags> =>
    withPlaces(args)
      .positional('what', { type: 'string', describe: KINDS.join(', ') })
      .option('rounds', { ...oneText, default: '50', describe: 'kill, starts, failover, outage: how many' })
      .option('seed', {
        ...oneText,
        default: '',
        defaultDescription: 'by the clock, printed',
        describe: 'kill, starts, writes, failover, outage: of the random choices',
      })
      .option('writes', { ...oneText, default: '2000', describe: 'kill, failover: in one round, at most' })
      .option('servers', { ...oneText, default: '3', describe: 'failover, outage: that vote' })
      .option('ephemerals', { ...oneText, default: '5000', describe: 'failover: kept by one session' })
      .option('only-kills', {
        type: 'boolean',
        default: false,
        describe: 'failover: the leader is killed in each round',
      })
      .option('tick', { ...oneText, default: '2000', describe: 'outage: tickTime of the servers, ms' })
      .option('seconds', { ...oneText, default: '1800', describe: 'writes: how long' })
      .option('connections', {
        ...oneText,
        default: '10000',
        describe: 'idle: sessions',
      }) as Argv<unknown> as Argv<FaultFlags>,
  handler: (flags) => interruptible('stopping; nothing is saved', (abort) => runFaults(flags, abort)),
};

async function runFaults(flags: FaultFlags, abort: AbortSignal): Promise<number> {
  const what = kindOf(flags.what);
  const options: FaultOptions = {
    rounds: countFlag('rounds', flags.rounds, 1, 100_000),
    seed: flags.seed === '' ? Date.now() % 2 ** 31 : countFlag('seed', flags.seed, 0, 2 ** 32 - 1),
    writesMax: countFlag('writes', flags.writes, 1, 10_000_000),
    seconds: countFlag('seconds', flags.seconds, 10, 1_000_000),
    servers: countFlag('servers', flags.servers, 2, 13),
    ephemerals: countFlag('ephemerals', flags.ephemerals, 0, 1_000_000),
    onlyKills: flags.onlyKills,
    tickMs: countFlag('tick', flags.tick, 10, 100_000),
    connections: countFlag('connections', flags.connections, 1, 1_000_000),
  };
  prepareOut(flags.out);
  const campaigns = await loadCampaigns();
  const startedAt = new Date().toISOString();
  const environment = captureMachine(flags.tempDir);
  const found = await Promise.race([campaigns[what](options), whenAborted(abort)]);
  if (found === null) return 1;
  const head = {
    schema: `ringkeeper-bench-faults-${what}`,
    schemaVersion: 1,
    startedAt,
    command: commandOf(what, options),
    environment,
    complete: true,
  };
  process.stdout.write(`\n${found.text.join('\n')}\n`);
  const summary = `${[...found.text, '', ...campaignFoot(head)].join('\n')}\n`;
  const document = { ...head, ...found.facts };
  const dir = saveCampaign(flags.out, `faults-${what}`, document, [{ name: 'summary.md', content: summary }]);
  process.stdout.write(`saved in ${dir}\n`);
  return 0;
}

function kindOf(text: string | undefined): FaultKind {
  const kind = KINDS.find((known) => known === text);
  if (kind !== undefined) return kind;
  throw new ConfigFailure(
    `bench campaign faults: ${text === undefined ? 'which?' : `"${text}"`} - allowed: ${KINDS.join(', ')}`,
  );
}

/** With the seed that the clock chose, so that it can be made again. */
function commandOf(what: FaultKind, { seed }: FaultOptions): string {
  const command = thisCommand();
  return !SEEDED.has(what) || /--seed[ =]/.test(command) ? command : `${command} --seed ${seed}`;
}

async function loadCampaigns(): Promise<FaultCampaigns> {
  const file = join(PACKAGE_ROOT, 'test', 'faults', 'campaigns.ts');
  if (!existsSync(file)) {
    throw new ConfigFailure(
      'bench campaign faults: needs a checkout of ringkeeper, because it runs with the client and the faulty disk of its tests',
    );
  }
  return ((await import(pathToFileURL(file).href)) as { readonly faultCampaigns: FaultCampaigns })
    .faultCampaigns;
}

function whenAborted(abort: AbortSignal): Promise<null> {
  return new Promise((resolve) => abort.addEventListener('abort', () => resolve(null), { once: true }));
}

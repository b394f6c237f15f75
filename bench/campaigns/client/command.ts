/**
 * `ringkeeper bench campaign client`: what the client library costs beside npm `zookeeper`, `node-zookeeper-client`, kazoo and
 * Apache's Java client (with Curator): the same server, the same load, one after another. Exit status 1 when a target is missed.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Argv, CommandModule } from 'yargs';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { addressText } from '../../base/address.ts';
import { formatRate } from '../../figures/format.ts';
import { captureMachine } from '../../measure/environment.ts';
import { prepareOut } from '../../report/result-dir.ts';
import { Session } from '../../session/session.ts';
import { startTarget } from '../../target/start-target.ts';
import type { Target } from '../../target/target.ts';
import { parseTargetSpec, type TargetSpec } from '../../target/target-spec.ts';
import { oneText } from '../../terminal/flags.ts';
import { interruptible } from '../../terminal/interruption.ts';
import {
  countFlag,
  numberFlag,
  type PlaceFlags,
  saveCampaign,
  thisCommand,
  withPlaces,
} from '../campaign.ts';
import type { ClientCampaignResult, RoundSample } from './client-json.ts';
import { CLIENT_NAMES, type ClientName, type Contender, DRIVERS_DIR, prepareClients } from './clients.ts';
import { figuresOf, targetsOf } from './figures.ts';
import { runRounds } from './rounds.ts';
import { renderClientSummary, targetLines } from './summary.ts';

const VALUE_BYTES = 100;
const ROOT = '/client-campaign';
const VALUE_PATH = `${ROOT}/value`;
const TREE_PATH = `${ROOT}/tree`;
/** Children of one znode. */
const WIDTH = 1_000;
const CONNECT_MS_MAX = 10_000;

interface ClientFlags extends PlaceFlags {
  readonly rounds: string;
  readonly seconds: string;
  readonly warm: string;
  readonly nodes: string;
  readonly server: string;
  readonly clients: string;
}

interface Setting {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmSeconds: number;
  readonly nodes: number;
  readonly spec: TargetSpec;
  readonly names: readonly ClientName[];
  readonly tempParent: string;
  readonly abort: AbortSignal;
}

export const clientCommand: CommandModule<object, ClientFlags> = {
  builder: (args: Argv): Argv<ClientFlags> =>
    withPlaces(args)
      .option('rounds', { ...oneText, default: '6', describe: 'each with every client' })
      .option('seconds', { ...oneText, default: '4', describe: 'measured per client, task and round' })
      .option('warm', { ...oneText, default: '3', describe: 'seconds before that, in the same process' })
      .option('nodes', { ...oneText, default: '100000', describe: 'znodes of the tree that caches hold' })
      .option('server', { ...oneText, default: 'embedded', describe: 'embedded, apache, or host:port' })
      .option('clients', {
        ...oneText,
        default: CLIENT_NAMES.join(','),
        describe: 'who takes part',
      }) as Argv<unknown> as Argv<ClientFlags>,
  handler: (flags) =>
    interruptible('stopping; what was measured is saved', (abort) => runClientCampaign(flags, abort)),
};

async function runClientCampaign(flags: ClientFlags, abort: AbortSignal): Promise<number> {
  if (!existsSync(DRIVERS_DIR)) throw new ConfigFailure('campaign client: only in a checkout of ringkeeper');
  const setting: Setting = {
    rounds: countFlag('rounds', flags.rounds, 1, 1_000),
    seconds: numberFlag('seconds', flags.seconds, 0.2, 600),
    warmSeconds: numberFlag('warm', flags.warm, 0, 600),
    nodes: countFlag('nodes', flags.nodes, WIDTH, 5_000_000),
    spec: parseTargetSpec(flags.server),
    names: namesFlag(flags.clients),
    tempParent: flags.tempDir,
    abort,
  };
  prepareOut(flags.out);
  const head = {
    schema: 'ringkeeper-bench-client',
    schemaVersion: 1,
    startedAt: new Date().toISOString(),
    command: thisCommand(),
    environment: captureMachine(flags.tempDir),
  };
  const result: ClientCampaignResult = { ...head, ...(await measureClients(setting)) };
  process.stdout.write(`\n${targetLines(result).join('\n')}\n`);
  const files = [{ name: 'summary.md', content: renderClientSummary(result) }];
  process.stdout.write(`saved in ${saveCampaign(flags.out, 'client', result, files)}\n`);
  return result.complete && result.targets.every(({ met }) => met !== false) ? 0 : 1;
}

async function measureClients(
  setting: Setting,
): Promise<Omit<ClientCampaignResult, 'schema' | 'schemaVersion' | 'startedAt' | 'command' | 'environment'>> {
  const { rounds, seconds, nodes, spec, names, tempParent, abort } = setting;
  const buildDir = mkdtempSync(join(tempParent, 'ringkeeper-clients-'));
  let target: Target | null = null;
  try {
    say('clients are prepared; npm `zookeeper` is built');
    const { contenders, absent } = await prepareClients(names, buildDir);
    for (const { name, why } of absent) say(`${name} does not take part: ${why}`);
    target = await startTarget(spec, {
      serverArgs: [],
      tempParent,
      valueBytes: VALUE_BYTES,
      extendedTypes: false,
    });
    await makeTree(target, nodes);
    const samples = await measureOn(target, contenders, setting);
    const expected = rounds * contenders.reduce((sum, { tasks }) => sum + tasks.length, 0);
    return {
      complete: !abort.aborted && samples.length === expected,
      server: target.description,
      rounds,
      secondsEach: seconds,
      nodes,
      clients: contenders.map(({ name, what }) => ({ name, what })),
      absent,
      samples,
      figures: figuresOf(samples),
      targets: targetsOf(samples, nodes),
    };
  } finally {
    await target?.stop();
    rmSync(buildDir, { recursive: true, force: true });
  }
}

function measureOn(
  target: Target,
  contenders: readonly Contender[],
  setting: Setting,
): Promise<RoundSample[]> {
  const { rounds, seconds, warmSeconds, nodes, abort } = setting;
  return runRounds(contenders, {
    address: addressText(target.addresses[0]!),
    rounds,
    seconds,
    warmSeconds,
    nodes,
    abort,
    paths: { gets: VALUE_PATH, single: VALUE_PATH, pair: VALUE_PATH, tree: TREE_PATH, lock: `${ROOT}/lock` },
    onSample: ({ round, client, task, ops, seconds: took, cpuSeconds }) =>
      say(
        `${round}/${rounds} ${task.padEnd(7)} ${client.padEnd(22)} ${formatRate(ops / took).padStart(12)} ` +
          `${((cpuSeconds * 1e6) / ops).toFixed(2).padStart(9)} us CPU each`,
      ),
  });
}

/** The value that all read, and below `TREE_PATH` as many znodes as asked for, itself among them. */
async function makeTree(target: Target, nodes: number): Promise<void> {
  const session = await Session.connect(target.addresses[0]!, { withinMs: CONNECT_MS_MAX });
  const value = new Uint8Array(VALUE_BYTES).fill(0x78);
  try {
    let made: Promise<string | null>[] = [];
    const create = (path: string): void => void made.push(session.create(path, value));
    const settle = async (): Promise<void> => {
      for (const error of await Promise.all(made)) {
        if (error !== null)
          throw new ConfigFailure(`the tree could not be made: the server answers ${error}`);
      }
      made = [];
    };
    for (const path of [ROOT, VALUE_PATH, TREE_PATH]) create(path);
    let parent = '';
    for (let i = 0; i < nodes - 1; i++) {
      const isParent = i % WIDTH === 0;
      if (isParent) parent = `${TREE_PATH}/d${i / WIDTH}`;
      create(isParent ? parent : `${parent}/n${i}`);
      if (isParent) await settle();
    }
    await settle();
  } finally {
    await session.close();
  }
}

function namesFlag(text: string): ClientName[] {
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !(CLIENT_NAMES as readonly string[]).includes(name));
  if (wrong !== undefined)
    throw new ConfigFailure(`--clients: "${wrong}" - allowed: ${CLIENT_NAMES.join(', ')}`);
  return names as ClientName[];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The command line of the engine: flags become a checked scenario and the options of the run. */
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import yargs from 'yargs';
import { ConfigFailure } from '../src/base/failure.ts';
import { type Arrival, checkScenario, type PhasePlan, type Scenario } from './plan.ts';
import { standaloneQuick } from './scenarios/standalone-quick.ts';

export const RESULTS_DIR = fileURLToPath(new URL('../results', import.meta.url));

export interface BenchOptions {
  readonly scenario: Scenario;
  readonly target: string;
  readonly vs: string | null;
  readonly pairs: number;
  readonly out: string;
  readonly tempParent: string;
  readonly serverArgs: readonly string[];
  readonly vsServerArgs: readonly string[];
  readonly command: string;
}

/** @throws ConfigFailure naming flag, value and what is allowed. `--help` prints and ends the process. */
export async function parseOptions(args: readonly string[]): Promise<BenchOptions> {
  const flags = await parseFlags(args);
  const scenario = applyFlags(standaloneQuick, flags);
  checkScenario(scenario);
  if ((flags.pairs === undefined) !== (flags.vs === undefined)) {
    throw new ConfigFailure('--pairs and --vs belong together, e.g. --pairs 5 --vs apache');
  }
  if (flags.pairs !== undefined && !(Number.isInteger(flags.pairs) && flags.pairs >= 1)) {
    throw new ConfigFailure(`--pairs: ${flags.pairs} - a whole number from 1 is needed`);
  }
  return {
    scenario,
    target: flags.target,
    vs: flags.vs ?? null,
    pairs: flags.pairs ?? 0,
    out: flags.out,
    tempParent: flags.tempDir,
    serverArgs: flags.serverArg.map(String),
    vsServerArgs: flags.vsServerArg.map(String),
    command: repeatCommand(args),
  };
}

type Flags = Awaited<ReturnType<typeof parseFlags>>;

function parseFlags(args: readonly string[]) {
  const phaseNames = standaloneQuick.phases.map(({ name }) => name);
  return yargs([...args])
    .scriptName('npm start --')
    .usage('$0 [flags]\n\nStarts a server, drives it, prints and saves throughput, latency and availability.')
    .options({
      target: { type: 'string', default: 'ringkeeper', describe: 'ringkeeper, apache, null or host:port' },
      vs: { type: 'string', describe: 'a second target to compare with; needs --pairs' },
      pairs: { type: 'number', describe: 'pairs of runs of the comparison' },
      phase: { type: 'string', array: true, choices: phaseNames, describe: 'only these phases' },
      seconds: { type: 'number', describe: 'measured time of each phase' },
      warmup: { type: 'number', describe: 'seconds before the measured time of each phase' },
      connections: { type: 'number', describe: 'sessions of the load' },
      outstanding: { type: 'number', describe: 'requests in flight per session' },
      workers: { type: 'number', describe: 'generator threads' },
      rate: { type: 'number', describe: 'open loop: requests per second, whatever the server does' },
      poisson: { type: 'boolean', default: false, describe: 'open loop with exponential gaps' },
      late: { choices: ['backlog', 'drop'] as const, default: 'backlog' as const, describe: 'window full' },
      'value-bytes': { type: 'number', describe: 'size of the values' },
      keys: { type: 'number', describe: 'number of znodes' },
      zipf: { type: 'number', describe: 'skewed key choice with this exponent' },
      root: { type: 'string', describe: 'parent of the znodes; must not exist' },
      seed: { type: 'number', describe: 'of all random choices' },
      'server-arg': {
        type: 'string',
        array: true,
        default: [],
        describe: 'passed to the target that is started',
      },
      'vs-server-arg': { type: 'string', array: true, default: [], describe: 'the same for --vs' },
      'temp-dir': { type: 'string', default: tmpdir(), describe: 'where servers keep their data' },
      out: { type: 'string', default: RESULTS_DIR, describe: 'where results are saved' },
    })
    .strict()
    .version(false)
    .fail((message, error) => {
      throw error ?? new ConfigFailure(`${message} - see npm start -- --help`);
    })
    .parseAsync();
}

function applyFlags(base: Scenario, flags: Flags): Scenario {
  const phases = base.phases.filter(({ name }) => flags.phase === undefined || flags.phase.includes(name));
  return {
    ...base,
    seed: flags.seed ?? base.seed,
    tree: {
      root: flags.root ?? base.tree.root,
      keyCount: flags.keys ?? base.tree.keyCount,
      valueBytes: flags.valueBytes ?? base.tree.valueBytes,
      keys: flags.zipf === undefined ? base.tree.keys : { kind: 'zipf', exponent: flags.zipf },
    },
    connectionCount: flags.connections ?? base.connectionCount,
    outstanding: flags.outstanding ?? base.outstanding,
    workerCount: flags.workers ?? base.workerCount,
    phases: phases.map((phase) => ({ ...phase, ...timesOf(phase, flags), arrival: arrivalOf(phase, flags) })),
  };
}

function timesOf(phase: PhasePlan, flags: Flags): Pick<PhasePlan, 'warmupMs' | 'measureMs'> {
  return {
    warmupMs: flags.warmup === undefined ? phase.warmupMs : flags.warmup * 1000,
    measureMs: flags.seconds === undefined ? phase.measureMs : flags.seconds * 1000,
  };
}

function arrivalOf(phase: PhasePlan, flags: Flags): Arrival {
  if (flags.rate !== undefined) {
    return { kind: flags.poisson ? 'poisson' : 'constant', ratePerSecond: flags.rate, late: flags.late };
  }
  if (flags.poisson) throw new ConfigFailure('--poisson needs --rate');
  return phase.arrival;
}

/** The command that repeats the run elsewhere: without the flags that name places of this machine. */
export function repeatCommand(args: readonly string[]): string {
  const kept: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (/^--(out|temp-dir)=/.test(arg)) continue;
    if (arg === '--out' || arg === '--temp-dir') i++;
    else kept.push(quoteArg(arg));
  }
  return ['npm start', ...(kept.length > 0 ? ['--'] : []), ...kept].join(' ');
}

function quoteArg(arg: string): string {
  return /^[\w./:=-]+$/.test(arg) ? arg : `'${arg}'`;
}

/**
 * `ringkeeper bench campaign cores`: which threading mode should be the default on this machine? Every mode against the
 * default in pairs of fresh servers, under pipelined reads, writes and a mix (50 connections x 100 outstanding) and
 * single reads and writes (8 x 1). What to expect on 4 to 16 cores: EXPECTATIONS.md. Exit status 1 when runs failed.
 */
import { cpus } from 'node:os';
import type { Argv, CommandModule } from 'yargs';
import { captureMachine } from '../../measure/environment.ts';
import type { Plan } from '../../plan/plan.ts';
import { prepareOut } from '../../report/result-dir.ts';
import { CeilingMeter } from '../../run/ceiling.ts';
import { runPlan } from '../../run/run-plan.ts';
import { startTarget } from '../../target/start-target.ts';
import { parseTargetSpec } from '../../target/target-spec.ts';
import { oneText, type WarmFlags, warmUpMsOf, withWarmFlag } from '../../terminal/flags.ts';
import { interruptible } from '../../terminal/interruption.ts';
import { terminalProgress } from '../../terminal/progress.ts';
import {
  countFlag,
  numberFlag,
  type PlaceFlags,
  saveCampaign,
  thisCommand,
  withPlaces,
} from '../campaign.ts';
import { compareModes, DEFAULT_SIDE } from './compare-modes.ts';
import { concludeModes } from './conclusion.ts';
import { type CoresResult, comparisonLines, renderCoresSummary } from './cores-text.ts';
import { type ModeName, modesFor, parseModes, plansFor, targetOf } from './modes.ts';

const WARMUP_SHARE = 0.4;

interface CoresFlags extends PlaceFlags, WarmFlags {
  readonly quick: boolean;
  readonly pairs: string;
  readonly floorPairs: string;
  readonly seconds: string;
  readonly modes: string;
}

export const coresCommand: CommandModule<object, CoresFlags> = {
  builder: (args: Argv): Argv<CoresFlags> =>
    withWarmFlag(withPlaces(args), 'Servers that are started:')
      .option('quick', {
        type: 'boolean',
        default: false,
        describe:
          "2 pairs of 2 s, no noise floor, no look at the generator's ceiling, no warming: whether it works, not more",
      })
      .option('pairs', {
        ...oneText,
        default: '',
        defaultDescription: '8',
        describe: 'of runs, per mode and load',
      })
      .option('floor-pairs', {
        ...oneText,
        default: '',
        defaultDescription: '4',
        describe: 'of equal runs, per load',
      })
      .option('seconds', { ...oneText, default: '', defaultDescription: '5', describe: 'measured per phase' })
      .option('modes', {
        ...oneText,
        default: '',
        defaultDescription: 'by the number of cores',
        describe: 'shared, pipeline or dedicated:N, with commas between them',
      }) as Argv<unknown> as Argv<CoresFlags>,
  handler: (flags) => interruptible('stopping; whole pairs are saved', (abort) => runCores(flags, abort)),
};

async function runCores(flags: CoresFlags, abort: AbortSignal): Promise<number> {
  prepareOut(flags.out);
  const chosen = (text: string, quick: string, thorough: string): string =>
    text !== '' ? text : flags.quick ? quick : thorough;
  const measureMs = numberFlag('seconds', chosen(flags.seconds, '2', '5'), 0.05, 3600) * 1000;
  const cores = cpus().length;
  const tempParent = flags.tempDir;
  const warmUpMsMax = flags.quick ? 0 : warmUpMsOf(flags);
  const startedAt = new Date().toISOString();
  const environment = captureMachine(tempParent);
  const defaultMode = await resolveDefault(tempParent);
  const modes = (flags.modes === '' ? modesFor(cores) : parseModes(flags.modes)).filter(
    (mode) => mode !== defaultMode,
  );
  const command = thisCommand();
  const progress = terminalProgress();
  const ceilings = flags.quick ? null : new CeilingMeter(tempParent);
  const measure = async (side: string, plan: Plan) => {
    const target = parseTargetSpec(side === DEFAULT_SIDE ? 'embedded' : targetOf(side));
    const options = { target, serverArgs: [], tempParent, command, progress, abort, warmUpMsMax, ceilings };
    return (await runPlan(plan, options))?.run ?? null;
  };
  process.stdout.write(`default here: ${defaultMode}; compared with it: ${modes.join(', ')}\n`);
  const { comparisons, failure } = await compareModes(
    {
      modes,
      plans: plansFor(cores, { warmupMs: Math.round(measureMs * WARMUP_SHARE), measureMs }),
      pairs: countFlag('pairs', chosen(flags.pairs, '2', '8'), 1, 1_000),
      floorPairs: countFlag('floor-pairs', chosen(flags.floorPairs, '0', '4'), 0, 1_000),
      command,
      abort,
    },
    measure,
    (comparison) => process.stdout.write(`${comparisonLines(comparison).join('\n')}\n`),
  );
  if (failure !== null) process.stderr.write(`a run failed: ${failure.message}\n`);
  if (comparisons.length === 0) {
    process.stderr.write('nothing was measured\n');
    return 1;
  }
  const conclusion = concludeModes(defaultMode, comparisons);
  const result: CoresResult = {
    schema: 'ringkeeper-bench-cores',
    schemaVersion: 1,
    startedAt,
    command,
    complete: failure === null && !abort.aborted,
    environment,
    defaultMode,
    comparisons,
    conclusion,
  };
  process.stdout.write(`\n${conclusion.lines.join('\n')}\n`);
  const files = [{ name: 'summary.md', content: renderCoresSummary(result) }];
  process.stdout.write(`saved in ${saveCampaign(flags.out, 'cores', result, files)}\n`);
  return failure === null ? 0 : 1;
}

/** What a server without any setting runs with here, by what it says when it is ready. */
async function resolveDefault(tempParent: string): Promise<ModeName> {
  const options = { serverArgs: [], tempParent, valueBytes: 0, extendedTypes: false };
  const target = await startTarget(parseTargetSpec('embedded'), options);
  const threading = target.settings['threading'] ?? 'unknown';
  await target.stop();
  return threading;
}

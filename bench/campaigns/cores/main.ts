/**
 * Which threading mode should be the default on this machine? Every mode against the default in pairs of fresh servers,
 * under pipelined reads, writes and a mix (50 connections x 100 outstanding) and single reads and writes (8 x 1).
 *
 *     node bench/campaigns/cores/main.ts [--quick] [--pairs 8] [--floor-pairs 4] [--seconds 5] [--modes shared,dedicated:2]
 *
 *     --quick         2 pairs of 2 s, no noise floor, no look at the generator's ceiling: whether it works, not more
 *     --modes         in place of those that the number of cores suggests
 *     --out, --temp-dir   where the result goes, where servers keep their data
 *
 * What to expect on 4 to 16 cores: README.md. Exit status 1 when runs failed.
 */
import { cpus, tmpdir } from 'node:os';
import { captureMachine } from '../../measure/environment.ts';
import type { Plan } from '../../plan/plan.ts';
import { prepareOut } from '../../report/result-dir.ts';
import { CeilingMeter } from '../../run/ceiling.ts';
import { runPlan } from '../../run/run-plan.ts';
import { startTarget } from '../../target/start-target.ts';
import { parseTargetSpec } from '../../target/target-spec.ts';
import { RESULTS_DIR } from '../../terminal/flags.ts';
import { terminalProgress } from '../../terminal/progress.ts';
import { countFlag, numberFlag, readFlags, repeatText, runCampaign, saveCampaign } from '../campaign.ts';
import { compareModes, DEFAULT_SIDE } from './compare-modes.ts';
import { concludeModes } from './conclusion.ts';
import { type CoresResult, comparisonLines, renderCoresSummary } from './cores-text.ts';
import { type ModeName, modesFor, parseModes, plansFor, targetOf } from './modes.ts';

const WARMUP_SHARE = 0.4;

await runCampaign('stopping; whole pairs are saved', async (abort) => {
  const args = process.argv.slice(2);
  const flags = readFlags(args, {
    quick: false,
    pairs: '',
    'floor-pairs': '',
    seconds: '',
    modes: '',
    out: RESULTS_DIR,
    'temp-dir': tmpdir(),
  });
  prepareOut(flags.out);
  const chosen = (text: string, quick: string, thorough: string): string =>
    text !== '' ? text : flags.quick ? quick : thorough;
  const measureMs = numberFlag('seconds', chosen(flags.seconds, '2', '5'), 0.2, 3600) * 1000;
  const cores = cpus().length;
  const tempParent = flags['temp-dir'];
  const startedAt = new Date().toISOString();
  const environment = captureMachine(tempParent);
  const defaultMode = await resolveDefault(tempParent);
  const modes = (flags.modes === '' ? modesFor(cores) : parseModes(flags.modes)).filter(
    (mode) => mode !== defaultMode,
  );
  const command = repeatText('bench/campaigns/cores/main.ts', args);
  const progress = terminalProgress();
  const ceilings = flags.quick ? null : new CeilingMeter(tempParent);
  const measure = async (side: string, plan: Plan) => {
    const target = parseTargetSpec(side === DEFAULT_SIDE ? 'embedded' : targetOf(side));
    const options = { target, serverArgs: [], tempParent, command, progress, abort, ceilings };
    return (await runPlan(plan, options))?.run ?? null;
  };
  process.stdout.write(`default here: ${defaultMode}; compared with it: ${modes.join(', ')}\n`);
  const { comparisons, failure } = await compareModes(
    {
      modes,
      plans: plansFor(cores, { warmupMs: Math.round(measureMs * WARMUP_SHARE), measureMs }),
      pairs: countFlag('pairs', chosen(flags.pairs, '2', '8'), 1, 1_000),
      floorPairs: countFlag('floor-pairs', chosen(flags['floor-pairs'], '0', '4'), 0, 1_000),
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
});

/** What a server without any setting runs with here, by what it says when it is ready. */
async function resolveDefault(tempParent: string): Promise<ModeName> {
  const options = { serverArgs: [], tempParent, valueBytes: 0, extendedTypes: false };
  const target = await startTarget(parseTargetSpec('embedded'), options);
  const threading = target.settings['threading'] ?? 'unknown';
  await target.stop();
  return threading;
}

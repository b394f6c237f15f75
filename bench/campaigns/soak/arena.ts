/**
 * `ringkeeper bench campaign arena`: what does the arena hold for what lives in it? The fuzz of `arena-fuzz.ts` for as many steps as asked, once with an
 * owner that only allocates and frees, and once with one that compacts, by the policy of the server's store.
 *
 *     live       bytes that were asked for and not yet freed
 *     in use     pages with at least one block: what counts against `ringkeeper.storeBytesMax`
 *     held       segments, which are never given back; resident memory is that part of them that was ever touched
 */
import type { Argv, CommandModule } from 'yargs';
import { LEVEL, LEVEL_SPARE_BYTES } from '../../../src/shm/compactor.ts';
import { formatCount, formatMiB } from '../../figures/format.ts';
import { markdownTable } from '../../figures/markdown.ts';
import { captureMachine } from '../../measure/environment.ts';
import { html, list } from '../../report/html/markup.ts';
import { ChartSheet, renderPage } from '../../report/html/page.ts';
import { prepareOut } from '../../report/result-dir.ts';
import { oneText, withOutFlag } from '../../terminal/flags.ts';
import { interruptible } from '../../terminal/interruption.ts';
import { type CampaignHead, campaignFoot, countFlag, saveCampaign, thisCommand } from '../campaign.ts';
import { ArenaFuzz, type Regime } from './arena-fuzz.ts';
import { curvesChart } from './curve-chart.ts';

const SCHEMA = 'ringkeeper-bench-arena';
const MIB = 1024 * 1024;
const SAMPLES = 200;
/** Between two looks at Ctrl-C. */
const STEPS_PER_TURN = 100_000;

export interface ArenaSample {
  readonly step: number;
  readonly regime: Regime;
  readonly liveBytes: number;
  readonly usedBytes: number;
  /** Pages in use, by the size of a page. */
  readonly pageBytes: number;
  readonly heldBytes: number;
}

/** Of one regime: the moment at which pages in use were the most beyond the blocks in them. */
export interface RegimeWorst extends ArenaSample {
  readonly excessBytes: number;
}

export interface ArenaSeries {
  readonly owner: 'plain' | 'compacting';
  readonly samples: readonly ArenaSample[];
  readonly worst: readonly RegimeWorst[];
  readonly mostPageBytes: number;
  readonly mostUsedBytes: number;
  readonly heldBytes: number;
  readonly compactions: number;
  readonly movedBytes: number;
  /** Allocations and frees a second, compactions included. */
  readonly stepsPerSecond: number;
}

interface ArenaResult extends CampaignHead {
  readonly steps: number;
  readonly liveTargetBytes: number;
  readonly seed: number;
  readonly series: readonly ArenaSeries[];
}

export interface ArenaOptions {
  readonly steps: number;
  readonly liveBytes: number;
  readonly seed: number;
}

/** Ends early when it is aborted, with what was seen until then. */
export async function fuzzArena(
  owner: ArenaSeries['owner'],
  { steps, liveBytes, seed }: ArenaOptions,
  abort: AbortSignal,
): Promise<ArenaSeries> {
  const fuzz = new ArenaFuzz({ seed, liveBytes, compacts: owner === 'compacting' });
  const samples: ArenaSample[] = [];
  const worst = new Map<Regime, RegimeWorst>();
  const sampleEvery = Math.max(1, Math.floor(steps / SAMPLES));
  let mostPageBytes = 0;
  let mostUsedBytes = 0;
  const startMs = performance.now();
  while (fuzz.steps < steps && !abort.aborted) {
    fuzz.step();
    const { usedBytes, reservedBytes } = fuzz.arena;
    if (reservedBytes > mostPageBytes) mostPageBytes = reservedBytes;
    if (usedBytes > mostUsedBytes) mostUsedBytes = usedBytes;
    const excess = reservedBytes - usedBytes;
    if (excess > (worst.get(fuzz.regime)?.excessBytes ?? -1)) {
      worst.set(fuzz.regime, { ...sampleOf(fuzz), excessBytes: excess });
    }
    if (fuzz.steps % sampleEvery === 0) samples.push(sampleOf(fuzz));
    if (fuzz.steps % STEPS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return {
    owner,
    samples,
    worst: [...worst.values()],
    mostPageBytes,
    mostUsedBytes,
    heldBytes: fuzz.heldBytes,
    compactions: fuzz.compactor.rounds,
    movedBytes: fuzz.compactor.movedBytes,
    stepsPerSecond: Math.round(fuzz.steps / ((performance.now() - startMs) / 1000)),
  };
}

function sampleOf(fuzz: ArenaFuzz): ArenaSample {
  const { usedBytes, reservedBytes } = fuzz.arena;
  return {
    step: fuzz.steps,
    regime: fuzz.regime,
    liveBytes: fuzz.liveBytes,
    usedBytes,
    pageBytes: reservedBytes,
    heldBytes: fuzz.heldBytes,
  };
}

// ---- words and pictures ----------------------------------------------------------------------------------

function worstTable(series: readonly ArenaSeries[]): string[] {
  const rows = series.flatMap(({ owner, worst }) =>
    worst.map(({ regime, liveBytes, pageBytes, heldBytes, step }) => [
      owner,
      regime,
      formatMiB(liveBytes),
      formatMiB(pageBytes),
      `${(pageBytes / liveBytes).toFixed(1)} times`,
      formatMiB(heldBytes),
      formatCount(step),
    ]),
  );
  const head = ['owner', 'regime', 'live', 'in use', 'in use / live', 'held', 'at step'];
  return markdownTable(head, rows, (column) => (column < 2 ? 'left' : 'right'));
}

function sentences({ series }: ArenaResult): string[] {
  return series.map((one) => {
    const moved =
      one.compactions === 0
        ? ''
        : `, ${formatCount(one.compactions)} compactions moved ${formatMiB(one.movedBytes)}`;
    return (
      `${one.owner}: at most ${formatMiB(one.mostPageBytes)} of pages in use and ${formatMiB(one.heldBytes)} held ` +
      `for at most ${formatMiB(one.mostUsedBytes)} of blocks${moved}; ${formatCount(one.stepsPerSecond)} steps/s`
    );
  });
}

function renderSummary(result: ArenaResult): string {
  const bound = `${LEVEL} x blocks + ${LEVEL_SPARE_BYTES / MIB} MiB`;
  return `${[
    '# Arena: what is held for what lives',
    '',
    `${formatCount(result.steps)} allocations and frees, seed ${result.seed}, up to ${formatMiB(result.liveTargetBytes)} of blocks; the load is described in`,
    '`bench/campaigns/soak/arena-fuzz.ts`, the bounds in `block-census.ts`. Curves: `report.html`.',
    '',
    ...sentences(result).map((line) => `- ${line}`),
    '',
    `A compacting owner keeps pages in use below ${bound}. A plain one is bounded only by the most that each size class`,
    'ever held: one block per page keeps the page, and no other size can use it. Each regime at its worst moment:',
    '',
    ...worstTable(result.series),
    '',
    ...campaignFoot(result),
  ].join('\n')}\n`;
}

function renderArenaPage(result: ArenaResult): string {
  const sheet = new ChartSheet();
  const charts = result.series.flatMap(({ owner, samples }) => {
    const curve = (name: string, figure: (sample: ArenaSample) => number) => ({
      name,
      values: samples.map((sample) => figure(sample) / MIB),
    });
    const chart = curvesChart({
      title: owner === 'plain' ? 'An owner that allocates and frees' : 'An owner that compacts',
      note: 'Bytes of live blocks, of the pages they keep in use, and of the segments, which never go back.',
      x: samples.map(({ step }) => step / 1e6),
      xName: 'Allocations and frees, millions',
      xFormat: 'plain',
      yName: 'MiB',
      yFormat: 'mib',
      curves: [
        curve('live', ({ liveBytes }) => liveBytes),
        curve('pages in use', ({ pageBytes }) => pageBytes),
        curve('segments held', ({ heldBytes }) => heldBytes),
      ],
    });
    return chart === null ? [] : [chart];
  });
  const body = html`<header><p class="kicker">Soak</p><h1>Arena: what is held for what lives</h1></header>
${list(sentences(result))}
${sheet.placeAll(charts)}`;
  return renderPage('Arena fragmentation', body, sheet);
}

interface ArenaFlags {
  readonly steps: string;
  readonly live: string;
  readonly seed: string;
  readonly out: string;
}

export const arenaCommand: CommandModule<object, ArenaFlags> = {
  builder: (args: Argv): Argv<ArenaFlags> =>
    withOutFlag(args)
      .option('steps', { ...oneText, default: '50000000', describe: 'allocations and frees' })
      .option('live', { ...oneText, default: '64', describe: 'MiB of blocks at most' })
      .option('seed', {
        ...oneText,
        default: '1',
        describe: 'of the random choices',
      }) as Argv<unknown> as Argv<ArenaFlags>,
  handler: (flags) =>
    interruptible('stopping; what was measured is saved', (abort) => runArena(flags, abort)),
};

async function runArena(flags: ArenaFlags, abort: AbortSignal): Promise<number> {
  prepareOut(flags.out);
  const options = {
    steps: countFlag('steps', flags.steps, 1, 1e12),
    liveBytes: countFlag('live', flags.live, 1, 4096) * MIB,
    seed: countFlag('seed', flags.seed, 0, 2 ** 32 - 1),
  };
  const startedAt = new Date().toISOString();
  const environment = captureMachine(null);
  const series: ArenaSeries[] = [];
  for (const owner of ['plain', 'compacting'] as const) {
    if (abort.aborted) break;
    process.stderr.write(`${owner} owner ...\n`);
    series.push(await fuzzArena(owner, options, abort));
  }
  const result: ArenaResult = {
    schema: SCHEMA,
    schemaVersion: 1,
    startedAt,
    command: thisCommand(),
    complete: !abort.aborted,
    environment,
    steps: options.steps,
    liveTargetBytes: options.liveBytes,
    seed: options.seed,
    series,
  };
  process.stdout.write(`${sentences(result).join('\n')}\n${worstTable(series).join('\n')}\n`);
  const dir = saveCampaign(flags.out, 'arena', result, [
    { name: 'summary.md', content: renderSummary(result) },
    { name: 'report.html', content: renderArenaPage(result) },
  ]);
  process.stdout.write(`saved in ${dir}\n`);
  return 0;
}

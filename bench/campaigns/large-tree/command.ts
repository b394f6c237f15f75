/**
 * `ringkeeper bench campaign large-tree`: a million znodes of 100 bytes, beside Apache ZooKeeper on the same machine. How
 * much memory they take, how long a start from disk takes, and how long a reply may take while snapshots of the tree
 * are written. Exit status 1 when a target is missed.
 */
import type { Argv, CommandModule } from 'yargs';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { captureMachine } from '../../measure/environment.ts';
import { parseDuration, parseShare } from '../../plan/quantity.ts';
import { prepareOut } from '../../report/result-dir.ts';
import { hasApache } from '../../target/apache-program.ts';
import { makeInstalledCopy } from '../../target/installed-copy.ts';
import { oneText, type WarmFlags, warmUpMsOf, withWarmFlag } from '../../terminal/flags.ts';
import { interruptible } from '../../terminal/interruption.ts';
import { countFlag, type PlaceFlags, saveCampaign, thisCommand, withPlaces } from '../campaign.ts';
import { type CampaignOptions, runLargeTree } from './campaign.ts';
import type { LargeTreeResult, ServerName } from './large-tree-json.ts';
import { renderLargeTreeSummary, targetLines } from './summary.ts';
import { targetRows } from './targets.ts';
import { SHAPES, type Shape } from './trees.ts';

/** Fewer leave nothing to spread over directories; more do not fit the load generator's names. */
const NODES_MIN = 100;
const NODES_MAX = 5_000_000;

interface LargeTreeFlags extends PlaceFlags, WarmFlags {
  readonly nodes: string;
  readonly shapes: string;
  readonly vs: string;
  readonly apacheHeap: string;
  readonly starts: string;
  readonly share: string;
  readonly snapshots: string;
  readonly every: string;
}

export const largeTreeCommand: CommandModule<object, LargeTreeFlags> = {
  builder: (args: Argv): Argv<LargeTreeFlags> =>
    withWarmFlag(withPlaces(args), 'Servers that are started:')
      .option('nodes', { ...oneText, default: '1000000', describe: 'znodes' })
      .option('shapes', {
        ...oneText,
        default: 'flat,deep',
        describe: 'measured beside the wide tree, which is always made: flat, deep, both, or none',
      })
      .option('vs', {
        ...oneText,
        default: '',
        defaultDescription: 'Apache where it is installed',
        describe: 'apache, or none',
      })
      .option('apache-heap', {
        ...oneText,
        default: '',
        defaultDescription: '1000m, as its own start script',
        describe: 'its largest heap, e.g. 2g',
      })
      .option('starts', { ...oneText, default: '5', describe: 'of each server, in turn' })
      .option('share', {
        ...oneText,
        default: '20%',
        describe: "of each server's own peak, for the load under which snapshots are written",
      })
      .option('snapshots', { ...oneText, default: '5', describe: 'that must begin and end under that load' })
      .option('every', {
        ...oneText,
        default: '10s',
        describe: 'one snapshot in this time, or more often',
      }) as Argv<unknown> as Argv<LargeTreeFlags>,
  handler: (flags) =>
    interruptible('stopping; what was measured is saved', (abort) => runCampaign(flags, abort)),
};

async function runCampaign(flags: LargeTreeFlags, abort: AbortSignal): Promise<number> {
  const checked: Omit<CampaignOptions, 'build'> = {
    nodes: countFlag('nodes', flags.nodes, NODES_MIN, NODES_MAX),
    shapes: shapesFlag(flags.shapes),
    servers: serversFlag(flags.vs),
    starts: countFlag('starts', flags.starts, 0, 1_000),
    share: shareFlag(flags.share),
    snapshots: countFlag('snapshots', flags.snapshots, 1, 1_000),
    snapshotSeconds: secondsFlag(flags.every),
    warmUpMsMax: warmUpMsOf(flags),
    tempParent: flags.tempDir,
    apacheHeap: heapFlag(flags.apacheHeap),
    abort,
    say: (line) => process.stdout.write(`${line}\n`),
  };
  prepareOut(flags.out);
  // Compiles: only for flags that are right.
  const build = makeInstalledCopy(flags.tempDir);
  const options: CampaignOptions = { ...checked, build };
  const head = {
    schema: 'ringkeeper-bench-large-tree',
    schemaVersion: 2,
    startedAt: new Date().toISOString(),
    command: thisCommand(),
    environment: captureMachine(options.tempParent),
  };
  const measured = await runLargeTree(options).finally(() => build.remove());
  if (measured.shapes.length === 0) {
    process.stderr.write('nothing was measured\n');
    return 1;
  }
  const { nodes, share } = options;
  const result: LargeTreeResult = { ...head, complete: !abort.aborted, nodes, share, ...measured };
  process.stdout.write(`\n${targetLines(result).join('\n')}\n`);
  const files = [{ name: 'summary.md', content: renderLargeTreeSummary(result) }];
  process.stdout.write(`saved in ${saveCampaign(flags.out, 'large-tree', result, files)}\n`);
  return targetRows(result).some(({ outcome }) => outcome === 'missed') ? 1 : 0;
}

function shapesFlag(text: string): Shape[] {
  if (text === 'none') return [];
  return text.split(',').map((name) => {
    const shape = SHAPES.find((known) => known === name && known !== 'wide');
    if (shape === undefined)
      throw new ConfigFailure(`--shapes: "${text}" - allowed: flat, deep, flat,deep or none`);
    return shape;
  });
}

function serversFlag(text: string): ServerName[] {
  if (text === 'none') return ['ringkeeper'];
  if (text === 'apache') return ['ringkeeper', 'apache'];
  if (text !== '') throw new ConfigFailure(`--vs: "${text}" - allowed: apache or none`);
  return hasApache() ? ['ringkeeper', 'apache'] : ['ringkeeper'];
}

function heapFlag(text: string): string | null {
  if (text === '') return null;
  if (/^\d+[mg]$/.test(text)) return text;
  throw new ConfigFailure(`--apache-heap: "${text}" - allowed: a size as Java reads it, e.g. 1500m or 2g`);
}

function shareFlag(text: string): number {
  const share = parseShare(text);
  if (share !== null && share > 0 && share <= 1) return share;
  throw new ConfigFailure(`--share: "${text}" - allowed: a percentage above 0 up to 100%, e.g. 20%`);
}

function secondsFlag(text: string): number {
  const ms = parseDuration(text);
  if (ms !== null && ms >= 500) return ms / 1000;
  throw new ConfigFailure(`--every: "${text}" - allowed: a time with its unit from 500ms, e.g. 10s`);
}

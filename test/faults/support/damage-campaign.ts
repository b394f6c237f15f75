/** What Apache and ringkeeper make of the same damaged data files, side by side. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultFindings } from '../../../bench/campaigns/faults/command.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { ApacheServer, apacheInstalled } from '../../support/apache.ts';
import { RawClient } from '../../support/raw-client.ts';
import { DAMAGES, type Damage, dataFilesIn } from './damage.ts';
import { fillWithHistory, namesOfHistory } from './history.ts';
import { childrenOf } from './requests.ts';
import { Workspace } from './workspace.ts';

interface Outcome {
  readonly starts: boolean;
  /** Of the znodes, how many are missing after a start. */
  readonly lost: number;
}

export async function damageCampaign(): Promise<FaultFindings> {
  if (!apacheInstalled())
    throw new ConfigFailure(
      'faults damage: needs Apache ZooKeeper: apt-get install zookeeper default-jre-headless',
    );
  const origin = new Workspace();
  const results: { what: string; apache: Outcome; ringkeeper: Outcome }[] = [];
  try {
    await fillWithHistory(origin);
    for (const damage of DAMAGES) {
      const apache = await apacheOn(origin.dataDir, damage);
      const ringkeeper = await ringkeeperOn(origin.dataDir, damage);
      results.push({ what: damage.what, apache, ringkeeper });
      process.stdout.write(
        `${damage.what}: Apache ${outcomeText(apache)}, ringkeeper ${outcomeText(ringkeeper)}\n`,
      );
    }
  } finally {
    await origin.dispose();
  }
  const rows = results.map(
    ({ what, apache, ringkeeper }) => `| ${what} | ${outcomeText(apache)} | ${outcomeText(ringkeeper)} |`,
  );
  const text = [
    '# Damaged data files',
    '',
    `The same directory (${namesOfHistory().length} znodes under the root, ${DAMAGES.length} kinds of damage) before a start of each server.`,
    '',
    '| damage | Apache 3.8.0 | ringkeeper |',
    '|---|---|---|',
    ...rows,
  ];
  return { facts: { results }, text };
}

function outcomeText({ starts, lost }: Outcome): string {
  if (!starts) return 'refuses';
  return lost === 0 ? 'starts, all there' : `**starts, ${lost} znodes lost**`;
}

async function ringkeeperOn(dataDir: string, { make }: Damage): Promise<Outcome> {
  const workspace = new Workspace();
  try {
    cpSync(dataDir, workspace.dataDir, { recursive: true });
    make(dataFilesIn(workspace.files));
    return await outcomeOf(async () => (await workspace.start()).port);
  } finally {
    await workspace.dispose();
  }
}

async function apacheOn(dataDir: string, { make }: Damage): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-faults-'));
  const copy = join(directory, 'data');
  const server = new ApacheServer({ config: { dataDir: copy } });
  try {
    cpSync(dataDir, copy, { recursive: true });
    make(dataFilesIn(join(copy, 'version-2')));
    return await outcomeOf(async () => {
      await server.start();
      return server.port;
    });
  } finally {
    await server.dispose();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function outcomeOf(start: () => Promise<number>): Promise<Outcome> {
  let port: number;
  try {
    port = await start();
  } catch (error) {
    // Both say so when a server ends before it is ready; anything else is a defect of this campaign.
    if (!/before it was ready/.test((error as Error).message)) throw error;
    return { starts: false, lost: 0 };
  }
  const client = await RawClient.open(port);
  const names = new Set(await childrenOf(client, '/'));
  client.destroy();
  return { starts: true, lost: namesOfHistory().filter((name) => !names.has(name)).length };
}

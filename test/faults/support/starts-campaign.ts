/**
 * Fresh servers by the hundred, each under short read, write and mixed loads with snapshots one after the other, two at a
 * time so that there is other work on the machine. An end that nobody asked for is kept with what it said, its status or
 * signal, Node's report if there is one, its data, and the seed of its round. Zero is the bar.
 *
 *     start ─▶ reads ─▶ reads ─▶ reads ─▶ writes ─▶ mixed ─▶ SIGTERM ─▶ status 0
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultFindings, FaultOptions } from '../../../bench/campaigns/faults/command.ts';
import { Prng } from '../../../src/base/prng.ts';
import { RawClient } from '../../support/raw-client.ts';
import { create, getData, ok, okAll, type Request, setData } from './requests.ts';
import { Server, THREADING_MODES } from './server.ts';

const AT_A_TIME = 2;
const CONNECTIONS = 8;
const WINDOW = 100;
const NODES = 50;
const REQUESTS = 300;

interface EarlyEnd {
  readonly round: number;
  readonly seed: number;
  readonly threading: string;
  readonly ending: string;
  readonly folder: string;
}

export async function startsCampaign({ rounds, seed }: FaultOptions): Promise<FaultFindings> {
  const kept = mkdtempSync(join(tmpdir(), 'ringkeeper-starts-'));
  const ends: EarlyEnd[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < rounds) {
      const round = next++;
      const end = await oneServer(kept, round, (seed + round) % 2 ** 32);
      if (end !== null) ends.push(end);
      process.stderr.write(`\r${round + 1} of ${rounds} servers, ${ends.length} ended by themselves `);
    }
  };
  // Each server writes a report of its own when V8 or a signal ends it.
  const options = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = `${options ?? ''} --report-on-fatalerror --report-directory=${kept}`.trim();
  try {
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  } finally {
    if (options === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = options;
  }
  process.stderr.write('\n');
  const list = ends.map(
    ({ round, seed: own, threading, ending, folder }) =>
      `- ${round} (seed ${own}, ${threading}): ${ending}; kept in ${folder}`,
  );
  if (ends.length === 0) rmSync(kept, { recursive: true, force: true });
  assert.deepEqual(list, [], `servers that ended by themselves, of ${rounds}`);
  return {
    facts: { servers: rounds, seed, ends },
    text: [`# ${rounds} fresh servers`, '', `Seed ${seed}. None ended before it was asked to.`],
  };
}

/** Null when all went well. */
async function oneServer(kept: string, round: number, seed: number): Promise<EarlyEnd | null> {
  const prng = new Prng(seed);
  const threading = prng.below(2) === 0 ? 'shared' : prng.pick([...THREADING_MODES]);
  const folder = join(kept, String(round));
  mkdirSync(folder);
  const settings = { snapCount: prng.pick([2, 20, 200]), 'autopurge.purgeInterval': '200ms' };
  const server = new Server({ dataDir: join(folder, 'data'), threading, settings });
  let trouble = '';
  try {
    await server.ready();
    await allLoads(server.port, prng);
  } catch (error) {
    trouble = String(error);
  }
  const { status, signal } = await server.stop();
  if (trouble === '' && status === 0 && signal === null) {
    rmSync(folder, { recursive: true, force: true });
    return null;
  }
  const ending = `status ${status}, signal ${signal}; ${trouble}`;
  writeFileSync(join(folder, 'stderr'), server.stderr);
  writeFileSync(
    join(folder, 'ending'),
    `${ending}\nseed ${seed}\nthreading ${threading}\n${JSON.stringify(settings)}\n`,
  );
  const named = `${folder}-ended`;
  renameSync(folder, named);
  return { round, seed, threading, ending, folder: named };
}

async function allLoads(port: number, prng: Prng): Promise<void> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => RawClient.open(port)));
  const paths = Array.from({ length: NODES }, (_, i) => `/n${i}`);
  for (const path of paths) await ok(clients[0]!, create(path, Buffer.alloc(100)));
  const read = (): Request => getData(prng.pick(paths));
  const write = (): Request => setData(prng.pick(paths), Buffer.alloc(prng.below(300)));
  const mixed = (): Request => (prng.below(4) === 0 ? write() : read());
  for (const next of [read, read, read, write, mixed]) {
    await Promise.all(clients.map((client) => okAll(client, Array.from({ length: REQUESTS }, next), WINDOW)));
  }
}

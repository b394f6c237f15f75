/**
 * One shape of tree on a ringkeeper server: made through one session, read as a list while another client pings, then a
 * restart from disk and a look whether everything is there.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { OpCode } from '../../../src/wire/opcodes.ts';
import type { Address } from '../../base/address.ts';
import type { Target } from '../../target/target.ts';
import { snapshotSpans } from './data-dir.ts';
import type { ShapeResult } from './large-tree-json.ts';
import { readMonitor, readResident, snapshotsRunning } from './server-facts.ts';
import { type ServerPlace, withServer } from './servers.ts';
import { firstReadMs } from './starts.ts';
import { TreeClient } from './tree-client.ts';
import { DATA, type Shape, treePaths } from './trees.ts';

const REST_MS_MAX = 60_000;
const REST_POLL_MS = 50;
/** Znodes whose data is compared after the restart. */
export const SAMPLES = 1000;

/** `dataDir`: empty, and with the tree in it afterwards. @throws Error when something is lost. */
export async function measureShape(
  shape: Shape,
  nodes: number,
  dataDir: string,
  place: ServerPlace,
): Promise<ShapeResult> {
  const paths = treePaths(shape, nodes);
  const made = await withServer('ringkeeper', {}, dataDir, place, (target) => makeTree(target, shape, paths));
  const spans = snapshotSpans(dataDir).slice(1);
  const restarted = await withServer('ringkeeper', {}, dataDir, place, async (target) => {
    const restartMs = await firstReadMs(target, paths.at(-1)!);
    await verify(target.addresses[0]!, `/${shape}`, paths);
    await snapshotsRest(target.addresses[0]!);
    return { restartMs, residentAfterRestartBytes: readResident(target) };
  });
  return {
    shape,
    znodes: nodes,
    ...made,
    snapshotsMs: spans.map(({ fromMs, toMs }) => Math.round(toMs - fromMs)),
    ...restarted,
  };
}

async function makeTree(
  target: Target,
  shape: Shape,
  paths: readonly string[],
): Promise<Pick<ShapeResult, 'createMs' | 'residentBytes' | 'childList'>> {
  const creator = await TreeClient.open(target.addresses[0]!);
  const startMs = performance.now();
  await creator.createAll(paths[Symbol.iterator](), DATA);
  const createMs = performance.now() - startMs;
  const residentBytes = readResident(target);
  const childList = shape === 'flat' ? await readChildList(target.addresses[0]!, '/flat') : null;
  creator.close();
  return { createMs, residentBytes, childList };
}

/** Until the snapshot is written that follows a start: the files then hold the tree the same way in every run. */
async function snapshotsRest(address: Address): Promise<void> {
  const deadlineMs = performance.now() + REST_MS_MAX;
  while (performance.now() < deadlineMs) {
    if (snapshotsRunning(await readMonitor(address)) === 0) return;
    await delay(REST_POLL_MS);
  }
  throw new Error(`a snapshot was still being written after ${REST_MS_MAX} ms`);
}

async function readChildList(address: Address, path: string): Promise<NonNullable<ShapeResult['childList']>> {
  const reader = await TreeClient.open(address);
  const pinger = await TreeClient.open(address);
  // Once to warm up, once to count.
  await reader.getLarge(path);
  const reply = reader.getLarge(path);
  const pings = await pinger.pingUntil(reply);
  reader.close();
  pinger.close();
  return { ...(await reply), worstPingMs: pings.worstMs, pings: pings.count };
}

async function verify(address: Address, root: string, paths: readonly string[]): Promise<void> {
  const client = await TreeClient.open(address);
  const count = await client.request({ op: OpCode.getAllChildrenNumber, path: root });
  if (count.readInt32BE(20) !== paths.length - 1)
    throw new Error(`${count.readInt32BE(20)} znodes after restart`);
  for (let i = 0; i < SAMPLES; i++) {
    const path = paths[Math.floor((i * paths.length) / SAMPLES)]!;
    const reply = await client.request({ op: OpCode.getData, path, watch: false });
    const data = reply.subarray(24, 24 + reply.readInt32BE(20));
    if (Buffer.compare(data, DATA) !== 0) throw new Error(`${path} has other data after restart`);
  }
  client.close();
}

/**
 * Sustained writes as fast as they go, over a tree of 300,000 znodes with a snapshot each few thousand of them: memory is
 * level, which it is only while snapshots begin and end. Looked at each second; judged by the last third against the
 * middle one, after the store has found its size.
 */
import assert from 'node:assert/strict';
import type { FaultFindings, FaultOptions } from '../../../bench/campaigns/faults/command.ts';
import { Prng } from '../../../src/base/prng.ts';
import { RawClient } from '../../support/raw-client.ts';
import { create, okAll, type Request, setData } from './requests.ts';
import { Workspace } from './workspace.ts';

const NODES = 300_000;
const CONNECTIONS = 8;
const WINDOW = 200;
const PIECE = 2000;
const LOOK_MS = 1000;
/** Largest of the last third against the largest of the middle one. */
const GROWTH_MAX = 1.25;
const SNAPSHOT_AGE_MS_MAX = 60_000;

interface Look {
  readonly second: number;
  readonly residentMib: number;
  readonly liveMib: number;
  readonly snapshots: number;
  readonly snapshotAgeMs: number;
}

export async function writesCampaign({ seconds, seed }: FaultOptions): Promise<FaultFindings> {
  const workspace = new Workspace();
  try {
    const settings = { snapCount: 5000, 'autopurge.purgeInterval': '10s' };
    const server = await workspace.start({ settings });
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => RawClient.open(server.port)));
    const data = Buffer.alloc(100);
    await Promise.all(clients.map((client, c) => okAll(client, creates(c, data), WINDOW)));
    const prng = new Prng(seed);
    const startMs = performance.now();
    const isOver = (): boolean => performance.now() - startMs > seconds * 1000;
    const writing = clients.map(async (client) => {
      const next = (): Request => setData(`/n${prng.below(NODES)}`, data);
      for (; !isOver(); ) await okAll(client, Array.from({ length: PIECE }, next), WINDOW);
    });
    const looks: Look[] = [];
    const looking = (async () => {
      while (!isOver()) {
        const metrics = await server.metrics();
        const number = (name: string): number => Number(metrics.get(`ringkeeper_${name}`));
        looks.push({
          second: Math.round((performance.now() - startMs) / 1000),
          residentMib: server.residentMib(),
          liveMib: Math.round(number('store_live_bytes_now') / 2 ** 20),
          snapshots: number('snapshot_count'),
          snapshotAgeMs: number('snapshot_running_ms_now'),
        });
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    })();
    await Promise.all([...writing, looking]);
    assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
    return judge(looks, seconds);
  } finally {
    await workspace.dispose();
  }
}

function* creates(first: number, data: Uint8Array): Generator<Request> {
  for (let i = first; i < NODES; i += CONNECTIONS) yield create(`/n${i}`, data);
}

function judge(looks: readonly Look[], seconds: number): FaultFindings {
  const third = Math.floor(looks.length / 3);
  const largest = (part: readonly Look[], of: (look: Look) => number): number => Math.max(...part.map(of));
  const [middle, last] = [looks.slice(third, 2 * third), looks.slice(2 * third)];
  const growth = (of: (look: Look) => number): number => largest(last, of) / largest(middle, of);
  const resident = growth(({ residentMib }) => residentMib);
  const live = growth(({ liveMib }) => liveMib);
  const ageMs = largest(looks, ({ snapshotAgeMs }) => snapshotAgeMs);
  const snapshots = looks.at(-1)!.snapshots - looks[0]!.snapshots;
  const figures = `resident ${resident.toFixed(2)}, live ${live.toFixed(2)} times, oldest snapshot ${Math.round(ageMs)} ms, ${snapshots} snapshots`;
  assert.ok(resident <= GROWTH_MAX && live <= GROWTH_MAX, `memory grows: ${figures}`);
  assert.ok(ageMs < SNAPSHOT_AGE_MS_MAX && snapshots > 0, `snapshots stand still: ${figures}`);
  return {
    facts: { seconds, looks },
    text: [
      `# ${seconds} s of writes over ${NODES} znodes, snapCount 5,000`,
      '',
      `Memory is level, last third against the middle one: ${figures}. At most ${largest(looks, ({ residentMib }) => residentMib)} MiB resident.`,
    ],
  };
}

/** A data directory with a past: several logs and snapshots, and a known list of znodes. */
import assert from 'node:assert/strict';
import { RawClient } from '../../support/raw-client.ts';
import { create, okAll } from './requests.ts';
import type { Workspace } from './workspace.ts';

const STARTS = 3;
const NODES_PER_START = 15;

/** Each start ends one log and writes one snapshot. */
export async function fillWithHistory(workspace: Workspace): Promise<void> {
  for (let start = 0; start < STARTS; start++) {
    const server = await workspace.start({ settings: { preAllocSize: 64 } });
    if (start > 0) await server.logged(/snapshot snapshot\.\w+ written/);
    const client = await RawClient.open(server.port);
    await okAll(
      client,
      namesOf(start).map((name) => create(`/${name}`, new Uint8Array(50))),
      1,
    );
    assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
  }
  // The last one changes nothing: its snapshot has everything.
  const server = await workspace.start({ settings: { preAllocSize: 64 } });
  await server.logged(/snapshot snapshot\.\w+ written/);
  await server.stop();
}

/** The children of the root, sorted. */
export function namesOfHistory(): string[] {
  return [...Array.from({ length: STARTS }, (_, start) => namesOf(start)).flat(), 'zookeeper'].sort();
}

function namesOf(start: number): string[] {
  return Array.from({ length: NODES_PER_START }, (_, i) => `n-${start}-${i}`);
}

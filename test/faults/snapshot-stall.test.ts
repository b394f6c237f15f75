/** A real server whose disk stands still in the middle of a snapshot: given up, told, let go of; writes go on. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { create, ok, setData } from './support/requests.ts';
import { Workspace } from './support/workspace.ts';

let workspace: Workspace;
before(() => {
  workspace = new Workspace();
});
after(() => workspace.dispose());

test('a snapshot that makes no progress is given up, and nothing of it stays', async () => {
  const server = await workspace.start({
    settings: { snapCount: 20, 'ringkeeper.snapshotStallMs': 300 },
    // The first one of the empty store has no need to sync before its end.
    faults: [{ call: 'fdatasyncSync', path: 'tmp\\.snapshot\\.[1-9a-f]', nth: 1, effect: 'standStill' }],
  });
  const client = await RawClient.open(server.port);
  for (let i = 0; i < 5; i++) await ok(client, create(`/n${i}`, new Uint8Array(500_000)));
  let writes = 0;
  const unfinished = () => readdirSync(workspace.files).filter((name) => name.startsWith('tmp.'));
  await until(async () => {
    await ok(client, setData(`/n${writes++ % 5}`, new Uint8Array(1000)));
    return (await server.metric('ringkeeper_snapshot_given_up')) > 0;
  });
  await server.logged(/"level":50.*snapshot given up: it made no progress/);
  assert.ok((await server.metric('ringkeeper_snapshot_running_ms_now')) >= 300, 'its age is shown');
  // The thread comes back and cleans up.
  await until(
    async () => (await server.metric('ringkeeper_snapshot_running_now')) === 0 && unfinished().length === 0,
  );
  await ok(client, setData('/n0', new Uint8Array(1000)));
  assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
});

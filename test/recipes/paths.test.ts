/** What recipes make for themselves above their znodes is made whatever happens to the connection meanwhile. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { cutAtEachStep } from './support/cuts.ts';
import { onEachServer } from './support/servers.ts';

onEachServer('paths above recipes', (ground) => {
  it('are made when the connection is cut at any step', async () => {
    await cutAtEachStep(ground.server.address, async (zk, label) => {
      await zk.ensurePath(`/made/${label}/by/one`);
      assert.ok((await ground.zk.exists(`/made/${label}/by/one`)) !== null);
    });
  });
});

/** Groups on real servers: who is there, in the names of each family; a connection cut at each step. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { connect } from '../../src/client/index.ts';
import { group, MixedDialectError } from '../../src/recipes/index.ts';
import { until } from '../support/until.ts';
import { cutAtEachStep } from './support/cuts.ts';
import { onEachServer } from './support/servers.ts';

onEachServer('group', (ground) => {
  for (const dialect of ['curator', 'party', 'shallow'] as const)
    it(`shows who is there, in the names of ${dialect}`, async () => {
      const { zk, server } = ground;
      const path = `/groups/${dialect}`;
      const mine = group(zk, path, { dialect });
      await using members = await mine.members();
      assert.deepEqual(members.list(), []);
      const seen: string[] = [];
      const following = (async () => {
        for await (const all of members.changes()) seen.push(all.map(({ id }) => id).join());
      })();
      const other = await connect(server.address);
      await using self = mine.join('a');
      const theirs = group(other, path, { dialect }).join('b-b');
      await Promise.all([self.ready(), theirs.ready()]);
      await members.sync();
      assert.deepEqual(
        members.list().map(({ id }) => id),
        ['a', 'b-b'],
      );
      await other.close();
      await until(async () => seen.at(-1) === 'a');
      await members.close();
      await following;
      assert.equal(seen[0], '');
    });

  it('refuses what others would not see', async () => {
    const { zk } = ground;
    await using curator = group(zk, '/groups/mixed').join('one', 'says this');
    await curator.ready();
    await using members = await group(zk, '/groups/mixed').members();
    assert.equal(Buffer.from(members.list()[0]!.data!).toString(), 'says this');
    for (const dialect of ['party', 'shallow'] as const) {
      await using others = await group(zk, '/groups/mixed', { dialect }).members();
      assert.throws(() => others.list(), MixedDialectError);
      assert.throws(() => group(zk, '/x', { dialect }).join('a', 'data'), TypeError);
    }
    await using party = group(zk, '/groups/mixed', { dialect: 'party' }).join('two');
    await party.ready();
    await members.sync();
    assert.throws(() => members.list(), MixedDialectError);
    assert.throws(() => group(zk, '/groups/mixed').join('a/b'), TypeError);
  });

  it('is joined once when the connection is cut at any step', async () => {
    const { zk, server } = ground;
    await using members = await group(zk, '/groups/cut').members();
    await cutAtEachStep(server.address, async (client, { label }) => {
      const self = group(client, '/groups/cut').join(label);
      await self.ready();
      await members.sync();
      assert.deepEqual(
        members.list().map(({ id }) => id),
        [label],
      );
      await self.close();
      await until(async () => members.list().length === 0);
    });
  });
});

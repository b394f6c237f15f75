/**
 * Every row of the table of deliberate differences, played on both servers: Apache 3.8.0 does what the table says it
 * does, and so does ringkeeper.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { OpCode } from '../../src/wire/opcodes.ts';
import { ApacheServer } from '../support/apache.ts';
import { RawClient } from '../support/raw-client.ts';
import * as bodies from '../support/request-bodies.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import type { TestServer } from '../support/server.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import {
  DELIBERATE_DIFFERENCES,
  type DeliberateDifference,
  type DeliberateId,
} from './differential/deliberate.ts';
import { DEMONSTRATIONS, SCENE_PATHS } from './differential/demonstrations.ts';

const ROWS: readonly (DeliberateDifference & { readonly id: DeliberateId })[] = DELIBERATE_DIFFERENCES;
const OPTIONS = { config: { extendedTypesEnabled: 'true', forceSync: 'no' } };

suite('deliberate differences', () => {
  test('every row is shown on each server or says why not', () => {
    for (const row of ROWS) {
      assert.equal(DEMONSTRATIONS[row.id]?.apache === undefined, row.notRunOnApache !== undefined, row.id);
    }
  });

  suite('on Apache', { skip: need('java', 'zookeeper') }, () => {
    playAll(new ApacheServer(OPTIONS), (id) => DEMONSTRATIONS[id]?.apache);
  });

  suite('on ringkeeper', { skip: needRingkeeper() }, () => {
    playAll(new RingkeeperServer(OPTIONS), (id) => DEMONSTRATIONS[id]?.ringkeeper);
  });
});

function playAll(server: TestServer, expected: (id: DeliberateId) => string | undefined): void {
  before(() => server.start());
  after(() => server.dispose());
  for (const row of ROWS) {
    const wanted = expected(row.id);
    if (wanted === undefined) continue;
    test(row.what, async (context) => {
      const client = await RawClient.open(server.port);
      context.after(async () => {
        client.destroy();
        await sweep(server.port);
      });
      assert.equal(await DEMONSTRATIONS[row.id]!.play(client, server.port), wanted);
    });
  }
}

/** Leaves the tree as it was, for the next scene. */
async function sweep(port: number): Promise<void> {
  const client = await RawClient.open(port);
  for (const path of SCENE_PATHS) await client.request(OpCode.delete, bodies.pathAndInt(path, -1));
  client.destroy();
}

/**
 * How long one request lets others wait. Another client pings as fast as it is answered while each of the heaviest
 * requests is under way; the longest of its round trips is printed, not asserted: a busy machine says little, and both
 * clients are in this process, which takes long over a reply of many megabytes itself.
 */
import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { OpCode } from '../../src/wire/opcodes.ts';
import { fourLetterWord } from '../support/four-letter-word.ts';
import { RawClient } from '../support/raw-client.ts';
import { create as createBody, multi, path, setWatches } from '../support/request-bodies.ts';
import {
  CLOSE,
  create,
  EPHEMERAL,
  exists,
  getChildren,
  getData,
  getEphemerals,
  ok,
  okAll,
  PING,
  type Request,
  remove,
} from './support/requests.ts';
import type { Server } from './support/server.ts';
import { Workspace } from './support/workspace.ts';

const COUNT = 50_000;
const PER_MULTI = 1000;

const workspace = new Workspace();
let server: Server;
let other: RawClient;

before(async () => {
  server = await workspace.start({ settings: { '4lw.commands.whitelist': '*' } });
  other = await RawClient.open(server.port);
  await ok(other, create('/many'));
  await ok(other, create('/big', new Uint8Array(1_000_000)));
  await okAll(other, inMultis('/many/child', 0), 4);
});

after(() => workspace.dispose());

function* inMultis(prefix: string, flags: number): Generator<Request> {
  for (let from = 0; from < COUNT; from += PER_MULTI) {
    const subs = Array.from({ length: PER_MULTI }, (_, i) =>
      create(`${prefix}-${from + i}`, undefined, flags),
    );
    yield { op: OpCode.multi, body: multi(subs) };
  }
}

/** Sends the request, pings with another client until it is answered, and prints the longest of the pings. */
async function amongPings(t: TestContext, client: RawClient, request: Request): Promise<number> {
  let isAnswered = false;
  const reply = client.request(request.op, request.body).finally(() => {
    isAnswered = true;
  });
  let worstMs = 0;
  let pings = 0;
  while (!isAnswered) {
    const start = performance.now();
    await ok(other, PING);
    worstMs = Math.max(worstMs, performance.now() - start);
    pings++;
  }
  const { err } = await reply;
  t.diagnostic(`${pings} pings of another client meanwhile, the longest ${worstMs.toFixed(1)} ms`);
  return err;
}

describe('one request, and the pings of another client', () => {
  const paths = Array.from({ length: COUNT }, (_, i) => `/many/child-${i}`);
  const acls = Array.from({ length: 10_000 }, (_, i) => ({ perms: 31, scheme: 'digest', id: `u${i}:x` }));
  const multiRead = (subs: readonly Request[]): Request => ({ op: OpCode.multiRead, body: multi(subs) });
  const watching = (count: number): Request => ({
    op: OpCode.setWatches,
    body: setWatches({ relativeZxid: 2n ** 40n, data: paths.slice(0, count), exist: [], child: [] }),
  });
  const cases: readonly (readonly [string, Request, number])[] = [
    [`getChildren of ${COUNT}`, getChildren('/many'), 0],
    [`multiRead of 4 lists of ${COUNT}`, multiRead(new Array(4).fill(getChildren('/many'))), 0],
    ['multiRead of 8 values of 1 MB', multiRead(new Array(8).fill(getData('/big'))), 0],
    [`getAllChildrenNumber of ${COUNT}`, { op: OpCode.getAllChildrenNumber, body: path('/many') }, 0],
    [
      'multi of 10,000 creates',
      { op: OpCode.multi, body: multi(paths.slice(0, 10_000).map((p) => create(`${p}/x`))) },
      0,
    ],
    [
      'multi of 10,000 deletes',
      { op: OpCode.multi, body: multi(paths.slice(0, 10_000).map((p) => remove(`${p}/x`))) },
      0,
    ],
    // The second one comes in one read, so its bytes lie in a buffer that is lent.
    ['setWatches of 45,000 paths', watching(45_000), 0],
    ['setWatches of 2,000 paths', watching(2000), 0],
    [
      'create with an ACL of 10,000 entries',
      { op: OpCode.create, body: createBody({ path: '/wide', data: null, acls, flags: 0 }) },
      0,
    ],
    ['getData under that ACL', getData('/wide'), -102],
  ];
  for (const [what, request, err] of cases) {
    test(what, async (t) => {
      const client = await RawClient.open(server.port);
      assert.equal(await amongPings(t, client, request), err);
      client.destroy();
    });
  }

  test(`getEphemerals of ${COUNT}, and the end of their session`, async (t) => {
    const client = await RawClient.open(server.port);
    await okAll(client, inMultis('/e', EPHEMERAL), 4);
    assert.equal(await amongPings(t, client, getEphemerals('/')), 0);
    assert.equal(await amongPings(t, client, CLOSE), 0);
    assert.equal((await other.request(OpCode.exists, exists('/e-0').body)).err, -101);
  });

  test('the worst turn of all of that, by kind of work', async (t) => {
    const counts = await fourLetterWord(server.port, 'mntr');
    const worst = counts.split('\n').filter((line) => /core_turn_.*_max/.test(line));
    assert.ok(worst.length > 0);
    for (const line of worst) t.diagnostic(line.replace('\t', ' '));
  });
});

/** Where the load connects, by what the servers of a list say of themselves. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { after, before, test } from 'node:test';
import type { Address } from '../../../bench/base/address.ts';
import type { Placement } from '../../../bench/plan/plan.ts';
import { loadAddresses } from '../../../bench/run/placement.ts';
import type { Target } from '../../../bench/target/target.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';

const open: Server[] = [];
const places: Record<string, Address> = {};

/** Answers every word with its role; a silent one takes the connection and says nothing. */
async function serve(name: string, mode: string | null): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      if (mode === null) socket.destroy();
      else socket.end(`Zookeeper version: 3.8.0\nMode: ${mode}\nNode count: 5\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  places[name] = { host: '127.0.0.1', port: bound.port };
  open.push(server);
}

before(async () => {
  await serve('follower', 'follower');
  await serve('leader', 'leader');
  await serve('down', null);
  await serve('observer', 'observer');
  await serve('second', 'follower');
  await serve('alone', 'standalone');
});
after(() => open.map((server) => server.close()));

async function placed(placement: Placement, names: readonly string[]): Promise<string[]> {
  const addresses = names.map((name) => places[name]!);
  const chosen = await loadAddresses(placement, { addresses } as unknown as Target);
  return chosen.map((address) => names[addresses.indexOf(address)]!);
}

const all = ['down', 'follower', 'leader', 'observer', 'second'];

test('each placement finds its servers', async () => {
  assert.deepEqual(await placed('spread', all), all);
  assert.deepEqual(await placed('leader', all), ['leader']);
  assert.deepEqual(await placed('followers', all), ['follower', 'second']);
  assert.deepEqual(await placed('observers', all), ['observer']);
  assert.deepEqual(await placed('leader', ['alone']), ['alone'], 'who is alone leads');
  const [nearest, ...more] = await placed('nearest', all);
  assert.deepEqual([nearest !== 'down', more], [true, []], 'one, and one that answers');
});

test('a place that no server has is one line with what they say', async () => {
  await assert.rejects(placed('observers', ['leader', 'down']), (error: Error) => {
    assert.ok(error instanceof ConfigFailure);
    assert.match(
      error.message,
      /^connectTo: "observers" - no server is one: \S+ leader, \S+ says nothing - allowed: spread, leader, /,
    );
    return true;
  });
});

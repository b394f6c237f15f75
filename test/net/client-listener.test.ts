import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { BindFailure } from '../../src/base/failure.ts';
import { ClientListener } from '../../src/net/client-listener.ts';
import { nodeTransport } from '../../src/net/node-transport.ts';
import { NetHarness, until } from './support/net-harness.ts';
import { framed, TestSocket } from './support/test-socket.ts';

const LISTEN = { address: '127.0.0.1', port: 0, backlog: -1, reusePort: false, keepAlive: false } as const;

test('a connection above the limit per address is closed before anything is read', async (t) => {
  const harness = await NetHarness.start({ perAddressMax: 2 });
  t.after(() => harness.stop());
  const first = await TestSocket.open(harness.port);
  await TestSocket.open(harness.port);
  await until(() => harness.count('connect') === 2);
  const third = await TestSocket.open(harness.port);
  third.write(framed('x'));
  assert.equal((await third.all()).length, 0);
  assert.equal(harness.count('connect'), 2);
  assert.equal(harness.table.counters.refused, 1);
  first.destroy();
  await until(() => harness.count('disconnect') === 1);
  const fourth = await TestSocket.open(harness.port);
  fourth.write(framed('x'));
  assert.equal((await fourth.bytes(5)).length, 5);
});

test('a connection above the limit in all, or without a slot, is closed', async (t) => {
  for (const options of [{ connectionsMax: 1 }, { slotCount: 1 }]) {
    const harness = await NetHarness.start(options);
    t.after(() => harness.stop());
    await TestSocket.open(harness.port);
    const second = await TestSocket.open(harness.port);
    await second.all();
    assert.equal(harness.table.counters.refused, 1);
    assert.equal(harness.acceptLimits.connections, 1);
  }
});

test('a port in use, an address that is not ours and a name that does not resolve are BindFailures', async (t) => {
  const harness = await NetHarness.start();
  t.after(() => harness.stop());
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  const listener = (): ClientListener =>
    new ClientListener(harness.table, harness.acceptLimits, false, nodeTransport);
  await assert.rejects(listener().listen({ ...LISTEN, port }), (error: unknown) => {
    assert.ok(error instanceof BindFailure);
    assert.match(error.message, new RegExp(`127.0.0.1:${port}: the port is in use`));
    return true;
  });
  for (const [address, why] of [
    ['192.0.2.1', 'this machine has no such address'],
    ['no-such-host.invalid', 'the name does not resolve'],
  ] as const) {
    await assert.rejects(listener().listen({ ...LISTEN, address }), {
      name: 'BindFailure',
      message: new RegExp(`on ${address}:0: ${why}; correct clientPortAddress$`),
      exitStatus: 1,
    });
  }
});

test('with reusePort two listeners share one port', async (t) => {
  const harness = await NetHarness.start();
  t.after(() => harness.stop());
  const one = new ClientListener(harness.table, harness.acceptLimits, true, nodeTransport);
  const two = new ClientListener(harness.table, harness.acceptLimits, true, nodeTransport);
  const port = await one.listen({ ...LISTEN, reusePort: true });
  assert.equal(await two.listen({ ...LISTEN, port, reusePort: true }), port);
  one.close();
  const client = await TestSocket.open(port);
  client.write(framed('hello'));
  assert.deepEqual(await client.bytes(9), framed('hello'));
  two.close();
});

test('a storm of connections that come and go leaves no connection and no slot behind', async (t) => {
  const harness = await NetHarness.start({ slotCount: 64 });
  t.after(() => harness.stop());
  for (let round = 0; round < 10; round++) {
    const clients = await Promise.all(Array.from({ length: 50 }, () => TestSocket.open(harness.port)));
    clients.forEach((client, i) => {
      client.write(framed(`round ${round} client ${i}`));
      if (i % 3 === 0) client.socket.resetAndDestroy();
      else if (i % 3 === 1) client.socket.end();
      else client.destroy();
    });
    await until(() => harness.table.counters.open === 0 && harness.acceptLimits.connections === 0);
  }
  assert.equal(harness.count('connect'), harness.count('disconnect'));
  assert.equal(harness.table.outstanding, 0);
});

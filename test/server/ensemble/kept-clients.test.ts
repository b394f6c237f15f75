/**
 * `ringkeeper.keepClientsOnLeaderChange`: three servers under pipelined writes, reads and watches whose leader is killed. Clients of the
 * survivors, of which one leads then, keep their connections and get one answer to each request, in order.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { freePorts } from '../../support/free-ports.ts';
import { RawClient } from '../../support/raw-client.ts';
import { create, pathAndBool } from '../../support/request-bodies.ts';
import { until } from '../../support/until.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';

const CONFIG = { 'ringkeeper.keepClientsOnLeaderChange': 'true' };
const OPEN = [{ perms: 31, scheme: 'world', id: 'anyone' }];
const EPHEMERAL = 1;
const WRITES_BEFORE = 300;
const WRITES_AFTER = 50;

const createBody = (path: string, flags = 0): Uint8Array => create({ path, data: null, acls: OPEN, flags });

/** A write and a read of it, pipelined, again and again; each write makes a znode of its own, so that none can be done twice. */
class Load {
  readonly client: RawClient;
  readonly name: string;
  sent = 0;
  answered = 0;
  private readonly done: Promise<void>;
  private isOver = false;

  constructor(client: RawClient, name: string) {
    this.client = client;
    this.name = name;
    this.done = this.read();
  }

  send(count: number): void {
    for (let left = count; left > 0; left--) {
      const path = `/${this.name}-${this.sent++}`;
      this.client.send(OpCode.create, createBody(path));
      this.client.send(OpCode.exists, pathAndBool(path, false));
    }
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.done;
  }

  private async read(): Promise<void> {
    let xid = 0;
    while (!this.isOver || this.answered < 2 * this.sent) {
      if (this.answered === 2 * this.sent) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const reply = await this.client.reply();
      if (xid === 0) xid = reply.xid;
      assert.deepEqual([reply.xid, reply.err], [xid++, 0], `${this.name}: answer ${this.answered}`);
      this.answered++;
    }
  }
}

it('the leader is killed: clients of the others notice nothing', async (t) => {
  const ports = await freePorts(6);
  const line = (sid: number): string => `127.0.0.1:${ports[2 * sid - 2]}:${ports[2 * sid - 1]}`;
  const servers = Object.fromEntries([1, 2, 3].map((sid) => [sid, line(sid)]));
  const members = [1, 2, 3].map((sid) => new RingkeeperMember({ sid, servers, config: CONFIG }));
  t.after(() => Promise.all(members.map((member) => member.dispose())));
  await Promise.all(members.map((member) => member.start()));
  const modes = async () => await Promise.all(members.map((member) => member.mode()));
  await until(async () => (await modes()).every((mode) => mode !== null));
  const leader = members[(await modes()).indexOf('leader')]!;
  const survivors = members.filter((member) => member !== leader);

  const clients = await Promise.all(survivors.map(({ port }) => RawClient.open(port)));
  const watchers = await Promise.all(survivors.map(({ port }) => RawClient.open(port)));
  for (const [n, client] of clients.entries()) {
    assert.equal((await client.request(OpCode.create, createBody(`/here-${n}`, EPHEMERAL))).err, 0);
    const after = pathAndBool(`/client-${n}-${WRITES_BEFORE + WRITES_AFTER - 1}`, true);
    await watchers[n]!.request(OpCode.exists, after);
  }

  const loads = clients.map((client, n) => new Load(client, `client-${n}`));
  for (const load of loads) load.send(WRITES_BEFORE);
  await until(async () => loads.every(({ answered }) => answered > 0));
  await leader.kill();
  for (const load of loads) load.send(WRITES_AFTER);
  await Promise.all(loads.map((load) => load.end()));

  const kept = survivors.map(({ log }) => /clients are kept for the next leader/.test(log));
  assert.deepEqual(kept, [true, true]);
  for (const [n, watcher] of watchers.entries()) {
    await watcher.request(OpCode.sync, pathAndBool('/', false).subarray(0, 5));
    assert.equal(watcher.events.length, 1, 'of the last write, once');
    assert.equal((await watcher.request(OpCode.exists, pathAndBool(`/here-${n}`, false))).err, 0);
  }
});

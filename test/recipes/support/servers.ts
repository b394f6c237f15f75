/**
 * The servers that every recipe is tried on: ringkeeper and Apache ZooKeeper 3.8.0. Suites in one process share them, each with a
 * path of its own: nobody stops them or counts what is on them.
 */
import { after, before, describe } from 'node:test';
import { connect, type Zk } from '../../../src/client/index.ts';
import { ApacheServer } from '../../support/apache.ts';
import { RingkeeperServer } from '../../support/ringkeeper.ts';
import type { TestServer } from '../../support/server.ts';
import { need, needRingkeeper } from '../../support/skip.ts';

/** What the tests of one server share. */
export interface Ground {
  server: TestServer;
  zk: Zk;
}

/** By name and configuration. */
const servers = new Map<string, TestServer>();
after(async () => {
  for (const server of servers.values()) await server.dispose();
});

/** `config`: lines of zoo.cfg; `missing`: why all of it is skipped. */
export function onEachServer(
  title: string,
  body: (ground: Ground) => void,
  config: Readonly<Record<string, string>> = {},
  missing: string | false = false,
): void {
  for (const [name, make, needed] of [
    ['ringkeeper', () => new RingkeeperServer({ config }), needRingkeeper()],
    ['Apache 3.8.0', () => new ApacheServer({ config }), need('java', 'zookeeper')],
  ] as const) {
    describe(`${title} on ${name}`, { skip: missing || needed }, () => {
      const ground = {} as Ground;
      before(async () => {
        const key = `${name} ${JSON.stringify(config)}`;
        ground.server = servers.get(key) ?? make();
        servers.set(key, ground.server);
        await ground.server.start();
        ground.zk = await connect(ground.server.address);
      });
      after(() => ground.zk?.close());
      body(ground);
    });
  }
}

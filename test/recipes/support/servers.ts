/**
 * The servers that every recipe is tried on: ringkeeper and Apache ZooKeeper 3.8.0.
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
        ground.server = make();
        await ground.server.start();
        ground.zk = await connect(ground.server.address);
      });
      after(async () => {
        await ground.zk?.close();
        await ground.server?.dispose();
      });
      body(ground);
    });
  }
}

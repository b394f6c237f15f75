/**
 * "Replace your ZooKeeper, one server at a time": three servers of Apache become three of ours and then Apache's again, each on the data
 * directory of the one before, while clients write and hold sessions. Followers first, the leader last, as the README says.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect, type Zk, ZkError } from '../../../src/client/index.ts';
import { ApacheMember } from '../../support/apache-member.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { freePorts } from '../../support/free-ports.ts';
import type { TestServer } from '../../support/server.ts';
import { need } from '../../support/skip.ts';
import { until } from '../../support/until.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';
import { type Tree, treeOf } from './tree.ts';

const WRITERS = 4;

async function modeOf({ port }: TestServer): Promise<string | null> {
  const answer = await fourLetterWord(port, 'srvr', 1000).catch(() => '');
  return /Mode: (\w+)/.exec(answer)?.[1] ?? null;
}

/** One server of the ensemble: now Apache's, now ours, on the same port and the same directory. */
class Place {
  present: TestServer;
  private readonly kinds: { readonly apache: ApacheMember; readonly ringkeeper: RingkeeperMember };

  constructor(sid: number, servers: Readonly<Record<number, string>>) {
    this.kinds = {
      apache: new ApacheMember({ sid, servers }),
      ringkeeper: new RingkeeperMember({ sid, servers }),
    };
    this.present = this.kinds.apache;
  }

  /** In step with a leader, or leading. */
  async become(kind: keyof Place['kinds']): Promise<void> {
    const { directory, port } = this.present;
    await this.present.stop();
    this.present = this.kinds[kind];
    this.present.directory = directory;
    this.present.port = port;
    await this.present.start();
    await until(async () => (await modeOf(this.present)) !== null);
  }

  async dispose(): Promise<void> {
    const { apache, ringkeeper } = this.kinds;
    await Promise.all([apache.kill(), ringkeeper.kill()]);
    await this.present.dispose();
  }
}

/** Creates one znode after the other, again where it is not known what became of one, until told to stop. */
async function write(zk: Zk, name: string, acknowledged: string[], isOver: () => boolean): Promise<void> {
  for (let i = 0; !isOver(); i++) {
    const path = `/written/${name}-${i}`;
    for (let isThere = false; !isThere; ) {
      try {
        await zk.create(path, path);
        isThere = true;
      } catch (error) {
        if (!(error instanceof ZkError)) throw error;
        assert.notEqual(error.code, 'SESSIONEXPIRED');
        isThere = error.code === 'NODEEXISTS';
      }
    }
    acknowledged.push(path);
  }
}

describe('three servers of Apache 3.8.0', { skip: need('java', 'zookeeper') }, () => {
  it('are replaced by ours one by one, and back: no write lost, no session ended, one tree', async (t) => {
    const ports = await freePorts(6);
    const servers = Object.fromEntries(
      [1, 2, 3].map((sid, i) => [sid, `127.0.0.1:${ports[2 * i]}:${ports[2 * i + 1]}`]),
    );
    const places = [1, 2, 3].map((sid) => new Place(sid, servers));
    t.after(() => Promise.all(places.map((place) => place.dispose())));
    await Promise.all(places.map(({ present }) => present.start()));
    await until(async () =>
      (await Promise.all(places.map(({ present }) => modeOf(present)))).every((m) => m),
    );

    const everywhere = places.map(({ present }) => present.address).join(',');
    await using zk = await connect(everywhere, { sessionTimeoutMs: 10_000 });
    await zk.create('/written', null);
    await zk.create('/held', 'by this session', { mode: 'ephemeral' });
    const sessions = [zk.sessionId];
    const acknowledged: string[] = [];
    let isOver = false;
    const writers = Array.from({ length: WRITERS }, (_, i) =>
      write(zk, String(i), acknowledged, () => isOver),
    );
    t.after(() => {
      isOver = true;
    });

    for (const kind of ['ringkeeper', 'apache'] as const) {
      const modes = await Promise.all(places.map(({ present }) => modeOf(present)));
      const leaderLast = [...places].sort(
        (a, b) =>
          Number(modes[places.indexOf(a)] === 'leader') - Number(modes[places.indexOf(b)] === 'leader'),
      );
      for (const place of leaderLast) {
        const before = acknowledged.length;
        await place.become(kind);
        // With this server in step, writes go on.
        await until(async () => acknowledged.length > before + 10);
      }
    }
    isOver = true;
    await Promise.all(writers);
    sessions.push(zk.sessionId);
    assert.equal(sessions[0], sessions[1], 'the session was held');

    const trees: Tree[] = [];
    for (const { present } of places) {
      await using one = await connect(present.address);
      await one.sync('/');
      trees.push(await treeOf(one));
    }
    assert.deepEqual(trees[0], trees[1]);
    assert.deepEqual(trees[0], trees[2]);
    for (const path of acknowledged) assert.ok(trees[0]![path] !== undefined, path);
    assert.ok(trees[0]!['/held'] !== undefined);
  });
});

/**
 * Four-letter words about a server that is full of what they count: 300,000 watches and 100,000 ephemerals. Each answer
 * is complete, whoever pings meanwhile is answered between its pieces, and no word or client that asks one ends or fills
 * the server. The worst ping is printed and not judged: what this machine does besides is in it.
 */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { OpCode } from '../../src/wire/opcodes.ts';
import { fourLetterWord } from '../support/four-letter-word.ts';
import { RawClient } from '../support/raw-client.ts';
import { multi, pathAndBool, setWatches } from '../support/request-bodies.ts';
import { until } from '../support/until.ts';
import { create, EPHEMERAL, ok, PING } from './support/requests.ts';
import type { Server } from './support/server.ts';
import { Workspace } from './support/workspace.ts';

const WATCHERS = 3;
const WATCHES_EACH = 100_000;
const OWNERS = 2;
const EPHEMERALS_EACH = 50_000;
const PER_REQUEST = 10_000;
const MINUTE_MS = 60_000;
/** A ping without a pause would only keep a core busy. */
const PING_PAUSE_MS = 2;

const watched = Array.from({ length: WATCHES_EACH }, (_, i) => `/watched/by/somebody-${i}`);

function ephemeral(owner: number, i: number): string {
  return `/owned-${owner}-${i}`;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return range(Math.ceil(items.length / size)).map((i) => items.slice(i * size, (i + 1) * size));
}

function hex(sessionId: bigint): string {
  return `0x${sessionId.toString(16)}`;
}

/** Pings again and again until `work` is done; gives the longest that one took, in milliseconds. */
async function worstPing(client: RawClient, work: () => Promise<void>): Promise<number> {
  let isDone = false;
  const done = work().finally(() => {
    isDone = true;
  });
  let worst = 0;
  while (!isDone) {
    const start = performance.now();
    await ok(client, PING);
    worst = Math.max(worst, performance.now() - start);
    await setTimeout(PING_PAUSE_MS);
  }
  await done;
  return worst;
}

/** Lines of an answer by the line that they are indented under. */
function grouped(text: string): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  let members = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (line.startsWith('\t')) {
      assert.ok(!members.has(line.slice(1)), `${line} twice`);
      members.add(line.slice(1));
    } else {
      assert.ok(!groups.has(line), `${line} twice`);
      members = new Set();
      groups.set(line, members);
    }
  }
  return groups;
}

for (const threading of ['shared', 'pipeline'] as const) {
  describe(`a server full of watches and ephemerals, ${threading}`, () => {
    let workspace: Workspace;
    let server: Server;
    let pinger: RawClient;
    let watchers: RawClient[];
    let owners: RawClient[];

    before(async () => {
      workspace = new Workspace();
      server = await workspace.start({ threading, settings: { 'jute.maxbuffer': 4_000_000 } });
      const open = () => RawClient.open(server.port, { timeoutMs: 40_000, readOnly: false });
      pinger = await open();
      watchers = await Promise.all(range(WATCHERS).map(open));
      for (const client of watchers) {
        for (const exist of chunks(watched, PER_REQUEST)) {
          await ok(client, {
            op: OpCode.setWatches,
            body: setWatches({ relativeZxid: 0n, data: [], exist, child: [] }),
          });
        }
      }
      owners = await Promise.all(range(OWNERS).map(open));
      for (const [owner, client] of owners.entries()) {
        for (const part of chunks(range(EPHEMERALS_EACH), 2000)) {
          const creates = part.map((i) => create(ephemeral(owner, i), undefined, EPHEMERAL));
          await ok(client, { op: OpCode.multi, body: multi(creates) });
        }
      }
    });

    after(() => workspace.dispose());

    /** The answer to a word, with the worst ping beside it. */
    async function ask(context: TestContext, word: string): Promise<string> {
      let text = '';
      const worst = await worstPing(pinger, async () => {
        text = await fourLetterWord(server.port, word, MINUTE_MS);
      });
      context.diagnostic(`${word}: ${text.length} bytes, worst ping ${worst.toFixed(1)} ms`);
      return text;
    }

    test('wchs: counts', async (context) => {
      assert.equal(
        await ask(context, 'wchs'),
        `${WATCHERS} connections watching ${WATCHES_EACH} paths\nTotal watches:${WATCHERS * WATCHES_EACH}\n`,
      );
    });

    test('wchc: every path of every session', async (context) => {
      const groups = grouped(await ask(context, 'wchc'));
      assert.deepEqual(
        new Set(groups.keys()),
        new Set(watchers.map(({ session }) => hex(session.sessionId))),
      );
      for (const paths of groups.values()) assert.deepEqual(paths, new Set(watched));
    });

    test('wchp: every session of every path', async (context) => {
      const groups = grouped(await ask(context, 'wchp'));
      assert.deepEqual(new Set(groups.keys()), new Set(watched));
      const sessions = new Set(watchers.map(({ session }) => hex(session.sessionId)));
      for (const of of groups.values()) assert.deepEqual(of, sessions);
    });

    test('dump: every ephemeral of every session, all sessions and connections', async (context) => {
      const text = await ask(context, 'dump');
      const sessions = 1 + WATCHERS + OWNERS;
      assert.match(text, new RegExp(`^SessionTracker dump:\nSession Sets \\(\\d+\\)/\\(${sessions}\\):\n`));
      assert.match(text, new RegExp(`\nConnections Sets \\(\\d+\\)/\\(${sessions + 1}\\):\n`));
      const [, dumped] = text.split(`Sessions with Ephemerals (${OWNERS}):\n`);
      const groups = grouped(dumped!.split('Connections dump:')[0]!);
      for (const [owner, { session }] of owners.entries()) {
        const paths = groups.get(`${hex(session.sessionId)}:`);
        assert.deepEqual(paths, new Set(range(EPHEMERALS_EACH).map((i) => ephemeral(owner, i))));
      }
    });

    test('cons, stat, crst: a line for each connection', async (context) => {
      const sessions = 1 + WATCHERS + OWNERS;
      assert.equal((await ask(context, 'cons')).match(/,sid=0x/g)?.length, sessions);
      assert.equal((await ask(context, 'stat')).match(/^ \/127\.0\.0\.1:/gm)?.length, sessions + 1);
      assert.equal(await ask(context, 'crst'), 'Connection stats reset.\n');
    });

    test('mntr, srvr, conf, dirs, envi, hash: all of them', async (context) => {
      const mntr = await ask(context, 'mntr');
      assert.match(mntr, new RegExp(`^zk_watch_count\t${WATCHERS * WATCHES_EACH}$`, 'm'));
      assert.match(mntr, new RegExp(`^zk_ephemerals_count\t${OWNERS * EPHEMERALS_EACH}$`, 'm'));
      assert.match(mntr, /^zk_open_file_descriptor_count\t\d+$/m);
      assert.match(await ask(context, 'srvr'), /Node count: 100005\n$/);
      assert.match(await ask(context, 'conf'), /^dataDirSize=\d+$/m);
      assert.match(await ask(context, 'dirs'), /^datadir_size: \d+\nlogdir_size: \d+\n$/);
      assert.match(await ask(context, 'envi'), /^user\.name=/m);
      assert.match(await ask(context, 'hash'), /^$|^[0-9a-f]+: \d+\n/);
    });

    test('many who ask and do not read: memory is bounded, and whoever reads is answered', async (context) => {
      const before = server.residentMib();
      const deaf = range(8).map(() => askDeaf(server.port, 'wchp'));
      const text = await ask(context, 'wchc');
      assert.equal(grouped(text).size, WATCHERS);
      const grown = server.residentMib() - before;
      for (const socket of deaf) socket.destroy();
      assert.ok(grown < 150, `${grown} MiB`);
      assert.ok((await server.metric('ringkeeper_core_closed_unread_word')) > 0);
    });

    test('askers who leave in the middle are forgotten, while watches come and go', async (context) => {
      for (const word of ['wchc', 'wchp', 'dump', 'cons']) {
        const socket = askDeaf(server.port, word);
        const path = `/comes-${word}`;
        await watchers[0]!.request(OpCode.exists, pathAndBool(path, true));
        await ok(pinger, create(path));
        socket.destroy();
      }
      await until(async () => (await server.metric('num_alive_connections')) === 2 + WATCHERS + OWNERS);
      assert.equal(grouped(await ask(context, 'wchc')).size, WATCHERS);
    });

    test('a directory that cannot be listed: said in the answer, and nothing else is missing', async () => {
      renameSync(workspace.files, `${workspace.files}-away`);
      try {
        assert.match(await fourLetterWord(server.port, 'dirs'), /^datadir_size: unknown \(ENOENT\)\n/);
        assert.match(await fourLetterWord(server.port, 'conf'), /^dataDirSize=unknown \(ENOENT\)\n/m);
        assert.match(await fourLetterWord(server.port, 'mntr'), /^zk_znode_count\t/m);
      } finally {
        renameSync(`${workspace.files}-away`, workspace.files);
      }
      await ok(pinger, PING);
    });
  });
}

/** A client that asks and then reads nothing. */
function askDeaf(port: number, word: string): Socket {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(word);
  return socket;
}

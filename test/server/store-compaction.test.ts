/**
 * Whole servers whose clients' data grows and mostly goes again: a few blocks are left in every page, and the server
 * gives the pages back by itself, without a client noticing, snapshots or not.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LEVEL, LEVEL_SPARE_BYTES } from '../../src/shm/compactor.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { fourLetterWord } from '../support/four-letter-word.ts';
import { RawClient } from '../support/raw-client.ts';
import { create, multi, OPEN_ACL, pathAndBool, pathAndInt } from '../support/request-bodies.ts';
import { ServerProcess } from './support/server-process.ts';

const SIZES = [400, 1200, 3000];
const NODES = 5000;
/** Of as many one is kept. */
const KEPT = 25;
/** Of the kept ones, their index and lists, with some to spare. */
const LIVE_BYTES_MAX = 3 * 1024 * 1024;
const PER_MULTI = 100;
const ASKED_MAX = 1200;
const ASKED_EVERY_MS = 50;

type Sub = { readonly op: number; readonly body: Uint8Array };

let directory: string;
let servers: ServerProcess[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await server.stop('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

function serve(threading: string): ServerProcess {
  const flags = ['--threading', threading, '--set', 'snapCount=200'];
  const server = new ServerProcess(join(directory, 'data'), flags);
  servers.push(server);
  return server;
}

async function storeOf(port: number) {
  const text = await fourLetterWord(port, 'mntr');
  const figure = (name: string): number => {
    const value = new RegExp(`^zk_ringkeeper_store_${name}\\t(\\d+)$`, 'm').exec(text)?.[1];
    assert.ok(value !== undefined, `mntr has no ${name}`);
    return Number(value);
  };
  return {
    live: figure('live_bytes_now'),
    pages: figure('pages_bytes_now'),
    segments: figure('segments_bytes_now'),
    compactions: figure('compactions'),
    moved: figure('compaction_moved_bytes'),
  };
}

type Store = Awaited<ReturnType<typeof storeOf>>;

function levelOf({ live }: Store): number {
  return LEVEL * live + LEVEL_SPARE_BYTES;
}

/** Asks until no snapshot holds what was deleted, the pages are worth what lives in them, and a round has ended. */
async function compacted(port: number): Promise<Store> {
  for (let asked = 0; ; asked++) {
    const store = await storeOf(port);
    assert.ok(store.live <= store.pages && store.pages <= store.segments);
    const { live, pages, compactions } = store;
    if (live <= LIVE_BYTES_MAX && pages <= levelOf(store) && compactions > 0) return store;
    assert.ok(asked < ASKED_MAX, `${store.pages} bytes of pages for ${store.live}`);
    await delay(ASKED_EVERY_MS);
  }
}

async function inMultis(client: RawClient, subs: readonly Sub[]): Promise<void> {
  const count = Math.ceil(subs.length / PER_MULTI);
  for (let i = 0; i < count; i++) {
    client.send(OpCode.multi, multi(subs.slice(i * PER_MULTI, (i + 1) * PER_MULTI)));
  }
  for (let i = 0; i < count; i++) assert.notEqual((await client.reply()).body.int(), OpCode.error);
}

const pathOf = (size: number, n: number): string => `/s${size}/n${n}`;
const dataOf = (size: number, n: number): Uint8Array => new Uint8Array(size).fill(n % 251);

function createOf(path: string, data: Uint8Array): Sub {
  return { op: OpCode.create, body: create({ path, data, acls: OPEN_ACL, flags: 0 }) };
}

async function checkKept(port: number): Promise<void> {
  const client = await RawClient.open(port);
  for (const size of SIZES) {
    for (let n = 0; n < NODES; n += KEPT) {
      const { err, body } = await client.request(OpCode.getData, pathAndBool(pathOf(size, n), false));
      assert.equal(err, 0);
      assert.deepEqual(body.buffer(), dataOf(size, n));
    }
  }
}

for (const threading of ['shared', 'pipeline']) {
  test(`pages come back after sizes have shifted and most znodes have gone (${threading})`, async () => {
    const server = serve(threading);
    const port = await server.ready();
    const client = await RawClient.open(port);
    const numbers = Array.from({ length: NODES }, (_, n) => n);
    let highest = 0;
    for (const size of SIZES) {
      await inMultis(client, [createOf(`/s${size}`, new Uint8Array(0))]);
      await inMultis(
        client,
        numbers.map((n) => createOf(pathOf(size, n), dataOf(size, n))),
      );
      highest = Math.max(highest, (await storeOf(port)).pages);
      const gone = numbers.filter((n) => n % KEPT !== 0);
      await inMultis(
        client,
        gone.map((n) => ({ op: OpCode.delete, body: pathAndInt(pathOf(size, n), -1) })),
      );
    }
    const store = await compacted(port);
    assert.ok(highest > levelOf(store), `${highest} bytes of pages before`);
    assert.ok(store.moved > 0);
    await checkKept(port);
    assert.equal(await server.stop(), 0, server.stderr);
    const again = await serve(threading).ready();
    await checkKept(again);
    assert.match(await fourLetterWord(again, 'mntr'), /^zk_digest_mismatches_count\t0$/m);
  });
}

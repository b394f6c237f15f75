/**
 * Whole servers under a small load, in each threading mode: `mntr` says how much each stage has done, and its figures
 * agree with what was sent and with each other. No figure is compared with a clock.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { COUNTERS, DETAILED_SUMMARIES, SUMMARIES } from '../../src/server/monitor/metrics.ts';
import { CreateFlags, OpCode } from '../../src/wire/opcodes.ts';
import { fourLetterWord } from '../support/four-letter-word.ts';
import { RawClient } from '../support/raw-client.ts';
import { create, OPEN_ACL, pathAndBool } from '../support/request-bodies.ts';
import { until } from '../support/until.ts';
import { ServerProcess } from './support/server-process.ts';

const MODES = [
  { name: 'shared', flags: ['--threading', 'shared'], threads: ['io_core', 'log', 'snapshot'] },
  { name: 'pipeline', flags: ['--threading', 'pipeline'], threads: ['io_0', 'core', 'log', 'snapshot'] },
  {
    name: 'dedicated',
    flags: ['--threading', 'dedicated', '--io-threads', '2'],
    threads: ['io_0', 'io_1', 'core', 'log', 'snapshot'],
  },
] as const;
const CLIENTS = 4;
const NODES_EACH = 30;
const FRAME_LENGTH_BYTES = 4;

let directory: string;
let servers: ServerProcess[];

function makeWorkspace(): void {
  directory = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
  servers = [];
}

async function removeWorkspace(): Promise<void> {
  for (const server of servers) await server.stop('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}

function serve(...flags: readonly string[]): ServerProcess {
  const server = new ServerProcess(join(directory, 'data'), flags);
  servers.push(server);
  return server;
}

class Mntr {
  private readonly values = new Map<string, string>();

  constructor(text: string) {
    for (const line of text.trimEnd().split('\n')) {
      const [key, value] = line.split('\t');
      this.values.set(key!.replace(/^zk_/, ''), value!);
    }
  }

  static async of(port: number): Promise<Mntr> {
    return new Mntr(await fourLetterWord(port, 'mntr'));
  }

  get keys(): string[] {
    return [...this.values.keys()];
  }

  text(key: string): string {
    const value = this.values.get(key);
    assert.ok(value !== undefined, `mntr has no ${key}`);
    return value;
  }

  value(key: string): number {
    const value = Number(this.text(key));
    assert.ok(Number.isFinite(value), `${key} is ${this.text(key)}`);
    return value;
  }

  own(key: string): number {
    return this.value(`ringkeeper_${key}`);
  }
}

/** Io threads other than the one that carries the word publish ten times a second: asks until they have. */
async function mntrWhen(port: number, holds: (mntr: Mntr) => boolean): Promise<Mntr> {
  let mntr = await Mntr.of(port);
  await until(async () => holds(mntr) || holds((mntr = await Mntr.of(port))));
  return mntr;
}

function mntrKnowing(port: number, requests: number): Promise<Mntr> {
  return mntrWhen(port, (mntr) => {
    const known = mntr.own('io_requests');
    assert.ok(known <= requests, `${known} requests of ${requests}`);
    return known === requests;
  });
}

/** Each client creates its nodes, reads each behind its creation, and later reads them again. */
async function load(clients: readonly RawClient[]): Promise<void> {
  await Promise.all(
    clients.map(async (client, c) => {
      const path = (n: number): string => `/c${c}n${n}`;
      const node = (n: number): Uint8Array =>
        create({ path: path(n), data: new Uint8Array(200), acls: OPEN_ACL, flags: 0 });
      for (let n = 0; n < NODES_EACH; n++) {
        client.send(OpCode.create, node(n));
        client.send(OpCode.getData, pathAndBool(path(n), false));
      }
      for (let n = 0; n < 2 * NODES_EACH; n++) assert.equal((await client.reply()).err, 0);
      for (let n = 0; n < NODES_EACH; n++) {
        assert.equal((await client.request(OpCode.getData, pathAndBool(path(n), false))).err, 0);
      }
    }),
  );
}

/** A distribution of times as it is printed: its parts fit together. */
function checkTimes(mntr: Mntr, name: string): void {
  const [p50, p99, max] = ['ms_p50', 'ms_p99', 'ms_max'].map((end) => mntr.own(`${name}_${end}`));
  assert.ok(p50! <= p99! && p99! <= max! && max! <= mntr.own(`${name}_ms`), name);
  assert.equal(mntr.own(`${name}_count`) > 0, max! > 0, name);
}

function checkBatches(mntr: Mntr, batches: string, records: string): void {
  const count = mntr.own(`${batches}_batches`);
  const max = mntr.own(`${batches}_batch_max`);
  const sum = mntr.own(records);
  assert.ok(count > 0 && count <= sum && max <= sum && max * count >= sum, batches);
}

function checkQueue(mntr: Mntr, stage: string, hasRing: boolean): void {
  const capacity = mntr.own(`${stage}_queue_bytes_capacity`);
  const max = mntr.own(`${stage}_queue_bytes_max`);
  assert.equal(capacity > 0, hasRing, stage);
  assert.equal(max > 0, hasRing, stage);
  assert.ok(max <= capacity && mntr.own(`${stage}_queue_bytes_now`) <= capacity, stage);
  assert.equal(mntr.own(`${stage}_queue_full`), 0, stage);
}

for (const mode of MODES) {
  describe(mode.name, () => {
    const writes = CLIENTS * (1 + NODES_EACH);
    const reads = CLIENTS * 2 * NODES_EACH;
    const requests = writes + reads;
    let port: number;
    let clients: RawClient[];

    // One server meets one load; what it says of it is looked at from several sides, and at last cleared.
    before(async () => {
      makeWorkspace();
      port = await serve(...mode.flags).ready();
      clients = await Promise.all(Array.from({ length: CLIENTS }, () => RawClient.open(port)));
      await load(clients);
    });
    after(removeWorkspace);

    test('every request is counted where it passes', async () => {
      const mntr = await mntrKnowing(port, requests);
      assert.equal(mntr.text('ringkeeper_threading'), mode.name);
      for (const key of ['prep_processor_request_queued', 'packets_received', 'cnt_prep_process_time'])
        assert.equal(mntr.value(key), requests, key);
      for (const key of ['commit_count', 'sync_processor_request_queued', 'cnt_updatelatency'])
        assert.equal(mntr.value(key), writes, key);
      for (const key of ['cnt_propagation_latency', 'cnt_commit_process_time', 'cnt_sync_process_time'])
        assert.equal(mntr.value(key), writes, key);
      assert.equal(mntr.value('cnt_readlatency'), reads);
      assert.equal(mntr.own('core_requests'), requests);
      assert.equal(mntr.own('core_commits'), writes);
      assert.equal(mntr.own('log_records'), writes);
      assert.equal(mntr.value('sum_sync_processor_batch_size'), writes);
      assert.equal(mntr.value('sum_prep_processor_queue_size'), requests);
      assert.equal(mntr.value('outstanding_changes_queued'), mntr.value('outstanding_changes_removed'));
      const bytes = mntr.own('io_request_bytes') + FRAME_LENGTH_BYTES * requests;
      assert.equal(mntr.value('bytes_received_count'), bytes);
      assert.ok(mntr.own('log_bytes') > writes * 50);
      assert.equal(mntr.own('snapshot_count'), 1, 'of the new database');
      for (const key of ['snapshottime', 'dbinittime', 'startup_snap_load_time'])
        assert.equal(mntr.value(`cnt_${key}`), 1, key);
    });

    test('batches, queues and times agree with each other', async () => {
      const mntr = await mntrKnowing(port, requests);
      checkBatches(mntr, 'io', 'io_requests');
      checkBatches(mntr, 'core_request', 'core_requests');
      checkBatches(mntr, 'core_commit', 'core_commits');
      checkBatches(mntr, 'log', 'log_records');
      checkQueue(mntr, 'log', true);
      checkQueue(mntr, 'core', mode.name !== 'shared');
      checkQueue(mntr, 'io', mode.name !== 'shared');
      for (const name of [
        'core_read_latency',
        'core_update_latency',
        'core_durable_wait',
        'log_fsync',
        'snapshot',
      ])
        checkTimes(mntr, name);
      const inFlight = mntr.own('core_in_flight_max');
      assert.ok(inFlight > 0 && inFlight <= mntr.own('core_in_flight_capacity'));
      assert.equal(mntr.own('core_in_flight_now'), 0);
      assert.ok(mntr.own('core_turn_ms_max') > 0);
      assert.ok(mntr.own('core_turn_changes_max') > 0);
      assert.ok(mntr.own('log_fsync_count') > mntr.own('log_batches'), 'and one of the new file');
      assert.equal(mntr.value('cnt_fsynctime'), mntr.own('log_fsync_count'));
      assert.ok(mntr.own('core_update_latency_ms') >= mntr.own('core_durable_wait_ms'));
      assert.ok(mntr.own('core_request_ms') > 0 && mntr.own('core_commit_ms') > 0);
      assert.ok(mntr.own('log_write_ms') > 0);
      const ends = ['load', 'max_batch_size', 'flush_delay', 'command'];
      const counts = ends.map((end) => mntr.own(`log_batches_ended_by_${end}`));
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        mntr.own('log_batches'),
      );
      assert.ok(ends.includes(mntr.text('ringkeeper_log_batch_ended_by_now')));
    });

    test('every thread says what it costs', async () => {
      // No snapshot thread yet: the core wrote the first snapshot.
      const started = mode.threads.filter((thread) => thread !== 'snapshot');
      const mntr = await mntrWhen(port, (now) =>
        started.every((thread) => now.own(`thread_${thread}_busy_ms`) > 0),
      );
      const threads = mntr.keys.flatMap((key) => /^ringkeeper_thread_(.+)_busy_ms$/.exec(key)?.[1] ?? []);
      assert.deepEqual(new Set(threads), new Set(mode.threads));
      for (const thread of mode.threads) checkTimes(mntr, `thread_${thread}_gc`);
      for (const thread of started) assert.ok(mntr.own(`thread_${thread}_cpu_ms`) > 0, thread);
      assert.ok(mntr.own('process_cpu_ms') > 0);
    });

    test('srst begins everything anew', async () => {
      await mntrKnowing(port, requests);
      assert.equal(await fourLetterWord(port, 'srst'), 'Server stats reset.\n');
      const empty = await Mntr.of(port);
      for (const name of COUNTERS)
        assert.equal(empty.value(name), name === 'connection_request_count' ? 1 : 0, name);
      for (const name of [...SUMMARIES, ...DETAILED_SUMMARIES]) {
        // The event loops go on sampling themselves.
        if (name !== 'jvm_pause_time_ms') assert.equal(empty.value(`cnt_${name}`), 0, name);
      }
      for (const key of empty.keys) {
        const isStage = /^ringkeeper_(?:io|core|log|snapshot)_/.test(key);
        // The question itself has come through the rings, and the turn of `srst` ends behind it.
        const goesOn = /_(?:now|capacity)$|_(?:io|core)_queue_bytes_max$|_core_turn_ms_max$/.test(key);
        if (isStage && !goesOn) assert.equal(empty.value(key), 0, key);
      }
      const client = clients[0]!;
      for (let n = 0; n < 10; n++) {
        const fields = { path: `/after${n}`, data: null, acls: OPEN_ACL, flags: 0 };
        assert.equal((await client.request(OpCode.create, create(fields))).err, 0);
      }
      const again = await mntrKnowing(port, 10);
      assert.deepEqual([again.own('log_records'), again.own('core_commits')], [10, 10]);
      assert.equal(again.value('cnt_updatelatency'), 10);
      assert.equal(again.value('cnt_readlatency'), 0);
      assert.equal(again.own('log_fsync_count'), again.own('log_batches'));
      checkTimes(again, 'log_fsync');
      checkBatches(again, 'log', 'log_records');
      checkBatches(again, 'io', 'io_requests');
    });
  });
}

describe('a server of its own', () => {
  beforeEach(makeWorkspace);
  afterEach(removeWorkspace);

  test('a snapshot of the running server is counted with its size and its thread', async () => {
    const server = serve('--set', 'snapCount=50', '--set', 'preAllocSize=64');
    const port = await server.ready();
    await load([await RawClient.open(port), await RawClient.open(port)]);
    await server.logged(/snapshot snapshot\.[1-9a-f][0-9a-f]* written/);
    // That one may be of a moment at which there was little, and be the last of this load: more is written until another comes.
    const client = await RawClient.open(port);
    const more = { path: '/more-', data: null, acls: OPEN_ACL, flags: CreateFlags.persistentSequential };
    let mntr = await Mntr.of(port);
    while (mntr.own('snapshot_nodes') <= 20) {
      await client.request(OpCode.create, create(more));
      mntr = await Mntr.of(port);
    }
    assert.ok(mntr.own('snapshot_count') >= 2);
    assert.equal(mntr.value('cnt_snapshottime'), mntr.own('snapshot_count'));
    assert.ok(mntr.own('snapshot_bytes') > 20 * 200);
    assert.ok(mntr.own('thread_snapshot_busy_ms') > 0);
    assert.ok(mntr.own('thread_snapshot_cpu_ms') > 0);
    checkTimes(mntr, 'snapshot');
  });

  test('refused and lost connections are counted', async () => {
    const port = await serve('--set', 'maxClientCnxns=1').ready();
    const first = await RawClient.open(port);
    await assert.rejects(RawClient.open(port), /closed the connection/);
    first.destroy();
    // The place becomes free when the server has seen the end.
    let text = '';
    while (text === '') text = await fourLetterWord(port, 'mntr').catch(() => '');
    const mntr = new Mntr(text);
    assert.ok(mntr.value('connection_rejected') >= 1);
    assert.equal(mntr.value('connection_drop_count'), 1);
  });

  test('a connection that fills its window is seen to pause', async () => {
    const port = await serve('--set', 'ringkeeper.connectionWindowRequests=2').ready();
    await load([await RawClient.open(port)]);
    assert.ok((await Mntr.of(port)).own('io_pauses_window') > 0);
  });
});

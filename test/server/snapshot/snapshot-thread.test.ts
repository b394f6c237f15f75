/**
 * The real thread of jobs walks the shared segments while the core goes on writing: each file holds the tree of the
 * moment it was asked for, as a copy taken at that moment shows.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { Prng } from '../../../src/base/prng.ts';
import type { JobReport, JobSetup } from '../../../src/server/jobs/jobs.ts';
import { createSnapshotLink } from '../../../src/server/snapshot/snapshot-link.ts';
import type { SnapshotJob } from '../../../src/server/snapshot/write-snapshot.ts';
import { createBell } from '../../../src/shm/bell.ts';
import { listSnapshots } from '../../../src/storage/data-files.ts';
import { NodeDisk } from '../../../src/storage/node-disk.ts';
import { readSnapshot } from '../../../src/storage/snapshot-reader.ts';
import { ReplicaHarness } from '../../core/support/replica-harness.ts';
import { create, ephemeral, multi, remove, setData } from '../../core/support/requests.ts';
import {
  checkQuiet,
  type DumpedNode,
  digestOf,
  dumpSessions,
  dumpTree,
} from '../../core/support/tree-dump.ts';
import { SnapshotCollector } from '../../storage/support/collect.ts';
import { decodeAcls, decodeStat } from '../../storage/support/txn-decoder.ts';

const ENTRY = fileURLToPath(new URL('../../../src/server/platform/job-worker.ts', import.meta.url));
const NODES = 10_000;
const ROUNDS = 6;
const COMPRESSIONS = ['', '.gz', '.snappy'] as const;

let directory: string;
let pool: Piscina;

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
  const setup: JobSetup = { link: createSnapshotLink(createBell()), wakeByMessage: false };
  pool = new Piscina({ filename: ENTRY, workerData: setup, maxThreads: 1 });
});

after(async () => {
  await pool.destroy();
  rmSync(directory, { recursive: true });
});

/** Starts the snapshot; the promise settles when its file is complete. */
function write(job: SnapshotJob): Promise<JobReport> {
  return pool.run(job, { name: 'snapshot' });
}

/** The file's nodes in the form of `dumpTree`, and its sessions. */
function readBack(name: string): {
  nodes: Map<string, Omit<DumpedNode, 'children'>>;
  sink: SnapshotCollector;
} {
  const disk = new NodeDisk();
  const file = listSnapshots(disk, directory).find((candidate) => candidate.name === name)!;
  const sink = new SnapshotCollector();
  readSnapshot(disk, directory, file, sink, { onWarning: (warning) => assert.fail(warning) });
  const acls = new Map(sink.acls.map(({ aclId, vector }) => [aclId, decodeAcls(vector)]));
  const nodes = sink.nodes.map(({ path, data, aclId, stat }): [string, Omit<DumpedNode, 'children'>] => {
    const { ephemeralOwner, czxid, mzxid, pzxid, ...rest } = decodeStat(stat) as Record<string, never>;
    const zxids = { czxid: Number(czxid), mzxid: Number(mzxid), pzxid: Number(pzxid) };
    const acl = aclId === -1 ? [{ perms: 31, scheme: 'world', id: 'anyone' }] : acls.get(aclId);
    const owner = BigInt.asIntN(64, BigInt(ephemeralOwner));
    return [path, { ...(rest as object), ...zxids, data, acl, owner } as never];
  });
  return { nodes: new Map(nodes), sink };
}

test('each file is the tree of its moment, while thousands of writes go on', async () => {
  const harness = new ReplicaHarness();
  const prng = new Prng(1);
  const clients = [harness.connect(), harness.connect()];
  const acl = [
    { perms: 31, scheme: 'world', id: 'anyone' },
    { perms: 1, scheme: 'ip', id: '10.0.0.1' },
  ];
  for (let i = 0; i < NODES; i += 100) {
    clients[0]!.send(
      create(`/p${i}`, 'parent', 0, acl),
      multi(...Array.from({ length: 99 }, (_, n) => create(`/p${i}/n${n}`, `${i + n}`))),
    );
  }
  harness.settle();
  let writes = 0;
  const change = (): void => {
    const client = prng.pick(clients);
    const parent = `/p${100 * prng.below(NODES / 100)}`;
    const path = `${parent}/n${prng.below(120)}`;
    const name = `x`.repeat(prng.below(300));
    client.send(prng.pick([setData(path, name), remove(path), create(path, name), ephemeral(path, name)]));
    writes++;
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < 50; i++) change();
    harness.settle();
    for (const client of clients) client.take();
    const request = harness.replica.beginSnapshot();
    const moment = dumpTree(harness.parts);
    const sessions = dumpSessions(harness.parts);
    const digest = digestOf(harness.parts.tree.committed);
    const writesBefore = writes;
    const compression = COMPRESSIONS[round % 3]!;
    let written: JobReport | null = null;
    void write({ request, directory, compression, digestEnabled: true }).then((message) => {
      written = message;
    });
    // However fast the thread is: this many come before its answer can be looked at.
    for (let i = 0; i < 100; i++) change();
    do {
      for (let i = 0; i < 20; i++) change();
      harness.durable();
      await new Promise((resolve) => setImmediate(resolve));
    } while (written === null);
    harness.replica.endSnapshot();
    const message = written as JobReport;
    assert.ok(message.type === 'written', JSON.stringify(message));
    assert.ok(writes - writesBefore > 100, `${writes - writesBefore} writes meanwhile`);
    assert.equal(message.nodes, moment.size);
    const { nodes, sink } = readBack(message.name);
    const expected = [...moment].map(([path, { children: _children, ...node }]) => [path, node] as const);
    assert.deepEqual(nodes, new Map(expected));
    assert.deepEqual(
      sink.sessions.map(({ id, timeoutMs }) => [id, timeoutMs]).sort(),
      [...sessions].map(([id, { timeoutMs }]) => [id, timeoutMs]).sort(),
    );
    assert.deepEqual(sink.digest, { zxid: request.zxid[0]!, version: 2, digest });
    harness.settle();
    checkQuiet(harness.parts);
  }
});

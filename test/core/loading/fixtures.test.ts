/** Data directories of Apache 3.8.0 restore to exactly what an independent decoder made of them. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { Loader } from '../../../src/core/loading/loader.ts';
import { listSnapshots } from '../../../src/storage/data-files.ts';
import { readTxnlog } from '../../../src/storage/txnlog-reader.ts';
import { type CollectedTxn, TxnCollector } from '../../storage/support/collect.ts';
import type { MemoryDisk } from '../../storage/support/memory-disk.ts';
import { hexId } from '../../storage/support/txn-decoder.ts';
import { copyOf, DIRS, restored } from '../support/data-directory.ts';
import { checkQuiet, digestOf, dumpSessions, dumpTree } from '../support/tree-dump.ts';

interface ExpectedNode {
  readonly dataHex: string | null;
  readonly acl: readonly { perms: number; scheme: string; id: string }[] | null;
  readonly stat: Readonly<Record<string, string | number>>;
}

interface Expected {
  readonly restored: {
    readonly fromSnapshot: string;
    readonly lastZxid: string;
    readonly sessions: Readonly<Record<string, number>>;
    readonly treeDigest: string;
    readonly nodes: Readonly<Record<string, ExpectedNode>>;
  };
}

const ROOT = join(import.meta.dirname, '../../fixtures/apache-3.8.0');
/** The decoder does not follow quota statistics; the README of the fixtures gives Apache's values. */
const STATS_PATH = '/zookeeper/quota/c2/zookeeper_stats';
/** snapshot.3 names a zxid whose successor it contains already: one mismatch, as in Apache. */
const RACING_SNAPSHOT = 'snapshot.3';

for (const found of globSync('**/expected.json', { cwd: ROOT }).sort()) {
  const directory = join(ROOT, dirname(found), 'version-2');
  const expected = (JSON.parse(readFileSync(join(ROOT, found), 'utf8')) as Expected).restored;

  suite(dirname(found), () => {
    test('sessions, znodes, ACLs, Stat fields and digest', () => {
      const { harness, recovery, warnings } = restored(copyOf(directory));
      const { parts } = harness;
      assert.equal(hexId(BigInt(recovery.lastZxid)), expected.lastZxid);
      assert.deepEqual(warnings, []);
      const nodes = [...dumpTree(parts)].map(([path, node]) => {
        const { data, acl, children: _children, ...stat } = node;
        return [path, { dataHex: data, acl, ...stat }] as const;
      });
      assert.deepEqual(
        new Map(nodes),
        new Map(Object.entries(expected.nodes).map(([path, node]) => [path, valuesOf(path, node)])),
      );
      const sessions = [...dumpSessions(parts)].map(([id, { timeoutMs }]) => [hexId(id), timeoutMs]);
      assert.deepEqual(Object.fromEntries(sessions), expected.sessions);
      assert.equal(String(digestOf(parts.tree.committed)), expected.treeDigest);
      checkQuiet(parts);
    });

    // A server of an ensemble may have got a snapshot in place of log records that it never saw.
    if (!found.startsWith('standalone')) return;

    test('from any snapshot alone, and the rest of the log, the same', () => {
      const whole = restored(copyOf(directory)).harness.parts;
      for (const { name } of listSnapshots(copyOf(directory), DIRS.snapshotDirectory)) {
        const disk = copyOf(directory, (file) => !file.startsWith('snapshot.') || file === name);
        const { harness, warnings } = restored(disk);
        assert.deepEqual(dumpTree(harness.parts), dumpTree(whole), name);
        assert.deepEqual(dumpSessions(harness.parts), dumpSessions(whole), name);
        if (name === RACING_SNAPSHOT)
          assert.match(warnings.join(), /digest differs .*"records":1,"firstZxid":"0x3"/);
        else assert.deepEqual(warnings, [], name);
      }
    });

    test('replaying any tail of the log once more changes nothing', () => {
      const disk = copyOf(directory);
      const txns = txnsOf(disk);
      const { parts } = restored(disk).harness;
      const before = [dumpTree(parts), dumpSessions(parts), digestOf(parts.tree.committed)];
      for (let from = txns.length - 1; from >= 0; from--) {
        const loader = new Loader(parts);
        for (const { payload } of txns.slice(from)) {
          loader.replay.apply(payload, new DataView(payload.buffer), 0, payload.length);
        }
        loader.replay.finish();
        const after = [dumpTree(parts), dumpSessions(parts), digestOf(parts.tree.committed)];
        assert.deepEqual(after, before, `from zxid 0x${txns[from]!.zxid.toString(16)}`);
      }
      checkQuiet(parts);
    });
  });
}

function txnsOf(disk: MemoryDisk): readonly CollectedTxn[] {
  const sink = new TxnCollector();
  readTxnlog(disk, DIRS.logDirectory, 0, sink, {
    onWarning: (warning) => assert.fail(warning),
    acceptMissingRecords: false,
  });
  return sink.txns;
}

function valuesOf(path: string, { dataHex, acl, stat }: ExpectedNode): Record<string, unknown> {
  const { ephemeralOwner, ...rest } = stat;
  const values = Object.entries(rest).map(([key, value]) => [key, Number(value)]);
  return {
    ...Object.fromEntries(values),
    dataHex: path === STATS_PATH ? Buffer.from('count=2,bytes=8').toString('hex') : dataHex,
    // The root of the decoder has no ACL: Apache's has the open one.
    acl: acl ?? [{ perms: 31, scheme: 'world', id: 'anyone' }],
    owner: BigInt.asIntN(64, BigInt(ephemeralOwner!)),
  };
}

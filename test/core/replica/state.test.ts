/** What writes do to the tree beyond the obvious: rollback, quotas, containers, ACLs of events, large data. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Acl } from '../../../src/wire/acl.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import type { MultiSubRequest } from '../../../src/wire/request-values.ts';
import { type Connection, ReplicaHarness } from '../support/replica-harness.ts';
import {
  addWatch,
  auth,
  CLOSE,
  check,
  container,
  create,
  ephemeral,
  exists,
  getChildren,
  getData,
  multi,
  remove,
  sequential,
  setAcl,
  setData,
  text,
  ttlNode,
} from '../support/requests.ts';
import { checkQuiet, digestOf, dumpTree } from '../support/tree-dump.ts';

/** Closed to nobody, but not the open ACL: it is counted. */
const COUNTED: readonly Acl[] = [
  { perms: 31, scheme: 'world', id: 'anyone' },
  { perms: 1, scheme: 'ip', id: '10.0.0.1' },
];
const ALICE: readonly Acl[] = [{ perms: 31, scheme: 'digest', id: 'alice:aYXlLOpEooaV1cRAvUL1fp9Qt7E=' }];

function dataOf(c: Connection, path: string): string {
  const data = c.ok(getData(path)).data;
  return new TextDecoder().decode(data ?? new Uint8Array(0));
}

test('a fresh tree has the digest of Apache', () => {
  const h = new ReplicaHarness();
  assert.equal(digestOf(h.parts.tree.committed), 1371985504n);
  checkQuiet(h.parts);
});

describe('a multi that fails', () => {
  const STEPS: readonly MultiSubRequest[] = [
    create('/m'),
    sequential('/m/s-'),
    ephemeral('/m/e'),
    create('/m/acl', 'x', 0, COUNTED),
    setData('/a', 'changed'),
    remove('/e'),
    ephemeral('/e'),
    remove('/gone'),
    create('/gone', 'again', 0, COUNTED),
    setData('/gone', 'and again'),
  ];

  test('leaves nothing behind, wherever it fails', () => {
    for (let at = 0; at <= STEPS.length; at++) {
      const h = new ReplicaHarness();
      const c = h.connect();
      c.ok(create('/a', 'x'));
      c.ok(ephemeral('/e'));
      c.ok(create('/gone', 'x', 0, ALICE.concat(COUNTED)));
      c.ok(create('/m0'));
      h.settle();
      const { tree } = h.parts;
      const before = {
        dump: dumpTree(h.parts),
        digest: digestOf(tree.committed),
        bytes: tree.arena.usedBytes,
      };
      const failing = multi(...STEPS.slice(0, at), check('/none'), create('/never'));
      const { results } = c.ok(failing);
      const ids = tree.nodes.idEnd;
      assert.deepEqual(
        results.map((result) => result.op === OpCode.error && result.err),
        [...new Array(at).fill(0), -101, -2],
      );
      assert.deepEqual(dumpTree(h.parts), before.dump);
      assert.equal(digestOf(tree.committed), before.digest);
      assert.equal(tree.arena.usedBytes, before.bytes);
      checkQuiet(h.parts);
      // What it had taken is free again: ids, sequence numbers, ephemerals, ACLs.
      c.ok(failing);
      assert.equal(tree.nodes.idEnd, ids);
      c.ok(create('/m'));
      assert.equal(c.ok(sequential('/m/s-')).path, '/m/s-0000000000');
      assert.equal(c.call(CLOSE).err, 0);
      assert.ok(!dumpTree(h.parts).has('/e'), 'an ephemeral made anew in vain is still its own');
      checkQuiet(h.parts);
    }
  });

  test('or finds no room in the log, is made anew later', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.ok(create('/a', 'x'));
    c.ok(ephemeral('/e'));
    c.ok(create('/gone', 'x'));
    h.log.room = 0;
    c.send(multi(...STEPS), create('/after'), sequential('/s-'));
    for (let i = 0; i < 5; i++) h.settle();
    const bytes = h.parts.tree.arena.usedBytes;
    h.settle();
    assert.equal(h.parts.tree.arena.usedBytes, bytes, 'an attempt leaves nothing');
    h.log.room = Number.POSITIVE_INFINITY;
    h.settle();
    const [reply] = c.replies();
    assert.ok(reply?.response?.op === OpCode.multi);
    assert.deepEqual(
      reply.response.results.map((result) => result.op),
      [1, 1, 1, 1, 5, 2, 1, 2, 1, 5],
    );
    checkQuiet(h.parts);
  });

  test('sees its own earlier steps, and later requests see it before it is durable', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.send(
      multi(create('/p'), create('/p/c'), remove('/p/c'), setData('/p', 'x'), check('/p', 1)),
      setData('/p', 'y', 1),
      remove('/p', 2),
      remove('/p'),
    );
    h.settle();
    assert.deepEqual(
      c.replies().map((reply) => reply.err),
      [0, 0, 0, -101],
    );
    checkQuiet(h.parts);
  });
});

describe('quotas', () => {
  function withQuota(limits: string): { h: ReplicaHarness; c: Connection } {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.ok(create('/q', '12345'));
    c.ok(create('/zookeeper/quota/q'));
    c.ok(create('/zookeeper/quota/q/zookeeper_limits', limits));
    c.ok(create('/zookeeper/quota/q/zookeeper_stats', ''));
    return { h, c };
  }
  const STATS = '/zookeeper/quota/q/zookeeper_stats';

  test('the stats node follows every write, without version, zxid or event', () => {
    const { h, c } = withQuota('count=10,bytes=1000');
    assert.equal(dataOf(c, STATS), 'count=1,bytes=5');
    const { mzxid } = c.ok(exists(STATS, true)).stat;
    c.ok(create('/q/a', '123'));
    assert.equal(dataOf(c, STATS), 'count=2,bytes=8');
    c.ok(setData('/q/a', '1'));
    assert.equal(dataOf(c, STATS), 'count=2,bytes=6');
    c.ok(create('/q/a/b', null));
    c.ok(remove('/q/a/b'));
    c.ok(remove('/q/a'));
    assert.equal(dataOf(c, STATS), 'count=1,bytes=5');
    const { stat } = c.ok(exists(STATS));
    assert.deepEqual([stat.mzxid, stat.version, stat.dataLength], [mzxid, 0, 15]);
    assert.deepEqual(c.transcript(), []);
    checkQuiet(h.parts);
  });

  test('hard limits are kept, soft ones only counted', () => {
    const { h, c } = withQuota('count=1,bytes=5=;byteHardLimit=8;countHardLimit=2');
    assert.equal(c.call(create('/q/a', '123')).err, 0, 'over the soft limits');
    assert.equal(c.call(create('/q/b', '')).err, -125, 'count');
    assert.equal(c.call(setData('/q/a', '1234')).err, -125, 'bytes');
    assert.equal(c.call(setData('/q/a', '1')).err, 0);
    assert.equal(c.call(remove('/q/a')).err, 0);
    assert.equal(c.call(create('/elsewhere', '123456789')).err, 0);
    const lax = new ReplicaHarness({ enforceQuota: false });
    const d = lax.connect();
    d.ok(create('/q'));
    d.ok(create('/zookeeper/quota/q'));
    d.ok(create('/zookeeper/quota/q/zookeeper_limits', 'count=1,bytes=1=;byteHardLimit=1;countHardLimit=1'));
    d.ok(create('/zookeeper/quota/q/zookeeper_stats', ''));
    assert.equal(d.call(create('/q/a', '123456')).err, 0);
    checkQuiet(h.parts);
    checkQuiet(lax.parts);
  });

  test('a limits node that goes ends it', () => {
    const { c } = withQuota('count=1,bytes=5=;byteHardLimit=5;countHardLimit=1');
    assert.equal(c.call(create('/q/a', '')).err, -125);
    c.ok(remove('/zookeeper/quota/q/zookeeper_limits'));
    assert.equal(c.call(create('/q/a', '')).err, 0);
  });
});

describe('containers and TTL nodes', () => {
  test('go when they have outlived their use, with the events of a delete', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.ok(container('/unused'));
    c.ok(container('/used'));
    c.ok(create('/used/kid'));
    c.ok(container('/busy'));
    c.ok(create('/busy/kid'));
    c.ok(ttlNode('/short', 5000));
    c.ok(ttlNode('/long', 3_600_000));
    c.ok(ttlNode('/parent', 5000));
    c.ok(create('/parent/kid'));
    c.ok(remove('/used/kid'));
    c.ok(getChildren('/', true));
    for (let i = 0; i < 13; i++) {
      h.pass(10_000);
      c.send(getData('/'));
      h.settle();
    }
    assert.deepEqual(
      [...dumpTree(h.parts).keys()].filter((path) => path !== '' && !path.startsWith('/zookeeper')),
      ['/busy', '/busy/kid', '/long', '/parent', '/parent/kid', '/unused'],
    );
    assert.equal(c.take().filter((message) => message.kind === 'event').length, 1);
    c.ok(remove('/parent/kid'));
    h.pass(70_000, 10_000);
    h.settle();
    assert.ok(!dumpTree(h.parts).has('/parent'));
    checkQuiet(h.parts);
  });

  test('show clients no owner', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    for (const request of [container('/c'), ttlNode('/t', 1000)]) {
      assert.equal(c.ok(request).stat.ephemeralOwner, 0n);
    }
    assert.equal(c.ok(exists('/t')).stat.ephemeralOwner, 0n);
    assert.equal(dumpTree(h.parts).get('/c')?.owner, -(2n ** 63n));
    assert.equal(dumpTree(h.parts).get('/t')?.owner, BigInt.asIntN(64, 0xff000000000003e8n));
  });

  test('TTL without extended types is not implemented', () => {
    const h = new ReplicaHarness({ extendedTypesEnabled: false });
    const c = h.connect();
    assert.equal(c.call(ttlNode('/t', 1000)).err, -6);
    assert.equal(c.call(container('/c')).err, 0);
  });
});

describe('who may hear of an event', () => {
  test('the READ permission at the moment of the event decides; a watch is consumed all the same', () => {
    const h = new ReplicaHarness();
    const [alice, eve] = [h.connect(), h.connect()];
    alice.ok(auth('digest', 'alice:secret'));
    alice.ok(create('/open'));
    for (const c of [alice, eve]) {
      c.ok(addWatch('/', 1));
      assert.equal(c.call(exists('/secret', true)).err, -101);
      c.ok(getData('/open', true));
      c.take();
    }
    alice.send(create('/secret', '', 0, ALICE), setData('/secret', 'x'));
    alice.send(setAcl('/open', ALICE), setData('/open', 'x'), remove('/open'));
    h.settle();
    assert.deepEqual(
      alice
        .take()
        .flatMap((message) => (message.kind === 'event' ? [`${message.type}:${message.path}`] : [])),
      ['1:/secret', '3:/secret', '3:/open', '2:/open'],
    );
    assert.deepEqual(eve.take(), []);
    eve.ok(auth('digest', 'alice:secret'));
    alice.ok(setData('/secret', 'y'));
    assert.deepEqual(
      eve.transcript(),
      ['3:/secret'],
      'the permanent watch stays; what counts is who she is now',
    );
    checkQuiet(h.parts);
  });

  test('reads, and ACLs that hold no more references, come and go', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    for (let i = 0; i < 20; i++) {
      c.ok(
        create('/n', '', 0, [
          { perms: 31, scheme: 'world', id: 'anyone' },
          { perms: i, scheme: 'ip', id: '10.0.0.1' },
        ]),
      );
      c.ok(
        setAcl('/n', [
          { perms: 31, scheme: 'world', id: 'anyone' },
          { perms: 1, scheme: 'ip', id: `10.0.0.${i}` },
        ]),
      );
      c.ok(remove('/n'));
    }
    checkQuiet(h.parts);
    assert.ok(h.parts.acls['entries'].length < 6, 'ids are used again');
  });
});

describe('large and odd data', () => {
  test('data of any size comes back as it was, null included', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    for (const size of [0, 1, 15, 16, 65_400, 65_535, 65_536, 65_537, 131_072, 1_000_000]) {
      const data = new Uint8Array(size).map((_, i) => i % 251);
      c.ok(create('/n', data));
      assert.deepEqual(c.ok(getData('/n')).data, data);
      c.ok(setData('/n', null));
      assert.equal(c.ok(getData('/n')).data, null);
      c.ok(setData('/n', data));
      const stat = c.ok(exists('/n')).stat;
      assert.deepEqual([stat.dataLength, stat.version], [size, 2]);
      c.ok(remove('/n'));
    }
    checkQuiet(h.parts);
  });

  test('a path of 60,000 bytes, and one of many components', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    const long = `/${'x'.repeat(70_000)}`;
    c.ok(getChildren('/', true));
    c.ok(addWatch(long));
    assert.equal(c.ok(create(long, 'data')).path, long);
    assert.equal(dataOf(c, long), 'data');
    let deep = '';
    for (let i = 0; i < 200; i++) c.ok(create((deep += `/${i}`)));
    c.ok(remove(deep));
    c.ok(remove(long));
    checkQuiet(h.parts);
    assert.equal(text(deep).length, deep.length);
  });

  test('deleting everything gives back what it took', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    const { arena, index } = h.parts.tree;
    const indexed = (): number => index['offsets'].reduce((sum, offset) => sum + arena.sizeOf(offset), 0);
    const base = arena.usedBytes - indexed();
    const paths: string[] = [];
    for (let i = 0; i < 2000; i++) {
      const parent = i % 10 === 0 ? '' : paths[Math.floor(i / 10) * 10]!;
      paths.push(`${parent}/n${i}`);
      c.send(create(paths[i]!, new Uint8Array(i)));
      if (i % 3 === 0) c.send(setData(paths[i]!, new Uint8Array(2 * i)));
    }
    h.settle();
    for (const path of paths.toReversed()) c.send(remove(path));
    h.settle();
    assert.equal(
      c.replies().every((reply) => reply.err === 0),
      true,
    );
    // The root's child list keeps some room, once it had many.
    assert.ok(arena.usedBytes - indexed() - base <= 64, `${arena.usedBytes - indexed() - base} bytes more`);
    assert.equal(h.parts.tree.nodeCount, 4);
    checkQuiet(h.parts);
  });
});

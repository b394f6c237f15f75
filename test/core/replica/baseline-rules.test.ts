/**
 * Rules of Apache 3.8.0 that no document states and only the differential test (test/compat) brought to light. Each
 * was once broken here; the seeds that found them need an Apache to run, these do not.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ownerKind } from '../../../src/core/tree/record.ts';
import { OPEN_ACL } from '../../../src/wire/acl.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { AddWatchMode, CreateFlags, OpCode, WatcherType } from '../../../src/wire/opcodes.ts';
import type { MultiSubRequest, Request } from '../../../src/wire/request-values.ts';
import { type Connection, ReplicaHarness } from '../support/replica-harness.ts';

const { badArguments, invalidAcl, marshallingError, noNode, noWatcher, ok, runtimeInconsistency } = ErrorCode;

function create(path: string | null, flags: number = CreateFlags.persistent): MultiSubRequest {
  return { op: OpCode.create, path, data: null, acl: OPEN_ACL, flags };
}

function results(client: Connection, ...subs: MultiSubRequest[]): number[] {
  const { response } = client.call({ op: OpCode.multi, subs });
  assert.ok(response !== null && 'results' in response);
  return response.results.map((result) => ('err' in result ? result.err : ok));
}

suite('a null path', () => {
  const cases: readonly (readonly [what: string, request: Request, err: number])[] = [
    ['create', create(null), marshallingError],
    ['create with flags of no mode', create(null, 7), badArguments],
    ['delete', { op: OpCode.delete, path: null, version: -1 }, marshallingError],
    ['setData', { op: OpCode.setData, path: null, data: null, version: -1 }, badArguments],
    ['setAcl', { op: OpCode.setAcl, path: null, acl: OPEN_ACL, version: -1 }, badArguments],
    ['getAcl', { op: OpCode.getAcl, path: null }, marshallingError],
    ['checkWatches', { op: OpCode.checkWatches, path: null, mode: WatcherType.any }, marshallingError],
    ['removeWatches', { op: OpCode.removeWatches, path: null, mode: WatcherType.any }, noWatcher],
    ['multi', { op: OpCode.multi, subs: [create('/a'), create(null)] }, marshallingError],
    [
      'multiRead',
      { op: OpCode.multiRead, subs: [{ op: OpCode.getData, path: null, watch: false }] },
      marshallingError,
    ],
  ];
  for (const [what, request, err] of cases) {
    test(`${what} answers ${err}`, () => {
      const client = new ReplicaHarness().connect();
      assert.equal(client.call(request).err, err);
      assert.equal(client.call({ op: OpCode.exists, path: '/a', watch: false }).err, noNode);
    });
  }

  test('among the paths of setWatches refuses all of them', () => {
    const harness = new ReplicaHarness();
    const client = harness.connect();
    // The type says that clients do not send it; the bytes can.
    const paths = ['/', null as unknown as string];
    const lists = { data: ['/'], exist: [], child: paths };
    assert.equal(client.call({ op: OpCode.setWatches, relativeZxid: 100, ...lists }).err, marshallingError);
    assert.equal(harness.parts.watches.watchCount, 0);
  });
});

suite('inside multi', () => {
  test('flags of no mode fail their own operation', () => {
    const client = new ReplicaHarness().connect();
    assert.deepEqual(results(client, create('/a'), create('/b', 7), create('/c')), [
      ok,
      badArguments,
      runtimeInconsistency,
    ]);
  });

  // go-zookeeper and the C client send flags in a multi as they get them, Java and the C client null texts.
  const unreadable: readonly (readonly [what: string, sub: MultiSubRequest])[] = [
    ['the flags of a TTL node without a ttl', create('/b', CreateFlags.persistentTtl)],
    ['the same, sequential', create('/b', CreateFlags.persistentSequentialTtl)],
    [
      'a null id in an ACL',
      {
        op: OpCode.create,
        path: '/b',
        data: null,
        acl: [{ perms: 31, scheme: 'world', id: null as unknown as string }],
        flags: 0,
      },
    ],
  ];
  for (const [what, sub] of unreadable) {
    test(`${what}: MARSHALLINGERROR for the whole, only when it is reached, and nothing stays of it`, () => {
      const harness = new ReplicaHarness({ extendedTypesEnabled: true });
      const client = harness.connect();
      const { tree } = harness.parts;
      const state = () => [tree.nodeCount, tree.committed.low, tree.staging.digest.low];
      const before = state();
      const { err, response } = client.call({ op: OpCode.multi, subs: [create('/a'), sub] });
      assert.equal(err, marshallingError);
      assert.equal(response, null);
      assert.deepEqual(state(), before);
      assert.deepEqual(results(client, create('/no/parent'), sub), [noNode, runtimeInconsistency]);
      assert.deepEqual(results(client, create('/a'), create('/a/x')), [ok, ok]);
    });
  }

  test('a null ACL fails its own operation, and only when it is reached', () => {
    const client = new ReplicaHarness().connect();
    const nullAcl: MultiSubRequest = { op: OpCode.create, path: '/a', data: null, acl: null, flags: 0 };
    assert.deepEqual(results(client, nullAcl), [invalidAcl]);
    assert.deepEqual(results(client, create('/no/parent'), nullAcl), [noNode, runtimeInconsistency]);
  });
});

test('getEphemerals trims control characters off its prefix before it looks for the root', () => {
  const client = new ReplicaHarness().connect();
  client.ok({ op: OpCode.create, path: '/e', data: null, acl: OPEN_ACL, flags: CreateFlags.ephemeral });
  for (const path of [null, '', '/', ' ', '/\u0001', '\u0000/ ']) {
    assert.deepEqual(client.ok({ op: OpCode.getEphemerals, path }).paths, ['/e'], JSON.stringify(path));
  }
  assert.deepEqual(client.ok({ op: OpCode.getEphemerals, path: '/ /' }).paths, []);
});

test('an ephemeral that a failed multi deleted and created anew still ends with its session', () => {
  const harness = new ReplicaHarness();
  const client = harness.connect();
  client.ok({ op: OpCode.create, path: '/e', data: null, acl: OPEN_ACL, flags: CreateFlags.ephemeral });
  const subs: MultiSubRequest[] = [
    { op: OpCode.delete, path: '/e', version: -1 },
    create('/e', CreateFlags.ephemeral),
    { op: OpCode.check, path: '/missing', version: -1 },
  ];
  assert.deepEqual(results(client, ...subs), [ok, ok, noNode]);
  assert.deepEqual(client.ok({ op: OpCode.getEphemerals, path: '/' }).paths, ['/e']);

  client.ok({ op: OpCode.closeSession });
  const other = harness.connect();
  assert.equal(other.call({ op: OpCode.exists, path: '/e', watch: false }).err, noNode);
});

suite('create flags that do not fit the opcode', () => {
  const kindOf = (harness: ReplicaHarness, path: string): string => {
    const { tree } = harness.parts;
    const bytes = new TextEncoder().encode(path);
    const node = tree.cursor();
    node.moveTo(tree.committedOf(tree.find(bytes, 0, bytes.length, tree.hash.of(bytes, 0, bytes.length))));
    return ownerKind(node.ownerHigh, node.ownerLow, true);
  };
  const cases: readonly (readonly [
    op: typeof OpCode.create | typeof OpCode.createContainer,
    flags: number,
    alone: string,
    inMulti: string,
  ])[] = [
    [OpCode.create, CreateFlags.container, 'persistent', 'container'],
    [OpCode.createContainer, CreateFlags.persistent, 'container', 'persistent'],
    [OpCode.createContainer, CreateFlags.ephemeral, 'container', 'ephemeral'],
  ];
  for (const [op, flags, alone, inMulti] of cases) {
    test(`opcode ${op} with flags ${flags}: ${alone}, inside multi ${inMulti}, as in Apache`, () => {
      const harness = new ReplicaHarness({ extendedTypesEnabled: true });
      const client = harness.connect();
      const request = (path: string) => ({ op, path, data: null, acl: OPEN_ACL, flags });
      assert.equal(client.call(request('/a')).err, ok);
      assert.equal(kindOf(harness, '/a'), alone);
      assert.deepEqual(results(client, request('/m')), [ok]);
      assert.equal(kindOf(harness, '/m'), inMulti);
    });
  }
});

suite('credentials that are null', () => {
  test('digest: AUTHFAILED, and the end of the connection', () => {
    const client = new ReplicaHarness().connect();
    assert.equal(client.call({ op: OpCode.auth, scheme: 'digest', auth: null }).err, ErrorCode.authFailed);
    assert.equal(client.wire.closed, true);
  });

  test('sasl: the end of the connection, without a reply', () => {
    const client = new ReplicaHarness().connect();
    client.send({ op: OpCode.sasl, token: null });
    assert.deepEqual(client.replies(), []);
    assert.equal(client.wire.closed, true);
  });
});

test('checkWatches finds a persistent watch as one of data and of children, removeWatches does not', () => {
  for (const mode of [AddWatchMode.persistent, AddWatchMode.persistentRecursive]) {
    const client = new ReplicaHarness().connect();
    client.ok({ op: OpCode.addWatch, path: '/', mode });
    const own = mode === AddWatchMode.persistent ? WatcherType.persistent : WatcherType.persistentRecursive;
    const ask = (op: 17 | 18, type: number): number => client.call({ op, path: '/', mode: type }).err;
    for (const type of [WatcherType.data, WatcherType.children]) {
      assert.equal(ask(OpCode.checkWatches, type), ok);
      assert.equal(ask(OpCode.removeWatches, type), noWatcher);
    }
    assert.equal(ask(OpCode.removeWatches, own), ok);
    assert.equal(ask(OpCode.checkWatches, WatcherType.data), noWatcher);
  }
});

test('checkWatches of a path without a slash is refused, removeWatches of it finds nothing', () => {
  const client = new ReplicaHarness().connect();
  const asked = { path: 'relative', mode: WatcherType.any };
  assert.equal(client.call({ op: OpCode.checkWatches, ...asked }).err, marshallingError);
  assert.equal(client.call({ op: OpCode.removeWatches, ...asked }).err, noWatcher);
});

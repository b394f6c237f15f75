/**
 * What one turn of the core may do, by kind of work and not by the clock: each scene asks for far more than that, and the
 * worst turn stays within its bound while the outcome is what one turn would have brought.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Work } from '../../../src/core/progress/turn-work.ts';
import type { Acl } from '../../../src/wire/acl.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import type { Connection } from '../support/replica-harness.ts';
import { ReplicaHarness } from '../support/replica-harness.ts';
import { auth, check, create, exists, getData, multi, PING, setAcl, setData } from '../support/requests.ts';
import { checkQuiet } from '../support/tree-dump.ts';

const LISTS = 12;
const ENTRIES = 5000;
const IDS = 200;
/** What a turn may compare before it begins no other list (30,000 units of 3), and one list or caller beyond. */
const ACL_ENTRIES_MAX = 10_000 + ENTRIES + 4 * IDS;

/** A list of its own for each znode, and an entry for a caller who has proved to be `x:p`. */
function longList(k: number, owner: Acl): Acl[] {
  const others = Array.from({ length: ENTRIES }, (_, i) => ({
    perms: 1,
    scheme: 'digest',
    id: `${k}-${i}:x`,
  }));
  return [...others, owner];
}

interface Scene {
  readonly h: ReplicaHarness;
  /** Its ids are many, and the last one is in each of the lists. */
  readonly caller: Connection;
  readonly other: Connection;
}

function scene(): Scene {
  const h = new ReplicaHarness();
  const [owner, caller, other] = [h.connect(), h.connect(), h.connect()];
  for (let i = 0; i < IDS; i++) caller.ok(auth('digest', `x${i}:p`));
  caller.ok(create('/probe', '', 0, [{ perms: 31, scheme: 'auth', id: '' }]));
  const probe = caller.ok({ op: OpCode.getAcl, path: '/probe' });
  const entry = { ...probe.acl!.at(-1)!, perms: 31 } as Acl;
  for (let k = 0; k < LISTS; k++) owner.ok(create(`/a${k}`, `${k}`, 0, longList(k, entry)));
  h.background();
  h.parts.work.worst();
  h.parts.work.reset();
  return { h, caller, other };
}

function nodes<T>(request: (path: string, k: number) => T): T[] {
  return Array.from({ length: LISTS }, (_, k) => request(`/a${k}`, k));
}

/** Until nothing is left; another client is answered in each turn. Returns the number of turns. */
function settleAmongPings({ h, other }: Scene): number {
  let turns = 0;
  for (let more = true; more; turns++) {
    other.send(PING);
    assert.equal(other.replies().length, 1, 'another client is answered in the same turn');
    h.durable();
    more = h.background();
  }
  h.settle();
  return turns;
}

suite('long ACL checks', () => {
  const reads = [
    [
      'one multiRead',
      (caller: Connection) => {
        caller.send({ op: OpCode.multiRead, subs: nodes((path) => getData(path)) });
      },
    ],
    ['getData in one chunk', (caller: Connection) => void caller.send(...nodes((path) => getData(path)))],
    ['exists in one chunk', (caller: Connection) => void caller.send(...nodes((path) => exists(path)))],
    [
      'getACL in one chunk',
      (caller: Connection) => void caller.send(...nodes((path) => ({ op: OpCode.getAcl, path }) as const)),
    ],
    ['writes in one chunk', (caller: Connection) => void caller.send(...nodes((path) => setData(path, 'x')))],
    ['one multi', (caller: Connection) => void caller.send(multi(...nodes((path) => check(path))))],
    [
      'creates below',
      (caller: Connection) => void caller.send(multi(...nodes((path) => create(`${path}/child`)))),
    ],
  ] as const;
  for (const [what, send] of reads) {
    test(`${what}: a list or two per turn, in the order of the requests`, () => {
      const s = scene();
      send(s.caller);
      s.caller.send(PING);
      const turns = settleAmongPings(s);
      assert.ok(turns >= LISTS / 3, `in ${turns} turns`);
      const replies = s.caller.replies();
      assert.deepEqual(
        replies.map(({ err }) => err),
        replies.map(() => 0),
      );
      assert.equal(replies.at(-1)!.op, OpCode.ping);
      const compared = s.h.parts.work.worst()[Work.aclEntries]!;
      assert.ok(compared >= ENTRIES && compared <= ACL_ENTRIES_MAX, `${compared} entries in one turn`);
      checkQuiet(s.h.parts);
    });
  }

  test('reads of a slow client that its own write must wait for', () => {
    const s = scene();
    s.caller.ok(create('/own'));
    s.caller.send(setData('/own', 'a'), ...nodes((path) => getData(path)), setData('/own', 'b'));
    s.caller.wire.room = 0;
    const turns = settleAmongPings(s);
    assert.ok(turns >= LISTS / 3, `in ${turns} turns`);
    s.caller.drained();
    s.h.settle();
    const replies = s.caller.replies();
    assert.deepEqual(
      replies.map(({ err }) => err),
      new Array(LISTS + 2).fill(0),
    );
    const compared = s.h.parts.work.worst()[Work.aclEntries]!;
    assert.ok(compared >= ENTRIES && compared <= ACL_ENTRIES_MAX, `${compared} entries in one turn`);
  });

  test('lists are masked some per turn for a reader who may not administer them', () => {
    const s = scene();
    const owner = s.h.connect();
    const anyone = { perms: 1, scheme: 'world', id: 'anyone' };
    for (let k = 0; k < LISTS; k++) owner.ok(create(`/m${k}`, '', 0, longList(k, anyone)));
    const masked = Array.from({ length: LISTS }, (_, k) => `/m${k}`);
    for (const path of masked) s.caller.ok(exists(path));
    s.h.background();
    s.h.parts.work.worst();
    s.h.parts.work.reset();
    s.caller.send(...masked.map((path) => ({ op: OpCode.getAcl, path }) as const));
    settleAmongPings(s);
    assert.equal(s.caller.replies().filter(({ err }) => err === 0).length, LISTS);
    const entries = s.h.parts.work.worst()[Work.aclEntries]!;
    assert.ok(entries >= ENTRIES && entries <= ACL_ENTRIES_MAX, `${entries} entries in one turn`);
  });

  test('a multiRead that had to wait is of one moment all the same', () => {
    const s = scene();
    s.caller.send({ op: OpCode.multiRead, subs: nodes((path) => getData(path)) });
    s.h.background();
    const owner = s.h.connect();
    for (let i = 0; i < IDS; i++) owner.ok(auth('digest', `x${i}:p`));
    owner.send(setData('/a0', 'new'), setData(`/a${LISTS - 1}`, 'new'));
    s.h.settle();
    const [reply] = s.caller.replies();
    assert.ok(reply?.response != null && 'results' in reply.response);
    const [first, ...rest] = reply.response.results.map((result) =>
      'data' in result ? new TextDecoder().decode(result.data!) : '',
    );
    assert.equal(first === 'new', rest.at(-1) === 'new', `${first} and ${rest.at(-1)}`);
  });

  test('many who watch one znode: its list is gone through once, not once for each of them', () => {
    const h = new ReplicaHarness();
    const watchers = Array.from({ length: 60 }, () => h.connect());
    const owner = h.connect();
    owner.ok(create('/a', '', 0, [{ perms: 31, scheme: 'world', id: 'anyone' }]));
    for (const watcher of watchers) watcher.ok(getData('/a', true));
    const anyone = { perms: 31, scheme: 'world', id: 'anyone' };
    owner.ok(setAcl('/a', longList(0, anyone)));
    h.background();
    h.parts.work.worst();
    h.parts.work.reset();
    owner.ok(setData('/a', 'x'));
    for (const watcher of watchers) assert.deepEqual(watcher.transcript(), ['3:/a']);
    const compared = h.parts.work.worst()[Work.aclEntries]!;
    assert.ok(compared < 7 * ENTRIES, `${compared} entries`);
  });
});

test('lists that stand for all ids of a caller are written some per turn', () => {
  const s = scene();
  s.caller.send(
    ...Array.from({ length: 300 }, (_, k) =>
      setAcl('/probe', [{ perms: 31 - (k % 7), scheme: 'auth', id: '' }]),
    ),
  );
  settleAmongPings(s);
  assert.equal(s.caller.replies().filter(({ err }) => err === 0).length, 300);
  const written = s.h.parts.work.worst()[Work.aclEntries]!;
  assert.ok(written <= ACL_ENTRIES_MAX, `${written} entries in one turn`);
});

test('multis in one chunk: so many operations per turn, whosever they are', () => {
  const s = scene();
  const clients = Array.from({ length: 20 }, () => s.h.connect());
  for (const [n, client] of clients.entries()) {
    client.send(multi(...Array.from({ length: 500 }, (_, i) => create(`/n${n}-${i}`))));
  }
  settleAmongPings(s);
  for (const client of clients)
    assert.deepEqual(
      client.replies().map(({ err }) => err),
      [0],
    );
  const prepared = s.h.parts.work.worst()[Work.operations]!;
  assert.ok(prepared >= 500 && prepared <= 2000 + 512, `${prepared} operations in one turn`);
  checkQuiet(s.h.parts);
});

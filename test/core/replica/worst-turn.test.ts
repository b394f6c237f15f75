/**
 * Every opcode there is, asked for as much as a client can: its worst turn is counted in units of work, not in time, and
 * another client's ping is answered in each turn. A new opcode does not get past this table.
 */
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { Work } from '../../../src/core/progress/turn-work.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import type { Request } from '../../../src/wire/request-values.ts';
import { type Connection, ReplicaHarness } from '../support/replica-harness.ts';
import {
  CLOSE,
  check,
  create,
  ephemeral,
  exists,
  getChildren,
  getChildren2,
  getData,
  multi,
  PING,
  remove,
  setAcl,
  setData,
} from '../support/requests.ts';

const ENTRIES = 8000;
/**
 * What one turn may do of each kind, and one piece more: to index one list is four look-ups an entry. A turn commits twice,
 * what has become durable and what was left.
 */
const MOST = [
  [Work.aclEntries, 10_000 + 4 * (ENTRIES + 100)],
  [Work.listEntries, 2 * 16_384],
  [Work.operations, 1500 + 1024],
  [Work.changes, 2 * (4096 + 1024 + 1)],
  [Work.events, 2 * (8192 + 4096)],
] as const;

const COUNT = 20_000;
const names = Array.from({ length: COUNT }, (_, i) => `/p/n${i}`);
const since = 2 ** 40;
const lists = { data: names, exist: [], child: names };
const entries = Array.from({ length: ENTRIES }, (_, i) => ({ perms: 31, scheme: 'digest', id: `u${i}:x` }));
const open = { perms: 31, scheme: 'world', id: 'anyone' };
/** Its work does not grow with what it names: a path, a value, a frame. */
const CHEAP = 'cheap';
/** No client may ask for it: it is refused before any work. */
const REFUSED = 'refused';

const scenes: Record<keyof typeof OpCode, readonly Request[] | typeof CHEAP | typeof REFUSED> = {
  notification: REFUSED,
  create: [create('/acl1', '', 0, [...entries, open]), create('/acl2', '', 0, [...entries, open])],
  delete: CHEAP,
  exists: [exists('/wide0'), exists('/wide1'), exists('/wide2'), exists('/wide3')],
  getData: [getData('/wide0'), getData('/wide1'), getData('/wide2'), getData('/wide3')],
  setData: [setData('/watched', 'x'), setData('/wide0', 'x'), setData('/wide1', 'x')],
  getAcl: ['/wide0', '/wide1', '/wide2'].map((path) => ({ op: OpCode.getAcl, path }) as const),
  setAcl: [0, 1, 2].map((k) => setAcl(`/wide${k}`, [...entries, open])),
  getChildren: [getChildren('/p'), getChildren('/p')],
  sync: CHEAP,
  ping: CHEAP,
  getChildren2: [getChildren2('/p'), getChildren2('/p')],
  check: REFUSED,
  multi: [
    multi(...names.map((path) => create(`${path}/x`))),
    multi(...names.map((path) => remove(`${path}/x`))),
    multi(...names.map((path) => setData(path, 'x')), check('/nowhere')),
  ],
  create2: CHEAP,
  reconfig: CHEAP,
  checkWatches: CHEAP,
  removeWatches: CHEAP,
  createContainer: CHEAP,
  deleteContainer: REFUSED,
  createTtl: CHEAP,
  multiRead: [
    { op: OpCode.multiRead, subs: [getChildren('/p'), getChildren('/p'), getData('/wide0')] },
    { op: OpCode.multiRead, subs: names.map((path) => getData(path)) },
  ],
  auth: CHEAP,
  setWatches: [{ op: OpCode.setWatches, relativeZxid: since, ...lists }],
  sasl: CHEAP,
  getEphemerals: [{ op: OpCode.getEphemerals, path: '/' }],
  getAllChildrenNumber: [{ op: OpCode.getAllChildrenNumber, path: '/p' }],
  setWatches2: [
    { op: OpCode.setWatches2, relativeZxid: since, ...lists, persistent: names, persistentRecursive: [] },
  ],
  addWatch: CHEAP,
  whoAmI: CHEAP,
  error: REFUSED,
  createSession: REFUSED,
  closeSession: [CLOSE],
};

suite('the worst turn of every opcode', () => {
  let h: ReplicaHarness;
  let other: Connection;

  before(() => {
    h = new ReplicaHarness();
    const owner = h.connect();
    other = h.connect();
    owner.ok(create('/p'));
    owner.ok(create('/watched'));
    for (let k = 0; k < 4; k++) owner.ok(create(`/wide${k}`, '', 0, [...entries, { ...open, perms: 31 }]));
    for (let i = 0; i < COUNT; i += 500)
      owner.ok(multi(...names.slice(i, i + 500).map((path) => create(path))));
  });

  for (const [name, requests] of Object.entries(scenes)) {
    if (typeof requests === 'string') continue;
    test(name, () => {
      const client = h.connect();
      if (name === 'getEphemerals' || name === 'closeSession') {
        for (let i = 0; i < COUNT; i += 500)
          client.ok(multi(...names.slice(i, i + 500).map((path) => ephemeral(`/e${path.slice(3)}`))));
      }
      h.background();
      h.parts.work.worst();
      h.parts.work.reset();
      client.send(...requests);
      const answered = new Set<number>();
      for (let more = true; more || !h.replica.isQuiet; ) {
        other.send(PING);
        assert.equal(other.replies().length, 1, 'another client is answered in the same turn');
        h.durable();
        more = h.background();
        for (const { xid } of client.replies()) answered.add(xid);
      }
      h.settle();
      for (const { xid } of client.replies()) answered.add(xid);
      assert.equal(answered.size, requests.length);
      const worst = h.parts.work.worst();
      for (const [kind, most] of MOST) {
        assert.ok(worst[kind]! <= most, `${worst[kind]} of kind ${kind} in one turn`);
      }
      assert.ok(Math.max(...worst) > 0, 'the scene is heavy');
      client.disconnect();
      h.settle();
    });
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventType } from '../../../src/core/watch/watch-firing.ts';
import type { WatchMode as Mode } from '../../../src/core/watch/watch-rows.ts';
import { WatchMode } from '../../../src/core/watch/watch-rows.ts';
import { WatcherType } from '../../../src/wire/opcodes.ts';
import { Driver } from './driver.ts';

const { nodeCreated, nodeDeleted, nodeDataChanged, nodeChildrenChanged } = EventType;
const { standardData, standardChild, persistent, recursive } = WatchMode;

test('a standard data watch fires once', () => {
  const w = new Driver();
  w.add(7, '/a', standardData);
  w.add(7, '/a', standardData);
  assert.equal(w.table.watchCount, 1, 'registering is idempotent');
  assert.deepEqual(w.data(nodeDataChanged, '/b'), []);
  assert.deepEqual(w.child(nodeChildrenChanged, '/a'), [], 'the other table');
  assert.deepEqual(w.data(nodeDataChanged, '/a'), ['7:3']);
  assert.deepEqual(w.data(nodeDataChanged, '/a'), []);
  assert.equal(w.table.watchCount, 0);
});

test('a standard child watch fires once, for children or deletion', () => {
  const w = new Driver();
  w.add(7, '/a', standardChild);
  assert.deepEqual(w.data(nodeDataChanged, '/a'), []);
  assert.deepEqual(w.child(nodeChildrenChanged, '/a'), ['7:4']);
  assert.deepEqual(w.child(nodeChildrenChanged, '/a'), []);
  w.add(7, '/a', standardChild);
  assert.deepEqual(w.deleted('/a'), ['7:2']);
  assert.deepEqual(w.deleted('/a'), []);
});

test('a node watched for data and children is deleted with one event', () => {
  const w = new Driver();
  w.add(7, '/a', standardData);
  w.add(7, '/a', standardChild);
  w.add(8, '/a', standardChild);
  assert.deepEqual(w.deleted('/a'), ['7:2', '8:2']);
  assert.equal(w.table.watchCount, 0, 'the watch that was not told is consumed too');
});

test('a recursive watch above counts as told when the child watch is looked at', () => {
  const w = new Driver();
  w.add(7, '/', recursive);
  w.add(7, '/a/b', standardChild);
  assert.deepEqual(w.deleted('/a/b'), ['7:2']);
  assert.equal(w.has(7, '/a/b', WatcherType.any), false);
  assert.equal(w.has(7, '/', WatcherType.persistentRecursive), true);
});

test('a persistent watch hears created, deleted, changed and children changed, again and again', () => {
  const w = new Driver();
  w.add(7, '/n', persistent);
  assert.equal(w.table.watchCount, 2, 'it stands in both tables');
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(w.data(nodeCreated, '/n'), ['7:1']);
    assert.deepEqual(w.data(nodeDataChanged, '/n'), ['7:3']);
    assert.deepEqual(w.child(nodeChildrenChanged, '/n'), ['7:4']);
    assert.deepEqual(w.deleted('/n'), ['7:2']);
  }
  assert.deepEqual(w.data(nodeCreated, '/n/below'), []);
});

test('a recursive watch hears of the node and everything below, but never children changed', () => {
  const w = new Driver();
  w.add(7, '/a', recursive);
  assert.equal(w.table.watchCount, 1);
  assert.deepEqual(w.data(nodeCreated, '/a'), ['7:1']);
  assert.deepEqual(w.data(nodeCreated, '/a/b/c'), ['7:1']);
  assert.deepEqual(w.deleted('/a/b/c'), ['7:2']);
  assert.deepEqual(w.data(nodeCreated, '/ab'), [], 'by component');
  assert.deepEqual(w.data(nodeCreated, '/'), []);
  assert.deepEqual(w.child(nodeChildrenChanged, '/a'), []);
  w.add(8, '/', recursive);
  assert.deepEqual(w.data(nodeCreated, '/x'), ['8:1']);
  assert.deepEqual(w.data(nodeDataChanged, '/'), ['8:3']);
  assert.deepEqual(w.data(nodeCreated, '/a/b'), ['8:1', '7:1'], 'from the root downwards');
});

test('all modes of one connection at one path: one notification per firing', () => {
  const w = new Driver();
  for (const mode of [standardData, standardChild, persistent, recursive]) w.add(7, '/a', mode);
  w.add(7, '/', recursive);
  assert.equal(w.table.watchCount, 3, 'connection and path count once in each table');
  assert.deepEqual(w.data(nodeDataChanged, '/a'), ['7:3']);
  assert.equal(w.has(7, '/a', WatcherType.data), false, 'the standard one among them is consumed');
  assert.equal(w.has(7, '/a', WatcherType.children), true);
  assert.equal(w.has(7, '/a', WatcherType.persistent), true);
  assert.deepEqual(w.deleted('/a'), ['7:2']);
  assert.equal(w.has(7, '/a', WatcherType.children), false);
  assert.deepEqual(w.data(nodeCreated, '/a'), ['7:1']);
});

test('connections are told in the order in which they registered', () => {
  const w = new Driver();
  for (const conn of [5, 3, 9, 1]) w.add(conn, '/a', standardData);
  w.add(3, '/a', persistent);
  assert.deepEqual(w.data(nodeCreated, '/a'), ['5:1', '3:1', '9:1', '1:1']);
  assert.deepEqual(w.data(nodeCreated, '/a'), ['3:1']);
});

test('checkWatches and removeWatches, type by type', () => {
  const { children, data, any, persistent: persistentType, persistentRecursive } = WatcherType;
  const types = [children, data, persistentType, persistentRecursive];
  const modes = [standardChild, standardData, persistent, recursive];
  for (let i = 0; i < modes.length; i++) {
    const w = new Driver();
    w.add(7, '/a', modes[i]!);
    for (const type of types) assert.equal(w.has(7, '/a', type), type === types[i]);
    assert.equal(w.has(7, '/a', any), true);
    assert.equal(w.has(7, '/b', any), false);
    assert.equal(w.has(8, '/a', any), false);
    for (const type of types) if (type !== types[i]) assert.equal(w.remove(7, '/a', type), false);
    assert.equal(w.remove(8, '/a', any), false);
    assert.equal(w.remove(7, '/a', types[i]!), true);
    assert.equal(w.remove(7, '/a', types[i]!), false, 'nothing left: NOWATCHER');
    assert.equal(w.table.watchCount, 0);
    w.add(7, '/a', modes[i]!);
    w.add(9, '/a', modes[i]!);
    assert.equal(w.remove(7, '/a', any), true);
    assert.equal(w.has(9, '/a', any), true, 'of this connection only');
  }
  const w = new Driver();
  w.add(7, '/a', standardData);
  assert.throws(() => w.has(7, '/a', 6), /not checked/, 'MARSHALLINGERROR is for the caller to answer');
});

test('removing persistent leaves the other modes', () => {
  const w = new Driver();
  for (const mode of [standardData, standardChild, persistent, recursive]) w.add(7, '/a', mode);
  assert.equal(w.remove(7, '/a', WatcherType.persistent), true);
  assert.deepEqual(w.child(nodeChildrenChanged, '/a'), ['7:4']);
  assert.deepEqual(w.child(nodeChildrenChanged, '/a'), []);
  assert.equal(w.remove(7, '/a', WatcherType.persistentRecursive), true);
  assert.deepEqual(w.data(nodeDataChanged, '/a'), ['7:3']);
  assert.deepEqual(w.data(nodeDataChanged, '/a'), []);
});

test('watches go with their connection', () => {
  const w = new Driver();
  for (let i = 0; i < 300; i++) w.add(7, `/n${i}`, i % 2 === 0 ? standardData : recursive);
  w.add(8, '/n0', standardData);
  w.table.removeConnection(7);
  w.table.removeConnection(7);
  assert.equal(w.table.watchCount, 1);
  assert.deepEqual(w.data(nodeCreated, '/n0'), ['8:1']);
  assert.deepEqual(w.data(nodeCreated, '/n1/x'), []);
  w.add(7, '/n1', standardData);
  assert.deepEqual(w.data(nodeCreated, '/n1'), ['7:1'], 'the connection number may come back');
});

test('wchs, wchc and wchp look at the data table only', () => {
  const w = new Driver();
  w.add(1, '/a', standardData);
  w.add(1, '/b', persistent);
  w.add(1, '/c', standardChild);
  w.add(2, '/a', recursive);
  w.add(3, '/c', standardChild);
  w.add(2, '/', standardData);
  assert.deepEqual(w.table.summary(), { connections: 2, paths: 3, watches: 4 });
  assert.equal(w.table.watchCount, 7, 'zk_watch_count counts both');
  assert.deepEqual(
    Array.from(w.table.byConnection(), ({ conn, paths }) => [conn, present(paths)]).filter(hasMembers),
    [
      [1, ['/a', '/b']],
      [2, ['/a', '/']],
    ],
  );
  assert.deepEqual(
    present(w.table.byPath())
      .map(({ path, conns }): [string, number[]] => [path, present(conns)])
      .filter(hasMembers),
    [
      ['/a', [1, 2]],
      ['/b', [1]],
      ['/', [2]],
    ],
  );
});

/** Steps that met something. */
function present<T>(steps: Iterable<T | null>): T[] {
  return [...steps].filter((step) => step !== null);
}

function hasMembers([, members]: readonly [unknown, readonly unknown[]] | (number | string[])[]): boolean {
  return (members as readonly unknown[]).length > 0;
}

// ---- against a model ----------------------------------------------------------------------------------------

/** Two tables of sets, written as the protocol page reads. */
class Model {
  private readonly watches = new Map<string, { conn: number; path: string; mode: Mode }>();

  add(conn: number, path: string, mode: Mode): void {
    this.watches.set(`${conn} ${path} ${mode}`, { conn, path, mode });
  }

  remove(conn: number, path: string, modes: readonly Mode[]): boolean {
    return modes.map((mode) => this.watches.delete(`${conn} ${path} ${mode}`)).includes(true);
  }

  has(conn: number, path: string, modes: readonly Mode[]): boolean {
    return modes.some((mode) => this.watches.has(`${conn} ${path} ${mode}`));
  }

  removeConnection(conn: number): void {
    for (const [key, watch] of this.watches) if (watch.conn === conn) this.watches.delete(key);
  }

  fire(path: string, table: 'data' | 'child'): Set<number> {
    const told = new Set<number>();
    for (const [key, watch] of this.watches) {
      const exact = watch.path === path;
      const below = watch.path === '/' || path.startsWith(watch.path + '/');
      const standard = table === 'data' ? standardData : standardChild;
      const matches =
        (exact && (watch.mode === standard || watch.mode === persistent)) ||
        (table === 'data' && watch.mode === recursive && (exact || below));
      if (!matches) continue;
      told.add(watch.conn);
      if (watch.mode === standard) this.watches.delete(key);
    }
    return told;
  }

  count(): number {
    const pairs = new Set<string>();
    for (const { conn, path, mode } of this.watches.values()) {
      if (mode !== standardChild) pairs.add(`data ${conn} ${path}`);
      if (mode === standardChild || mode === persistent) pairs.add(`child ${conn} ${path}`);
    }
    return pairs.size;
  }

  /** The data table alone, counted by looking at all of it. */
  summary(): { connections: number; paths: number; watches: number } {
    const inTable = [...this.watches.values()].filter(({ mode }) => mode !== standardChild);
    return {
      connections: new Set(inTable.map(({ conn }) => conn)).size,
      paths: new Set(inTable.map(({ path }) => path)).size,
      watches: new Set(inTable.map(({ conn, path }) => `${conn} ${path}`)).size,
    };
  }
}

const MODES_OF_TYPE: Record<number, readonly Mode[]> = {
  [WatcherType.children]: [standardChild],
  [WatcherType.data]: [standardData],
  [WatcherType.any]: [standardData, standardChild, persistent, recursive],
  [WatcherType.persistent]: [persistent],
  [WatcherType.persistentRecursive]: [recursive],
};

test('the table agrees with the model under random use', () => {
  const path = fc.constantFrom('/', '/a', '/b', '/ab', '/a/b', '/a/b/c', '/a/bc', `/${'long'.repeat(20)}`);
  const conn = fc.nat(6);
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.tuple(
        fc.constant('add'),
        conn,
        path,
        fc.constantFrom(standardData, standardChild, persistent, recursive),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constantFrom('has', 'remove'), conn, path, fc.integer({ min: 1, max: 5 })),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constantFrom('data', 'child', 'deleted'), conn, path, fc.constant(0)),
    },
    { weight: 1, arbitrary: fc.tuple(fc.constant('gone'), conn, path, fc.constant(0)) },
  );
  const told = (event: number, conns: Iterable<number>): string[] =>
    [...conns].map((c) => `${c}:${event}`).sort();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const w = new Driver();
      const model = new Model();
      for (const [action, who, where, what] of steps) {
        if (action === 'add') {
          w.add(who, where, what as Mode);
          model.add(who, where, what as Mode);
        } else if (action === 'has') {
          assert.equal(w.has(who, where, what), model.has(who, where, MODES_OF_TYPE[what]!));
        } else if (action === 'remove') {
          assert.equal(w.remove(who, where, what), model.remove(who, where, MODES_OF_TYPE[what]!));
        } else if (action === 'data') {
          assert.deepEqual(w.data(nodeCreated, where).sort(), told(nodeCreated, model.fire(where, 'data')));
        } else if (action === 'child') {
          const heard = w.child(nodeChildrenChanged, where).sort();
          assert.deepEqual(heard, told(nodeChildrenChanged, model.fire(where, 'child')));
        } else if (action === 'deleted') {
          const conns = new Set([...model.fire(where, 'data'), ...model.fire(where, 'child')]);
          assert.deepEqual(w.deleted(where).sort(), told(nodeDeleted, conns));
        } else {
          w.table.removeConnection(who);
          model.removeConnection(who);
        }
        assert.equal(w.table.watchCount, model.count());
        assert.deepEqual(w.table.summary(), model.summary());
      }
    }),
    { numRuns: 300 },
  );
});

test('many watches: columns grow, and one path with thousands of connections stays cheap', () => {
  const w = new Driver();
  for (let i = 0; i < 20_000; i++) w.add(i % 100, `/many/${i}`, standardData);
  for (let conn = 0; conn < 5000; conn++)
    for (let twice = 0; twice < 2; twice++) w.add(conn, '/hot', standardData);
  assert.equal(w.table.watchCount, 25_000);
  assert.equal(w.data(nodeDataChanged, '/hot').length, 5000);
  for (let i = 0; i < 20_000; i++) assert.deepEqual(w.data(nodeCreated, `/many/${i}`), [`${i % 100}:1`]);
  assert.equal(w.table.watchCount, 0);
});
